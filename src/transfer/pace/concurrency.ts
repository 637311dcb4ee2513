import { automaticConcurrency } from '../../config/automatic-concurrency.ts'
import type { RequestRate } from './request-rate.ts'

/** What a request costs beside its bytes, in bytes: with it, loads of small and of large files have one measure. */
const requestCost = 256 * 1024
/** After a change, measuring waits until each slot has had a request, at most so long, in milliseconds. */
const longestSettlingMs = 2000
/** Least time measured, in milliseconds: at the beginning, where small batches are over soon, and later. */
const measuring = { firstMs: 150, laterMs: 1000, longestMs: 5000 }
/** How much more counts as more, and how much less does not count as less. */
const noise = { gain: 0.05, loss: 0.03 }
/** Where the last step up brought at least this share, fewer cannot be as fast. */
const certainGain = 0.25
/** What is left of that each time it was relied upon. */
const fading = 2 / 3
/**
 * A program whose one thread does something for this share of the time is not made faster by more requests; beyond the
 * smaller share, not by many more.
 */
const busyShares = { all: 0.9, most: 0.7 }
/** Milliseconds until something is tried again that did not help; doubles each time. */
const hold = { firstMs: 2000, longestMs: 60_000 }
/** Steps, once the first climb is over: where neither down nor up helped, the next two are the others. */
const strides = { long: 1.5, short: 1.2 }
/** After throttling: milliseconds without any until throughput decides again. */
const warinessMs = 60_000
/** Back to just below the limit that was refused, in steps. */
const recoveryStride = 1.25
const nearRefused = 0.9
/** Near the limit that was refused, a step in so many milliseconds: one more at first. */
const carefulStepMs = 2000
/** So many careful steps are of one size; then it doubles. */
const stepsOfOneSize = 3

export interface ConcurrencyChange {
  readonly from: number
  readonly to: number
  /** In words: `throughput grew 41 %`. */
  readonly reason: string
}

/** Decides how many requests to have in flight, from what becomes of them. */
export interface ConcurrencyController {
  readonly limit: number
  /** Somebody found no free slot. */
  waited(): void
  /** Bytes of a large request have left, before its end. */
  moved(bytes: number): void
  /** A request succeeded. @param bytes of its body, without those told before */
  completed(bytes: number): void
  /** Too many requests were refused, and it is this limit that allowed them. */
  throttled(): void
}

export interface ConcurrencyOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Milliseconds that this program's one thread has had something to do, in all. */
  readonly busyMs: () => number
  /** Holds requests back where the destination refuses some. */
  readonly rate: Pick<RequestRate, 'isBinding'>
  readonly onChange: (change: ConcurrencyChange) => void
}

/** A limit that is being tried out. */
interface Trial {
  readonly from: number
  /** Throughput at `from`. */
  readonly before: number
  readonly up: boolean
}

/**
 * Climbs while throughput grows: doubles at first, and takes back what did not help. Later it tries more and fewer
 * again, ever more rarely. Refused for sending too much, it halves, comes back soon to just below where that happened,
 * and from there on goes up one at a time.
 */
