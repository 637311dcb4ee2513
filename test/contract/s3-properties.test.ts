import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ObjectProperties, ObjectToPut } from '../../src/destinations/destination.ts'
import type { S3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { storeObject } from './store-object.ts'

const MiB = 2 ** 20
const large = someBytes(5 * MiB + 7)

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const keyId = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const mtimeNs = 1_763_800_000_123_456_700n

/** What is asked for, and the headers that say it. */
const table: readonly (readonly [properties: ObjectProperties, headers: Readonly<Record<string, string>>])[] = [
  [{ cacheControl: 'max-age=60, public' }, { 'cache-control': 'max-age=60, public' }],
  [{ contentEncoding: 'gzip' }, { 'content-encoding': 'gzip' }],
  [
    { contentDisposition: 'attachment; filename="take 1.wav"' },
    { 'content-disposition': 'attachment; filename="take 1.wav"' },
  ],
  [{ metadata: { Artist: 'A b', take: '' } }, { 'x-amz-meta-artist': 'A b', 'x-amz-meta-take': '' }],
  [{ tags: { project: 'a b', 'k=&': 'ü+', empty: '' } }, { 'x-amz-tagging': 'project=a%20b&k%3D%26=%C3%BC%2B&empty=' }],
  [{ storageClass: 'STANDARD_IA' }, { 'x-amz-storage-class': 'STANDARD_IA' }],
  [{ acl: 'bucket-owner-full-control' }, { 'x-amz-acl': 'bucket-owner-full-control' }],
  [{ sse: 'AES256' }, { 'x-amz-server-side-encryption': 'AES256' }],
  [
    { sse: 'aws:kms', sseKmsKeyId: keyId },
    { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': keyId },
  ],
  [{ sse: 'aws:kms:dsse' }, { 'x-amz-server-side-encryption': 'aws:kms:dsse' }],
]
const all: ObjectProperties = Object.assign({}, ...table.map(([properties]) => properties), {
  sse: 'aws:kms',
  sseKmsKeyId: keyId,
})

/** Every header that any of them is said by. */
const names = [...new Set([...table.flatMap(([, headers]) => Object.keys(headers)), 'x-amz-meta-mtime'])]

function keptWith(s3: S3Fake, key: string): Record<string, unknown> {
  const headers = s3.object('audio', key)?.headers ?? {}
  return Object.fromEntries(names.flatMap((name) => (name in headers ? [[name, headers[name]]] : [])))
}

describe.each(engines)('what is kept with an object (%s)', (engine) => {
  it.each(table)('%j', async (properties, headers) => {
    const { s3, destination } = await openFast({}, { engine })
    for (const [key, bytes] of [
      ['whole', large.subarray(0, 1000)],
      ['parts', large],
    ] as const) {
      await storeObject(destination, { ...anObject(key), properties }, bytes)
      expect(keptWith(s3, key), key).toEqual(headers)
      expect(s3.object('audio', key)?.headers['content-type']).toBe('audio/wav')
    }
    // Parts have none of it.
    const parts = s3.requests.filter(({ operation }) => operation === 'UploadPart')
    expect(parts).toHaveLength(2)
    for (const { headers: sent } of parts) expect(names.filter((name) => name in sent)).toEqual([])
  })

  it('all of it at once, and each file’s own modification time', async () => {
    const { s3, destination } = await openFast({}, { engine })
    const put = (key: string, bytes: Uint8Array, own: Partial<ObjectToPut>) =>
      storeObject(destination, { ...anObject(key), ...own }, bytes)
    const small = large.subarray(0, 10)
    await put('1', small, { properties: all, mtimeNs })
    await put('2', small, { properties: all, mtimeNs: mtimeNs + 5_000_000_000n })
    await put('3', small, { properties: all })
    await put('4', small, { mtimeNs: 1_000_000_000n })
    await put('5', large, { properties: all, mtimeNs: -1n })
    await put('6', small, { properties: all, mtimeNs: 0n })
    const times = ['1', '2', '3', '4', '5', '6'].map((key) => s3.object('audio', key)?.headers['x-amz-meta-mtime'])
    expect(times).toEqual(['1763800000.1234567', '1763800005.1234567', undefined, '1', '-0.000000001', '0'])
    for (const key of ['1', '2', '3', '5', '6']) {
      expect(
        Object.keys(keptWith(s3, key))
          .filter((name) => name !== 'x-amz-meta-mtime')
          .sort(),
      ).toEqual(names.filter((name) => name !== 'x-amz-meta-mtime').sort())
    }
    expect(keptWith(s3, '4')).toEqual({ 'x-amz-meta-mtime': '1' })
  })

  it('is that of each file, however many differ', async () => {
    const { s3, destination } = await openFast({}, { engine })
    const count = 70
    const own = Array.from({ length: count }, (_, n) => ({ metadata: { n: String(n) } }))
    const names = own.flatMap((properties, n) => [0, 1].map((round) => ({ key: `${n}-${round}`, properties })))
    await Promise.all(
      names.map(({ key, properties }) =>
        destination.putObject({ ...anObject(key), properties }, bodyOf(Buffer.from(key)), aCall()),
      ),
    )
    for (const { key, properties } of [...names].reverse()) {
      await destination.putObject({ ...anObject(`${key}-again`), properties }, bodyOf(Buffer.of(1)), aCall())
    }
    expect(s3.keys('audio')).toHaveLength(4 * count)
    for (const key of s3.keys('audio')) {
      expect(s3.object('audio', key)?.headers['x-amz-meta-n']).toBe(key.split('-')[0])
    }
  })

  it('encrypted with a key of KMS is no fault of its ETag', async () => {
    const { s3, destination, warnings } = await openFast({}, { engine, checksum: 'none' })
    const properties = { sse: 'aws:kms', sseKmsKeyId: keyId }
    for (const [key, bytes] of [
      ['whole', large.subarray(0, 1000)],
      ['parts', large],
    ] as const) {
      const info = await storeObject(destination, { ...anObject(key), properties }, bytes)
      expect(info.etag).toBe(s3.object('audio', key)?.etag)
      expect(s3.read('audio', key)?.equals(bytes)).toBe(true)
      expect(await destination.headObject(key, aCall(), { checksum: true })).toMatchObject({ size: bytes.length })
    }
    expect(warnings).toEqual([])
  })

  it('that the server does not take is that file’s failure, in the server’s words', async () => {
    const { s3, destination } = await openFast({}, { engine })
    s3.script = ({ headers }) =>
      'x-amz-acl' in headers
        ? { status: 400, body: xmlError('AccessControlListNotSupported', 'The bucket does not allow ACLs') }
        : undefined
    const put = (properties: ObjectProperties) =>
      destination.putObject({ ...anObject('k'), properties }, bodyOf(Buffer.of(1)), aCall())
    const failure = await failureOf(put({ acl: 'public-read' }))
    expect(failure).toMatchObject({ status: 400, retryable: false })
    expect(failure.message).toContain('The bucket does not allow ACLs')
    await put({})
    expect(s3.keys('audio')).toEqual(['k'])
  })
})

it('an upload in parts with a key of KMS whose last answer was lost is found to be complete', async () => {
  const { s3, destination } = await openFast()
  s3.script = ({ operation }) => (operation === 'CompleteMultipartUpload' ? 'reset-after-storing' : undefined)
  const object = { ...anObject('k'), properties: { sse: 'aws:kms' } }
  expect(await storeObject(destination, object, large)).toMatchObject({ key: 'k', size: large.length })
})

it('is told by the stand-in as a server tells it', async () => {
  const { destination, s3 } = await openFast({ credentials: undefined })
  await storeObject(destination, { ...anObject('k'), properties: all, mtimeNs }, Buffer.of(1))
  const { headers } = await fetch(`${s3.url}/audio/k`, { method: 'HEAD' })
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': all.cacheControl,
    'content-encoding': all.contentEncoding,
    'content-disposition': all.contentDisposition,
    'x-amz-meta-mtime': '1763800000.1234567',
    'x-amz-tagging-count': '3',
    'x-amz-storage-class': all.storageClass,
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': keyId,
  })
  expect(headers.has('x-amz-acl')).toBe(false)
})
