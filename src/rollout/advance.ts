import { begun, notAheadOf, promoted, rolledBack, underReview } from './changes.ts'
import { absorb, type FrozenDelta } from './figures.ts'
import { judge } from './judge.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import { nextStage, unmetCriteria } from './stages.ts'
import { isEnded, type RolloutState } from './state.ts'

/** What a run brings to a rollout's state. */
export interface News {
  /** What it has counted; undefined where that is nothing. */
  readonly counted?: FrozenDelta | undefined
  /** Why it has stopped using the candidate. */
  readonly failing?: string | undefined
}

type Rules = Pick<RolloutSettings, 'name' | 'auto' | 'stages' | 'triggers'>

/**
 * The state that follows from what a run brings: with its figures, and rolled back, put under review or promoted where
 * triggers and criteria have it so; begun where there is none. The very same state where nothing follows.
 */
export function advanced(
  state: RolloutState | undefined,
  rules: Rules,
  nowMs: number,
  { counted, failing }: News = {},
): RolloutState {
  const present = notAheadOf(state ?? begun(rules.name, rules.stages, nowMs), nowMs)
  const known = counted === undefined ? present : absorb(present, counted, rules.triggers)
  // What was counted before somebody began it anew is no reason for anything.
  const isEarlier = counted !== undefined && counted.begunAt !== known.begunAt
  if (isEarlier || isEnded(known)) return known
  if (failing !== undefined) return rolledBack(known, nowMs, { by: 'automatic', cause: failing })
  const verdict = judge(known, rules.triggers)
  if (verdict.is === 'rollback') return rolledBack(known, nowMs, { by: 'automatic', cause: verdict.cause })
  if (verdict.is === 'review') return underReview(known, nowMs, verdict.cause)
  const isDue =
    rules.auto &&
    nextStage(rules.stages, known.stage) !== undefined &&
    unmetCriteria(known, rules.stages, nowMs).length === 0
  return isDue ? promoted(known, rules.stages, nowMs, { by: 'automatic', cause: 'all criteria met' }) : known
}

/**
 * The share of its files that a run which begins now gives to the candidate, from 0 to 100.
 *
 * @param asked the share that the environment asks for
 */
export function shareOf({ status, stage }: RolloutState, asked?: number): number {
  if (status === 'rolled-back') return 0
  return asked ?? (status === 'complete' ? 100 : stage)
}
