import type { Destination, ObjectInfo } from '../../destinations/destination.ts'
import { partsOfEtag } from '../../destinations/etag.ts'
import { toUploadError } from '../../errors.ts'
import { partCount, partSizeFor } from '../../plan/part-ranges.ts'
import type { FileFacts } from '../reading/file-facts.ts'
import type { LocalBytes } from '../reading/local-bytes.ts'

const MiB = 2 ** 20

/** Bytes of a part, as this program, the AWS CLI, rclone, mc and s5cmd make them unless told otherwise. */
const usualPartSizes = [8 * MiB, 5 * MiB, 16 * MiB, 50 * MiB]

/** An object under a file's key. */
export interface SeenObject {
  readonly info: ObjectInfo
  /** The destination was asked for all it knows of it, its checksum included. */
  readonly isAll: boolean
}

export interface Comparing {
  readonly destination: Pick<Destination, 'limits'>
  readonly bytes: LocalBytes
  /** The run's own, in bytes. */
  readonly partSize: number
  readonly signal: AbortSignal
  /** Asks for all that is known of the object; undefined where there is none any more. */
  readonly askAll: () => Promise<ObjectInfo | undefined>
}

/**
 * Whether a file differs in its size, or was modified after its object was stored.
 *
 * Many servers tell whole seconds. A file of that very second may have been written before it was stored, or after: then,
 * and only then, it is read and compared with the ETag, since the alternative is to send it.
 *
 * @throws UploadError SOURCE_*; CANCELLED
 */
export async function isNewer(facts: FileFacts, info: ObjectInfo, comparing: Comparing): Promise<boolean> {
  const storedMs = info.lastModified?.getTime()
  if (info.size !== facts.size || storedMs === undefined) return true
  // As fine as a destination tells it at best.
  const aheadMs = Math.floor(facts.mtimeMs) - storedMs
  if (aheadMs <= 0) return false
  if (storedMs % 1000 !== 0 || aheadMs >= 1000) return true
  return (await matches(facts, info, comparing)) !== true
}

/** What came of comparing a file with its object. */
export interface ComparedBytes {
  /** Undefined where nothing is told that could be compared, but the size is the same. */
  readonly same: boolean | undefined
  /** The object as it was asked for last; undefined where it is gone. */
  readonly info: ObjectInfo | undefined
}

/**
 * Whether an object holds a file's bytes: by size, else by the checksum that is stored with it, else by its ETag. A
 * listing tells no checksum; an ETag of it that fits settles the matter, and only where it does not is there a request.
 *
 * @throws UploadError SOURCE_*; CANCELLED; what the request throws
 */
export async function compareBytes(facts: FileFacts, seen: SeenObject, comparing: Comparing): Promise<ComparedBytes> {
  const { info } = seen
  if (info.size !== facts.size) return { same: false, info }
  if (facts.size === 0) return { same: true, info }
  const same = await matches(facts, info, comparing)
  if (same === true || seen.isAll) return { same, info }
  const told = await comparing.askAll()
  if (told === undefined || told.size !== facts.size) return { same: false, info: told }
  const isNews = told.checksum !== undefined || told.etag !== info.etag
  return { same: isNews ? await matches(facts, told, comparing) : same, info: told }
}

async function matches(
  facts: FileFacts,
  told: ObjectInfo,
  { bytes, signal, partSize, destination: { limits } }: Comparing,
): Promise<boolean | undefined> {
  const { size } = facts
  try {
    const parts = told.checksum === undefined ? partsOfEtag(told.etag) : undefined
    if (parts === undefined) return await bytes.match(told, facts, { start: 0, size }, signal)
    // An ETag does not say how large the parts were.
    const fitting = new Set([partSizeFor(size, partSize, limits), ...usualPartSizes])
    let same: boolean | undefined
    for (const each of fitting) {
      if (partCount(size, each) !== parts) continue
      same = await bytes.matchObject(told, facts, [each], signal)
      if (same) return true
    }
    return same
  } catch (error) {
    // Whoever is writing to it has made it another file.
    if (toUploadError(error).code === 'SOURCE_CHANGED') return false
    throw error
  }
}
