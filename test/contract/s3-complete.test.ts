import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { MultipartUpload, ObjectToPut, Part } from '../../src/destinations/destination.ts'
import type { FakeRequest, Fault, S3FakeOptions } from '../support/s3-fake.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { type Fast, failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const object: ObjectToPut = { key: 'a/k', contentType: 'audio/wav', partSize: 1000 }
const bytes = someBytes(2500)

interface Begun extends Fast {
  readonly upload: MultipartUpload
  readonly parts: readonly Part[]
  readonly complete: () => ReturnType<MultipartUpload['complete']>
}

/** An upload whose parts are all there. */
async function begun(options: S3FakeOptions = {}): Promise<Begun> {
  const fast = await openFast({ minPartSize: 1, ...options })
  const upload = await fast.destination.multipart?.create(object, aCall())
  if (upload === undefined) throw new Error('no multipart uploads')
  const parts = await sendAll(upload, [1, 2, 3])
  return { ...fast, upload, parts, complete: () => upload.complete(parts, aCall()) }
}

function sendAll(upload: MultipartUpload, numbers: readonly number[]): Promise<Part[]> {
  return Promise.all(
    numbers.map((partNumber) => {
      const body = bodyOf(bytes.subarray((partNumber - 1) * 1000, partNumber * 1000))
      return upload.uploadPart(partNumber, body, aCall())
    }),
  )
}

const onComplete =
  (fault: Fault, attempts = 1) =>
  ({ operation, attempt }: FakeRequest) =>
    operation === 'CompleteMultipartUpload' && attempt <= attempts ? fault : undefined

describe('an upload whose completion got lost', () => {
  it.each<[string, Fault]>([
    ['the connection is reset once the object is stored', 'reset-after-storing'],
    ['the answer breaks off', { truncateAnswer: 60 }],
    ['the answer breaks off before its body', { truncateAnswer: 0 }],
  ])('is found to be complete: %s', async (_, fault) => {
    const { s3, complete, sent } = await begun()
    s3.script = onComplete(fault)
    const etag = expect.stringMatching(/^"[0-9a-f]{32}-3"$/)
    expect(await complete()).toMatchObject({ key: 'a/k', size: 2500, etag })
    expect(s3.read('audio', 'a/k')).toEqual(bytes)
    expect(sent('CompleteMultipartUpload')).toHaveLength(1)
    expect(s3.uploads.size).toBe(0)
  })

  it('is found to be complete where ETags are not made of MD5 sums', async () => {
    const { s3, complete, sent } = await begun()
    s3.script = (request) =>
      request.operation === 'HeadObject'
        ? { status: 200, headers: { etag: '"other"', 'content-length': '2500', 'x-amz-version-id': 'v7' } }
        : onComplete('reset-after-storing')(request)
    expect(await complete()).toMatchObject({ key: 'a/k', size: 2500, etag: '"other"', versionId: 'v7' })
    expect(sent('ListParts')).toHaveLength(1)
  })

  it('is found to be complete by the second try, where nobody could tell at the first', async () => {
    const { s3, complete, sent } = await begun()
    s3.script = (request) =>
      request.operation === 'HeadObject' && request.attempt === 1
        ? { status: 500 }
        : onComplete('reset-after-storing')(request)
    expect(await failureOf(complete())).toMatchObject({ code: 'CONNECTION', retryable: true })
    expect(await complete()).toMatchObject({ key: 'a/k', size: 2500 })
    expect(sent('CompleteMultipartUpload')).toHaveLength(2)
    expect(s3.read('audio', 'a/k')).toEqual(bytes)
  })

  it.each([
    ['nothing', undefined],
    ['an object of another size', someBytes(2499, 5)],
    ['an object of the same size', someBytes(2500, 5)],
  ])('is completed by the second try, where %s is there', async (_, before) => {
    const { s3, complete } = await begun()
    if (before !== undefined) s3.put('audio', 'a/k', before)
    s3.script = onComplete('reset')
    expect(await failureOf(complete())).toMatchObject({ code: 'CONNECTION', retryable: true })
    expect(s3.read('audio', 'a/k')).toEqual(before)
    expect(await complete()).toMatchObject({ key: 'a/k', size: 2500 })
    expect(s3.read('audio', 'a/k')).toEqual(bytes)
  })

  it('is not looked for once the run is stopped', async () => {
    const { s3, upload, parts, sent } = await begun()
    const controller = new AbortController()
    s3.script = () => {
      setImmediate(() => controller.abort())
      return 'hang-after-storing'
    }
    const outcome = upload.complete(parts, aCall({ signal: controller.signal }))
    expect(await failureOf(outcome)).toMatchObject({ code: 'CANCELLED' })
    expect(sent('HeadObject')).toEqual([])
  })
})

