import type { FileRecord } from '../observe/records.ts'
import { fileNameOf } from '../observe/report/file-name.ts'
import { createKeyHashes } from '../plan/key-hashes.ts'
import type { SentObject } from '../transfer/compare-object.ts'

/** What a report says should be at the destination. */
export interface ExpectedObject extends SentObject {
  readonly path: string
  readonly key: string
}

/**
 * The objects a report says are there, in its order: what was uploaded by it or before it. A file has a line in each
 * invocation of its run, and the last one counts. The lines are read twice, so that none has to be kept in memory: only
 * the place of those that come again.
 *
 * @param files the report's lines, from the beginning each time it is called
 */
export async function* expectedObjects(files: () => AsyncIterable<FileRecord>): AsyncGenerator<ExpectedObject> {
  const last = await lastOfRepeated(files())
  let place = 0
  for await (const file of files()) {
    place += 1
    if ((last.get(fileNameOf(file)) ?? place) !== place) continue
    const expected = expectedOf(file)
    if (expected !== undefined) yield expected
  }
}

/** Which of all lines is the last of its file, for the files that have, or seem to have, several. */
async function lastOfRepeated(files: AsyncIterable<FileRecord>): Promise<ReadonlyMap<string, number>> {
  const seen = createKeyHashes()
  const last = new Map<string, number>()
  let place = 0
  for await (const file of files) {
    place += 1
    const name = fileNameOf(file)
    if (seen.add(name)) last.set(name, place)
  }
  return last
}

function expectedOf({ path, key, size, status, reason, etag, checksum }: FileRecord): ExpectedObject | undefined {
  const isThere = status === 'uploaded' || (status === 'skipped' && reason === 'already-uploaded')
  return isThere && size !== null ? { path, key, size, etag, checksum } : undefined
}
