import type { JournalRecord } from '../records.ts'

/** The records as they are, one a line. */
export async function* jsonlText(batches: AsyncIterable<readonly JournalRecord[]>): AsyncGenerator<string> {
  for await (const records of batches) yield records.map((record) => `${JSON.stringify(record)}\n`).join('')
}
