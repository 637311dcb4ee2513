/** One line of a journal or JSONL report, of which nothing is taken for granted. */
export interface ReportLine {
  readonly type: string
  readonly [field: string]: unknown
}

/** What reports say of one side in one stage. */
export interface Recount {
  files: number
  failures: number
  bytes: number
  /** Of `startedAt`. */
  firstSeen: string | null
  lastSeen: string | null
  /** Milliseconds of the files that arrived, by the class of their size, sorted. */
  readonly durations: Record<RecountClass, number[]>
}

export type RecountClass = '64KiB' | '1MiB' | '16MiB' | 'larger'

export interface StageRecount {
  readonly candidate: Recount
  readonly baseline: Recount
}

const KiB = 1024

/** A file's own trouble, an object that was there, and a run that was stopped: nobody's fault. */
const nobodysFault = /^(?:SOURCE_|TOO_|TYPE_|KEY_)|^(?:ALREADY_EXISTS|CANCELLED|HALTED)$/

/**
 * Counts again what a rollout has counted, from the reports' lines and by the words of docs/rollout.md ("What is
 * counted") alone; shares no code with the program.
 *
 * @param reports the lines of each run
 * @param begunAt the rollout's beginning: runs that took part in it before it was begun anew are left out
 */
export function recount(reports: readonly (readonly ReportLine[])[], begunAt: string): Map<number, StageRecount> {
  const stages = new Map<number, StageRecount>()
  for (const lines of reports) {
    const run = lines.find(({ type }) => type === 'run')
    if ((run?.rollout as { begunAt?: string } | undefined)?.begunAt !== begunAt) continue
    for (const line of lines) if (line.type === 'file') countLine(stages, line)
  }
  for (const { candidate, baseline } of stages.values()) {
    for (const { durations } of [candidate, baseline]) {
      for (const list of Object.values(durations)) list.sort((a, b) => a - b)
    }
  }
  return stages
}

function countLine(stages: Map<number, StageRecount>, line: ReportLine): void {
  const { stage, side, fallback } = line
  if (typeof stage !== 'number' || (side !== 'candidate' && side !== 'baseline')) return
  if (line.status === 'cancelled') return
  const failed = (fallback ?? line) as { readonly error?: { readonly code: string } }
  const hasFailed = fallback !== undefined || line.status === 'failed'
  if (hasFailed && nobodysFault.test(failed.error?.code ?? '')) return
  if (!hasFailed && line.status !== 'uploaded' && line.status !== 'undone') return
  // Never tried.
  if (fallback === undefined && line.attempts === 0) return

  const sides = stages.get(stage) ?? { candidate: nothingYet(), baseline: nothingYet() }
  stages.set(stage, sides)
  const counted = sides[side]
  counted.files += 1
  const startedAt = String(line.startedAt)
  if (counted.firstSeen === null || startedAt < counted.firstSeen) counted.firstSeen = startedAt
  if (counted.lastSeen === null || startedAt > counted.lastSeen) counted.lastSeen = startedAt
  if (hasFailed) {
    counted.failures += 1
    return
  }
  const size = Number(line.size)
  counted.bytes += size
  counted.durations[classOf(size)].push(Number(line.durationMs))
}

function nothingYet(): Recount {
  const durations = { '64KiB': [], '1MiB': [], '16MiB': [], larger: [] }
  return { files: 0, failures: 0, bytes: 0, firstSeen: null, lastSeen: null, durations }
}

function classOf(size: number): RecountClass {
  if (size <= 64 * KiB) return '64KiB'
  if (size <= 1024 * KiB) return '1MiB'
  return size <= 16 * 1024 * KiB ? '16MiB' : 'larger'
}

/** By the nearest rank; null of none. @param sorted by rising value */
export function nearestRank(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? null
}

/** Of files of all sizes, sorted. */
export function allDurations({ durations }: Recount): readonly number[] {
  return Object.values(durations)
    .flat()
    .sort((a, b) => a - b)
}
