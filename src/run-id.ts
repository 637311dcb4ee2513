/**
 * A run's name: when it began (UTC) and four random digits, so that names sort by time and two runs of one second
 * differ. `20261122T073812Z-7f3a`.
 */
export function newRunId(now: number, random: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
  const digits = Math.floor(random * 2 ** 16)
  return `${time}-${digits.toString(16).padStart(4, '0')}`
}
