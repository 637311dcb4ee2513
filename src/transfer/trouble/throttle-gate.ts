import type { RetrySettings } from '../../config/settings.ts'
import type { UploadError } from '../../errors.ts'
import type { Clock } from '../clock.ts'

/** Holds back all new attempts while the server wants fewer, instead of leaving it to each file to find out. */
export interface ThrottleGate {
  /** To be awaited before an attempt; undefined where it may begin. */
  turn(signal: AbortSignal): Promise<void> | undefined
  succeeded(): void
  /** @param delayMs for how long the attempt that failed backs off */
  failed(error: UploadError, delayMs: number): void
}

export interface ThrottleGateOptions {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep' | 'random'>
  readonly policy: Pick<RetrySettings, 'retryDelayMs' | 'retryMaxDelayMs' | 'retryMaxTimeMs'>
  /**
   * Only a time that the server named holds anything back. For a run that slows down by itself where requests are
   * refused: it would wait twice.
   */
  readonly onlyAsked: boolean
}

/** A single refusal among successes slows nobody else; busy servers refuse some at any rate. */
const refusalsInRow = 2

export function createThrottleGate({ clock, policy, onlyAsked }: ThrottleGateOptions): ThrottleGate {
  let inRow = 0
  /** By the clock's `elapsed`; 0: open. */
  let untilMs = 0

  const leftMs = (): number => untilMs - clock.elapsed()
  const wait = async (signal: AbortSignal): Promise<void> => {
    // Spread, since all that come back at once would be refused again.
    for (let ms = leftMs(); ms > 0; ms = leftMs()) await clock.sleep(ms + clock.random() * policy.retryDelayMs, signal)
  }
  const hold = (ms: number): void => {
    untilMs = Math.max(untilMs, clock.elapsed() + ms)
  }

  return {
    turn(signal) {
      if (untilMs === 0) return undefined
      if (leftMs() > 0) return wait(signal)
      untilMs = 0
      return undefined
    },
    succeeded() {
      inRow = 0
    },
    failed({ code, retryAfterMs }, delayMs) {
      if (code !== 'THROTTLED' && retryAfterMs === undefined) return
      inRow += 1
      if (retryAfterMs !== undefined) {
        // One answer may name any time; said again, with nothing accepted in between, it is meant for the run.
        hold(Math.min(retryAfterMs, inRow < refusalsInRow ? policy.retryMaxDelayMs : policy.retryMaxTimeMs))
      } else if (!onlyAsked && inRow >= refusalsInRow) {
        hold(delayMs)
      }
    },
  }
}
