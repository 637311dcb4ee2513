import { createReadStream } from 'node:fs'
import { UsageError } from '../../errors.ts'
import type { JournalRecord, RunRecord } from '../records.ts'

const readAtOnce = 2 ** 18
const newline = 0x0a
const reported: ReadonlySet<string> = new Set(['run', 'file', 'summary'])
// In quotes that no string can hold unescaped: a line without it has no such record.
const mark = (type: JournalRecord['type']): Buffer => Buffer.from(`"type":"${type}"`)

/** @throws UsageError where a file that should be of one run goes on with another. */
export function refuseOtherRun(known: RunRecord | undefined, next: RunRecord, path: string): void {
  if (known === undefined || known.runId === next.runId) return
  throw new UsageError(`${path} holds more than one run (${known.runId}, ${next.runId}); give the report of one`)
}

/** Where the last run record of that invocation begins, in bytes; undefined where there is none. */
export async function findInvocation(journalPath: string, invocation: number): Promise<number | undefined> {
  const runMark = mark('run')
  let found: number | undefined
  let offset = 0
  for await (const lines of readLines(journalPath, 0)) {
    for (const line of lines) {
      if (line.includes(runMark)) {
        const record = parse(line)
        if (record?.type === 'run' && record.invocation === invocation) found = offset
      }
      offset += line.length + 1
    }
  }
  return found
}

/** The first records of a journal's invocations, in their order. */
export async function readRuns(journalPath: string): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = []
  for await (const lines of readLines(journalPath, 0)) {
    for (const line of lines) {
      const run = startsWith(line, runBegins) ? parseRun(line) : undefined
      if (run !== undefined) runs.push(run)
    }
  }
  return runs
}

/** The first of {@link readRuns}, without reading on; undefined where it is no journal. */
export async function readFirstRun(journalPath: string): Promise<RunRecord | undefined> {
  for await (const lines of readLines(journalPath, 0)) {
    for (const line of lines) return parseRun(line)
  }
  return undefined
}

/** A run's line; undefined for any other, and for one that lacks what a later invocation goes by. */
export function parseRun(line: Buffer): RunRecord | undefined {
  const record = parse(line)
  if (record?.type !== 'run') return undefined
  const { runId, cwd, to, argv, config } = record as Partial<RunRecord>
  const isWhole = [runId, cwd, to].every((text) => typeof text === 'string') && Array.isArray(argv)
  return isWhole && typeof config === 'object' && config !== null ? record : undefined
}

/**
 * What a journal says of the invocation that begins at `start`: its run, file and summary records in their order, some
 * at a time. What cannot be read as a line (a power cut tears the last one) is left out.
 *
 * @param only - leave out records of other types, without the cost of reading them
 */
export async function* readInvocation(
  journalPath: string,
  start: number | undefined,
  only?: JournalRecord['type'],
): AsyncGenerator<readonly JournalRecord[]> {
  const marks = only === undefined ? undefined : [mark('run'), mark(only)]
  yield* ofInvocation(journalPath, start, (line) => {
    if (marks?.some((bytes) => line.includes(bytes)) === false) return undefined
    const record = parse(line)
    if (record === undefined || !reported.has(record.type)) return undefined
    const isWanted = only === undefined || record.type === only
    return { isRun: record.type === 'run', items: isWanted ? [record] : [] }
  })
}

export const runBegins = Buffer.from('{"type":"run",')
const reportedBeginnings = [runBegins, Buffer.from('{"type":"file",'), Buffer.from('{"type":"summary",')]

/** As {@link readInvocation}, but the lines as they are: nothing has to be made of records and taken apart again. */
export async function* readInvocationText(journalPath: string, start: number | undefined): AsyncGenerator<Buffer> {
  const batches = ofInvocation(journalPath, start, (line) => {
    if (!reportedBeginnings.some((beginning) => startsWith(line, beginning)) || isTorn(line)) return undefined
    return { isRun: startsWith(line, runBegins), items: [line, lineEnd] }
  })
  for await (const pieces of batches) yield Buffer.concat(pieces)
}

/** What `read` makes of the lines from `start` on, up to where another run begins; `undefined` leaves a line out. */
async function* ofInvocation<Item>(
  journalPath: string,
  start: number | undefined,
  read: (line: Buffer) => { readonly isRun: boolean; readonly items: readonly Item[] } | undefined,
): AsyncGenerator<readonly Item[]> {
  if (start === undefined) return
  let runs = 0
  for await (const lines of readLines(journalPath, start)) {
    const items: Item[] = []
    for (const line of lines) {
      const found = read(line)
      if (found?.isRun) runs += 1
      if (runs > 1) break
      if (found !== undefined) items.push(...found.items)
    }
    yield items
    if (runs > 1) return
  }
}

/** Every record of a journal, of all its invocations, in their order, some at a time. */
export async function* readRecords(journalPath: string): AsyncGenerator<readonly JournalRecord[]> {
  for await (const records of readRecordsAndGaps(journalPath)) yield records.filter((record) => record !== undefined)
}

/** The same, with `undefined` in the place of each line that cannot be read. */
export async function* readRecordsAndGaps(journalPath: string): AsyncGenerator<readonly (JournalRecord | undefined)[]> {
  for await (const lines of readLines(journalPath, 0)) yield lines.filter((line) => line.length > 0).map(parse)
}

const lineEnd = Buffer.from('\n')
const closingBrace = 0x7d

/**
 * Whether a power cut has left its mark on a line: it ends too early, or holds zeros where the disk did not get to the
 * bytes. JSON text has none; they may also stand for the newline, so that two lines look like one.
 */
function isTorn(line: Buffer): boolean {
  return line.at(-1) !== closingBrace || line.includes(0)
}

export function startsWith(line: Buffer, beginning: Buffer): boolean {
  return line.length >= beginning.length && line.compare(beginning, 0, beginning.length, 0, beginning.length) === 0
}

/**
 * A file's lines, some at a time. Split at newlines only: `node:readline` would also split at U+2028, which a file's
 * name may hold. What follows the last newline counts only where it is whole: else it was torn, or is being written.
 *
 * @param start - Where to begin, in bytes.
 */
export async function* readLines(path: string, start: number): AsyncGenerator<readonly Buffer[]> {
  let pieces: Buffer[] = []
  for await (const data of createReadStream(path, { start, highWaterMark: readAtOnce })) {
    const bytes = data as Buffer
    const lines: Buffer[] = []
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      const rest = bytes.subarray(from, end)
      lines.push(pieces.length > 0 ? Buffer.concat([...pieces, rest]) : rest)
      pieces = []
      from = end + 1
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from))
    yield lines
  }
  const last = Buffer.concat(pieces)
  if (parse(last) !== undefined) yield [last]
}

function parse(line: Buffer): JournalRecord | undefined {
  try {
    const record: unknown = JSON.parse(line.toString('utf8'))
    return typeof record === 'object' && record !== null ? (record as JournalRecord) : undefined
  } catch {
    return undefined
  }
}
