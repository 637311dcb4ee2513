import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import type { Checksum, ChecksumAlgorithm, Part } from '../../../../src/destinations/destination.ts'
import type { ChecksumAnswer } from '../../../../src/destinations/s3/checksum.ts'
import {
  beginFields,
  compareCompleted,
  keptChecksums,
  partFields,
  wholeFields,
} from '../../../../src/destinations/s3/multipart-checksum.ts'
import { someBytes } from '../../../contract/bodies.ts'

const bytes = someBytes(25)
const of = async (algorithm: ChecksumAlgorithm, some: Uint8Array): Promise<Checksum> => ({
  algorithm,
  value: await checksummerOf(algorithm).of(some),
})

function partsWith(algorithm: ChecksumAlgorithm): Promise<Part[]> {
  return Promise.all(
    [0, 10, 20].map(async (from, at) => {
      const some = bytes.subarray(from, from + 10)
      return { partNumber: at + 1, size: some.length, checksum: await of(algorithm, some) }
    }),
  )
}

async function compositeValue(algorithm: ChecksumAlgorithm): Promise<string> {
  const parts = await partsWith(algorithm)
  const all = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum?.value ?? '', 'base64')))
  return checksummerOf(algorithm).of(all)
}

it.each([
  ['crc32', true, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }],
  ['crc32c', true, { ChecksumAlgorithm: 'CRC32C', ChecksumType: 'FULL_OBJECT' }],
  ['crc64nvme', true, { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' }],
  ['sha256', true, { ChecksumAlgorithm: 'SHA256' }],
  ['crc32', false, { ChecksumAlgorithm: 'CRC32' }],
  [undefined, true, {}],
] as const)('an upload with %s, its type known: %s, begins with %j', (algorithm, withType, fields) => {
  expect(beginFields(algorithm, withType)).toEqual(fields)
})

it.each([
  [
    { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' },
    { algorithm: 'crc32', isFullObject: true },
  ],
  [
    { ChecksumAlgorithm: 'CRC32', ChecksumType: 'COMPOSITE' },
    { algorithm: 'crc32', isFullObject: false },
  ],
  [{ ChecksumAlgorithm: 'SHA256' }, { algorithm: 'sha256', isFullObject: false }],
  [{ ChecksumAlgorithm: 'null', ChecksumType: 'null' }, undefined],
  [{ ChecksumAlgorithm: 'SHA1' }, undefined],
  [{}, undefined],
])('%j keeps %j', (answer, kept) => {
  expect(keptChecksums(answer)).toEqual(kept)
})

it('parts and whole are named only as the server keeps them', () => {
  const part: Part = { partNumber: 1, size: 1, checksum: { algorithm: 'crc32', value: 'a' } }
  const whole: Checksum = { algorithm: 'crc32', value: 'b' }
  const full = { algorithm: 'crc32', isFullObject: true } as const
  const composite = { algorithm: 'crc32', isFullObject: false } as const
  expect(partFields(full, part)).toEqual({ ChecksumCRC32: 'a' })
  expect(partFields(composite, part)).toEqual({ ChecksumCRC32: 'a' })
  expect(partFields({ ...composite, algorithm: 'sha256' }, part)).toEqual({})
  expect(partFields(composite, { partNumber: 1, size: 1 })).toEqual({})
  expect(partFields(undefined, part)).toEqual({})
  expect(wholeFields(full, whole)).toEqual({ ChecksumCRC32: 'b', ChecksumType: 'FULL_OBJECT' })
  expect(wholeFields({ ...full, algorithm: 'crc32c' }, whole)).toEqual({})
  expect(wholeFields(full, undefined)).toEqual({})
  expect(wholeFields(composite, whole)).toEqual({})
  expect(wholeFields(undefined, whole)).toEqual({})
})

describe('what a server says of the object', async () => {
  const crc = await partsWith('crc32')
  const sha = await partsWith('sha256')
  const whole = (await of('crc32', bytes)).value
  const [crcs, shas] = [await compositeValue('crc32'), await compositeValue('sha256')]
  const mixed = [crc[0], sha[1], crc[2]] as Part[]
  const bare = crc.map(({ partNumber, size }) => ({ partNumber, size }))

  it.each<[string, ChecksumAnswer, readonly Part[]]>([
    ['nothing', {}, crc],
    ['the whole’s', { ChecksumCRC32: whole, ChecksumType: 'FULL_OBJECT' }, crc],
    ['the whole’s, without its type', { ChecksumCRC32: whole }, crc],
    ['that of the parts’', { ChecksumCRC32: `${crcs}-3`, ChecksumType: 'COMPOSITE' }, crc],
    ['that of the parts’, without its type', { ChecksumCRC32: `${crcs}-3` }, crc],
    ['that of the parts’, without their number', { ChecksumCRC32: crcs, ChecksumType: 'COMPOSITE' }, crc],
    ['that of the parts’, with neither', { ChecksumCRC32: crcs }, crc],
    ['that of the parts’ digests', { ChecksumSHA256: `${shas}-3` }, sha],
    ['one of another kind', { ChecksumCRC64NVME: 'AAAAAAAAAAA=', ChecksumType: 'FULL_OBJECT' }, crc],
    ['one of parts that are not all known', { ChecksumCRC32: 'AAAAAA==', ChecksumType: 'FULL_OBJECT' }, mixed],
    ['one of parts of which nothing is known', { ChecksumCRC32: 'AAAAAA==-3' }, bare],
  ])('passes: %s', async (_, answer, parts) => {
    await expect(compareCompleted(answer, parts)).resolves.toBeUndefined()
  })

  it.each<[string, ChecksumAnswer, readonly Part[]]>([
    ['another of the whole', { ChecksumCRC32: 'AAAAAA==', ChecksumType: 'FULL_OBJECT' }, crc],
    ['another of either', { ChecksumCRC32: 'AAAAAA==' }, crc],
    ['another of the parts’', { ChecksumCRC32: 'AAAAAA==-3', ChecksumType: 'COMPOSITE' }, crc],
    ['that of more parts', { ChecksumCRC32: `${crcs}-4`, ChecksumType: 'COMPOSITE' }, crc],
    ['that of the parts’ as the whole’s', { ChecksumCRC32: crcs, ChecksumType: 'FULL_OBJECT' }, crc],
    ['another of the parts’ digests', { ChecksumSHA256: 'AAAAAA==-3' }, sha],
  ])('does not pass: %s', async (_, answer, parts) => {
    await expect(compareCompleted(answer, parts)).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      retryable: true,
    })
  })
})
