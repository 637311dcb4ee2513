import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Crc32cJs, Crc64NvmeJs } from '@aws-sdk/checksums/crc'
import type { ChecksumAlgorithm } from '../destinations/destination.ts'

/** A checksum of bytes that come one buffer after the other. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void
  /** In base64, as S3 writes it: big-endian where it is a number. To be asked for once, after the last update. */
  result(): string | Promise<string>
}

/** One way to make checksums. */
export interface Checksummer {
  readonly algorithm: ChecksumAlgorithm
  /** Of bytes that are all there; at once where that can be done. */
  of(bytes: Uint8Array): string | Promise<string>
  /** Begins one of bytes to come. */
  begin(): RunningChecksum
}

const checksummers: Readonly<Record<ChecksumAlgorithm, Checksummer>> = {
  // Once for each small file: a native sum, and no object for it.
  crc32: { algorithm: 'crc32', of: (bytes) => base64OfCrc32(crc32(bytes)), begin: beginCrc32 },
  crc32c: of('crc32c', () => fromLibrary(new Crc32cJs())),
  crc64nvme: of('crc64nvme', () => fromLibrary(new Crc64NvmeJs())),
  sha256: of('sha256', () => {
    const hash = createHash('sha256')
    return { update: (bytes) => void hash.update(bytes), result: () => hash.digest('base64') }
  }),
}

/** The maker of checksums of this kind. */
export function checksummerOf(algorithm: ChecksumAlgorithm): Checksummer {
  return checksummers[algorithm]
}

const fourBytes = Buffer.alloc(4)

/** @param checksum as `zlib.crc32` gives it */
export function base64OfCrc32(checksum: number): string {
  fourBytes.writeUInt32BE(checksum)
  return fourBytes.toString('base64')
}

function beginCrc32(): RunningChecksum {
  let checksum = 0
  return {
    update(bytes) {
      checksum = crc32(bytes, checksum)
    },
    result: () => base64OfCrc32(checksum),
  }
}

function of(algorithm: ChecksumAlgorithm, begin: () => RunningChecksum): Checksummer {
  return {
    algorithm,
    begin,
    of(bytes) {
      const running = begin()
      running.update(bytes)
      return running.result()
    },
  }
}

function fromLibrary(library: { update(bytes: Uint8Array): void; digest(): Promise<Uint8Array> }): RunningChecksum {
  return {
    update: (bytes) => library.update(bytes),
    result: async () => Buffer.from(await library.digest()).toString('base64'),
  }
}
