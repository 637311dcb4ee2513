import { matching } from '../plan/sources/ignore-patterns.ts'
import { bucketOf, isCandidates, wholeShare } from './assign.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import type { Side } from './side.ts'

/**
 * Tells which side of a rollout a file belongs to, by its source name; `undefined` for one that takes the baseline and
 * counts for neither side. Names are hashed only where the share leaves both sides some.
 *
 * @param percentage the candidate's share, from 0 to 100
 */
export function createSides(
  { name, only, never }: Pick<RolloutSettings, 'name' | 'only' | 'never'>,
  percentage: number,
): (source: string) => Side | undefined {
  const sideOf = createAssignment(name, percentage)
  if (only.length === 0 && never.length === 0) return sideOf
  const isMeant = only.length === 0 ? () => true : matching(only)
  const isLeftOut = never.length === 0 ? () => false : matching(never)
  return (source) => (isMeant(source) && !isLeftOut(source) ? sideOf(source) : undefined)
}

function createAssignment(name: string, percentage: number): (source: string) => Side {
  const whole = wholeShare(percentage)
  if (whole === 'none') return () => 'baseline'
  if (whole === 'all') return () => 'candidate'
  return (source) => (isCandidates(bucketOf(name, source), percentage) ? 'candidate' : 'baseline')
}