describe('an upload that was not completed', () => {
  it('is not taken for an object of the same size that was there before, once it is gone', async () => {
    const { s3, upload, complete } = await begun()
    s3.put('audio', 'a/k', someBytes(2500, 5))
    await upload.abort(aCall())
    expect(await failureOf(complete())).toMatchObject({ status: 404 })
    expect(s3.read('audio', 'a/k')).toEqual(someBytes(2500, 5))
  })

  it.each([
    ['an hour before it began is not', 60, false],
    ['since it began is', 0, true],
  ])('an object stored %s taken for its own, where nothing else tells them apart', async (_, minutes, isTaken) => {
    const { s3, upload, complete } = await begun()
    await upload.abort(aCall())
    const time = new Date(Date.now() - minutes * 60_000).toUTCString()
    s3.script = (request) =>
      request.operation === 'HeadObject'
        ? { status: 200, headers: { etag: '"other"', 'content-length': '2500', 'last-modified': time } }
        : onComplete('reset')(request)
    const outcome = await complete().then(
      () => 'taken',
      (error) => error.code,
    )
    expect(outcome).toBe(isTaken ? 'taken' : 'CONNECTION')
  })

  it.each<[string, Fault, string]>([
    ['refused', { status: 403, body: xmlError('AccessDenied') }, 'ACCESS_DENIED'],
    ['throttled', { status: 200, body: xmlError('SlowDown') }, 'THROTTLED'],
    ['refused for a part', { status: 400, body: xmlError('InvalidPart') }, 'BAD_RESPONSE'],
  ])('and was %s is a failure', async (_, fault, code) => {
    const { s3, complete } = await begun()
    s3.script = onComplete(fault)
    expect(await failureOf(complete())).toMatchObject({ code })
    expect(s3.keys('audio')).toEqual([])
  })

  it.each<[string, Fault]>([
    ['an error', { status: 200, body: xmlError('InternalError') }],
    ['nothing', { status: 200 }],
    ['a web page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' }],
  ])('and was answered with %s inside 200 is a failure', async (_, fault) => {
    const { s3, complete } = await begun()
    s3.script = onComplete(fault)
    expect((await failureOf(complete())).code).toMatch(/^(SERVER_ERROR|BAD_RESPONSE)$/)
    expect(s3.keys('audio')).toEqual([])
  })
})

describe('the checksums of parts', () => {
  it.each([true, false])('are named at the end only where the server keeps them: %s', async (keepsPartChecksums) => {
    const { s3, complete, destination, sent } = await begun({ keepsPartChecksums })
    await complete()
    expect(s3.read('audio', 'a/k')).toEqual(bytes)
    expect(sent('CreateMultipartUpload')[0]?.headers['x-amz-checksum-algorithm']).toBe('CRC32')

    const again = await destination.multipart?.create(object, aCall())
    await sendAll(again as MultipartUpload, [2])
    const resumed = await destination.multipart?.resume(again?.uploadId ?? '', object, aCall())
    if (resumed === undefined) throw new Error('the upload is gone')
    const [second] = await resumed.listParts(aCall())
    const [first, third] = await sendAll(resumed, [1, 3])
    expect(second?.checksum !== undefined).toBe(keepsPartChecksums)
    await resumed.complete([first, second, third] as Part[], aCall())
    expect(s3.read('audio', 'a/k')).toEqual(bytes)
  })
})

describe('the list of parts', () => {
  it('is read page by page', async () => {
    const { upload, sent } = await begun()
    const numbers = Array.from({ length: 2100 }, (_, at) => at + 1)
    const tiny = bodyOf(Buffer.of(1))
    for (let from = 0; from < numbers.length; from += 100) {
      await Promise.all(numbers.slice(from, from + 100).map((number) => upload.uploadPart(number, tiny, aCall())))
    }
    const listed = await upload.listParts(aCall())
    expect(listed.map(({ partNumber }) => partNumber)).toEqual(numbers)
    expect(sent('ListParts')).toHaveLength(3)
  })

  it('ends where a server repeats its marker', async () => {
    const { s3, upload, sent } = await begun()
    const body =
      '<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker>' +
      '<Part><PartNumber>7</PartNumber><Size>5</Size><ETag>"e"</ETag></Part></ListPartsResult>'
    s3.script = () => ({ status: 200, body })
    expect(await upload.listParts(aCall())).toEqual([{ partNumber: 7, size: 5, etag: '"e"' }])
    expect(sent('ListParts')).toHaveLength(2)
  })
})
