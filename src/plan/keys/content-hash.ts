import { createHash } from 'node:crypto'
import pLimit from 'p-limit'
import { toUploadError, UploadError } from '../../errors.ts'
import { sha256Of } from '../../transfer/reading/file-checksum.ts'
import { openPartReader } from '../../transfer/reading/part-reader.ts'
import type { FileLimit } from '../limits/limits.ts'
import { type Content, isSent, type PlannedFile, refused } from '../planned-file.ts'
import { sourceError } from '../source-errors.ts'
import { statOf } from '../sources/look.ts'
import { createKeyHashes } from './key-hashes.ts'
import type { FileSpots, Spot } from './spots.ts'

/** Files that are read at once: more would only make the disk seek. */
const readsAtOnce = 4
/** Files whose sums may be known, or in the making, before they are sent. */
const mostAhead = 64

export interface ContentHashOptions {
  /** Ends the reading; no file is given from then on. */
  readonly signal: AbortSignal
  /** What two files must not share. */
  readonly spots: FileSpots
  /** What came of files in an earlier pass over them. */
  readonly known: WeakMap<PlannedFile, Hashed>
  /** Asked of files that are no longer what they were when they were scanned. */
  readonly limit: FileLimit | undefined
}

/** A file after its bytes were read. */
export interface Hashed {
  readonly file: PlannedFile
  /** In hexadecimal; undefined where it is not sent, or its key is not made of its bytes. */
  readonly sha256: string | undefined
}

/**
 * Gives files whose keys are made of their bytes these keys, in the same order: they are read ahead of their sending. A
 * file that has the key and the bytes of one before it is passed over.
 */
export async function* withContentKeys(
  files: AsyncIterable<PlannedFile>,
  { signal, spots, known, limit }: ContentHashOptions,
): AsyncGenerator<PlannedFile> {
  const left = new AbortController()
  const reading = AbortSignal.any([signal, left.signal])
  const inTurn = pLimit(readsAtOnce)
  const settle = createDuplicates(spots)
  const hash = async (file: PlannedFile): Promise<Hashed | undefined> => {
    const found = known.get(file) ?? (await inTurn(() => hashed(file, limit, reading)))
    if (found !== undefined) known.set(file, found)
    return found
  }
  const ahead: Promise<Hashed | undefined>[] = []
  try {
    for await (const file of files) {
      ahead.push(hash(file))
      if (ahead.length < mostAhead) continue
      const next = await ahead.shift()
      if (next === undefined) return
      yield settle(next)
    }
    for (const last of ahead) {
      const next = await last
      if (next === undefined) return
      yield settle(next)
    }
  } finally {
    left.abort()
  }
}

/** Undefined where the reading was ended. */
async function hashed(
  file: PlannedFile,
  limit: FileLimit | undefined,
  signal: AbortSignal,
): Promise<Hashed | undefined> {
  if (file.onceRead === undefined || !isSent(file)) return { file, sha256: undefined }
  try {
    const content = await contentOf(file.absolute, signal)
    const { occurrence } = file
    const keyed: PlannedFile = { ...file.onceRead(content), occurrence, pinned: true }
    const isAsScanned = content.size === file.size && content.mtimeMs === file.mtimeMs
    const problem = isAsScanned || !isSent(keyed) ? undefined : await limit?.(keyed)
    return { file: problem === undefined ? keyed : refused(keyed, problem), sha256: content.sha256 }
  } catch (error) {
    if (signal.aborted) return undefined
    return { file: refused(file, toUploadError(error)), sha256: undefined }
  }
}

/**
 * What a file holds now: it may have been scanned hours ago.
 *
 * @throws UploadError SOURCE_*, SOURCE_CHANGED where it is written to meanwhile; CANCELLED
 */
async function contentOf(absolute: string, signal: AbortSignal): Promise<Content> {
  const stats = await statOf(absolute).catch((error) => {
    throw sourceError(error)
  })
  if (!stats.isFile()) throw new UploadError('SOURCE_UNREADABLE', 'it is no longer a regular file')
  const { size, mtimeMs } = stats
  const openReader = () => openPartReader({ absolute, size, mtimeMs }, { start: 0, size })
  return { size, mtimeMs, sha256: await sha256Of({ size, openReader }, signal) }
}

/**
 * Tells files that came before, in up to 64 bytes a file. That keys are the same is no proof that the bytes are: a name
 * can be made up to look like the sum of another file and the rest of its key.
 */
function createDuplicates({ all }: FileSpots): (hashed: Hashed) => PlannedFile {
  const taken = createKeyHashes(halfOfSum)
  const sent = createKeyHashes(halfOfSum)
  // Where nothing is sent unless the candidate fails.
  const spare = createKeyHashes(halfOfSum)
  return ({ file, sha256 }) => {
    if (!isSent(file)) return file
    const contentAt = (spot: string): string => `${sha256}\n${spot}`
    const isOthers = ({ spot }: Spot): boolean => {
      if (!taken.has(spot)) return false
      return sha256 === undefined || !(sent.has(contentAt(spot)) || spare.has(contentAt(spot)))
    }
    const spots = all(file)
    const others = spots.find(isOthers)
    if (others !== undefined) {
      const problem = `its key ${others.key} is that of another file with other bytes; give it another one with --key`
      return refused(file, new UploadError('KEY_INVALID', problem))
    }
    const [{ spot: first }, ...rest] = spots
    for (const { spot } of spots) taken.add(spot)
    for (const { spot } of rest) spare.add(contentAt(spot))
    // What it has is where it would have gone.
    const isThere = sent.add(contentAt(first))
    return isThere ? { ...file, side: undefined, onBaseline: undefined, skip: 'duplicate-content' } : file
  }
}

/** 64 bits of a sum that nobody can make two of, as two unsigned halves. */
function halfOfSum(text: string): readonly [number, number] {
  const sum = createHash('sha256').update(text).digest()
  return [sum.readUInt32BE(0), sum.readUInt32BE(4)]
}
