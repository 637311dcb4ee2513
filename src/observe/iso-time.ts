/** The second that was asked for last: many files begin, and were made, in one. */
let lastSecond = Number.NaN
let lastText = ''

/** ISO-8601 in UTC; null for a time beyond the calendar's end, which some file systems hold. */
export function isoTime(ms: number): string | null {
  const whole = Math.trunc(ms)
  const second = Math.floor(whole / 1000)
  if (second !== lastSecond) {
    const time = new Date(second * 1000)
    if (Number.isNaN(time.getTime())) return null
    lastSecond = second
    lastText = time.toISOString().slice(0, -4)
  }
  return `${lastText}${String(whole - second * 1000).padStart(3, '0')}Z`
}
