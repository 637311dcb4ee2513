import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { JournalRecord, SummaryRecord } from '../records.ts'
import { csvSummaryText, csvText } from './csv.ts'
import { jsonText } from './json.ts'
import { findInvocation, readInvocation, readInvocationText } from './read.ts'
import { asLines, withoutSuperseded } from './undone.ts'

export interface WriteReportsOptions {
  /** Which of the journal's invocations the reports are of. */
  readonly invocation: number
  /** Files to write; their ending tells the format: `.jsonl`, `.json`, `.csv`. */
  readonly files: readonly string[]
  /** The invocation's summary, where the journal does not hold it yet. */
  readonly summary?: SummaryRecord | undefined
}

/** What came of writing reports. */
export interface WrittenReports {
  /** Files that are complete, in the order asked for; a CSV's summary follows it. */
  readonly written: readonly string[]
  /** Why others are not there, a sentence each. */
  readonly problems: readonly string[]
}

/** Text of a report, in pieces of any size, from a run's records. */
type Format = (batches: AsyncIterable<readonly JournalRecord[]>) => AsyncIterable<string>

interface ReportFile {
  readonly path: string
  /** `lines`: as they stand in the journal. */
  readonly format: Format | 'lines'
  /** The only records it is made of, where not all. */
  readonly only?: JournalRecord['type']
}

/**
 * Writes a run's reports from its journal, reading it once for each and holding nothing of it in memory. A report
 * takes its place only once it is whole; until then an older one of that name stays.
 *
 * @returns which were written, and why others were not; one that fails does not stop the others
 */
export async function writeReports(journalPath: string, options: WriteReportsOptions): Promise<WrittenReports> {
  const written: string[] = []
  const problems: string[] = []
  const start = await findInvocation(journalPath, options.invocation)
  for (const { path, format, only } of options.files.flatMap(filesOf)) {
    try {
      const { summary } = options
      const read = () => followedBy(readInvocation(journalPath, start, only), summary && [summary])
      const hasUndone = (summary?.undone ?? 0) > 0
      const content =
        format === 'lines'
          ? hasUndone
            ? asLines(withoutSuperseded(read))
            : followedBy(readInvocationText(journalPath, start), summary && `${JSON.stringify(summary)}\n`)
          : format(hasUndone ? withoutSuperseded(read) : read())
      await writeWhole(path, content)
      written.push(path)
    } catch (error) {
      problems.push(`${path} was not written: ${whyNotWritten(error)}`)
    }
  }
  return { written, problems }
}

async function* followedBy<First, Last>(
  batches: AsyncIterable<First>,
  last: Last | undefined,
): AsyncGenerator<First | Last> {
  yield* batches
  if (last !== undefined) yield last
}

/** What is written beside a report: a CSV's summary, `r.summary.csv` for `r.csv`. */
export function summaryFileOf(report: string): readonly string[] {
  const ending = extname(report)
  if (ending.toLowerCase() !== '.csv') return []
  return [`${report.slice(0, -ending.length)}.summary${ending}`]
}

function filesOf(report: string): readonly ReportFile[] {
  switch (extname(report).toLowerCase()) {
    case '.csv': {
      const summaries = summaryFileOf(report).map(
        (path) => ({ path, format: csvSummaryText, only: 'summary' }) as const,
      )
      return [{ path: report, format: csvText }, ...summaries]
    }
    case '.json':
      return [{ path: report, format: jsonText }]
    default:
      return [{ path: report, format: 'lines' }]
  }
}

async function writeWhole(path: string, content: AsyncIterable<string | Buffer>): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    await pipeline(content, createWriteStream(temporary, { flags: 'wx', flush: true }))
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** What an error of the file system means for a report, in a few words. */
export function whyNotWritten(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission denied, check the folder'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space left there'
    case 'EISDIR':
      return 'a directory has that name'
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where its folder should be'
    default:
      return message
  }
}
