import type { FileRecord, JournalRecord } from '../records.ts'
import { fileNameOf } from './file-name.ts'

type Batches = AsyncIterable<readonly JournalRecord[]>

/**
 * The same records with one line a file, its last: a file that was uploaded and taken back by the same run has two.
 *
 * @param read reads the records from the beginning each time
 */
export async function* withoutSuperseded(read: () => Batches): AsyncGenerator<readonly JournalRecord[]> {
  const undone = new Set<string>()
  for await (const records of read()) {
    for (const record of records) if (record.type === 'file' && record.status === 'undone') undone.add(nameOf(record))
  }
  for await (const records of read()) {
    yield records.filter(
      (record) => record.type !== 'file' || record.status === 'undone' || !undone.has(nameOf(record)),
    )
  }
}

/** One file may be under one key at several destinations. */
function nameOf(record: FileRecord): string {
  return `${record.destination}\0${fileNameOf(record)}`
}

/** Such records as the lines they are in a journal. */
export async function* asLines(batches: Batches): AsyncGenerator<string> {
  for await (const records of batches) yield records.map((record) => `${JSON.stringify(record)}\n`).join('')
}
