import { nextStage, type Stage } from './stages.ts'
import type { RolloutState } from './state.ts'

/** What a rollout waits for, in a word. */
export type StatusVerdict = 'wait' | 'ready' | 'review' | 'rolled-back' | 'complete'

/** @param unmet criteria of the state's stage that are not met */
export function verdictOn(state: Pick<RolloutState, 'status'>, unmet: readonly string[]): StatusVerdict {
  if (state.status !== 'active') return state.status
  return unmet.length === 0 ? 'ready' : 'wait'
}

/** What to do next, in one line. */
export function adviceOn(
  verdict: StatusVerdict,
  state: Pick<RolloutState, 'stage' | 'history'>,
  { stages, auto }: { readonly stages: readonly Stage[]; readonly auto: boolean },
): string {
  const next = nextStage(stages, state.stage)
  switch (verdict) {
    case 'complete':
      return 'make the candidate the baseline in the config: upload rollout complete prints it'
    case 'rolled-back':
      return `rolled back (${lastCause(state)}); once that is mended: upload rollout reset`
    case 'review':
      return `decide (${lastCause(state)}): upload rollout promote --force --why TEXT, or upload rollout rollback`
    case 'ready':
      if (next === undefined) return 'upload rollout complete'
      return auto ? `the next run promotes it to ${next.percentage} %` : 'upload rollout promote'
    case 'wait':
      if (next === undefined) return 'wait; when its criteria are met: upload rollout complete'
      return auto
        ? `wait; a run promotes it to ${next.percentage} % when its criteria are met`
        : 'wait; when its criteria are met: upload rollout promote'
  }
}

/** Of the change that brought it where it is. */
function lastCause({ history }: Pick<RolloutState, 'history'>): string {
  return history.at(-1)?.cause ?? 'no cause is known'
}
