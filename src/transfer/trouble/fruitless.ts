import { UploadError } from '../../errors.ts'
import { formatDuration } from '../../observe/format.ts'
import type { Clock } from '../clock.ts'

/** In milliseconds: shorter than the silence after which a request is given up as a rule, so that one such is enough. */
const longestMs = 25_000
/** One request that gets no answer says nothing of the others. */
const leastAttempts = 3

/** Watches a destination that can be done without: whether anything that is tried there still succeeds. */
export interface Fruitless {
  succeeded(): void
  /**
   * An attempt failed.
   *
   * @param beganMs when it began, by the clock's `elapsed`
   * @returns what to give the destination up for; undefined where it is too early for that
   */
  failed(error: UploadError, beganMs: number): UploadError | undefined
}

/** @param name what messages call the destination */
export function createFruitless(clock: Pick<Clock, 'elapsed'>, name: string): Fruitless {
  let attempts = 0
  let lastSuccessMs = Number.NEGATIVE_INFINITY
  let sinceMs = Number.POSITIVE_INFINITY

  return {
    succeeded() {
      attempts = 0
      lastSuccessMs = clock.elapsed()
      sinceMs = Number.POSITIVE_INFINITY
    },
    failed(error, beganMs) {
      // What trying again cannot mend is that file's trouble.
      if (!error.retryable || error.code.startsWith('SOURCE_')) return undefined
      attempts += 1
      sinceMs = Math.min(sinceMs, Math.max(beganMs, lastSuccessMs))
      const forMs = clock.elapsed() - sinceMs
      if (attempts < leastAttempts || forMs < longestMs) return undefined
      const message = `${name} has taken nothing for ${formatDuration(forMs)}: ${error.message}`
      return new UploadError(error.code, message, { cause: error })
    },
  }
}
