import type { LimitSettings } from '../config/settings.ts'
import { UploadError } from '../errors.ts'
import { refuseSize } from '../plan/limits/limits.ts'
import type { PlannedFile } from '../plan/planned-file.ts'

/** The limits to sizes, for what is known only when a file is sent: files that grew, and standard input. */
export interface SizeLimits {
  /** Why a file of this size is not to be sent. For standard input: once it was read to its end. */
  refuse(facts: { readonly size: number }): UploadError | undefined
  /**
   * Called with what a file is as its sending begins, each time.
   *
   * @returns why it is not to be sent; `HALTED` where the whole run has to end instead
   */
  begins(file: Pick<PlannedFile, 'index' | 'size'>, facts: { readonly size: number }): UploadError | undefined
  /**
   * Counts bytes that nobody knew of when the run began, fewer than none where a file shrank.
   *
   * @returns `HALTED` where the run comes to more than it may
   */
  grew(bytes: number): UploadError | undefined
  /** What standard input may have, and why it may not have a byte more. */
  leftForStdin(): StdinLimit
}

export interface StdinLimit {
  /** Bytes; infinite where there is no limit. */
  readonly bytes: number
  /** Said at the first byte beyond: `TOO_LARGE`, which is the file's failure, or `HALTED`, which ends the run. */
  error(): UploadError
}

export interface SizeLimitsOptions extends Pick<LimitSettings, 'maxSize' | 'minSize' | 'maxTotalSize'> {
  /** The sizes of all files that are to be sent together, as far as they were known. */
  readonly plannedBytes: number
}

export function createSizeLimits(options: SizeLimitsOptions): SizeLimits {
  const { maxSize = Number.POSITIVE_INFINITY, maxTotalSize = Number.POSITIVE_INFINITY } = options
  let total = options.plannedBytes
  /** Of files whose sending has begun. A plan that is gone through again finds files that it did not know of. */
  let begun = 0
  const hasBegun = createNumberSet()
  /** What is counted of a file, where that is no longer what was planned. */
  const counted = new Map<number, number>()

  const grew = (bytes: number): UploadError | undefined => {
    total += bytes
    begun += bytes
    return Math.max(total, begun) > maxTotalSize ? tooMuch(maxTotalSize) : undefined
  }
  const refuse = ({ size }: { readonly size: number }): UploadError | undefined => refuseSize(options, size)
  return {
    refuse,
    grew,
    begins({ index, size: planned = 0 }, facts) {
      const refused = refuse(facts)
      if (refused !== undefined) return refused
      const before = counted.get(index) ?? planned
      if (hasBegun.add(index)) begun += before
      if (facts.size !== before) counted.set(index, facts.size)
      return grew(facts.size - before)
    },
    leftForStdin() {
      const left = Math.max(0, maxTotalSize - Math.max(total, begun))
      if (maxSize <= left) return { bytes: maxSize, error: () => tooLargeInput(maxSize) }
      return { bytes: left, error: () => tooMuch(maxTotalSize) }
    },
  }
}

/** Whole numbers, the most of them close together, at one bit each. */
function createNumberSet(): { add(number: number): boolean } {
  let bits = new Uint8Array(1024)
  return {
    /** Whether it is new. */
    add(number) {
      const at = number >> 3
      if (at >= bits.length) {
        const larger = new Uint8Array(Math.max(at + 1, 2 * bits.length))
        larger.set(bits)
        bits = larger
      }
      const before = bits[at] as number
      bits[at] = before | (1 << (number & 7))
      return bits[at] !== before
    },
  }
}

function tooLargeInput(maxSize: number): UploadError {
  return new UploadError(
    'TOO_LARGE',
    `it has more than the ${maxSize} bytes that --max-size allows; send less, or raise the limit`,
  )
}

function tooMuch(maxTotalSize: number): UploadError {
  return new UploadError(
    'HALTED',
    `halted: with what could not be known beforehand, all files together have more than the ${maxTotalSize} bytes ` +
      'that --max-total-size allows; raise it and go on with upload --resume',
  )
}
