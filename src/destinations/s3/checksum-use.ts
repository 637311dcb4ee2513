import type { Settings } from '../../config/settings.ts'
import type { ChecksumAlgorithm } from '../destination.ts'
import { refusedWords } from './refused-words.ts'

/** Which checksums go with what is sent. */
export interface ChecksumUse {
  /** Undefined: none. */
  algorithm(): ChecksumAlgorithm | undefined
  /**
   * Whether an error, of a request with a checksum, refuses it as such rather than saying that it does not match, and
   * nobody asked for it by name; from then on none is sent.
   */
  isRefusedBy(error: unknown): boolean
}

/** What servers answer that do not know the header: 400 or 501, and name it. */
const namesChecksum = /checksum|x-amz-sdk|crc-?32/i
const saysMismatch = /digest|mismatch|did ?n.t match|not match/i

/**
 * @param choice one that was made by name is kept, and what the endpoint refuses fails
 * @param onRefused told once
 */
export function createChecksumUse(choice: Settings['checksum'], onRefused: () => void): ChecksumUse {
  let algorithm: ChecksumAlgorithm | undefined
  if (choice === 'auto') algorithm = 'crc32'
  else if (choice !== 'none') algorithm = choice
  let isTold = false
  return {
    algorithm: () => algorithm,
    isRefusedBy(error) {
      if (!refusesChecksum(error)) return false
      if (!isTold) onRefused()
      isTold = true
      if (choice !== 'auto') return false
      algorithm = undefined
      return true
    },
  }
}

/** Whether a server says of a request, not of its bytes, that it does not take a checksum of this kind. */
export function refusesChecksum(error: unknown): boolean {
  const text = refusedWords(error)
  return text !== undefined && namesChecksum.test(text) && !saysMismatch.test(text)
}

/** Amazon's words for a part with another checksum than its upload was begun with: `null` where that was with none. */
const saysOtherType = /checksum type mismatch/i

/** Whether a part was refused for having a checksum that its upload was not begun with. */
export function refusesPartChecksum(error: unknown): boolean {
  return saysOtherType.test(refusedWords(error) ?? '')
}
