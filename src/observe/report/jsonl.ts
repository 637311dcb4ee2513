import type { JournalRecord } from '../records.ts'

/** The records as they are, one a line. */
export async function* jsonlText(records: AsyncIterable<JournalRecord>): AsyncGenerator<string> {
  for await (const record of records) yield `${JSON.stringify(record)}\n`
}
