import type { Pacer } from '../../destinations/destination.ts'
import { cancelled, onAbort } from '../../http/abort.ts'
import type { Clock } from '../clock.ts'

/** How long a piece takes at the rate: short enough that no second looks unlike another. */
const pieceMs = 50
/** The same where pieces of {@link pieceMs} would be tiny: still a fiftieth of the ten seconds a rate is judged by. */
const longestPieceMs = 200
/** Smaller pieces cost more in headers than they smooth; larger ones are no cheaper. In bytes. */
const smallestPiece = 4 * 1024
const largestPiece = 1024 * 1024
/** What may leave at once after a pause, or after a timer that came late, in time at the rate. */
const burstMs = 100

interface Waiter {
  readonly bytes: number
  readonly resolve: () => void
  /** Stops listening for its signal. */
  readonly leave: () => void
}

/**
 * A limit for all requests of a run together. Bytes follow one schedule of absolute times, each piece after the one
 * before it, whoever asked for it: first come, first served. What a late timer held up goes out right after it, so that
 * lateness does not add up; time in which nobody asked is lost, but for a burst of a tenth of a second.
 */
export function createPacer(bytesPerSecond: number, clock: Clock): Pacer {
  const bytesPerMs = bytesPerSecond / 1000
  const pieceSize = pieceSizeFor(bytesPerMs)
  /** With the piece that follows it, a whole burst. */
  const idleCreditMs = Math.max(0, burstMs - pieceSize / bytesPerMs)
  /** In order of their coming. */
  const waiters = new Set<Waiter>()
  /** When the next bytes are due, by `clock.elapsed()`. */
  let due = clock.elapsed()
  let timer: AbortController | undefined

  const charge = (bytes: number, now: number, creditMs: number): void => {
    due = Math.max(due, now - creditMs) + bytes / bytesPerMs
  }

  const release = (): void => {
    timer = undefined
    const now = clock.elapsed()
    for (const waiter of waiters) {
      if (due > now) {
        wakeWhenDue(now)
        return
      }
      waiters.delete(waiter)
      waiter.leave()
      charge(waiter.bytes, now, burstMs)
      waiter.resolve()
    }
  }

  /** One timer for all: whoever is first by then is served. */
  const wakeWhenDue = (now: number): void => {
    timer ??= wakeAfter(due - now, clock, release)
  }

  const wait = (bytes: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const cut = (): void => {
        waiters.delete(waiter)
        reject(cancelled())
        // A timer that nobody waits for would keep the process alive.
        if (waiters.size > 0) return
        timer?.abort()
        timer = undefined
      }
      const waiter: Waiter = { bytes, resolve, leave: onAbort(signal, cut) }
      waiters.add(waiter)
    })

  return {
    pieceSize,
    take(bytes, signal) {
      if (signal.aborted) return Promise.reject(cancelled())
      if (bytes === 0) return Promise.resolve()
      const now = clock.elapsed()
      if (waiters.size === 0 && due <= now) {
        charge(bytes, now, idleCreditMs)
        return Promise.resolve()
      }
      const turn = wait(bytes, signal)
      wakeWhenDue(now)
      return turn
    },
  }
}

/** At very low rates a piece is small, since a usual one would take seconds. */
function pieceSizeFor(bytesPerMs: number): number {
  const least = Math.min(smallestPiece, longestPieceMs * bytesPerMs)
  return Math.max(1, Math.floor(Math.min(largestPiece, Math.max(least, pieceMs * bytesPerMs))))
}

/** @param act called after so many milliseconds, unless what is returned is aborted before */
function wakeAfter(ms: number, clock: Clock, act: () => void): AbortController {
  const timer = new AbortController()
  // Whole milliseconds: timers drop the fraction, and would come too early.
  clock.sleep(Math.ceil(ms), timer.signal).then(
    () => timer.signal.aborted || act(),
    () => undefined,
  )
  return timer
}
