import type { Settings } from '../../config/settings.ts'
import type { Moment } from '../../config/values.ts'

/** `--newer-than` and `--older-than`. */
export type TimeWindow = Pick<Settings, 'newerThan' | 'olderThan'>

/** Milliseconds since the epoch. */
function atMs(moment: Moment, nowMs: number): number {
  return 'atMs' in moment ? moment.atMs : nowMs - moment.agoMs
}

/**
 * Whether a file of some modification time (milliseconds since the epoch) is among those that are wanted. The first
 * moment belongs to the window and the last does not: of two windows that meet, each file is in one.
 *
 * @param nowMs the run's beginning, from which `24h` counts
 * @returns undefined where every time will do
 */
export function modifiedBetween(
  { newerThan, olderThan }: TimeWindow,
  nowMs: number,
): ((mtimeMs: number) => boolean) | undefined {
  if (newerThan === undefined && olderThan === undefined) return undefined
  const from = newerThan === undefined ? Number.NEGATIVE_INFINITY : atMs(newerThan, nowMs)
  const to = olderThan === undefined ? Number.POSITIVE_INFINITY : atMs(olderThan, nowMs)
  return (mtimeMs) => mtimeMs >= from && mtimeMs < to
}

/** Whether no time at all lies between the two. */
export function isEmptyWindow({ newerThan, olderThan }: TimeWindow, nowMs: number): boolean {
  return newerThan !== undefined && olderThan !== undefined && atMs(newerThan, nowMs) >= atMs(olderThan, nowMs)
}
