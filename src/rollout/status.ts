import { shareOf } from './advance.ts'
import { adviceOn, type StatusVerdict, verdictOn } from './advice.ts'
import { begun } from './changes.ts'
import { type ClassLatency, compareLatency, referenceFor } from './latency-check.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import { latencyOf } from './side-figures.ts'
import { figuresOf, successRateOf, windowFigures } from './stage-figures.ts'
import { nextStage, type Stage, stageAt, timeInStage, unmetCriteria } from './stages.ts'
import { type Change, type HourFigures, isEnded, type RolloutState, type SideFigures } from './state.ts'

/** Where a rollout stands. Times are ISO-8601 UTC, durations in milliseconds, rates from 0 to 1. */
export interface RolloutStatus {
  readonly name: string
  /** `baseline`: the candidate gets nothing in this stage. */
  readonly state: 'baseline' | 'running' | 'review' | 'rolled-back' | 'complete'
  /** The percentage that names its stage; of one that is rolled back, the stage it had come to. */
  readonly stage: number
  /** The share that runs give to the candidate, where the environment asks for no other. */
  readonly percentage: number
  /** When its stage was begun; null where no run has taken part yet. */
  readonly since: string | null
  /** The percentage of the stage after this one; null in the last. */
  readonly next: number | null
  readonly inStageMs: number
  /** What has to hold before the next stage. */
  readonly required: Pick<Stage, 'durationMs' | 'minSuccess' | 'minFiles'>
  /** Of the current stage. */
  readonly candidate: SideStatus
  /** Of the current stage, but for the latency where it has none there. */
  readonly baseline: SideStatus & { readonly latencyFrom: 'this stage' | 'earlier stages' }
  /** The candidate's p95 by the baseline's, over files of all sizes; null where either is not known. */
  readonly p95Ratio: number | null
  /** As the latency trigger compares them: of the window, by size class. */
  readonly sizeClasses: readonly ClassLatency[]
  readonly maxLatencyRatio: number
  /** The last candidate files, by which it is rolled back. */
  readonly window: { readonly files: number; readonly failures: number; readonly successRate: number | null }
  /** Criteria that are not met, one line each. */
  readonly unmet: readonly string[]
  readonly verdict: StatusVerdict
  /** What to do next, in one line. */
  readonly advice: string
  /** Of every stage there was since it was begun, or begun anew. */
  readonly figures: readonly StageStatus[]
  /** The last 24 hours in which there were files, the newest last. */
  readonly hours: readonly HourFigures[]
  /** The newest last. */
  readonly history: readonly Change[]
}

/** Null where there is nothing to tell. */
export interface SideStatus extends Pick<SideFigures, 'files' | 'failures' | 'bytes' | 'firstSeen' | 'lastSeen'> {
  readonly successRate: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

export interface StageStatus {
  /** The percentage that names it. */
  readonly stage: number
  readonly candidate: SideStatus
  readonly baseline: SideStatus
}

const hoursShown = 24

/** @param given undefined where no run has taken part yet */
export function statusOf(
  given: RolloutState | undefined,
  rollout: Pick<RolloutSettings, 'name' | 'stages' | 'triggers' | 'auto'>,
  nowMs: number,
): RolloutStatus {
  const { name, stages, triggers } = rollout
  const state = given ?? begun(name, stages, nowMs)
  const { durationMs, minSuccess, minFiles } = stageAt(stages, state.stage)
  const unmet = isEnded(state) ? [] : unmetCriteria(state, stages, nowMs)
  const verdict = verdictOn(state, unmet)
  const percentage = shareOf(state)
  const reference = referenceFor(state, triggers)
  const counted = figuresOf(state, state.stage)
  const candidate = sideStatus(counted.candidate)
  const baseline = sideStatus(counted.baseline, reference.latency)
  const window = windowFigures(state, triggers)
  return {
    name: state.name,
    state: state.status !== 'active' ? state.status : percentage === 0 ? 'baseline' : 'running',
    stage: state.stage,
    percentage,
    since: given?.stageSince ?? null,
    next: nextStage(stages, state.stage)?.percentage ?? null,
    inStageMs: timeInStage(state, nowMs),
    required: { durationMs, minSuccess, minFiles },
    candidate,
    baseline: { ...baseline, latencyFrom: reference.isEarlier ? 'earlier stages' : 'this stage' },
    p95Ratio: candidate.p95Ms === null || !baseline.p95Ms ? null : candidate.p95Ms / baseline.p95Ms,
    sizeClasses: compareLatency(state, triggers),
    maxLatencyRatio: triggers.maxLatencyRatio,
    window: { ...window, successRate: successRateOf(window) },
    unmet,
    verdict,
    advice: adviceOn(verdict, state, rollout),
    figures: state.figures.map((each) => ({
      stage: each.stage,
      candidate: sideStatus(each.candidate),
      baseline: sideStatus(each.baseline),
    })),
    hours: state.hours.slice(-hoursShown),
    history: given?.history ?? [],
  }
}

/** @param latency where it is not that of the files themselves */
function sideStatus(figures: SideFigures, latency = latencyOf([figures])): SideStatus {
  const { files, failures, bytes, firstSeen, lastSeen } = figures
  return {
    files,
    failures,
    successRate: successRateOf(figures),
    bytes,
    p50Ms: latency.percentile(50),
    p95Ms: latency.percentile(95),
    firstSeen,
    lastSeen,
  }
}
