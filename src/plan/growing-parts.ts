import type { DestinationLimits } from '../destinations/destination.ts'

/** Parts of one size, before they double. */
const partsOfOneSize = 1000

type PartLimits = Pick<DestinationLimits, 'maxPartSize' | 'maxParts'>

/**
 * Bytes of a part of an object whose size is not known: twice as many after each 1,000 parts, so that the parts that a
 * destination takes (S3: 10,000, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html) hold terabytes.
 * Some servers want all parts but the last to be of one size (Cloudflare R2,
 * https://developers.cloudflare.com/r2/objects/multipart-objects/): the first 1,000 are.
 *
 * @param partNumber from 1
 * @param first bytes of the first part
 */
export function growingPartSize(
  partNumber: number,
  first: number,
  { maxPartSize }: Pick<PartLimits, 'maxPartSize'>,
): number {
  return Math.min(first * 2 ** Math.floor((partNumber - 1) / partsOfOneSize), maxPartSize)
}

/** Bytes that all parts hold together which a destination takes of one object, where the first has `first` bytes. */
export function mostInGrowingParts(first: number, limits: PartLimits): number {
  let bytes = 0
  for (let before = 0; before < limits.maxParts; before += partsOfOneSize) {
    const parts = Math.min(partsOfOneSize, limits.maxParts - before)
    bytes += parts * growingPartSize(before + 1, first, limits)
  }
  return bytes
}
