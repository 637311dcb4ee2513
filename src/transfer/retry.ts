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
  /** A further condition for another attempt. */
  readonly mayRetry?: (error: UploadError, failures: number, elapsedMs: number) => boolean
  /** Tells of a failure that another attempt will follow. */
  readonly onRetry: (error: UploadError, failures: number, delayMs: number) => void
}

/**
 * Calls `attempt` until it succeeds, its failure is one that trying again cannot mend, or the budget is used up: the
 * one place where anything is retried.
 *
 * @throws UploadError of the last attempt; `CANCELLED` where the signal was aborted.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, clock, signal } = options
  const progress = options.progress ?? (() => 0)
  let failures = 0
  let since = clock.elapsed()
  let won = progress()
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      const error = toUploadError(thrown)
      if (signal.aborted) throw cancelled(error)
      if (progress() > won) {
        won = progress()
        failures = 0
        since = clock.elapsed()
      }
      failures += 1
      const elapsedMs = clock.elapsed() - since
      const delayMs = backoffMs(failures, policy, clock.random(), error.retryAfterMs)
      const hopeless =
        !error.retryable ||
        failures > policy.retries ||
        elapsedMs + delayMs > policy.retryMaxTimeMs ||
        options.mayRetry?.(error, failures, elapsedMs) === false
      if (hopeless) throw error
      options.onRetry(error, failures, delayMs)
      try {
        await clock.sleep(delayMs, signal)
      } catch {
        throw cancelled(error)
      }
    }
  }
}

function cancelled(cause: UploadError): UploadError {
  if (cause.code === 'CANCELLED') return cause
  return new UploadError('CANCELLED', 'the run was stopped before this file was done', { cause })
}
