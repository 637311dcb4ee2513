import { stringify } from 'csv-stringify/sync'
import type { FileRecord, JournalRecord } from '../records.ts'

type Cell = string | number | boolean | null | undefined

/** For a field no file has yet. */
const empty = (): Cell => undefined

/**
 * A file's fields in the order of the journal, nested ones beside each other. Columns that only later versions fill
 * have their place already, so that none ever moves.
 */
const columns: readonly (readonly [header: string, cell: (file: FileRecord) => Cell])[] = [
  ['path', (file) => file.path],
  ['source', (file) => file.source],
  ['key', (file) => file.key],
  ['destination', (file) => file.destination],
  ['size', (file) => file.size],
  ['mtime', (file) => file.mtime],
  ['status', (file) => file.status],
  ['reason', (file) => file.reason],
  ['attempts', (file) => file.attempts],
  ['startedAt', (file) => file.startedAt],
  ['durationMs', (file) => file.durationMs],
  ['bytesSent', (file) => file.bytesSent],
  ['bytesPerSecond', (file) => file.bytesPerSecond],
  ['parts', (file) => file.parts],
  ['engine', (file) => file.engine],
  ['stage', (file) => file.stage],
  ['fallbackEngine', (file) => file.fallback?.engine],
  ['fallbackDestination', (file) => file.fallback?.destination],
  ['fallbackDurationMs', (file) => file.fallback?.durationMs],
  ['fallbackErrorCode', (file) => file.fallback?.error.code],
  ['fallbackErrorMessage', (file) => file.fallback?.error.message],
  ['etag', (file) => file.etag],
  ['versionId', (file) => file.versionId],
  ['replaced', empty],
  ['url', empty],
  ['checksumAlgorithm', (file) => file.checksum?.algorithm],
  ['checksumValue', (file) => file.checksum?.value],
  ['contentType', (file) => file.contentType],
  ['errorCode', (file) => file.error?.code],
  ['errorMessage', (file) => file.error?.message],
  ['errorStatus', (file) => file.error?.status],
  ['errorRequestId', (file) => file.error?.requestId],
  ['errorRetryable', (file) => file.error?.retryable],
]

const formula = /^[=+\-@\t\r]/

/** One row a file. */
export async function* csvText(batches: AsyncIterable<readonly JournalRecord[]>): AsyncGenerator<string> {
  yield toText([columns.map(([header]) => header)])
  for await (const records of batches) {
    const files = records.filter((record) => record.type === 'file')
    yield toText(files.map((file) => columns.map(([, cell]) => cell(file))))
  }
}

/** The summary as `metric,value`: nested figures by their path (`latencyMs.p50`). */
export async function* csvSummaryText(batches: AsyncIterable<readonly JournalRecord[]>): AsyncGenerator<string> {
  yield toText([['metric', 'value']])
  for await (const records of batches) {
    for (const record of records) if (record.type === 'summary') yield toText([...flatten(record)])
  }
}

/**
 * Rows as RFC 4180 has them. A spreadsheet would take a cell that begins like a formula for one, and a file's name
 * comes from anywhere: such text gets a leading `'`. (csv-stringify's own `escape_formulas` touches full-width signs
 * too, which the report's format does not promise.)
 */
function toText(rows: Cell[][]): string {
  return stringify(rows, {
    record_delimiter: 'windows',
    quote_record_delimiter: true,
    cast: {
      boolean: (value) => String(value),
      string: (value) => (formula.test(value) ? `'${value}` : value),
    },
  })
}

function* flatten(nested: object, path = ''): Generator<Cell[]> {
  for (const [key, value] of Object.entries(nested) as [string, Cell | object][]) {
    if (path === '' && key === 'type') continue
    if (typeof value === 'object' && value !== null) yield* flatten(value, `${path}${key}.`)
    else yield [`${path}${key}`, value]
  }
}
