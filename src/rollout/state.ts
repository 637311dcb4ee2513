import type { SizeClass } from './outcome.ts'
import type { Side } from './side.ts'

/** A rollout as its file has it. Times are ISO-8601 UTC. Bounded in size, however long it lasts. */
export interface RolloutState {
  readonly version: 1
  readonly name: string
  /** One more with each change of the file. */
  readonly revision: number
  /** When it was begun, or begun anew by a reset. */
  readonly begunAt: string
  readonly status: 'active' | 'review' | 'rolled-back' | 'complete'
  /** The percentage that names its stage; of one that is rolled back, the stage it had come to. */
  readonly stage: number
  readonly stageSince: string
  /** Somebody has looked at the candidate's latency in this stage, and let it pass. */
  readonly isReviewDecided: boolean
  /** Of all stages there were since {@link begunAt}. */
  readonly figures: readonly StageFigures[]
  /** The last candidate files of this stage, the newest last. */
  readonly window: readonly WindowEntry[]
  /** The last hours in which there were files, the newest last. */
  readonly hours: readonly HourFigures[]
  /** The last changes, the newest last; a reset keeps them. */
  readonly history: readonly Change[]
}

/** Whether it goes on no more unless somebody begins it anew. */
export function isEnded({ status }: Pick<RolloutState, 'status'>): boolean {
  return status === 'rolled-back' || status === 'complete'
}

export interface StageFigures {
  /** The percentage that names it. */
  readonly stage: number
  readonly candidate: SideFigures
  readonly baseline: SideFigures
}

/** What was counted of one side. */
export interface SideFigures {
  readonly files: number
  /** Of {@link files}. */
  readonly failures: number
  /** That arrived. */
  readonly bytes: number
  /** When its first and last file were begun; null where there was none. */
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  /** How long files took that arrived. */
  readonly latency: Readonly<Record<SizeClass, LatencyBuckets>>
}

/** A histogram: pairs of a duration in microseconds, the lowest of its bucket, and how many there were; by rising duration. */
export type LatencyBuckets = readonly (readonly [lowestMicroseconds: number, count: number])[]

/** One candidate file: how long it took in milliseconds, null for one that failed. */
export interface WindowEntry {
  readonly sizeClass: SizeClass
  readonly durationMs: number | null
}

export interface HourFigures {
  /** Its beginning. */
  readonly hour: string
  readonly candidate: HourSide
  readonly baseline: HourSide
}

export type HourSide = Pick<SideFigures, 'files' | 'failures' | 'bytes'>

export type Action = 'begin' | 'promote' | 'rollback' | 'review' | 'reset' | 'complete'

/** A change of stage or status. */
export interface Change {
  readonly at: string
  readonly action: Action
  /** `automatic`: a criterion or a trigger; else somebody by a command. */
  readonly by: 'automatic' | 'person'
  /** Percentages before and after. */
  readonly from: number
  readonly to: number
  /** Why, in words; of a person, what they gave as `--why`. */
  readonly cause: string
  /** Criteria that were not met, where somebody went on all the same. */
  readonly unmet?: readonly string[] | undefined
  /** The stage's figures at the time. */
  readonly figures: Readonly<Record<Side, ChangeFigures>>
}

/** Null where there is nothing to tell. */
export interface ChangeFigures {
  readonly files: number
  readonly failures: number
  readonly successRate: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}
