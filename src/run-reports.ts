import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Settings } from './config/settings.ts'
import { toUploadError, UsageError } from './errors.ts'
import type { FailureSample, Listener } from './observe/events.ts'
import type { Journal } from './observe/journal.ts'
import type { SummaryRecord } from './observe/records.ts'
import { summaryFileOf, writeReports } from './observe/report/write.ts'
import type { StopCause } from './transfer/trouble/stops.ts'

/** Exit code of a run that did all it should but leave its report. */
const withoutReport = 3

export interface RunEnding {
  readonly journal: Journal
  /** Of the run's journal: the reports hold no other. */
  readonly invocation: number
  readonly summary: SummaryRecord
  /** What the summary is where the run ends with another exit code after all. */
  readonly finish: (exitCode: number) => Promise<SummaryRecord>
  readonly failures: readonly FailureSample[]
  /** Why the run, or a part of it, was stopped. */
  readonly causes: readonly StopCause[]
  /** The command that goes on with a run that ended so. */
  readonly again: (summary: SummaryRecord) => string | undefined
  readonly emit: Listener
}

/**
 * Writes the reports that were asked for and ends the journal. The reports come first: a run without a report that
 * should be there is no success, and its summary says so wherever it stands.
 *
 * @returns the summary as it was recorded
 */
export async function concludeRun(report: Settings['report'], cwd: string, ending: RunEnding): Promise<SummaryRecord> {
  const { journal, invocation, failures, causes, emit } = ending
  const warn = (message: string): void => emit({ type: 'warning', message: `the report is not complete: ${message}` })
  const files = report.map((file) => resolve(cwd, file))
  let { summary } = ending

  let { written, problems } = await reportsOf(journal, { invocation, files, summary })
  if (problems.length > 0 && summary.exitCode === 0) {
    summary = await ending.finish(withoutReport)
    written = (await reportsOf(journal, { invocation, files: files.filter((file) => written.includes(file)), summary }))
      .written
  }
  try {
    await journal.append(summary)
    await journal.close()
  } catch (error) {
    const { message } = toUploadError(error)
    if (!causes.some((cause) => cause.error.message === message)) problems = [...problems, message]
    if (summary.exitCode === 0) summary = { ...summary, exitCode: withoutReport }
  }
  for (const problem of problems) warn(problem)
  const shown = report.filter((_, index) => written.includes(files[index] as string))
  emit({
    type: 'summary',
    summary,
    reports: [journal.path, ...shown],
    failures,
    stoppedBecause: causes.length === 0 ? undefined : causes.map(causeText).join('; '),
    again: ending.again(summary),
  })
  return summary
}

/** Why a destination was given up has been said when that happened. */
function causeText({ error, destination }: StopCause): string {
  return `${destination === undefined ? error.message : `${destination} was given up`} (${error.code})`
}

/** Reports are made from the journal: from one that lacks lines, none are, and the old ones stay. */
async function reportsOf(
  journal: Journal,
  { invocation, files, summary }: Parameters<typeof writeReports>[1],
): ReturnType<typeof writeReports> {
  if (files.length === 0) return { written: [], problems: [] }
  if (journal.broken) return { written: [], problems: ['it is made from the journal, which lacks lines'] }
  return writeReports(journal.path, { invocation, files, summary }).catch((error: unknown) => ({
    written: [],
    problems: [toUploadError(error).message],
  }))
}

/**
 * A report that cannot be written is known before the first byte, not after the last.
 *
 * @throws UsageError naming each.
 */
export async function checkReports(report: Settings['report'], cwd: string): Promise<void> {
  const faults: string[] = []
  const taken = new Map<string, string>()
  for (const file of report) {
    const path = resolve(cwd, file)
    for (const made of [path, ...summaryFileOf(path)]) {
      const other = taken.get(made)
      if (other !== undefined && other !== file) faults.push(`--report: ${other} and ${file} would both write ${made}`)
      taken.set(made, file)
    }
    const problem = await problemWith(path)
    if (problem !== undefined) faults.push(`--report: ${file} ${problem}`)
  }
  if (faults.length > 0) throw new UsageError(faults)
}

async function problemWith(path: string): Promise<string | undefined> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await access(dirname(path), constants.W_OK)
  } catch (error) {
    return `cannot be written (${(error as NodeJS.ErrnoException).code})`
  }
  const isDirectory = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  return isDirectory ? 'is a directory; name a file in it' : undefined
}
