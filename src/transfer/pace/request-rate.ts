/** Milliseconds over which the rate is measured: two windows of this length. */
const windowMs = 500
/** A shorter time says nothing of a rate. */
const leastMeasuredMs = 100
/** After a cut: milliseconds until the rate is believed to be right. */
const calmAfterMs = 500
/** What a cut takes off, as shares: at least, and at most. */
const cuts = { least: 0.07, most: 0.5 }
/** Until the limit has been met once, a rate doubles in this time, in milliseconds. */
const doublingMs = 500
/** Growth just below and above a known limit, as a share each second; doubles with so much time and so many answers. */
const growth = { least: 0.003, doublesAfterMs: 3000, doublesAfterAnswers: 200 }
/** A rate that held up nothing and was not cut for so long is not needed any more, in milliseconds. */
const needlessAfterMs = 10_000
/** For so long after somebody had to wait, it is the rate that limits the run, in milliseconds. */
const bindingMs = 1000
/** By so much a timer may be late without the rate falling behind, in milliseconds. */
const latenessMs = 4

/**
 * How many requests a second a destination takes that refuses more. Off until the first cut. Then it begins with what
 * was accepted, doubles until it meets the limit, and stays close below: a cut takes off what was refused, and growth
 * starts again slowly, faster the longer there is no other.
 */
export interface RequestRate {
  /** Requests a second at present; undefined where they are not held back. */
  readonly perSecond: number | undefined
  /** Whether it is this that limits the run: a request had to wait for its turn a moment ago. */
  readonly isBinding: boolean
  /** Milliseconds until the next request may begin; 0 where it may now. */
  waitMs(): number
  /** A request begins. */
  take(): void
  /** A request was accepted. */
  accepted(): void
  /** Too many were refused. @param share of all requests */
  cut(share: number): void
}

/**
 * @param now milliseconds, monotonic
 * @param onSettled told the rate each time it is believed to be right; undefined: nothing is held back any more
 */
export function createRequestRate(now: () => number, onSettled: (perSecond: number | undefined) => void): RequestRate {
  let perSecond: number | undefined
  let nextAtMs = 0
  let waitedAtMs = Number.NEGATIVE_INFINITY
  const meter = createAnswerMeter(now)
  let cutAtMs = 0
  let answersSinceCut = 0
  let isSettled = true
  let hasMetLimit = false
  let grownAtMs = 0

  const isBinding = (at: number): boolean => at - waitedAtMs < bindingMs
  const begin = (at: number): number => {
    // Nothing is known of the limit yet, only that so many were accepted.
    hasMetLimit = false
    nextAtMs = at
    waitedAtMs = at
    return meter.perSecond(at)
  }
  const lower = (rate: number, share: number): number => {
    hasMetLimit = true
    return rate * (1 - Math.min(cuts.most, Math.max(cuts.least, share)))
  }
  const grow = (rate: number, at: number): number | undefined => {
    if (at - cutAtMs < calmAfterMs && hasMetLimit) {
      grownAtMs = at
      return rate
    }
    if (at - Math.max(waitedAtMs, cutAtMs) > needlessAfterMs) {
      onSettled(undefined)
      return undefined
    }
    const ms = at - grownAtMs
    grownAtMs = at
    // While something else is the limit, nothing is learnt of this one.
    if (!isBinding(at)) return rate
    if (!isSettled && hasMetLimit) {
      isSettled = true
      onSettled(rate)
    }
    const doublings = Math.min((at - cutAtMs) / growth.doublesAfterMs, answersSinceCut / growth.doublesAfterAnswers)
    const fastest = Math.LN2 / doublingMs
    const careful = Math.min(fastest, (growth.least / 1000) * 2 ** doublings)
    return rate * Math.exp(ms * (hasMetLimit ? careful : fastest))
  }

  return {
    get perSecond() {
      return perSecond
    },
    get isBinding() {
      return perSecond !== undefined && isBinding(now())
    },
    waitMs() {
      if (perSecond === undefined) return 0
      const at = now()
      perSecond = grow(perSecond, at)
      const ms = perSecond === undefined ? 0 : Math.max(0, nextAtMs - at)
      if (ms > 0) waitedAtMs = at
      return ms
    },
    take() {
      if (perSecond === undefined) return
      nextAtMs = Math.max(nextAtMs, now() - latenessMs) + 1000 / perSecond
    },
    accepted() {
      meter.count()
      answersSinceCut += 1
    },
    cut(share) {
      const at = now()
      perSecond = Math.max(1, perSecond === undefined ? begin(at) : lower(perSecond, share))
      cutAtMs = at
      grownAtMs = at
      answersSinceCut = 0
      isSettled = false
    },
  }
}

/** How many answers came in a second, of late. */
function createAnswerMeter(now: () => number) {
  let before = { count: 0, ms: 0 }
  let count = 0
  let sinceMs = now()
  return {
    count(): void {
      const at = now()
      const ms = at - sinceMs
      if (ms >= windowMs) {
        // After a pause, the window before says nothing.
        before = ms < 2 * windowMs ? { count, ms } : { count: 0, ms: 0 }
        count = 0
        sinceMs = at
      }
      count += 1
    },
    perSecond: (at: number): number =>
      ((before.count + count) * 1000) / Math.max(before.ms + at - sinceMs, leastMeasuredMs),
  }
}
