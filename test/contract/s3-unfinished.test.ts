import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { UnfinishedUpload } from '../../src/destinations/destination.ts'
import type { FakeRequest, Fault } from '../support/s3-fake.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { type Fast, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

async function list({ destination }: Fast, prefix = ''): Promise<UnfinishedUpload[]> {
  const found: UnfinishedUpload[] = []
  for await (const upload of destination.multipart?.list?.(prefix, aCall()) ?? []) found.push(upload)
  return found
}

function page(uploads: readonly string[], more: string): Fault {
  const listed = uploads.map(
    (key) =>
      `<Upload><Key>${key}</Key><UploadId>id-${key}</UploadId><Initiated>2026-11-20T08:00:00.000Z</Initiated></Upload>`,
  )
  const headers = { 'content-type': 'application/xml' }
  const body = `<ListMultipartUploadsResult>${more}${listed.join('')}</ListMultipartUploadsResult>`
  return { status: 200, headers, body }
}

const onList = (answer: (request: FakeRequest) => Fault | undefined) => (request: FakeRequest) =>
  request.operation === 'ListMultipartUploads' ? answer(request) : undefined

const keysOf = (uploads: readonly UnfinishedUpload[]) => uploads.map(({ key }) => key)

describe('a listing of multipart uploads', () => {
  it('goes on from page to page, with several uploads of one key', async () => {
    const fast = await openFast()
    const begin = (key: string) =>
      fast.destination.multipart?.create({ key, contentType: 'audio/wav', partSize: 1000 }, aCall())
    for (let at = 0; at < 1003; at += 1) await begin(`k ${String(at % 1001).padStart(4, '0')}`)
    const found = await list(fast)
    expect(new Set(found.map(({ uploadId }) => uploadId))).toEqual(new Set(fast.s3.uploads.keys()))
    expect(found).toHaveLength(1003)
    expect(fast.sent('ListMultipartUploads')).toHaveLength(2)
  })

  it('ends where the server repeats its marker', async () => {
    const more =
      '<IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>'
    const fast = await openFast({ script: onList(() => page(['a', 'b'], more)) })
    expect(keysOf(await list(fast))).toEqual(['a', 'b'])
    expect(fast.sent('ListMultipartUploads')).toHaveLength(2)
  })

  it('goes on behind the last upload where the server names no marker', async () => {
    const fast = await openFast({
      script: onList(({ query }) =>
        query['key-marker'] === undefined
          ? page(['a', 'b'], '<IsTruncated>true</IsTruncated>')
          : page(['b', 'c'], '<IsTruncated>false</IsTruncated>'),
      ),
    })
    expect(keysOf(await list(fast))).toEqual(['a', 'b', 'c'])
    const markers = fast
      .sent('ListMultipartUploads')
      .map(({ query }) => [query['key-marker'], query['upload-id-marker']])
    expect(markers).toEqual([
      [undefined, undefined],
      ['b', 'id-b'],
    ])
  })

  it('leaves out other prefixes where the server does not', async () => {
    const fast = await openFast({ script: onList(() => page(['a/1', 'b/1'], '')) })
    expect(keysOf(await list(fast, 'a/'))).toEqual(['a/1'])
  })

  it('fails with what is missing', async () => {
    const fast = await openFast({ script: onList(() => ({ status: 403, body: xmlError('AccessDenied') })) })
    await expect(list(fast)).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('s3:ListBucketMultipartUploads'),
    })
  })
})

describe('when the newest part of an upload was stored', () => {
  const lastPartAt = ({ destination }: Fast) =>
    destination.multipart?.lastPartAt?.({ key: 'k', uploadId: 'u', initiatedAt: new Date(0) }, aCall())
  const parts = (more: string, ...times: readonly string[]): Fault => {
    const listed = times.map(
      (time, at) => `<Part><PartNumber>${at + 1}</PartNumber><LastModified>${time}</LastModified></Part>`,
    )
    const headers = { 'content-type': 'application/xml' }
    return { status: 200, headers, body: `<ListPartsResult>${more}${listed.join('')}</ListPartsResult>` }
  }
  const more = '<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>'

  it('is read from all pages', async () => {
    const fast = await openFast({
      script: ({ query }) =>
        query['part-number-marker'] === undefined
          ? parts(more, '2026-11-20T08:00:00.000Z', '2026-11-21T08:00:00.000Z')
          : parts('', '2026-11-20T09:00:00.000Z'),
    })
    expect(await lastPartAt(fast)).toEqual(new Date('2026-11-21T08:00:00.000Z'))
    expect(fast.s3.requests).toHaveLength(2)
  })

  it('ends where the server repeats its marker', async () => {
    const fast = await openFast({ script: () => parts(more, '2026-11-20T08:00:00.000Z') })
    expect(await lastPartAt(fast)).toEqual(new Date('2026-11-20T08:00:00.000Z'))
    expect(fast.s3.requests).toHaveLength(2)
  })

  it.each([
    ['it has none', parts('')],
    ['it is gone', { status: 404, body: xmlError('NoSuchUpload') }],
    ['nobody may ask', { status: 403, body: xmlError('AccessDenied') }],
  ])('is not known where %s', async (_, fault) => {
    expect(await lastPartAt(await openFast({ script: () => fault }))).toBeUndefined()
  })

  it('is asked again where the server is in trouble', async () => {
    const fast = await openFast({ script: () => ({ status: 503, body: xmlError('SlowDown') }) })
    await expect(lastPartAt(fast)).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
  })
})

describe('the removal of a multipart upload', () => {
  const removed = (fast: Fast, uploadId: string) =>
    fast.destination.multipart?.remove?.({ key: 'k', uploadId, initiatedAt: new Date(0) }, aCall())

  async function begun(script?: (request: FakeRequest) => Fault | undefined) {
    const fast = await openFast({ minPartSize: 1, ...(script === undefined ? {} : { script }) })
    const upload = await fast.destination.multipart?.create({ key: 'k', contentType: 'a/b', partSize: 1000 }, aCall())
    if (upload === undefined) throw new Error('no multipart uploads')
    await upload.uploadPart(1, bodyOf(someBytes(1000)), aCall())
    return { fast, uploadId: upload.uploadId }
  }

  it('aborts once more where a part has survived', async () => {
    const { fast, uploadId } = await begun(({ operation, attempt }) =>
      operation === 'AbortMultipartUpload' && attempt === 1 ? { status: 204 } : undefined,
    )
    await removed(fast, uploadId)
    expect(fast.sent('AbortMultipartUpload')).toHaveLength(2)
    expect(fast.s3.uploads.size).toBe(0)
  })

  it('needs no permission to list parts', async () => {
    const { fast, uploadId } = await begun(({ operation }) => (operation === 'ListParts' ? { status: 403 } : undefined))
    await removed(fast, uploadId)
    expect(fast.s3.uploads.size).toBe(0)
  })

  it('fails where it may not abort', async () => {
    const { fast, uploadId } = await begun(({ operation }) =>
      operation === 'AbortMultipartUpload' ? { status: 403, body: xmlError('AccessDenied') } : undefined,
    )
    await expect(removed(fast, uploadId)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })
})
