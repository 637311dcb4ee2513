import type { Side } from '../rollout/side.ts'
import { keyProblem } from './keys/object-key.ts'
import type { PlanLane } from './plan-file.ts'

/** What a plan has to know of a rollout. */
export interface PlanSides {
  /** The side that a file of this name is given to; undefined: it counts for neither. Absent: nothing is rolled out. */
  readonly sides?: ((source: string) => Side | undefined) | undefined
  /**
   * By lane, the lane of its candidate; undefined where it has none: its files count for neither side. Where no file
   * goes to the candidates, the lanes that it names need not be there.
   */
  readonly candidateOf?: readonly (number | undefined)[] | undefined
}

/**
 * Tells which side a file is given to that its lane's destination can hold; undefined: it takes the baseline, and counts
 * for neither.
 */
export type ChooseSide = (lane: number, source: string, name: string) => Side | undefined

/** @param lanes all that are open */
export function createSideChooser(lanes: readonly PlanLane[], { sides, candidateOf }: PlanSides): ChooseSide {
  if (sides === undefined || candidateOf === undefined) return () => undefined
  const doubts = candidateOf.map((candidate, lane) => createDoubt(lanes[lane], lanes[candidate ?? -1]))
  return (lane, source, name) => {
    if (candidateOf[lane] === undefined) return undefined
    // A file that only one of them can hold says nothing of the other, whichever it takes.
    return doubts[lane]?.(name) ? undefined : sides(source)
  }
}

/**
 * Tells the names that a candidate's destination cannot hold, of those that its baseline's can; undefined where it can
 * hold all of these.
 */
function createDoubt(
  baseline: PlanLane | undefined,
  candidate: PlanLane | undefined,
): ((name: string) => boolean) | undefined {
  if (baseline === undefined || candidate === undefined || namesAlike([baseline, candidate])) return undefined
  // What no key may hold is not in these names, unless they are changed in another way, or the prefix has it.
  const isPlain = candidate.fixName === baseline.fixName && keyProblem(`${candidate.prefix}name`) === undefined
  return (name) => {
    const key = keyAt(candidate, name)
    return (isPlain ? candidate.keyProblem(key) : keyFault(candidate, key)) !== undefined
  }
}

/** The key of a file in a lane, of what follows the prefix. */
export function keyAt({ prefix, fixName }: PlanLane, name: string): string {
  return prefix + (fixName === undefined ? name : fixName(name))
}

/** Why a lane's destination cannot hold a key; undefined where it can. */
export function keyFault(lane: PlanLane, key: string): string | undefined {
  return keyProblem(key) ?? lane.keyProblem(key)
}

/** Whether one name becomes one and the same object in all of these lanes. */
export function namesAlike(lanes: readonly PlanLane[]): boolean {
  const [first] = lanes
  return lanes.every(
    ({ place, prefix, fixName, keyProblem }) =>
      place === first?.place && prefix === first.prefix && fixName === first.fixName && keyProblem === first.keyProblem,
  )
}
