import { setTimeout as sleep } from 'node:timers/promises'

/** Time and chance as the transfer sees them: passed in, so that tests need no waiting and no luck. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number
  /** Monotonic, milliseconds from an arbitrary start. */
  elapsed(): number
  /** Resolves after `ms`; rejects with the signal's reason once that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 up to, but not, 1. */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  random: Math.random,
}

/** How far this machine's clock and a destination's may differ where nobody has noticed, in milliseconds. */
export const clockSlackMs = 5000
