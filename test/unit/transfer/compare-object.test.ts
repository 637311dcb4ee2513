import { expect, it } from 'vitest'
import type { ObjectInfo } from '../../../src/destinations/destination.ts'
import { compareObject, type SentObject } from '../../../src/transfer/compare-object.ts'

const crc32 = { algorithm: 'crc32', value: 'AAAAAA==' } as const
const sha256 = { algorithm: 'sha256', value: 'AAAA' } as const

it.each<[string, Partial<SentObject>, Partial<ObjectInfo> | undefined, ReturnType<typeof compareObject>]>([
  ['nothing there', {}, undefined, { compared: 'size', difference: { what: 'missing' } }],
  [
    'another size',
    { checksum: crc32 },
    { size: 9, checksum: crc32 },
    { compared: 'size', difference: { what: 'size', expected: '10 bytes', found: '9 bytes' } },
  ],
  [
    'the same checksum, whatever the ETags',
    { etag: 'a', checksum: crc32 },
    { etag: 'b', checksum: crc32 },
    { compared: 'checksum' },
  ],
  [
    'another checksum, though the ETags agree',
    { etag: 'a', checksum: crc32 },
    { etag: 'a', checksum: { ...crc32, value: 'BBBBBB==' } },
    { compared: 'checksum', difference: { what: 'checksum', expected: 'crc32 AAAAAA==', found: 'crc32 BBBBBB==' } },
  ],
  [
    'checksums that cannot be compared: ETags',
    { etag: '"a"', checksum: crc32 },
    { etag: 'a', checksum: sha256 },
    { compared: 'etag' },
  ],
  ['the same ETag, in the words of a proxy', { etag: '"AB"' }, { etag: 'W/"ab"' }, { compared: 'etag' }],
  [
    'another ETag',
    { etag: '"a"', checksum: crc32 },
    { etag: '"b"' },
    { compared: 'etag', difference: { what: 'etag', expected: 'a', found: 'b' } },
  ],
  ['no checksum of it was kept, nor an ETag', {}, { etag: '"a"', checksum: crc32 }, { compared: 'size' }],
  ['an ETag that is not given any more', { etag: '"a"' }, {}, { compared: 'size' }],
])('compares an object: %s', (_, sent, found, expected) => {
  const known = found && { key: 'k', size: 10, ...found }
  expect(compareObject({ size: 10, ...sent }, known)).toEqual(expected)
})
