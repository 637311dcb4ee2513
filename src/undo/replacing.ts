import pLimit from 'p-limit'
import type { Settings } from '../config/settings.ts'
import type { Destination } from '../destinations/destination.ts'
import type { KeyScope } from '../plan/keys/key-scope.ts'
import { isSent, type PlannedFile } from '../plan/planned-file.ts'
import { type Comparing, compareBytes, isNewer, type SeenObject } from '../transfer/existing/compare-file.ts'
import { listExisting } from '../transfer/existing/existing-objects.ts'
import type { FileFacts } from '../transfer/reading/file-facts.ts'
import { createLocalBytes } from '../transfer/reading/local-bytes.ts'
import type { Requests } from '../transfer/requests.ts'

/** Requests at a time. */
const atOnce = 32

export interface ReplacingOptions {
  readonly destination: Destination
  readonly settings: Pick<Settings, 'ifExists' | 'partSize'>
  readonly requests: Requests
  /** The keys of all files. */
  readonly scope: KeyScope
  readonly files: () => AsyncIterable<PlannedFile>
  readonly signal: AbortSignal
}

/**
 * The keys under which a run is going to replace something. Where only what is older, or of other bytes, is replaced,
 * each file is compared now as it will be when it is its turn: it may be read twice.
 *
 * @throws UploadError where the destination cannot be asked, or a file not be compared.
 */
export async function* keysInUse(options: ReplacingOptions): AsyncGenerator<string> {
  const { destination, requests, scope, files } = options
  const listed = await requests.ask((call) => listExisting(destination, scope, call, () => {}))
  const see = async (key: string): Promise<SeenObject | undefined> => {
    const isListed = listed?.covers(key) === true
    const info = isListed ? listed.find(key) : await requests.ask((call) => destination.headObject(key, call))
    return info && { info, isAll: false }
  }
  const isReplaced = replacing(options)
  const limit = pLimit(atOnce)
  const look = (file: PlannedFile): Promise<string | undefined> => {
    const found = limit(async () => {
      const seen = await see(file.key)
      return seen !== undefined && (await isReplaced(file, seen)) ? file.key : undefined
    })
    // It may fail long before it is waited for: the next files may have to be scanned first.
    found.catch(() => {})
    return found
  }
  let asked: Promise<string | undefined>[] = []
  for await (const file of files()) {
    if (!isSent(file)) continue
    asked.push(look(file))
    if (asked.length < atOnce) continue
    yield* (await Promise.all(asked)).filter((found) => found !== undefined)
    asked = []
  }
  yield* (await Promise.all(asked)).filter((found) => found !== undefined)
}

function replacing(options: ReplacingOptions): (file: PlannedFile, seen: SeenObject) => Promise<boolean> {
  const { destination, settings, requests, signal } = options
  const bytes = createLocalBytes()
  return async ({ key, absolute, size, mtimeMs }, seen) => {
    const { ifExists, partSize } = settings
    // Standard input has to be read before there is anything to compare.
    if (ifExists === 'overwrite' || size === undefined || mtimeMs === undefined) return true
    const facts: FileFacts = { absolute, size, mtimeMs }
    const askAll = () => requests.ask((call) => destination.headObject(key, call, { checksum: true }))
    const comparing: Comparing = { destination, bytes, partSize, signal, askAll }
    if (ifExists === 'newer') return isNewer(facts, seen.info, comparing)
    const { same, info } = await compareBytes(facts, seen, comparing)
    return info !== undefined && same !== true
  }
}
