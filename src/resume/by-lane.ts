import type { Earlier } from '../transfer/earlier.ts'

/** What has been done of the files of each lane, as one. @param lanes by the files' `lane` */
export function earlierByLane(lanes: readonly Earlier[]): Earlier | undefined {
  const [own] = lanes
  if (own === undefined || lanes.length === 1) return own
  return { ...own, find: (file, signal) => (lanes[file.lane] ?? own).find(file, signal) }
}
