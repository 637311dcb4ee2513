import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type {
  ChecksumAlgorithm,
  Destination,
  MultipartUpload,
  ObjectToPut,
  Part,
} from '../../src/destinations/destination.ts'
import type { S3DestinationSettings } from '../../src/destinations/s3/engine.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import type { FakeRequest, S3FakeOptions } from '../support/s3-fake.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { type Fast, failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const algorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha256'] as const
const engines = ['fast', 'standard'] as const
const object: ObjectToPut = { key: 'k', contentType: 'audio/wav', partSize: 1000 }
const bytes = someBytes(2500)
const MiB = 2 ** 20

const of = async (algorithm: ChecksumAlgorithm, some: Uint8Array = bytes) => ({
  algorithm,
  value: await checksummerOf(algorithm).of(some),
})
const headersOf = ({ headers }: FakeRequest) =>
  Object.keys(headers).filter((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))

interface Begun extends Fast {
  readonly upload: MultipartUpload
  readonly parts: readonly Part[]
}

async function begun(options: S3FakeOptions = {}, settings: Partial<S3DestinationSettings> = {}): Promise<Begun> {
  const fast = await openFast({ minPartSize: 1, ...options }, settings)
  const upload = await fast.destination.multipart?.create(object, aCall())
  if (upload === undefined) throw new Error('no multipart uploads')
  return { ...fast, upload, parts: await sendAll(upload, [1, 2, 3]) }
}

/** Another one, as after a restart. */
async function openAt(url: string, settings: Partial<S3DestinationSettings> = {}): Promise<Destination> {
  const place = { url: 's3://audio/', bucket: 'audio' }
  const destination = await openS3Destination({ ...s3Settings(url), ...settings }, place)
  onTestFinished(() => destination.close())
  return destination
}

function sendAll(upload: MultipartUpload, numbers: readonly number[]): Promise<Part[]> {
  return Promise.all(
    numbers.map((number) => {
      return upload.uploadPart(number, bodyOf(bytes.subarray((number - 1) * 1000, number * 1000)), aCall())
    }),
  )
}

describe.each(engines)('--engine %s', (engine) => {
  it.each(algorithms)('sends the %s that was asked for, in a header, and compares it', async (algorithm) => {
    const { s3, destination, put, sent } = await openFast({}, { engine, checksum: algorithm })
    const info = await put('k', bytes)
    expect(info.checksum).toEqual(await of(algorithm))
    const [request] = sent('PutObject')
    expect(request?.headers[`x-amz-checksum-${algorithm}`]).toBe(info.checksum?.value)
    expect(s3.read('audio', 'k')).toEqual(bytes)

    s3.script = () => ({
      status: 200,
      headers: { etag: '"e"', [`x-amz-checksum-${algorithm}`]: createHash('sha256').digest('base64') },
    })
    const outcome = destination.putObject(anObject('k'), bodyOf(bytes), aCall())
    expect(await failureOf(outcome)).toMatchObject({ code: 'CHECKSUM_MISMATCH', retryable: true })
  })

  it('sends none where none is wanted', async () => {
    const { put, sent, destination } = await openFast({}, { engine, checksum: 'none' })
    expect((await put('k', bytes)).checksum).toBeUndefined()
    await destination.putObject(anObject('large'), bodyOf(someBytes(6 * MiB)), aCall())
    for (const operation of ['PutObject', 'CreateMultipartUpload', 'UploadPart'] as const) {
      expect(sent(operation).flatMap(headersOf)).toEqual([])
    }
  })

  it.each(algorithms)('does not go without the %s that was asked for where it is refused', async (algorithm) => {
    const { s3, put, sent, warnings } = await openFast({}, { engine, checksum: algorithm })
    s3.script = () => ({ status: 501, body: xmlError('NotImplemented', `x-amz-checksum-${algorithm}`) })
    expect(await failureOf(put('k'))).toMatchObject({ status: 501 })
    expect(sent('PutObject')).toHaveLength(1)
    const says = expect.stringMatching(new RegExp(`refuses ${algorithm} checksums; name another with --checksum`))
    expect(warnings).toEqual(engine === 'fast' ? [says] : [])
  })
})

it.each(algorithms)('the standard engine sends a %s with each part', async (algorithm) => {
  const { s3, destination, sent } = await openFast({}, { engine: 'standard', checksum: algorithm })
  const large = someBytes(11 * MiB)
  const target = { ...anObject('k'), partSize: 5 * MiB }
  const info = await destination.putObject(target, bodyOf(large), aCall())
  expect(sent('UploadPart').map(headersOf)).toEqual(
    sent('UploadPart').map(() => expect.arrayContaining([`x-amz-checksum-${algorithm}`])),
  )
  expect(info.checksum).toEqual(await of(algorithm, large))
  expect(s3.read('audio', 'k')?.equals(large)).toBe(true)
})

describe.each(algorithms)('a multipart upload with %s', (algorithm) => {
  const isCombined = algorithm !== 'sha256'

  it('is checked as a whole where a server knows that', async () => {
    const { s3, upload, parts, sent } = await begun({}, { checksum: algorithm })
    const info = await upload.complete(parts, aCall())
    const [create] = sent('CreateMultipartUpload')
    expect(create?.headers['x-amz-checksum-algorithm']).toBe(algorithm.toUpperCase())
    expect(create?.headers['x-amz-checksum-type']).toBe(isCombined ? 'FULL_OBJECT' : undefined)
    expect(parts[0]?.checksum).toEqual(await of(algorithm, bytes.subarray(0, 1000)))
    const [complete] = sent('CompleteMultipartUpload')
    expect(complete?.headers[`x-amz-checksum-${algorithm}`]).toBe(isCombined ? (await of(algorithm)).value : undefined)
    expect(info.checksum).toEqual(isCombined ? await of(algorithm) : undefined)
    expect(s3.object('audio', 'k')?.checksum?.type).toBe(isCombined ? 'FULL_OBJECT' : 'COMPOSITE')
    expect(s3.read('audio', 'k')).toEqual(bytes)
  })

  it.each([
    ['knows checksums of parts only', { knowsChecksumTypes: false }],
    ['keeps none', { keepsPartChecksums: false }],
  ])('is known as a whole where a server %s', async (_, options) => {
    const { s3, upload, parts, sent } = await begun(options, { checksum: algorithm })
    const info = await upload.complete(parts, aCall())
    expect(headersOf(sent('CompleteMultipartUpload')[0] as FakeRequest)).toEqual([])
    expect(info.checksum).toEqual(isCombined ? await of(algorithm) : undefined)
    expect(s3.read('audio', 'k')).toEqual(bytes)
  })

  it('goes on with what it was begun with, whatever is wanted now', async () => {
    const { s3, upload, destination } = await begun({}, { checksum: algorithm })
    const others = await openAt(s3.url, { checksum: algorithm === 'crc32' ? 'sha256' : 'auto' })
    const resumed = await others.multipart?.resume(upload.uploadId, object, aCall())
    if (resumed === undefined) throw new Error('the upload is gone')
    const [again] = await sendAll(resumed, [2])
    expect(again?.checksum?.algorithm).toBe(algorithm)
    const listed = await resumed.listParts(aCall())
    expect(listed.map(({ checksum }) => checksum?.algorithm)).toEqual([algorithm, algorithm, algorithm])
    const info = await resumed.complete(listed, aCall())
    expect(info.checksum).toEqual(isCombined ? await of(algorithm) : undefined)
    expect(s3.read('audio', 'k')).toEqual(bytes)
    const asked = await destination.headObject('k', aCall(), { checksum: true })
    expect(asked?.checksum).toEqual(isCombined ? await of(algorithm) : undefined)
  })

  it('of which the server made other bytes is not reported as uploaded, however often it is asked', async () => {
    const { s3, upload, parts, sent } = await begun({ knowsChecksumTypes: false }, { checksum: algorithm })
    const { value } = await of(algorithm, Buffer.from('other'))
    const field = `Checksum${algorithm.toUpperCase()}`
    const body = `<CompleteMultipartUploadResult><ETag>"e-3"</ETag><${field}>${value}-3</${field}></CompleteMultipartUploadResult>`
    s3.script = () => ({ status: 200, body })
    for (const _ of [1, 2]) {
      expect(await failureOf(upload.complete(parts, aCall()))).toMatchObject({ code: 'CHECKSUM_MISMATCH' })
    }
    expect(sent('CompleteMultipartUpload')).toHaveLength(1)
  })
})

describe('a multipart upload', () => {
  it('whose checksum the server does not agree with does not become an object', async () => {
    const { s3, upload, parts } = await begun()
    const [first, second, third] = parts as [Part, Part, Part]
    // What follows from parts of other sizes is another checksum.
    const wrong = { ...second, size: 999 }
    expect(await failureOf(upload.complete([first, wrong, third], aCall()))).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    })
    expect(s3.keys('audio')).toEqual([])
  })

  it('is begun without a type where that is refused, and the next one at once', async () => {
    const refusing = ({ headers }: FakeRequest) =>
      'x-amz-checksum-type' in headers
        ? { status: 501, body: xmlError('NotImplemented', 'x-amz-checksum-type') }
        : undefined
    const { s3, destination, upload, parts, sent, warnings } = await begun({ script: refusing })
    await upload.complete(parts, aCall())
    await destination.multipart?.create(object, aCall())
    expect(sent('CreateMultipartUpload').map(headersOf)).toEqual([
      expect.arrayContaining(['x-amz-checksum-type']),
      ['x-amz-checksum-algorithm'],
      ['x-amz-checksum-algorithm'],
    ])
    expect(s3.read('audio', 'k')).toEqual(bytes)
    expect(warnings).toEqual([])
  })

  it('that was begun without checksums gets its parts without', async () => {
    const { s3, destination, upload, sent } = await begun({ keepsPartChecksums: false }, { checksum: 'none' })
    const others = await openAt(s3.url)
    const resumed = await others.multipart?.resume(upload.uploadId, object, aCall())
    s3.script = ({ operation, headers }) =>
      operation === 'UploadPart' && 'x-amz-checksum-crc32' in headers
        ? {
            status: 400,
            body: xmlError(
              'InvalidRequest',
              'Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32',
            ),
          }
        : undefined
    const before = sent('UploadPart').length
    const parts = [
      ...(await sendAll(resumed as MultipartUpload, [1])),
      ...(await sendAll(resumed as MultipartUpload, [2, 3])),
    ]
    expect(sent('UploadPart')).toHaveLength(before + 4)
    await resumed?.complete(parts, aCall())
    expect(s3.read('audio', 'k')).toEqual(bytes)
    expect((await destination.headObject('k', aCall(), { checksum: true }))?.checksum).toBeUndefined()
  })

  it('is not taken for complete where the object there has another checksum', async () => {
    const { s3, upload, parts } = await begun()
    s3.script = ({ operation }) => {
      const headers = { etag: '"e"', 'content-length': '2500', 'x-amz-checksum-crc32': 'AAAAAA==' }
      if (operation === 'HeadObject') return { status: 200, headers }
      return operation === 'CompleteMultipartUpload' ? 'reset-after-storing' : undefined
    }
    expect(await failureOf(upload.complete(parts, aCall()))).toMatchObject({ code: 'CONNECTION' })
  })
})

describe('the checksum of an object', () => {
  it('is asked for only on request', async () => {
    const { destination, put, sent } = await openFast()
    await put('k', bytes)
    expect((await destination.headObject('k', aCall()))?.checksum).toBeUndefined()
    expect((await destination.headObject('k', aCall(), { checksum: true }))?.checksum).toEqual(await of('crc32'))
    expect(sent('HeadObject').map(({ headers }) => headers['x-amz-checksum-mode'])).toEqual([undefined, 'ENABLED'])
  })

  it.each([
    [400, 1],
    [501, 1],
    [403, 2],
  ])('is not insisted on where the question is answered with %i', async (status, asked) => {
    const { s3, destination, put, sent } = await openFast()
    await put('k', bytes)
    s3.script = ({ headers }) => ('x-amz-checksum-mode' in headers ? { status } : undefined)
    for (const _ of [1, 2]) {
      const info = await destination.headObject('k', aCall(), { checksum: true })
      expect(info).toMatchObject({ size: 2500 })
      expect(info?.checksum).toBeUndefined()
    }
    // Under another key the next object may well be told.
    expect(sent('HeadObject').filter(({ headers }) => 'x-amz-checksum-mode' in headers)).toHaveLength(asked)
  })
})
