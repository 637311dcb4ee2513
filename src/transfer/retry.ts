import type { RetrySettings } from '../config/settings.ts'
import { toUploadError, UploadError } from '../errors.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'

export interface RetryOptions {
  readonly policy: RetrySettings
  readonly clock: Clock
  readonly signal: AbortSignal
  /**
   * What has been won for good, in any unit that only grows. Where it grew since the failure before, the whole budget
   * is there again: a long upload over a bad line is not lost to a number that was meant for a dead one.
   */
  readonly progress?: () => number
  /**
   * A further condition for another attempt.
   *
   * @param failures how many in a row, from 1
   * @param elapsedMs milliseconds from the beginning of the first attempt to that of the next
   */
  readonly mayRetry?: (error: UploadError, failures: number, elapsedMs: number) => boolean
  /** An attempt that was made before, in another way, and failed: counts as the first. */
  readonly failedBefore?: FailedBefore | undefined
  /** Tells of a failure that another attempt will follow. */
  readonly onRetry: (error: UploadError, failures: number, delayMs: number) => void
}

export interface FailedBefore {
  readonly error: UploadError
  /** When it began, by the same clock. */
  readonly beganMs: number
}

/**
 * Calls `attempt` until it succeeds, its failure is one that trying again cannot mend, or the budget is used up: the
 * one place where anything is retried. Time is charged from the first failure on: an attempt that took an hour deserves
 * another.
 *
 * @throws UploadError of the last attempt; `CANCELLED` where the signal was aborted.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, clock, signal, failedBefore } = options
  const progress = options.progress ?? (() => 0)
  const begun = failedBefore?.beganMs ?? clock.elapsed()
  let failures = 0
  let failingSince = begun
  let won = progress()
  for (;;) {
    if (signal.aborted) throw cancelled()
    try {
      if (failures === 0 && failedBefore !== undefined) throw failedBefore.error
      return await attempt()
    } catch (thrown) {
      const error = toUploadError(thrown)
      if (signal.aborted) throw cancelled(error)
      const now = clock.elapsed()
      if (failures === 0 || progress() > won) {
        won = progress()
        failures = 0
        failingSince = now
      }
      failures += 1
      const delayMs = backoffMs(failures, policy, clock.random(), error.retryAfterMs)
      const hopeless =
        !error.retryable ||
        failures > policy.retries ||
        now + delayMs - failingSince > policy.retryMaxTimeMs ||
        options.mayRetry?.(error, failures, now + delayMs - begun) === false
      if (hopeless) throw error
      options.onRetry(error, failures, delayMs)
      await clock.sleep(delayMs, signal).catch(() => {
        throw cancelled(error)
      })
    }
  }
}

/** What becomes of a file that the end of the run cut short; `cause`: what had gone wrong with it by then. */
export function cancelled(cause?: UploadError): UploadError {
  if (cause?.code === 'CANCELLED') return cause
  return new UploadError('CANCELLED', 'the run was stopped before this file was done', { cause })
}
