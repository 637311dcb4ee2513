import { expect, it } from 'vitest'
import { fullObjectChecksum } from '../../../../src/destinations/s3/checksum.ts'

it.each([
  [{}, undefined],
  [{ ChecksumCRC32: 'a' }, { algorithm: 'crc32', value: 'a' }],
  [{ ChecksumCRC32C: 'a' }, { algorithm: 'crc32c', value: 'a' }],
  [
    { ChecksumCRC64NVME: 'a', ChecksumType: 'FULL_OBJECT' },
    { algorithm: 'crc64nvme', value: 'a' },
  ],
  [
    { ChecksumSHA256: 'a', ChecksumCRC32: 'b' },
    { algorithm: 'sha256', value: 'a' },
  ],
  [{ ChecksumCRC32: 'a-3', ChecksumType: 'COMPOSITE' }, undefined],
])('%j is %j', (answer, expected) => {
  expect(fullObjectChecksum(answer)).toEqual(expected)
})
