/** A time of the local day as `06:00`, or to the second; with its date where that is not the day of `day`. */
export function timeOfDay(
  epochMs: number,
  precision: 'minutes' | 'seconds' = 'minutes',
  day: number = epochMs,
): string {
  const date = new Date(epochMs)
  const parts = [date.getHours(), date.getMinutes(), ...(precision === 'seconds' ? [date.getSeconds()] : [])]
  const time = parts.map(twoDigits).join(':')
  if (new Date(day).toDateString() === date.toDateString()) return time
  return `${time} on ${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
