import type { Part } from '../destinations/destination.ts'
import { plainEtag } from '../destinations/etag.ts'
import { partCount, partRange } from '../plan/part-ranges.ts'
import type { FileFacts } from './reading/file-facts.ts'
import type { LocalBytes } from './reading/local-bytes.ts'

export interface PartCheckOptions {
  /** The file as it is now. */
  readonly facts: FileFacts
  /** Bytes of each part but the last. */
  readonly partSize: number
  /** What this program was told when it sent parts. */
  readonly recorded: readonly Part[]
  /** Whether the file is known to be as it was then, by size and modification time. */
  readonly isUnchanged: boolean
  /** Whether the parts follow one another, and none can be sent again. */
  readonly isSequential?: boolean | undefined
  readonly bytes: LocalBytes
  readonly signal: AbortSignal
}

export interface PartCheck {
  /** Those that hold the file's bytes, in order of their number: they need not be sent again. */
  readonly fitting: readonly Part[]
  /** How many hold other bytes, or may do so where they cannot be sent again. */
  readonly differing: number
}

/**
 * Which of the parts that the destination lists hold what the file holds now: it is the truth, whatever a journal says.
 * A part that can be compared is compared with the file's bytes. One that cannot counts where the file has not changed
 * since, and it is the very part that was recorded or one of a sequence, which nobody but this program has sent; else it
 * is sent again, as is one of the wrong size. What a sequence holds of the file as it was before a change is told: no
 * part of it can be sent again.
 *
 * @throws UploadError SOURCE_*; CANCELLED
 */
export async function checkParts(listed: readonly Part[], options: PartCheckOptions): Promise<PartCheck> {
  const { facts, partSize, isUnchanged, isSequential = false, bytes, signal } = options
  const recorded = new Map(options.recorded.map((part) => [part.partNumber, part]))
  const algorithm = options.recorded.find((part) => part.checksum !== undefined)?.checksum?.algorithm
  const last = partCount(facts.size, partSize)
  const fitting = new Map<number, Part>()
  let differing = 0
  for (const part of listed) {
    const { partNumber } = part
    if (partNumber < 1 || partNumber > last) continue
    const range = partRange(partNumber, facts.size, partSize)
    if (part.size !== range.size) {
      if (isSequential && !isUnchanged) differing += 1
      continue
    }
    const sent = recorded.get(partNumber)
    const isRecorded = sent !== undefined && plainEtag(sent.etag) === plainEtag(part.etag)
    // What is told of a part when it is stored may be more than what a listing tells.
    const known: Part = isRecorded ? { ...part, checksum: part.checksum ?? sent.checksum } : part
    const matches = await bytes.match(known, facts, range, signal)
    if (matches ?? (isRecorded && isUnchanged)) fitting.set(partNumber, known)
    else if (matches === undefined && isSequential && isUnchanged) {
      // Sent, but not written down any more: its checksum is wanted for that of the whole.
      const checksum = algorithm && (await bytes.checksum(algorithm, facts, range, signal))
      fitting.set(partNumber, { ...part, checksum })
    } else if (matches === false || isSequential) differing += 1
  }
  return { fitting: [...fitting.values()].sort((a, b) => a.partNumber - b.partNumber), differing }
}
