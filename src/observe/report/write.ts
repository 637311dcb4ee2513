import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UploadError } from '../../errors.ts'
import type { JournalRecord } from '../records.ts'
import { csvRows, csvSummaryRows, csvText } from './csv.ts'
import { jsonText } from './json.ts'
import { jsonlText } from './jsonl.ts'
import { readInvocation } from './read.ts'

export interface WriteReportsOptions {
  /** Which of the journal's invocations the reports are of. */
  readonly invocation: number
  /** Files to write; their ending tells the format: `.jsonl`, `.json`, `.csv`. */
  readonly files: readonly string[]
}

type Format = (records: AsyncIterable<JournalRecord>) => AsyncIterable<string> | [AsyncIterable<unknown>, Transform]
type Transform = ReturnType<typeof csvText>

const textAtOnce = 2 ** 16
const summaryFormat: Format = (records) => [csvSummaryRows(records), csvText()]

/**
 * Writes a run's reports from its journal, reading it once for each and holding nothing of it in memory. A report
 * takes its place only once it is whole; until then an older one of that name stays.
 *
 * @returns the files written, in the order asked for; a CSV's summary follows it
 * @throws UploadError where some could not be written; all others have been.
 */
export async function writeReports(journalPath: string, options: WriteReportsOptions): Promise<readonly string[]> {
  const written: string[] = []
  const problems: string[] = []
  for (const file of options.files) {
    for (const [path, format] of formatsOf(file)) {
      try {
        await writeWhole(path, format(readInvocation(journalPath, options.invocation)))
        written.push(path)
      } catch (error) {
        problems.push(`${path} was not written: ${reason(error)}`)
      }
    }
  }
  if (problems.length > 0) throw new UploadError('INTERNAL', `${problems.join('; ')}; the journal has everything`)
  return written
}

/** What is written beside a report: a CSV's summary, `r.summary.csv` for `r.csv`. */
export function summaryFileOf(report: string): readonly string[] {
  const ending = extname(report)
  if (ending.toLowerCase() !== '.csv') return []
  return [`${report.slice(0, -ending.length)}.summary${ending}`]
}

function formatsOf(file: string): readonly (readonly [path: string, format: Format])[] {
  switch (extname(file).toLowerCase()) {
    case '.csv':
      return [
        [file, (records) => [csvRows(records), csvText()]],
        ...summaryFileOf(file).map((path) => [path, summaryFormat] as const),
      ]
    case '.json':
      return [[file, jsonText]]
    default:
      return [[file, jsonlText]]
  }
}

async function writeWhole(path: string, content: ReturnType<Format>): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  const file = createWriteStream(temporary, { flags: 'wx', flush: true })
  try {
    if (Array.isArray(content)) await pipeline(content[0], content[1], together, file)
    else await pipeline(content, together, file)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Many small texts as few large ones: a write costs more than a line. */
async function* together(texts: AsyncIterable<string | Buffer>): AsyncGenerator<string> {
  let held = ''
  for await (const text of texts) {
    held += text
    if (held.length < textAtOnce) continue
    yield held
    held = ''
  }
  yield held
}

function reason(error: unknown): string {
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
