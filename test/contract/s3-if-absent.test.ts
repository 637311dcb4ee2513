import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ObjectToPut } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import type { FakeRequest, Fault } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { type Fast, failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'
import { storeObject } from './store-object.ts'

const MiB = 2 ** 20

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const properties = { cacheControl: 'max-age=60, public', metadata: { Author: 'A  b', 'take.no': '', x: 'a=b, "c"' } }
const onlyNew = (key: string, partSize = 1000): ObjectToPut => ({ ...anObject(key), ifAbsent: true, partSize })
const condition = ({ headers }: FakeRequest) => headers['if-none-match']

describe.each(engines)('the %s engine', (engine) => {
  it.each([
    ['PutObject', 1000, ['PutObject']],
    ['parts', 11 * MiB, ['CreateMultipartUpload', 'CompleteMultipartUpload']],
  ] as const)('keeps properties, by %s', async (_way, size, operations) => {
    const { s3, destination, sent } = await openFast({}, { engine })
    await storeObject(destination, { ...anObject('k'), properties }, someBytes(size))
    expect(s3.object('audio', 'k')?.headers).toMatchObject({
      'content-type': 'audio/wav',
      'cache-control': 'max-age=60, public',
      'x-amz-meta-author': 'A  b',
      'x-amz-meta-take.no': '',
      'x-amz-meta-x': 'a=b, "c"',
    })
    for (const operation of operations) expect(sent(operation)).toHaveLength(1)
    expect(s3.requests.filter((request) => condition(request) !== undefined)).toEqual([])
  })

  it('has the server decide, where the object comes to be', async () => {
    const { s3, destination } = await openFast({}, { engine })
    await destination.putObject(onlyNew('small'), bodyOf(someBytes(10)), aCall())
    await storeObject(destination, onlyNew('large', 5 * MiB), someBytes(11 * MiB))
    const conditional = s3.requests.filter((request) => condition(request) === '*').map(({ operation }) => operation)
    expect(conditional).toEqual(['PutObject', 'CompleteMultipartUpload'])
  })

  it.each([
    [501, 'NotImplemented', 'A header you provided: If-None-Match, is not implemented'],
    [
      501,
      'NotImplemented',
      'A header you provided implies functionality.</Message><Header>If-None-Match</Header><Message>',
    ],
    [400, 'InvalidArgument', 'if-none-match is not supported'],
  ])('replaces nothing where the server does not know how: %i %s %s', async (status, code, message) => {
    const { s3, destination, warnings } = await openFast({}, { engine })
    s3.script = (request) => (condition(request) ? { status, body: xmlError(code, message) } : undefined)
    for (const size of [10, 11 * MiB]) {
      const error = await failureOf(storeObject(destination, onlyNew('k', 5 * MiB), someBytes(size)))
      expect(error).toMatchObject({ code: 'BAD_RESPONSE', status, retryable: false })
      expect(error.message).toMatch(/does not know If-None-Match, .*; leave out --if-exists to overwrite/)
    }
    expect([s3.keys('audio'), warnings]).toEqual([[], []])
  })

  it('tries again where somebody else is storing the same at that moment', async () => {
    const { s3, destination } = await openFast({}, { engine })
    s3.script = () => ({ status: 409, body: xmlError('ConditionalRequestConflict') })
    const error = await failureOf(destination.putObject(onlyNew('k'), bodyOf(someBytes(10)), aCall()))
    expect(error).toMatchObject({ code: 'SERVER_ERROR', status: 409, retryable: true })
  })
})

describe('the fast engine', () => {
  it('sends each object with its own properties, whichever came before', async () => {
    const { s3, destination } = await openFast()
    const others = { metadata: { take: '2' } }
    const kinds = [{}, { properties }, { properties: others }, { ifAbsent: true }, { properties, ifAbsent: true }]
    const all = [...kinds, ...kinds.toReversed(), ...kinds]
    await Promise.all(
      all.map((kind, at) => destination.putObject({ ...anObject(`${at}`), ...kind }, bodyOf(someBytes(at)), aCall())),
    )
    for (const [at, { properties: kept, ifAbsent }] of (all as Partial<ObjectToPut>[]).entries()) {
      const { headers } = s3.object('audio', `${at}`) ?? {}
      expect(headers?.['cache-control']).toBe(kept?.cacheControl)
      expect(headers?.['x-amz-meta-take']).toBe(kept?.metadata?.take)
      expect(headers?.['if-none-match']).toBe(ifAbsent ? '*' : undefined)
    }
  })
})

describe('an upload whose completion is in doubt', () => {
  const bytes = someBytes(2500)

  /** All parts are there; `fault` is what becomes of the first completion, `meanwhile` happens after it. */
  async function begun(fault: Fault, meanwhile: (fast: Fast) => Promise<unknown> = async () => {}) {
    const fast = await openFast({ minPartSize: 1 })
    const upload = await fast.destination.multipart?.create(onlyNew('k'), aCall())
    if (upload === undefined) throw new Error('no multipart uploads')
    const parts = await Promise.all(
      [1, 2, 3].map((number) =>
        upload.uploadPart(number, bodyOf(bytes.subarray((number - 1) * 1000, number * 1000)), aCall()),
      ),
    )
    let isFirst = true
    fast.s3.script = ({ operation }) => {
      if (operation !== 'CompleteMultipartUpload' || !isFirst) return undefined
      isFirst = false
      return fault
    }
    const complete = async () => {
      const first = await upload.complete(parts, aCall()).catch((error: unknown) => error)
      if (!(first instanceof Error)) return first
      await meanwhile(fast)
      return upload.complete(parts, aCall())
    }
    return { ...fast, complete }
  }

  it.each<Fault>(['reset-after-storing', { truncateAnswer: 60 }])('is the one that is there: %s', async (fault) => {
    const { s3, complete } = await begun(fault)
    expect(await complete()).toMatchObject({ key: 'k', size: bytes.length })
    expect(s3.read('audio', 'k')?.equals(bytes)).toBe(true)
  })

  it.each([
    ['other bytes', someBytes(2500, 2)],
    ['the same bytes', bytes],
  ])('is not what somebody else stored meanwhile: %s', async (_what, theirs) => {
    const failed = { status: 500, body: xmlError('InternalError') }
    const { s3, complete } = await begun(failed, async (fast) => fast.s3.put('audio', 'k', theirs))
    expect(await failureOf(complete())).toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
    expect(s3.read('audio', 'k')?.equals(theirs)).toBe(true)
    expect(s3.uploads.size).toBe(1)
  })

  it('is not what somebody else stored in the same parts', async () => {
    const failed = { status: 500, body: xmlError('InternalError') }
    const theirs = { ...anObject('k'), partSize: 1000 }
    const { s3, complete } = await begun(failed, ({ destination }) => storeObject(destination, theirs, bytes))
    expect(await failureOf(complete())).toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
    expect(s3.uploads.size).toBe(1)
  })

  it('is nobody else’s where that was in its way and the upload is gone: it is begun again', async () => {
    const conflict = { status: 409, body: xmlError('ConditionalRequestConflict') }
    const { complete } = await begun(conflict, async ({ s3 }) => {
      s3.put('audio', 'k', bytes)
      const [uploadId = ''] = s3.uploads.keys()
      ;(s3.uploads as Map<string, unknown>).delete(uploadId)
    })
    expect(await failureOf(complete())).toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
  })
})

describe('what is known of the server', () => {
  it.each([
    [undefined, 'atomic'],
    ['https://s3.eu-central-1.amazonaws.com', 'atomic'],
    ['https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com', 'atomic'],
    ['https://s3.example.com', 'unknown'],
    ['http://127.0.0.1:9000', 'unknown'],
  ])('%s: %s', async (endpointUrl, ifAbsent) => {
    const settings = s3Settings(endpointUrl, { region: 'eu-central-1' })
    const destination = await openS3Destination(settings, { url: 's3://audio/', bucket: 'audio' })
    expect(destination.ifAbsent).toBe(ifAbsent)
    await destination.close()
  })
})
