import type { ChecksumAlgorithm } from '../destinations/destination.ts'

/** A CRC over polynomials with coefficients in GF(2); bits are reflected, the highest stands for x^0. */
interface CrcKind {
  /** Bits of a checksum. */
  readonly width: bigint
  readonly polynomial: bigint
}

/** The polynomials of https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html, reflected. */
const kinds: Readonly<Partial<Record<ChecksumAlgorithm, CrcKind>>> = {
  crc32: { width: 32n, polynomial: 0xedb88320n },
  crc32c: { width: 32n, polynomial: 0x82f63b78n },
  crc64nvme: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
}

/** A part's checksum and how many bytes it is of. */
export interface PartChecksum {
  /** Bytes. */
  readonly size: number
  /** In base64. */
  readonly value: string
}

/** Whether a whole's checksum follows from its parts': of a CRC it does, of a digest it does not. */
export function isCombinable(algorithm: ChecksumAlgorithm): boolean {
  return kinds[algorithm] !== undefined
}

/**
 * The checksum of the bytes of all parts, one behind the other, in base64.
 *
 * Bytes that follow multiply what a CRC has by x^8 each; the rest is addition. Parts are of one size but for the last, so
 * that a factor is worked out once or twice for all of them.
 *
 * @returns undefined where it does not follow from the parts' checksums
 */
export function combineChecksums(algorithm: ChecksumAlgorithm, parts: Iterable<PartChecksum>): string | undefined {
  const kind = kinds[algorithm]
  if (kind === undefined) return undefined
  const factors = new Map<number, bigint>()
  let whole = 0n
  for (const { size, value } of parts) {
    let factor = factors.get(size)
    if (factor === undefined) {
      factor = powerOfBytes(size, kind)
      factors.set(size, factor)
    }
    whole = multiply(whole, factor, kind) ^ BigInt(`0x0${Buffer.from(value, 'base64').toString('hex')}`)
  }
  const digits = Number(kind.width) / 4
  return Buffer.from(whole.toString(16).padStart(digits, '0'), 'hex').toString('base64')
}

/** x^(8 × size) */
function powerOfBytes(size: number, kind: CrcKind): bigint {
  let power = 1n << (kind.width - 1n)
  let square = 1n << (kind.width - 9n)
  for (let left = size; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, square, kind)
    square = multiply(square, square, kind)
  }
  return power
}

/** a × b, modulo the polynomial. */
function multiply(a: bigint, b: bigint, { width, polynomial }: CrcKind): bigint {
  let product = 0n
  let shifted = b
  for (let bit = 1n << (width - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n
  }
  return product
}
