import type { Checksum } from '../destination.ts'

interface ChecksumAnswer {
  readonly ChecksumCRC32?: string | undefined
  readonly ChecksumCRC32C?: string | undefined
  readonly ChecksumCRC64NVME?: string | undefined
  readonly ChecksumSHA256?: string | undefined
  readonly ChecksumType?: string | undefined
}

/**
 * The checksum in an answer, where it is one of the object's bytes. A composite one is of its parts' checksums, and
 * can be compared with no other.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function fullObjectChecksum(answer: ChecksumAnswer): Checksum | undefined {
  if (answer.ChecksumType === 'COMPOSITE') return undefined
  const { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA256 } = answer
  if (ChecksumSHA256 !== undefined) return { algorithm: 'sha256', value: ChecksumSHA256 }
  if (ChecksumCRC64NVME !== undefined) return { algorithm: 'crc64nvme', value: ChecksumCRC64NVME }
  if (ChecksumCRC32C !== undefined) return { algorithm: 'crc32c', value: ChecksumCRC32C }
  return crc32Checksum(ChecksumCRC32)
}

/** @param value in base64 */
export function crc32Checksum(value: string | undefined): Checksum | undefined {
  return value === undefined ? undefined : { algorithm: 'crc32', value }
}
