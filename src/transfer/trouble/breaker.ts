import { errorKinds, type UploadError } from '../../errors.ts'

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
  /** A request succeeded, though not yet a file. */
  answered(): void
  /** A file arrived. */
  succeeded(): void
  /** A file failed for good. */
  failed(error: UploadError): Verdict
  /**
   * An attempt failed: whether it may be repeated. A destination that was never reached is given up soon.
   *
   * @param failures how many in a row, from 1
   * @param elapsedMs milliseconds from the beginning of the first to that of the one it would be
   */
  mayRetry(error: UploadError, failures: number, elapsedMs: number): boolean
}

export function createBreaker(): Breaker {
  let proven = false
  let answered = false
  let refusals = 0

  const unreachable = (error: UploadError): boolean => {
    // Whatever has a status is an answer, but for a proxy's refusal to connect. What is no HTTP at all is none.
    if (error.code === 'CONNECTION') return !answered
    if (error.code === 'BAD_RESPONSE' && error.status === undefined && error.retryable) return !answered
    if (error.status !== undefined) answered = true
    return false
  }
  return {
    answered() {
      answered = true
    },
    succeeded() {
      proven = true
      answered = true
    },
    failed(error) {
      if (unreachable(error) || errorKinds[error.code].runWide) return 'stop'
      if (error.code !== 'ACCESS_DENIED' || proven) return 'file'
      refusals += 1
      return refusals >= refusalsToStop ? 'stop' : 'undecided'
    },
    mayRetry(error, failures, elapsedMs) {
      if (!unreachable(error)) return true
      // The next one is taken to last as long as those before.
      const endsAtMs = elapsedMs + elapsedMs / failures
      // A connection that stood for so long before it broke led somewhere.
      if (endsAtMs > firstContact.withinMs) return !error.unreachable
      return failures < firstContact.tries
    },
  }
}
