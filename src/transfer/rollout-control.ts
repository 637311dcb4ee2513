import type { FileRecord } from '../observe/records.ts'

/** What a rollout decides while files are sent. */
export interface RolloutControl {
  /** Whether what was given to the candidate is to go there still; false from a rollback on. */
  readonly isOn: boolean
  /** Share of the files that goes to the candidate at first, from 0 to 100. */
  readonly percentage: number
  /** A file that fails on the candidate is sent again on the baseline. */
  readonly fallback: boolean
  /** The stage that files are counted in now, by its percentage; undefined where nothing is counted any more. */
  readonly stage: number | undefined
  /** A file's fate is recorded. */
  settled(record: FileRecord): void
}
