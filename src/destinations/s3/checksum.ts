import type { Checksum, ChecksumAlgorithm } from '../destination.ts'

interface Names {
  /** Where the model wants the algorithm's name. */
  readonly algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA256'
  /** Where the model holds a value. */
  readonly field: 'ChecksumCRC32' | 'ChecksumCRC32C' | 'ChecksumCRC64NVME' | 'ChecksumSHA256'
  readonly header: `x-amz-checksum-${ChecksumAlgorithm}`
}

/** What S3 calls checksums: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export const checksumNames: Readonly<Record<ChecksumAlgorithm, Names>> = {
  crc32: { algorithm: 'CRC32', field: 'ChecksumCRC32', header: 'x-amz-checksum-crc32' },
  crc32c: { algorithm: 'CRC32C', field: 'ChecksumCRC32C', header: 'x-amz-checksum-crc32c' },
  crc64nvme: { algorithm: 'CRC64NVME', field: 'ChecksumCRC64NVME', header: 'x-amz-checksum-crc64nvme' },
  sha256: { algorithm: 'SHA256', field: 'ChecksumSHA256', header: 'x-amz-checksum-sha256' },
}

/** The strongest first. */
const byStrength = ['sha256', 'crc64nvme', 'crc32c', 'crc32'] as const satisfies readonly ChecksumAlgorithm[]

/** Checksums as the model holds them. */
export type ChecksumFields = { readonly [Field in Names['field']]?: string | undefined }

export interface ChecksumAnswer extends ChecksumFields {
  readonly ChecksumType?: string | undefined
  readonly ETag?: string | undefined
}

/** The algorithm the model calls so; undefined where it is none of this program's. */
export function algorithmNamed(name: string | undefined): ChecksumAlgorithm | undefined {
  return byStrength.find((algorithm) => checksumNames[algorithm].algorithm === name)
}

/** A checksum as a field of the model. */
export function checksumField({ algorithm, value }: Checksum): ChecksumFields {
  return { [checksumNames[algorithm].field]: value }
}

/** Any checksum there is among the fields of a part. */
export function checksumIn(fields: ChecksumFields): Checksum | undefined {
  for (const algorithm of byStrength) {
    const value = fields[checksumNames[algorithm].field]
    // Some servers write an empty element where they have none.
    if (value) return { algorithm, value }
  }
  return undefined
}

/**
 * The checksum in an answer, where it is one of the object's bytes. A composite one is of its parts' checksums, says
 * how many there are (`…-3`), and can be compared with no other. A server that says neither that nor its type, of an
 * object made of parts (its ETag has their number), may mean either.
 */
export function fullObjectChecksum(answer: ChecksumAnswer): Checksum | undefined {
  const { ChecksumType, ETag } = answer
  if (ChecksumType === 'COMPOSITE' || (ChecksumType === undefined && ETag !== undefined && madeOfParts.test(ETag))) {
    return undefined
  }
  const checksum = checksumIn(answer)
  return checksum?.value.includes('-') ? undefined : checksum
}

const madeOfParts = /-\d+"?$/
