/** ISO-8601 in UTC; null for a time beyond the calendar's end, which some file systems hold. */
export function isoTime(ms: number): string | null {
  const time = new Date(ms)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}
