import type { RetrySettings } from '../../config/settings.ts'
import { toUploadError, UploadError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { backoffMs } from './backoff.ts'
import type { Gate } from './gate.ts'

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
  /** What each attempt passes. Absent where an attempt stands alone. */
  readonly gate?: Pick<Gate, 'turn' | 'succeeded' | 'excuse' | 'failed' | 'isSilent'> | undefined
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
 * another. What the gate excuses, and the time spent before it, is not charged at all.
 *
 * @throws UploadError of the last attempt; `CANCELLED` where the signal was aborted.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, clock, signal, gate, mayRetry } = options
  const progress = options.progress ?? (() => 0)
  let { failedBefore } = options
  let beganMs = failedBefore?.beganMs ?? clock.elapsed()
  const firstMs = beganMs
  /** Milliseconds that are not charged. */
  let freeMs = 0
  let failures = 0
  let failingSince = { ms: firstMs, chargedMs: firstMs }
  let won = progress()

  /** Counts the failure; after how many milliseconds another attempt follows, or undefined where none does. */
  const charge = (error: UploadError): number | undefined => {
    const nowMs = clock.elapsed()
    const chargedMs = nowMs - freeMs
    if (failures === 0 || progress() > won) {
      won = progress()
      failures = 0
      failingSince = { ms: nowMs, chargedMs }
    }
    failures += 1
    const delayMs = backoffMs(failures, policy, clock.random(), error.retryAfterMs)
    gate?.failed(error, delayMs)
    if (!error.retryable || policy.retries === 0) return undefined
    if (mayRetry?.(error, failures, chargedMs + delayMs - firstMs) === false) return undefined
    if (chargedMs + delayMs - failingSince.chargedMs > policy.retryMaxTimeMs) return undefined
    if (failures > policy.retries && gate?.isSilent(error, failingSince.ms) !== true) return undefined
    return delayMs
  }

  for (;;) {
    if (signal.aborted) throw cancelled()
    let error: UploadError
    try {
      if (failedBefore !== undefined) throw failedBefore.error
      beganMs = clock.elapsed()
      const turn = gate?.turn(signal)
      if (turn !== undefined) {
        await turn
        freeMs += clock.elapsed() - beganMs
        beganMs = clock.elapsed()
      }
      const result = await attempt()
      gate?.succeeded()
      return result
    } catch (thrown) {
      error = toUploadError(thrown)
      if (signal.aborted) throw cancelled(error)
    }
    failedBefore = undefined
    const excuse = gate?.excuse(error, beganMs)
    const delayMs = excuse ?? charge(error)
    if (delayMs === undefined) throw error
    if (excuse === undefined) options.onRetry(error, failures, delayMs)
    else freeMs += clock.elapsed() - beganMs + excuse
    await clock.sleep(delayMs, signal).catch(() => {
      throw cancelled(error)
    })
  }
}

/** What becomes of a file that the end of the run cut short; `cause`: what had gone wrong with it by then. */
export function cancelled(cause?: UploadError): UploadError {
  if (cause?.code === 'CANCELLED') return cause
  return new UploadError('CANCELLED', 'the run was stopped before this file was done', { cause })
}
