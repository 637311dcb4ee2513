import type { FileRecord } from '../observe/records.ts'
import { fileNameOf } from '../observe/report/file-name.ts'
import { createKeyHashes } from '../plan/keys/key-hashes.ts'
import type { SentObject } from '../transfer/compare-object.ts'

/** What a report says should be at the destination. */
export interface ExpectedObject extends SentObject {
  readonly path: string
  readonly key: string
  /** The URL of its destination. */
  readonly destination: string
}

export interface ExpectedObjects {
  /** Every destination that one of them is at. */
  readonly destinations: ReadonlySet<string>
  /** In the report's order. */
  objects(): AsyncGenerator<ExpectedObject>
}

/**
 * The objects a report says are there: what was uploaded by it or before it. A file has a line in each invocation of its
 * run, and the last one at its destination counts. The lines are read twice, so that none has to be kept in memory: only the place of those
 * that come again.
 *
 * @param files the report's lines, from the beginning each time it is called
 */
export async function expectedObjects(files: () => AsyncIterable<FileRecord>): Promise<ExpectedObjects> {
  const { last, destinations } = await readThrough(files())
  return {
    destinations,
    async *objects() {
      let place = 0
      for await (const file of files()) {
        place += 1
        if ((last.get(nameOf(file)) ?? place) !== place) continue
        const expected = expectedOf(file)
        if (expected !== undefined) yield expected
      }
    },
  }
}

interface ReadThrough extends Pick<ExpectedObjects, 'destinations'> {
  /** Which of all lines is the last of its file, for the files that have, or seem to have, several. */
  readonly last: ReadonlyMap<string, number>
}

async function readThrough(files: AsyncIterable<FileRecord>): Promise<ReadThrough> {
  const seen = createKeyHashes()
  const last = new Map<string, number>()
  const destinations = new Set<string>()
  let place = 0
  for await (const file of files) {
    place += 1
    const name = nameOf(file)
    if (seen.add(name)) last.set(name, place)
    if (expectedOf(file) !== undefined) destinations.add(file.destination)
  }
  return { last, destinations }
}

/** Two files may have one name and key where they go to different destinations. */
function nameOf(file: FileRecord): string {
  return `${file.destination}\n${fileNameOf(file)}`
}

function expectedOf(file: FileRecord): ExpectedObject | undefined {
  const { path, key, destination, size, status, reason, etag, checksum } = file
  const isThere = status === 'uploaded' || (status === 'skipped' && reason === 'already-uploaded')
  return isThere && size !== null ? { path, key, destination, size, etag, checksum } : undefined
}
