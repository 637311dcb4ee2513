import { automaticConcurrency } from '../config/automatic-concurrency.ts'
import type { RetrySettings } from '../config/settings.ts'
import type { Call } from '../destinations/destination.ts'
import type { UploadError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { createBreaker } from './trouble/breaker.ts'
import { retrying } from './trouble/retry.ts'

/** Single requests to a destination, outside of a run that sends files. */
export interface Requests {
  /**
   * Makes a request, with retries. A destination that never answered is given up soon.
   *
   * @throws UploadError of the last attempt; `CANCELLED` where the signal was aborted.
   */
  ask<Answer>(request: (call: Call) => Promise<Answer>): Promise<Answer>
  /** Whether a failure of {@link ask} is everybody's, so that there is no point in asking for anything else. */
  isHopeless(error: UploadError): boolean
}

/** How many such requests there are at a time: nothing finds out how many would be fastest. */
export function requestsAtOnce(concurrency: number | 'auto'): number {
  return concurrency === 'auto' ? automaticConcurrency.start : concurrency
}

export function createRequests(policy: RetrySettings, clock: Clock, signal: AbortSignal): Requests {
  const breaker = createBreaker()
  const call: Call = { signal, requests: 1 }
  return {
    async ask(request) {
      const answer = await retrying(() => request(call), {
        policy,
        clock,
        signal,
        mayRetry: breaker.mayRetry,
        onRetry: () => {},
      })
      breaker.succeeded()
      return answer
    },
    isHopeless: (error) => breaker.failed(error) === 'stop',
  }
}
