import { describe, expect, it } from 'vitest'
import type { ObjectProperties } from '../../../../src/destinations/destination.ts'
import { propertyFields } from '../../../../src/destinations/s3/object-fields.ts'

const table: readonly [given: ObjectProperties, fields: object][] = [
  [{}, {}],
  [{ cacheControl: 'no-cache' }, { CacheControl: 'no-cache' }],
  [{ contentEncoding: 'gzip' }, { ContentEncoding: 'gzip' }],
  [{ contentDisposition: 'attachment; filename="a b"' }, { ContentDisposition: 'attachment; filename="a b"' }],
  [{ metadata: { take: '1', Empty: '' } }, { Metadata: { take: '1', Empty: '' } }],
  [{ tags: {} }, { Tagging: '' }],
  [
    { tags: { 'project name': 'a b+c', 'k=&?/': 'ü:漢=&+@', empty: '' } },
    { Tagging: 'project%20name=a%20b%2Bc&k%3D%26%3F%2F=%C3%BC%3A%E6%BC%A2%3D%26%2B%40&empty=' },
  ],
  [{ storageClass: 'GLACIER_IR' }, { StorageClass: 'GLACIER_IR' }],
  [{ storageClass: 'OF_SOME_OTHER_SERVER' }, { StorageClass: 'OF_SOME_OTHER_SERVER' }],
  [{ acl: 'bucket-owner-full-control' }, { ACL: 'bucket-owner-full-control' }],
  [{ sse: 'AES256' }, { ServerSideEncryption: 'AES256' }],
  [{ sse: 'aws:kms' }, { ServerSideEncryption: 'aws:kms' }],
  [
    { sse: 'aws:kms', sseKmsKeyId: 'k' },
    { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'k' },
  ],
  [
    { sse: 'aws:kms:dsse', sseKmsKeyId: 'k' },
    { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: 'k' },
  ],
  [{ sse: 'AES256', sseKmsKeyId: 'of a weaker layer' }, { ServerSideEncryption: 'AES256' }],
  [{ sseKmsKeyId: 'of nothing' }, {}],
]

describe('what is kept with an object', () => {
  it.each(table)('%j is asked for', (properties, fields) => {
    expect(propertyFields({ properties })).toEqual(fields)
    expect(propertyFields({ properties: { ...properties, cacheControl: properties.cacheControl } })).toEqual(fields)
  })

  it('is the modification time, too', () => {
    expect(propertyFields({})).toEqual({})
    expect(propertyFields({ mtimeNs: 1_763_800_000_120_000_000n })).toEqual({ Metadata: { mtime: '1763800000.12' } })
    const properties = { metadata: { take: '1' }, acl: 'private' }
    expect(propertyFields({ properties, mtimeNs: 0n })).toEqual({ ACL: 'private', Metadata: { take: '1', mtime: '0' } })
    expect(properties.metadata).toEqual({ take: '1' })
  })
})
