import { expect, it } from 'vitest'
import { fullObjectChecksum } from '../../../../src/destinations/s3/checksum.ts'

it.each([
  [{}, undefined],
  [{ ChecksumCRC32: 'a' }, { algorithm: 'crc32', value: 'a' }],
  [
    { ChecksumCRC32: 'a', ETag: '"e"' },
    { algorithm: 'crc32', value: 'a' },
  ],
  [{ ChecksumCRC32: 'a', ETag: '"e-2"' }, undefined],
  [
    { ChecksumCRC32: 'a', ETag: '"e-2"', ChecksumType: 'FULL_OBJECT' },
    { algorithm: 'crc32', value: 'a' },
  ],
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
  [{ ChecksumCRC32: 'a-3' }, undefined],
  [{ ChecksumCRC32: 'a', ChecksumType: 'COMPOSITE' }, undefined],
  [
    { ChecksumSHA256: '', ChecksumCRC32: 'a' },
    { algorithm: 'crc32', value: 'a' },
  ],
])('%j is %j', (answer, expected) => {
  expect(fullObjectChecksum(answer)).toEqual(expected)
})
