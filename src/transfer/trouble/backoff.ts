import type { RetrySettings } from '../../config/settings.ts'

/**
 * How long to wait before the next attempt: full jitter, anything from nothing to a bound that doubles with each
 * failure (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Where the server said how long
 * it wants to be left alone, at least that, with the jitter on top so that many files do not come back at once.
 *
 * @param failures how many attempts have failed in a row, from 1
 * @param random from 0 up to 1
 * @param retryAfterMs what the server asked for, in milliseconds
 * @returns milliseconds
 */
export function backoffMs(
  failures: number,
  policy: Pick<RetrySettings, 'retryDelayMs' | 'retryMaxDelayMs'>,
  random: number,
  retryAfterMs = 0,
): number {
  const bound = Math.min(policy.retryMaxDelayMs, policy.retryDelayMs * 2 ** (failures - 1))
  return retryAfterMs + random * bound
}
