/** @returns the middle value; of an even number the mean of the two in the middle; undefined of none */
export function median(values) {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * One row of a table: the medians over the runs of an entry that went well.
 *
 * @param runs what run.mjs noted of each
 * @returns the medians, how many runs there were, and what went wrong in the others
 */
export function medians(runs) {
  const good = runs.filter(({ failure }) => failure === undefined)
  const names = new Set(good.flatMap((run) => Object.keys(run)))
  const row = Object.fromEntries([...names].map((name) => [name, median(good.map((run) => run[name]))]))
  const failures = [...new Set(runs.map(({ failure }) => failure).filter((failure) => failure !== undefined))]
  return { ...row, rounds: runs.length, failed: runs.length - good.length, failures }
}

/** A value of one row as a share of another's; undefined where either is missing. */
export function ratio(row, other, name) {
  if (row?.[name] === undefined || other?.[name] === undefined || other[name] === 0) return undefined
  return row[name] / other[name]
}

/** @returns a figure that must not be above `limit`, or is only there to be seen where there is none */
export function atMost(what, value, limit) {
  return figure({ what, value, limit, sign: '≤', met: limit === undefined ? undefined : value <= limit })
}

/** @returns a figure that must not be under `limit` */
export function atLeast(what, value, limit) {
  return figure({ what, value, limit, sign: '≥', met: value >= limit })
}

/** @returns a figure that must be within `share` of 1 */
export function within(what, value, share) {
  return figure({ what, value, limit: `1 ± ${share}`, sign: '', met: Math.abs(value - 1) <= share })
}

/** What was made of a missing or empty measurement is no value, and meets no goal and misses none. */
function figure(made) {
  return Number.isFinite(made.value) ? made : { ...made, value: undefined, met: undefined }
}

/**
 * Sums up a part of the sink's time line.
 *
 * @param line counts by slot
 * @param fromS, toS seconds since the first request
 */
export function sumBetween(line, slotMs, fromS, toS) {
  const at = (seconds) => Math.round((seconds * 1000) / slotMs)
  return line.slice(at(fromS), toS === undefined ? undefined : at(toS)).reduce((sum, count) => sum + count, 0)
}

/**
 * Objects a second while the first and the last tenth of all objects came, the first second left out, in which a
 * program starts.
 */
export function startAndEnd({ timeLine, slotMs }) {
  const counts = timeLine.objects.slice(Math.round(1000 / slotMs))
  const total = counts.reduce((sum, count) => sum + count, 0)
  return {
    startPerS: rateOfFirst(counts, total / 10, slotMs),
    endPerS: rateOfFirst(counts.toReversed(), total / 10, slotMs),
  }
}

/** The outermost slot is only partly used: it does not count. */
function rateOfFirst(counts, wanted, slotMs) {
  let objects = 0
  let slots = 0
  for (const count of counts.slice(1)) {
    objects += count
    slots += 1
    if (objects >= wanted) break
  }
  return slots === 0 ? undefined : objects / ((slots * slotMs) / 1000)
}