export function createConcurrencyController(options: ConcurrencyOptions): ConcurrencyController {
  const { now, busyMs, rate, onChange } = options
  let limit = automaticConcurrency.start
  let window = beginWindow(now(), busyMs())
  let isSettling = true
  let trial: Trial | undefined
  let isFirstClimb = true
  let goesUp = true
  let stride = strides.short
  let lastGain = 0
  let holdMs = hold.firstMs
  let holdUntilMs = Number.NEGATIVE_INFINITY
  /** Where the destination refused: the limit by then, and when. */
  let refused: { readonly limit: number; readonly atMs: number } | undefined
  let steppedAtMs = 0
  let steps = 0

  const set = (to: number, reason: string): void => {
    const from = limit
    limit = to
    isSettling = true
    onChange({ from, to, reason })
  }
  const isWary = (at: number): boolean => refused !== undefined && at - refused.atMs < warinessMs
  const isOver = (at: number): boolean => {
    const ms = at - window.beganMs
    if (isSettling) return window.requests >= limit || ms >= longestSettlingMs
    const isHasty = isFirstClimb || isWary(at)
    const leastMs = isHasty ? measuring.firstMs : measuring.laterMs
    return ms >= measuring.longestMs || (ms >= leastMs && window.requests >= (isHasty ? limit : 2 * limit))
  }
  const endWindow = (at: number): void => {
    const measured = measure(window, at, busyMs(), limit)
    window = beginWindow(at, busyMs())
    if (isSettling) {
      isSettling = false
    } else if (refused !== undefined && isWary(at)) {
      recover(refused, measured, at)
    } else if (trial !== undefined) {
      judge(trial, measured, at)
    } else {
      explore(measured, at, undefined)
    }
  }

  const judge = (tried: Trial, measured: Measured, at: number): void => {
    const gain = measured.throughput / tried.before - 1
    const why = whyNot(tried, gain, measured.isFull)
    if (why !== undefined && isFirstClimb) {
      // Measured in haste: a second and longer look decides.
      isFirstClimb = false
      return
    }
    trial = undefined
    if (why !== undefined) {
      set(tried.from, why)
      wait(at)
      return
    }
    if (tried.up) {
      lastGain = gain
      stride = strides.long
    }
    holdMs = hold.firstMs
    explore(measured, at, gain < noise.gain ? 'as fast with fewer' : `throughput grew ${Math.round(gain * 100)} %`)
  }
  /** Why a trial is taken back; undefined where it is not. */
  const whyNot = ({ up }: Trial, gain: number, isFull: boolean): string | undefined => {
    if (!isFull) return 'no work for more'
    const least = up || limit < automaticConcurrency.start ? noise.gain : -noise.loss
    if (gain >= least) return undefined
    return `${gain < 0 ? 'slower' : 'no faster'} with ${limit}`
  }
  const wait = (at: number): void => {
    holdUntilMs = at + holdMs
    holdMs = Math.min(hold.longestMs, holdMs * 2)
    goesUp = !goesUp
    if (!goesUp) stride = stride === strides.long ? strides.short : strides.long
  }
  const strideUp = (busyShare: number): number => {
    if (busyShare > busyShares.most) return strides.short
    return isFirstClimb ? 2 : stride
  }
  const explore = ({ throughput, isFull, busyShare }: Measured, at: number, reason: string | undefined): void => {
    if (!isFull || busyShare > busyShares.all || at < holdUntilMs) return
    if (!goesUp && lastGain >= certainGain) {
      lastGain *= fading
      goesUp = true
    }
    const to = goesUp ? upFrom(limit, strideUp(busyShare)) : downFrom(limit, stride)
    if (to === limit) {
      isFirstClimb = false
      wait(at)
    } else {
      trial = { from: limit, before: throughput, up: goesUp }
      set(to, reason ?? (goesUp ? 'trying whether more are faster' : 'trying whether fewer are as fast'))
    }
  }

  const recover = (last: { readonly limit: number }, measured: Measured, at: number): void => {
    if (
      !measured.isFull ||
      measured.busyShare > busyShares.all ||
      rate.isBinding ||
      limit === automaticConcurrency.most
    )
      return
    const safe = Math.floor(last.limit * nearRefused)
    if (limit < safe) {
      set(Math.min(safe, Math.ceil(limit * recoveryStride)), 'nothing refused')
    } else if (at - steppedAtMs >= carefulStepMs) {
      steppedAtMs = at
      const more = 2 ** Math.floor(steps / stepsOfOneSize)
      steps += 1
      set(Math.min(automaticConcurrency.most, limit + more), 'nothing refused')
    }
  }

  return {
    get limit() {
      return limit
    },
    waited() {
      window.waits += 1
    },
    moved(bytes) {
      window.work += bytes
    },
    completed(bytes) {
      window.requests += 1
      window.work += requestCost + bytes
      const at = now()
      if (isOver(at)) endWindow(at)
    },
    throttled() {
      const at = now()
      trial = undefined
      isFirstClimb = false
      refused = { limit, atMs: at }
      steppedAtMs = at
      steps = 0
      if (limit > 1) set(Math.floor(limit / 2), 'the server asked for fewer requests')
      window = beginWindow(at, busyMs())
    },
  }
}

interface Window {
  readonly beganMs: number
  readonly busyMs: number
  requests: number
  waits: number
  /** Bytes, and {@link requestCost} for each request. */
  work: number
}

function beginWindow(beganMs: number, busyMs: number): Window {
  return { beganMs, busyMs, requests: 0, waits: 0, work: 0 }
}

interface Measured {
  /** Work a millisecond. */
  readonly throughput: number
  /** Slots were what was missing. */
  readonly isFull: boolean
  /** How much of the time this program's one thread had something to do. */
  readonly busyShare: number
}

function measure(window: Window, at: number, busyMs: number, limit: number): Measured {
  const ms = at - window.beganMs
  return {
    throughput: window.work / ms,
    // Requests that began together end together: of each round of the slots, only the last may have to wait.
    isFull: window.waits * limit >= window.requests,
    busyShare: (busyMs - window.busyMs) / ms,
  }
}

function upFrom(limit: number, stride: number): number {
  return Math.min(automaticConcurrency.most, Math.ceil(limit * stride))
}

/** Down, with a stop where it all starts: below it is another rule. */
function downFrom(limit: number, stride: number): number {
  const lower = Math.max(1, Math.floor(limit / stride))
  return limit > automaticConcurrency.start ? Math.max(automaticConcurrency.start, lower) : lower
}
