import { changeFigures } from './side-figures.ts'
import { figuresOf } from './stage-figures.ts'
import { nextStage, type Stage, stageAt } from './stages.ts'
import type { Change, RolloutState } from './state.ts'

/** Who changes a rollout, and why. */
export interface Reason extends Pick<Change, 'by' | 'cause'> {
  /** Criteria that are not met. */
  readonly unmet?: readonly string[] | undefined
}

/** The oldest are dropped. */
const changesKept = 200

/** Characters of a cause that are kept: people give some of them. */
const causeLength = 300

const firstRun: Reason = { by: 'automatic', cause: 'the first run' }

/** A rollout at its first stage, of which nothing is counted yet. */
export function begun(name: string, stages: readonly Stage[], nowMs: number, reason = firstRun): RolloutState {
  const since = new Date(nowMs).toISOString()
  const { percentage } = stageAt(stages, 0)
  const state: RolloutState = {
    version: 1,
    name,
    revision: 0,
    begunAt: since,
    status: 'active',
    stage: percentage,
    stageSince: since,
    isReviewDecided: false,
    figures: [],
    window: [],
    hours: [],
    history: [],
  }
  return withChange(state, state, nowMs, 'begin', 0, percentage, reason)
}

/**
 * At the next stage, of which nothing is counted yet.
 *
 * @throws RangeError where the state is in its last stage.
 */
export function promoted(state: RolloutState, stages: readonly Stage[], nowMs: number, reason: Reason): RolloutState {
  const next = nextStage(stages, state.stage)
  if (next === undefined) throw new RangeError(`there is no stage after ${state.stage} %`)
  const after: RolloutState = {
    ...state,
    status: 'active',
    stage: next.percentage,
    stageSince: new Date(nowMs).toISOString(),
    isReviewDecided: false,
    window: [],
  }
  return withChange(state, after, nowMs, 'promote', state.stage, next.percentage, reason)
}

/** The candidate gets no files any more; the very same state where that is so already. */
export function rolledBack(state: RolloutState, nowMs: number, reason: Reason): RolloutState {
  if (state.status === 'rolled-back') return state
  return withChange(state, { ...state, status: 'rolled-back' }, nowMs, 'rollback', state.stage, 0, reason)
}

/** Not promoted before a person decides; the very same state where that is so, or has been decided in this stage. */
export function underReview(state: RolloutState, nowMs: number, cause: string): RolloutState {
  if (state.status !== 'active' || state.isReviewDecided) return state
  const after: RolloutState = { ...state, status: 'review' }
  return withChange(state, after, nowMs, 'review', state.stage, state.stage, { by: 'automatic', cause })
}

/** Somebody lets the candidate's latency pass, for this stage. */
export function reviewDecided(state: RolloutState, nowMs: number, reason: Reason): RolloutState {
  const after: RolloutState = { ...state, status: 'active', isReviewDecided: true }
  return withChange(state, after, nowMs, 'review', state.stage, state.stage, reason)
}

/** Begun anew: all that is left of before is the history. */
export function resetState(state: RolloutState, stages: readonly Stage[], nowMs: number, cause: string): RolloutState {
  const anew = begun(state.name, stages, nowMs)
  const after: RolloutState = {
    ...anew,
    revision: state.revision,
    // What was counted before is told from what is counted now by this time, whatever the clock says.
    begunAt: anew.begunAt === state.begunAt ? new Date(nowMs + 1).toISOString() : anew.begunAt,
  }
  return withChange(state, after, nowMs, 'reset', state.stage, anew.stage, { by: 'person', cause })
}

/** Every file goes to the candidate, for good. */
export function completed(state: RolloutState, nowMs: number, reason: Reason): RolloutState {
  return withChange(state, { ...state, status: 'complete' }, nowMs, 'complete', state.stage, 100, reason)
}

/**
 * Where the stage seems to have been begun at a later time than now, because a clock was set back, it begins now; else
 * the very same state.
 */
export function notAheadOf(state: RolloutState, nowMs: number): RolloutState {
  return Date.parse(state.stageSince) > nowMs ? { ...state, stageSince: new Date(nowMs).toISOString() } : state
}

function withChange(
  before: RolloutState,
  after: RolloutState,
  nowMs: number,
  action: Change['action'],
  from: number,
  to: number,
  { by, cause, unmet = [] }: Reason,
): RolloutState {
  const { candidate, baseline } = figuresOf(before, before.stage)
  const change: Change = {
    at: new Date(nowMs).toISOString(),
    action,
    by,
    from,
    to,
    cause: cause.slice(0, causeLength).toWellFormed(),
    ...(unmet.length === 0 ? {} : { unmet }),
    figures: { candidate: changeFigures(candidate), baseline: changeFigures(baseline) },
  }
  return { ...after, history: [...before.history, change].slice(-changesKept) }
}
