import pLimit from 'p-limit'
import type { Destination } from '../destinations/destination.ts'
import { createKeyHashes } from '../plan/key-hashes.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { Requests } from '../transfer/requests.ts'

/** Up to so many files, each key is asked about; for more, all there is below the prefix is listed. */
const askedOneByOne = 500
/** Requests at a time. */
const atOnce = 32

export interface ReplacingOptions {
  readonly destination: Destination
  readonly requests: Requests
  /** What every key begins with. */
  readonly prefix: string
  /** How many files there are. */
  readonly count: number
  readonly files: () => AsyncIterable<PlannedFile>
  readonly signal: AbortSignal
}

/**
 * The keys a run is going to write to under which there is something already. A listing is kept as 16 bytes a key, so a
 * million objects are no matter; what it seems to hold is asked about by name.
 *
 * @throws UploadError where the destination cannot be asked.
 */
export async function* keysInUse(options: ReplacingOptions): AsyncGenerator<string> {
  const { destination, requests, files } = options
  const mayExist = options.count > askedOneByOne ? await listing(options) : undefined
  const limit = pLimit(atOnce)
  const look = (key: string): Promise<string | undefined> => {
    const found = limit(async () =>
      (await requests.ask((call) => destination.headObject(key, call))) ? key : undefined,
    )
    // It may fail long before it is waited for: the next files may have to be scanned first.
    found.catch(() => {})
    return found
  }
  let asked: Promise<string | undefined>[] = []
  for await (const { key, problem } of files()) {
    if (problem !== undefined || mayExist?.(key) === false) continue
    asked.push(look(key))
    if (asked.length < atOnce) continue
    yield* (await Promise.all(asked)).filter((found) => found !== undefined)
    asked = []
  }
  yield* (await Promise.all(asked)).filter((found) => found !== undefined)
}

async function listing(options: ReplacingOptions): Promise<((key: string) => boolean) | undefined> {
  const { destination, requests, prefix } = options
  const { listObjects } = destination
  if (listObjects === undefined) return undefined
  // Tried again as a whole: a listing cannot be taken up in its middle.
  return requests.ask(async (call) => {
    const keys = createKeyHashes()
    for await (const { key } of listObjects(prefix, call)) keys.add(key)
    return keys.has
  })
}
