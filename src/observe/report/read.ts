import { createReadStream } from 'node:fs'
import type { JournalRecord } from '../records.ts'

const readAtOnce = 2 ** 18
const newline = 0x0a
const runMark = Buffer.from('"type":"run"')
const reported: ReadonlySet<string> = new Set(['run', 'file', 'summary'])

/**
 * What a journal says of one invocation: its run, file and summary records, in their order, one at a time. What cannot
 * be read as a line (a power cut tears the last one) is left out.
 */
export async function* readInvocation(journalPath: string, invocation: number): AsyncGenerator<JournalRecord> {
  const start = await findRun(journalPath, invocation)
  if (start === undefined) return
  let begun = false
  for await (const { line } of readLines(journalPath, start)) {
    const record = parse(line)
    if (record === undefined || !reported.has(record.type)) continue
    if (record.type === 'run') {
      if (begun) return
      begun = true
    }
    yield record
  }
}

/** Where the last run record of that invocation begins, in bytes. */
async function findRun(journalPath: string, invocation: number): Promise<number | undefined> {
  let found: number | undefined
  for await (const { line, offset } of readLines(journalPath, 0)) {
    if (!line.includes(runMark)) continue
    const record = parse(line)
    if (record?.type === 'run' && record.invocation === invocation) found = offset
  }
  return found
}

/** Split at newlines only: `node:readline` would also split at U+2028, which a file's name may hold. */
async function* readLines(path: string, start: number): AsyncGenerator<{ line: Buffer; offset: number }> {
  let pieces: Buffer[] = []
  let offset = start
  for await (const data of createReadStream(path, { start, highWaterMark: readAtOnce })) {
    const bytes = data as Buffer
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      const rest = bytes.subarray(from, end)
      const line = pieces.length > 0 ? Buffer.concat([...pieces, rest]) : rest
      pieces = []
      yield { line, offset }
      offset += line.length + 1
      from = end + 1
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from))
  }
  if (pieces.length > 0) yield { line: Buffer.concat(pieces), offset }
}

function parse(line: Buffer): JournalRecord | undefined {
  try {
    const record: unknown = JSON.parse(line.toString('utf8'))
    return typeof record === 'object' && record !== null ? (record as JournalRecord) : undefined
  } catch {
    return undefined
  }
}
