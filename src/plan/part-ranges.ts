import type { DestinationLimits } from '../destinations/destination.ts'

const MiB = 2 ** 20

/** Which bytes of an object a part holds. */
export interface PartRange {
  /** From 1. */
  readonly partNumber: number
  /** Offset of its first byte. */
  readonly start: number
  readonly size: number
}

/**
 * The part size for an object: the wanted one, or the next whole MiB that keeps the object within the destination's
 * number of parts (S3: 10,000, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
 *
 * @param size object size in bytes
 * @param wanted part size asked for, in bytes
 * @returns bytes
 */
export function partSizeFor(
  size: number,
  wanted: number,
  limits: Pick<DestinationLimits, 'minPartSize' | 'maxPartSize' | 'maxParts'>,
): number {
  const fitting = Math.ceil(size / limits.maxParts)
  const needed = fitting <= wanted ? wanted : Math.ceil(fitting / MiB) * MiB
  return Math.min(Math.max(needed, limits.minPartSize), limits.maxPartSize)
}

/** How many parts an object of `size` bytes has; an empty object has one. */
export function partCount(size: number, partSize: number): number {
  return Math.max(1, Math.ceil(size / partSize))
}

/** The bytes of part `partNumber`. */
export function partRange(partNumber: number, size: number, partSize: number): PartRange {
  const start = (partNumber - 1) * partSize
  return { partNumber, start, size: Math.min(partSize, size - start) }
}
