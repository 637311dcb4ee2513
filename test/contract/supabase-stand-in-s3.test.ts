import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import { ask } from './supabase-stand-in.ts'

const mib = 2 ** 20
let supabase: SupabaseFake
let client: S3Client

function clientWith(changes: S3ClientConfig = {}): S3Client {
  const { endpointUrl, region, accessKeyId, secretAccessKey } = supabase.s3
  return new S3Client({
    endpoint: endpointUrl,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    ...changes,
  })
}

beforeEach(async () => {
  supabase = await startSupabaseFake({ pathPrefix: '/proxied' })
  supabase.makeBucket('audio')
  supabase.makeBucket('small', { fileSizeLimit: 10, allowedMimeTypes: ['audio/wav'] })
  client = clientWith()
})
afterEach(async () => {
  client.destroy()
  await supabase.close()
})

const put = (key: string, body: string | Uint8Array = 'hello', more: object = {}, s3 = client) =>
  s3.send(new PutObjectCommand({ Bucket: 'audio', Key: key, Body: body, ContentType: 'audio/wav', ...more }))

describe('S3', () => {
  it('puts, asks for, lists and deletes an object, which all protocols see', async () => {
    const { ETag } = await put("a b+c&d=e?/x'!(1).wav", 'hello', {
      CacheControl: 'max-age=60',
      Metadata: { take: '2' },
    })
    expect(ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`)

    const named = { Bucket: 'audio', Key: "a b+c&d=e?/x'!(1).wav" }
    const head = await client.send(new HeadObjectCommand(named))
    expect(head).toMatchObject({
      ContentLength: 5,
      ContentType: 'audio/wav',
      CacheControl: 'max-age=60',
      Metadata: { take: '2' },
      ETag,
    })
    const { Body } = await client.send(new GetObjectCommand(named))
    expect(await Body?.transformToString()).toBe('hello')
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'audio', Prefix: 'a b' }))
    expect(Contents).toMatchObject([{ Key: named.Key, Size: 5, ETag }])
    const path = `/object/info/audio/${encodeURIComponent("a b+c&d=e?/x'!(1).wav")}`
    expect(JSON.parse((await ask(supabase, 'GET', path)).body)).toMatchObject({ size: 5, etag: ETag })

    await client.send(new DeleteObjectCommand(named))
    await expect(client.send(new HeadObjectCommand(named))).rejects.toMatchObject({ name: 'NotFound' })
    expect(supabase.requests.map(({ protocol }) => protocol)).toEqual(['s3', 's3', 's3', 's3', 'rest', 's3', 's3'])
  })

  it('overwrites whatever the condition says', async () => {
    await put('a', 'first')
    await put('a', 'second', { IfNoneMatch: '*' })
    expect(supabase.objects.get('audio/a')?.size).toBe(6)
  })

  it('gives a large object an ETag that is not its MD5', async () => {
    const { ETag } = await put('a', Buffer.alloc(6 * mib))
    expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/)
  })

  it('puts an object together of parts, which it lists without their sizes', async () => {
    const bytes = Buffer.alloc(11 * mib, 'parts')
    const named = { Bucket: 'audio', Key: 'large' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...named, ContentType: 'audio/wav' }))
    const parts: { PartNumber: number; ETag: string | undefined }[] = []
    for (const [at, from] of [0, 5 * mib, 10 * mib].entries()) {
      const Body = bytes.subarray(from, from + 5 * mib)
      const PartNumber = at + 1
      const { ETag } = await client.send(new UploadPartCommand({ ...named, UploadId, PartNumber, Body }))
      parts.push({ PartNumber, ETag })
    }
    const listed = await client.send(new ListPartsCommand({ ...named, UploadId }))
    expect(listed.Parts?.map(({ PartNumber, ETag, Size }) => ({ PartNumber, ETag, Size }))).toEqual(
      parts.map((part) => ({ ...part, Size: undefined })),
    )
    expect(supabase.s3.uploads.size).toBe(1)
    const MultipartUpload = { Parts: parts }
    await client.send(new CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload, IfNoneMatch: '*' }))
    expect(supabase.s3.uploads.size).toBe(0)
    const object = supabase.objects.get('audio/large')
    expect(object).toMatchObject({ size: bytes.length, contentType: 'audio/wav', protocol: 's3' })
    expect(await object?.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'))
    const again = client.send(new CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload }))
    await expect(again).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  it('aborts an upload', async () => {
    const named = { Bucket: 'audio', Key: 'large' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(named))
    await client.send(new AbortMultipartUploadCommand({ ...named, UploadId }))
    await expect(client.send(new ListPartsCommand({ ...named, UploadId }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
      $metadata: { httpStatusCode: 404 },
    })
  })

  it('speaks of versions it does not keep', async () => {
    const versioning = await client.send(new GetBucketVersioningCommand({ Bucket: 'audio' }))
    expect(versioning).toMatchObject({ Status: 'Suspended' })
  })

  it.each([
    ['a key outside the rule', { Key: 'track #1.wav' }, 'InvalidKey', 400],
    ['a bucket that is not there', { Bucket: 'none' }, 'NoSuchBucket', 404],
    ['more than the bucket allows', { Bucket: 'small', Body: 'x'.repeat(11) }, 'EntityTooLarge', 413],
    ['a type the bucket does not allow', { Bucket: 'small', ContentType: 'text/plain' }, 'InvalidMimeType', 415],
  ])('refuses %s', async (_name, changes, name, httpStatusCode) => {
    await expect(put('a', 'hello', changes)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } })
    expect(supabase.objects.size).toBe(0)
  })

  it('refuses parts that are too much together', async () => {
    const named = { Bucket: 'small', Key: 'a' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...named, ContentType: 'audio/wav' }))
    await client.send(new UploadPartCommand({ ...named, UploadId, PartNumber: 1, Body: 'sixsix' }))
    const second = client.send(new UploadPartCommand({ ...named, UploadId, PartNumber: 2, Body: 'seven77' }))
    await expect(second).rejects.toMatchObject({ name: 'EntityTooLarge' })
  })

  it.each([
    ['another key id', { accessKeyId: 'other' }, {}, 'AccessDenied'],
    ['another secret', { secretAccessKey: 'other' }, {}, 'SignatureDoesNotMatch'],
    ['another region', {}, { region: 'us-west-2' }, 'SignatureDoesNotMatch'],
  ])('refuses %s', async (_name, credentials, changes, name) => {
    const { accessKeyId, secretAccessKey } = supabase.s3
    const other = clientWith({ credentials: { accessKeyId, secretAccessKey, ...credentials }, ...changes })
    await expect(put('a', 'hello', {}, other)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } })
    other.destroy()
  })

  it.each(['us-east-1', 'auto'])('takes the region %s for its own', async (region) => {
    const other = clientWith({ region })
    await put('a', 'hello', {}, other)
    other.destroy()
    expect(supabase.objects.size).toBe(1)
  })

  it('has its requests disturbed like any other', async () => {
    supabase.intercept = () => ({ dropAnswer: true })
    await expect(put('a')).rejects.toThrow()
    supabase.intercept = () => ({ resetAfter: mib })
    await expect(put('b', Buffer.alloc(3 * mib))).rejects.toThrow()
    expect([...supabase.objects.keys()]).toEqual(['audio/a'])
  })
})
