import { errorKinds, type UploadError } from '../errors.ts'

/** How many files have to be refused before nothing else is believed to work either. */
const refusalsToStop = 10
/** Before a destination has answered at all: tries, and milliseconds they may take. */
const firstContact = { tries: 3, withinMs: 10_000 }

/** What a file's failure means for the run. */
export type Verdict =
  /** It is this file's alone. */
  | 'file'
  /** Not clear yet: access was denied, and nothing has succeeded. */
  | 'undecided'
  /** The destination or the credentials are at fault: the run cannot go on. */
  | 'stop'

/** Tells one file's trouble from trouble with the destination. */
export interface Breaker {
  /** A file arrived. */
  succeeded(): void
  /** A file failed for good. */
  failed(error: UploadError): Verdict
  /** Whether an attempt that failed may be repeated; a destination never reached is given up soon. */
  mayRetry(error: UploadError, failures: number, elapsedMs: number): boolean
  /** Something has arrived at this destination. */
  readonly proven: boolean
}

export function createBreaker(): Breaker {
  let proven = false
  let answered = false
  let refusals = 0
  return {
    succeeded() {
      proven = true
      answered = true
    },
    failed(error) {
      if (error.status !== undefined) answered = true
      if (errorKinds[error.code].runWide) return 'stop'
      if (error.code === 'CONNECTION' && !answered) return 'stop'
      if (error.code !== 'ACCESS_DENIED' || proven) return 'file'
      refusals += 1
      return refusals >= refusalsToStop ? 'stop' : 'undecided'
    },
    mayRetry(error, failures, elapsedMs) {
      if (error.status !== undefined) answered = true
      if (error.code !== 'CONNECTION' || answered) return true
      return failures < firstContact.tries && elapsedMs < firstContact.withinMs / 2
    },
    get proven() {
      return proven
    },
  }
}
