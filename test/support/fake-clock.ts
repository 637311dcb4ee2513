import type { Clock } from '../../src/transfer/clock.ts'

export interface FakeClockOptions {
  /** Wall clock at the start, milliseconds since the epoch. */
  readonly now?: number
  readonly seed?: number
  /**
   * A sleep of at most so many milliseconds ends at once and takes the time with it; a longer one waits for `advance`.
   * Default: retries are skipped, the patience after a stop is not.
   */
  readonly skipUpTo?: number
}

/** Virtual time and seeded chance. */
export interface FakeClock extends Clock {
  /** Moves the time on; whoever sleeps until then wakes, in order. */
  advance(ms: number): Promise<void>
  /** How long each sleep was to be, in order. */
  readonly sleeps: readonly number[]
  /** Sleeps that wait for `advance`. */
  readonly sleeping: number
}

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  const { now = Date.UTC(2026, 10, 22, 7, 38, 12), seed = 1, skipUpTo = 5000 } = options
  const random = seededRandom(seed)
  const sleeps: number[] = []
  const sleepers = new Set<Sleeper>()
  let elapsedMs = 0

  return {
    sleeps,
    random,
    now: () => now + elapsedMs,
    elapsed: () => elapsedMs,
    get sleeping() {
      return sleepers.size
    },

    sleep(ms, signal) {
      sleeps.push(ms)
      if (signal.aborted) return Promise.reject(signal.reason)
      const dueMs = elapsedMs + ms
      if (ms <= skipUpTo) {
        elapsedMs = dueMs
        return Promise.resolve()
      }
      return new Promise((resolve, reject) => {
        const end = (act: () => void) => () => {
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', cut)
          act()
        }
        const sleeper = { dueMs, wake: end(resolve) }
        const cut = end(() => reject(signal.reason))
        sleepers.add(sleeper)
        signal.addEventListener('abort', cut)
      })
    },

    async advance(ms) {
      const until = elapsedMs + ms
      for (;;) {
        const [next] = [...sleepers].filter(({ dueMs }) => dueMs <= until).sort((a, b) => a.dueMs - b.dueMs)
        if (next === undefined) break
        elapsedMs = Math.max(elapsedMs, next.dueMs)
        next.wake()
        await settled()
      }
      elapsedMs = until
      await settled()
    },
  }
}

/** Resolves once everything that needs no more than the event loop's next turn has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The same numbers from 0 up to 1 for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
