import { begun, completed, promoted, resetState, reviewDecided, rolledBack } from './changes.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import { nextStage, unmetCriteria } from './stages.ts'
import type { RolloutState } from './state.ts'

/** What somebody asks of a rollout. */
export interface Wish {
  /** Go on although criteria are not met. */
  readonly force: boolean
  /** Why, in their words. */
  readonly why: string | undefined
}

/** What comes of it. */
export type Decision = {
  /** As it stands after it; where it is not `changed`, as it stood before. */
  readonly state: RolloutState
  /** In one line, without the rollout's name. */
  readonly said: string
} & (
  | { readonly is: 'changed' }
  /** It was so already. */
  | { readonly is: 'unchanged' }
  | {
      readonly is: 'refused'
      /** What stands against it, each in a line of its own. */
      readonly unmet: readonly string[]
      /** What to do instead. */
      readonly remedy: string
    }
)

type Rollout = Pick<RolloutSettings, 'name' | 'stages'>

type Decide = (state: RolloutState, rollout: Rollout, nowMs: number, wish: Wish) => Decision

const byHand = 'asked for by hand'

const ways = { promote, rollback, reset, complete } as const satisfies Readonly<Record<string, Decide>>

/** The commands that change a rollout. */
export type RolloutCommand = keyof typeof ways

/**
 * What a rollout does where somebody asks for it by a command.
 *
 * @param state - Undefined where no run has taken part yet, or nobody can read what there is.
 */
export function decide(
  command: RolloutCommand,
  state: RolloutState | undefined,
  rollout: Rollout,
  nowMs: number,
  wish: Wish,
): Decision {
  if (state !== undefined) return ways[command](state, rollout, nowMs, wish)
  const first = begun(rollout.name, rollout.stages, nowMs, { by: 'person', cause: wish.why ?? byHand })
  if (command !== 'reset') return ways[command](first, rollout, nowMs, wish)
  return { is: 'changed', state: first, said: `begun at ${first.stage} %` }
}

function promote(state: RolloutState, { stages }: Rollout, nowMs: number, { force, why }: Wish): Decision {
  const { stage } = state
  const ended = endedAlready(state, 'not promoted')
  if (ended !== undefined) return ended
  const unmet = unmetCriteria(state, stages, nowMs)
  const next = nextStage(stages, stage)?.percentage
  const reason = { by: 'person', cause: why ?? 'all criteria met', unmet } as const
  if (next === undefined) {
    const isReview = state.status === 'review'
    const said = `${stage} % is the last stage`
    if (isReview && force) {
      return { is: 'changed', state: reviewDecided(state, nowMs, reason), said: `the review is decided; ${said}` }
    }
    const decision = 'look at upload rollout status, and decide: upload rollout promote --force --why TEXT'
    const remedy = isReview ? decision : 'once its criteria are met: upload rollout complete'
    return { is: 'refused', state, said: `not promoted: ${said}`, unmet, remedy }
  }
  if (unmet.length > 0 && !force) {
    return { is: 'refused', state, said: `not promoted from ${stage} % to ${next} %`, unmet, remedy: wait('promote') }
  }
  const after = promoted(state, stages, nowMs, reason)
  return { is: 'changed', state: after, said: `promoted from ${stage} % to ${next} %` }
}

function rollback(state: RolloutState, _: Rollout, nowMs: number, { why = byHand }: Wish): Decision {
  const { status, stage } = state
  if (status === 'rolled-back') return { is: 'unchanged', state, said: `rolled back already, from ${stage} %` }
  if (status === 'complete') {
    const remedy = "put the baseline's settings back into the config, or begin anew: upload rollout reset"
    return { is: 'refused', state, said: 'not rolled back: the rollout is complete', unmet: [], remedy }
  }
  const after = rolledBack(state, nowMs, { by: 'person', cause: why })
  const said = `rolled back from ${stage} % to 0 %; runs that are going follow within 5 s`
  return { is: 'changed', state: after, said }
}

function reset(state: RolloutState, { stages }: Rollout, nowMs: number, { why = byHand }: Wish): Decision {
  const after = resetState(state, stages, nowMs, why)
  return {
    is: 'changed',
    state: after,
    said: `begun anew at ${after.stage} %; nothing is counted yet, the history is kept`,
  }
}

function complete(state: RolloutState, { stages }: Rollout, nowMs: number, { force, why }: Wish): Decision {
  const { status, stage } = state
  if (status === 'complete') return { is: 'unchanged', state, said: 'complete already' }
  const ended = endedAlready(state, 'not complete')
  if (ended !== undefined) return ended
  const last = stages.at(-1)?.percentage
  const isLast = nextStage(stages, stage) === undefined
  const early = isLast ? [] : [`at ${stage} %, and the last stage is ${last} %`]
  const unmet = [...early, ...unmetCriteria(state, stages, nowMs)]
  if (unmet.length > 0 && !force) {
    return { is: 'refused', state, said: 'not complete', unmet, remedy: wait('complete') }
  }
  const after = completed(state, nowMs, { by: 'person', cause: why ?? 'all criteria met', unmet })
  return { is: 'changed', state: after, said: 'complete: every file goes by the candidate' }
}

/** Where there is no way on but to begin anew. */
function endedAlready(state: RolloutState, refusal: string): Decision | undefined {
  if (state.status === 'rolled-back') {
    const remedy = 'upload rollout status says why; once that is mended, begin anew: upload rollout reset'
    const said = `${refusal}: the rollout was rolled back from ${state.stage} %`
    return { is: 'refused', state, said, unmet: [], remedy }
  }
  if (state.status !== 'complete') return undefined
  const said = `${refusal}: the rollout is complete`
  return { is: 'refused', state, said, unmet: [], remedy: 'to begin anew: upload rollout reset' }
}

function wait(command: RolloutCommand): string {
  return `wait (upload rollout status), or go on all the same: upload rollout ${command} --force --why TEXT`
}
