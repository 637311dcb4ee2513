const minuteMs = 60_000
const hourMs = 3_600_000

/**
 * A share as percent with up to two decimals, rounded down, so that what is too little never looks like enough:
 * `99.49 %`.
 *
 * @param share from 0 to 1
 */
export function inPercent(share: number): string {
  // 0.995 * 10000 is a little less than 9950.
  return `${Math.floor(share * 10_000 + 1e-6) / 100} %`
}

/** A long time in its unit, rounded down: `45 min`, `31.5 h`. */
export function inHours(ms: number): string {
  if (ms < 2 * minuteMs) return `${Math.floor(ms / 1000)} s`
  if (ms < 2 * hourMs) return `${Math.floor(ms / minuteMs)} min`
  return `${Math.floor((ms / hourMs) * 10) / 10} h`
}

/** `1 candidate file`, `200 candidate files`. */
export function candidateFiles(count: number): string {
  return `${count} candidate ${count === 1 ? 'file' : 'files'}`
}
