import { failing } from './failure-watch.ts'
import { slowClass } from './latency-check.ts'
import { windowFigures } from './stage-figures.ts'
import { isEnded, type RolloutState } from './state.ts'
import type { Triggers } from './triggers.ts'

/** What the triggers say of a state. */
export type Verdict =
  | { readonly is: 'fine' }
  | { readonly is: 'rollback'; readonly cause: string }
  | { readonly is: 'review'; readonly cause: string }

const fine: Verdict = { is: 'fine' }

/**
 * Whether the candidate is to be rolled back, or looked at. A review asks for it once in a stage: not while there is one,
 * nor after somebody has decided it.
 *
 * Meant for whenever the state changes: it sorts the window. In between, after each file, ask `watchFailures`.
 */
export function judge(state: RolloutState, triggers: Triggers): Verdict {
  if (isEnded(state)) return fine
  const { files, failures } = windowFigures(state, triggers)
  const tooMany = failing(files, failures, triggers)
  if (tooMany !== undefined) return { is: 'rollback', cause: tooMany }
  if (state.status === 'review' || state.isReviewDecided) return fine
  const tooSlow = slowClass(state, triggers)
  return tooSlow === undefined ? fine : { is: 'review', cause: tooSlow }
}
