import type { RequestTimeouts } from '../destinations/destination.ts'
import { noAnswer, notDone, type TimeError } from './time-errors.ts'

/**
 * The time of one connection's requests, one after the other. Nothing is made for a request, and no timer is set: who
 * watches all connections asks now and then.
 */
export interface Stopwatch {
  /** Whether a request with limits is under way. */
  readonly isRunning: boolean
  /** @param size bytes of the body */
  start(size: number, timeouts: RequestTimeouts | undefined): void
  /** The body is slow to come (a disk, a limit of the user's): until {@link resume}, no time passes. */
  pause(): void
  resume(): void
  /** This program was held up itself: so many milliseconds do not count. */
  excuse(ms: number): void
  /** The request ended. */
  stop(hasSucceeded: boolean): void
  /**
   * @param isSent whether the kernel has the whole body
   * @param isAnswering whether anything of the answer has come
   * @returns why the request has to be given up; undefined where it has time left
   */
  verdict(isSent: boolean, isAnswering: boolean): TimeError | undefined
}

/** @param now milliseconds on a clock that never goes back */
export function createStopwatch(now: () => number): Stopwatch {
  let timeouts: RequestTimeouts | undefined
  let size = 0
  let limitMs = 0
  let beganMs = 0
  let excusedMs = 0
  let pausedMs: number | undefined
  let sentMs: number | undefined

  return {
    get isRunning() {
      return timeouts !== undefined
    },
    start(ofSize, limits) {
      timeouts = limits
      if (limits === undefined) return
      size = ofSize
      limitMs = limits.limitMs(ofSize)
      beganMs = now()
      excusedMs = 0
      pausedMs = undefined
      sentMs = undefined
    },
    pause() {
      if (timeouts !== undefined) pausedMs = now()
    },
    resume() {
      if (pausedMs !== undefined) excusedMs += now() - pausedMs
      pausedMs = undefined
    },
    excuse(ms) {
      // A pause counts as a whole when it ends.
      if (ms === 0 || pausedMs !== undefined) return
      const at = now()
      // A request may have begun, or been sent, in the middle of that time.
      excusedMs += Math.min(ms, at - beganMs - excusedMs)
      if (sentMs !== undefined) sentMs = Math.min(at, sentMs + ms)
    },
    stop(hasSucceeded) {
      if (hasSucceeded) timeouts?.succeeded(size, now() - beganMs - excusedMs)
      timeouts = undefined
    },
    verdict(isSent, isAnswering) {
      if (timeouts === undefined || pausedMs !== undefined) return undefined
      const at = now()
      if (isSent) sentMs ??= at
      if (sentMs !== undefined && !isAnswering) {
        const answerMs = timeouts.answerLimitMs(size)
        if (at - sentMs > answerMs) return noAnswer(answerMs)
      }
      // What was learnt meanwhile may give it more time, never less.
      limitMs = Math.max(limitMs, timeouts.limitMs(size))
      const tookMs = at - beganMs - excusedMs
      if (tookMs <= limitMs) return undefined
      if (!isSent) timeouts.overdue(size, tookMs)
      return notDone(limitMs)
    },
  }
}
