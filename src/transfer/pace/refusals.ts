/** The share of refusals that is put up with: busy servers refuse some at any rate. */
const tolerated = 0.01
/** An excess over that by chance alone: so many standard deviations, and one. */
const deviations = 2
/** Fewer answers say nothing; nor do they after a longer time, in milliseconds. */
const least = { answers: 8, ms: 1000 }
/** What was counted is forgotten after so many answers and so many milliseconds. */
const longest = { answers: 200, ms: 1000 }

/** Tells a server that wants fewer requests from one that refuses a few whatever one does. */
export interface Refusals {
  /**
   * A request was answered.
   *
   * @param beganMs when it began, by the same clock
   * @param isRefused because there were too many
   * @returns the share of those refused, where it is too large; counting begins anew then, with requests begun later:
   * those under way say nothing of what will be changed now
   */
  answered(beganMs: number, isRefused: boolean): number | undefined
}

/** @param now milliseconds, monotonic */
export function createRefusals(now: () => number): Refusals {
  let sinceMs = now()
  let countedFromMs = Number.NEGATIVE_INFINITY
  let answers = 0
  let refused = 0

  return {
    answered(beganMs, isRefused) {
      if (beganMs < countedFromMs) return undefined
      answers += 1
      if (isRefused) refused += 1
      else if (refused === 0 && answers < longest.answers) return undefined
      const at = now()
      const ms = at - sinceMs
      const expected = tolerated * answers
      const isPressing = refused > 1 + expected + deviations * Math.sqrt(expected)
      const share = refused / answers
      if (isPressing && (answers >= least.answers || ms >= least.ms)) {
        countedFromMs = at
      } else if (answers < longest.answers || ms < longest.ms) {
        return undefined
      }
      answers = 0
      refused = 0
      sinceMs = at
      return countedFromMs === at ? share : undefined
    },
  }
}
