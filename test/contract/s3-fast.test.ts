import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { FakeRequest, Fault } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { seeded } from '../unit/plan/tree.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { storeObject } from './store-object.ts'

const MiB = 2 ** 20

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const names = (count: number) => Array.from({ length: count }, (_, at) => `file-${String(at).padStart(2, '0')}`)
const regionOf = ({ headers }: FakeRequest) => /\/([a-z0-9-]+)\/s3\//.exec(headers.authorization ?? '')?.[1]

describe.each(engines)('over the wire (%s)', (engine) => {
  it('any key arrives as it is, its signature accepted', async () => {
    const { s3, put } = await openFast({}, { engine })
    const below = seeded(11)
    const characters = [...' #%?+&=;:,@$!*\'"()[]{}<>~|^`\\._-aZ09éöñ漢😀', 'u\u0308', '//', '%20', '\u00a0']
    const keys = Array.from({ length: 150 }, (_, at) => {
      return `${at}${Array.from({ length: 1 + below(30) }, () => characters[below(characters.length)]).join('')}`
    })
    keys.push('a//b', 'slash/at/the/end/', '/in/front', '\u{1f9d1}'.repeat(256))
    await Promise.all(keys.map((key) => put(key, Buffer.from(key))))
    expect(s3.keys('audio')).toEqual(keys.toSorted())
    for (const key of keys) expect(s3.read('audio', key)?.toString()).toBe(key)
  })
})

describe('the region', () => {
  const elsewhere: readonly [what: string, answer: (region: string) => Fault][] = [
    [
      '301',
      (region) => ({
        status: 301,
        headers: { 'x-amz-bucket-region': region },
        body: xmlError('PermanentRedirect', 'Use the specified endpoint.'),
      }),
    ],
    [
      '400',
      (region) => ({
        status: 400,
        headers: { 'x-amz-bucket-region': region },
        body: xmlError('AuthorizationHeaderMalformed', `the region is wrong; expecting '${region}'`),
      }),
    ],
  ]
  it.each(elsewhere)('named with %s is followed once by many requests at once', async (_, answer) => {
    const { s3, put, sent } = await openFast()
    s3.script = (request) => (regionOf(request) === 'ca-west-1' ? undefined : answer('ca-west-1'))
    s3.hold(32)
    await Promise.all(names(32).map((key) => put(key)))
    expect(s3.keys('audio')).toEqual(names(32))
    expect(sent('PutObject')).toHaveLength(64)
    await Promise.all(names(32).map((key) => put(`later-${key}`)))
    expect(sent('PutObject')).toHaveLength(96)
  })

  it('is followed by parts that are under way, and by whole objects after them', async () => {
    const { s3, destination, put, sent } = await openFast()
    const upload = await destination.multipart?.create(anObject('k'), aCall())
    if (upload === undefined) throw new Error('no multipart uploads')
    let region = 'us-east-1'
    s3.script = (request) => {
      if (request.partNumber === 1 && request.attempt === 1) region = 'eu-south-2'
      return regionOf(request) === region ? undefined : { status: 301, headers: { 'x-amz-bucket-region': region } }
    }
    const bytes = someBytes(4 * 5 * MiB)
    const parts = await Promise.all(
      [1, 2, 3, 4].map((partNumber) => {
        const body = bodyOf(bytes.subarray((partNumber - 1) * 5 * MiB, partNumber * 5 * MiB))
        return upload.uploadPart(partNumber, body, aCall())
      }),
    )
    await upload.complete(parts, aCall())
    await put('after')
    expect(Buffer.compare(s3.read('audio', 'k') ?? Buffer.of(), bytes)).toBe(0)
    expect(sent('PutObject').map(regionOf)).toEqual(['eu-south-2'])
  })
})

const notImplemented = `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is \
not implemented</Message><Header>x-amz-checksum-crc32</Header></Error>`

describe('a checksum', () => {
  const refusals: readonly [what: string, fault: Fault][] = [
    ['400', { status: 400, body: xmlError('InvalidArgument', 'Unsupported header x-amz-checksum-crc32 received') }],
    ['501', { status: 501, body: xmlError('NotImplemented', "Header 'x-amz-checksum-crc32' not implemented") }],
    ['a field that names it', { status: 501, body: notImplemented }],
  ]

  it.each(refusals)('refused with %s is left out from there on, and said once', async (_, fault) => {
    const { s3, put, warnings } = await openFast()
    s3.script = ({ headers }) => (headers['x-amz-checksum-crc32'] === undefined ? undefined : fault)
    s3.hold(32)
    const stored = await Promise.all(names(32).map((key) => put(key)))
    expect(s3.keys('audio')).toEqual(names(32))
    expect(stored.map(({ checksum }) => checksum)).toEqual(names(32).map(() => undefined))
    expect(warnings).toEqual([expect.stringContaining(`127.0.0.1:${s3.port} refuses CRC-32 checksums`)])
    const before = s3.counters.requests
    await put('later')
    expect(s3.counters.requests - before).toBe(1)
  })

  it.each(refusals)('refused with %s when a multipart upload begins is left out of its parts', async (_, fault) => {
    const { s3, destination, warnings, sent } = await openFast()
    const isNamed = ({ headers }: FakeRequest) => Object.keys(headers).some((name) => /checksum/.test(name))
    s3.script = (request) => (isNamed(request) ? fault : undefined)
    const bytes = someBytes(12 * MiB)
    await storeObject(destination, anObject('k'), bytes)
    expect(Buffer.compare(s3.read('audio', 'k') ?? Buffer.of(), bytes)).toBe(0)
    expect(warnings).toHaveLength(1)
    // First without its type, then without all of it.
    expect(sent('CreateMultipartUpload')).toHaveLength(3)
    expect(sent('UploadPart').filter(isNamed)).toEqual([])
  })

  it('that does not match is no refusal', async () => {
    const { s3, put, warnings, sent } = await openFast()
    s3.script = ({ attempt }) =>
      attempt === 1 ? { status: 400, body: xmlError('BadDigest', 'The CRC32 you specified did not match') } : undefined
    expect(await failureOf(put('k'))).toMatchObject({ code: 'CHECKSUM_MISMATCH', retryable: true })
    expect(warnings).toEqual([])
    await put('k')
    expect(sent('PutObject').map(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined)).toEqual([true, true])
  })

  it('of other bytes in the answer is a failure, of a whole object and of a part', async () => {
    const { s3, put, destination } = await openFast()
    const upload = await destination.multipart?.create(anObject('k'), aCall())
    s3.script = () => ({ status: 200, headers: { etag: '"e"', 'x-amz-checksum-crc32': 'AAAAAA==' } })
    expect(await failureOf(put('k'))).toMatchObject({ code: 'CHECKSUM_MISMATCH', retryable: true })
    const part = upload?.uploadPart(1, bodyOf(someBytes(100)), aCall()) ?? Promise.resolve()
    expect(await failureOf(part)).toMatchObject({ code: 'CHECKSUM_MISMATCH', retryable: true })
  })

  it('that is empty in the answer says nothing', async () => {
    const { s3, put } = await openFast()
    s3.script = () => ({ status: 200, headers: { etag: '"e"', 'x-amz-checksum-crc32': '' } })
    expect(await put('k', Buffer.from('123456789'))).toMatchObject({ checksum: { value: 'y/Q5Jg==' } })
  })

  it('is told of what was stored', async () => {
    const { put } = await openFast()
    expect(await put('k', Buffer.from('123456789'))).toMatchObject({
      checksum: { algorithm: 'crc32', value: 'y/Q5Jg==' },
    })
    expect(await put('k', Buffer.of())).toMatchObject({ checksum: { algorithm: 'crc32', value: 'AAAAAA==' } })
  })
})

describe('an answer', () => {
  it.each([
    ['SlowDown inside 200', { status: 200, body: xmlError('SlowDown') }, 'THROTTLED', true],
    ['InternalError inside 200', { status: 200, body: `\n${xmlError('InternalError')}` }, 'SERVER_ERROR', true],
    [
      'an error inside 200 with an ETag',
      { status: 200, headers: { etag: '"e"' }, body: xmlError('InternalError') },
      'SERVER_ERROR',
      true,
    ],
    ['200 without an ETag', { status: 200 }, 'BAD_RESPONSE', false],
    [
      '200 with a web page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' },
      'BAD_RESPONSE',
      false,
    ],
    [
      '200 with a web page and its ETag',
      { status: 200, headers: { 'content-type': 'text/html', etag: '"page"' }, body: '<html>Welcome</html>' },
      'BAD_RESPONSE',
      false,
    ],
  ])('of %s is no success, for a whole object and for a part', async (_, fault, code, retryable) => {
    const { s3, destination, put } = await openFast()
    const upload = await destination.multipart?.create(anObject('k'), aCall())
    s3.script = () => fault
    expect(await failureOf(put('k'))).toMatchObject({ code, retryable })
    const part = upload?.uploadPart(1, bodyOf(someBytes(100)), aCall()) ?? Promise.resolve()
    expect(await failureOf(part)).toMatchObject({ code, retryable })
  })

  it('that asks to be left alone says for how long', async () => {
    const { s3, put } = await openFast()
    s3.script = () => ({ status: 503, headers: { 'retry-after': '3' }, body: xmlError('SlowDown') })
    expect(await failureOf(put('k'))).toMatchObject({ code: 'THROTTLED', retryAfterMs: 3000, status: 503 })
  })

  it('before the body was read is that answer', async () => {
    const { s3, destination } = await openFast()
    s3.script = () => ({ status: 403, early: true, body: xmlError('AccessDenied') })
    const put = destination.putObject(anObject('k'), bodyOf(someBytes(40 * MiB)), aCall())
    expect(await failureOf(put)).toMatchObject({ code: 'ACCESS_DENIED', status: 403 })
  })

  it('is never asked for twice where the transfer did not', async () => {
    const { s3, put } = await openFast()
    s3.script = () => ({ status: 500, body: xmlError('InternalError') })
    await failureOf(put('k'))
    expect(s3.counters.requests).toBe(1)
  })
})

describe('connections', () => {
  it('are kept, and no more than requests under way', async () => {
    const { s3, put } = await openFast()
    await Promise.all([put('a'), put('b')])
    for (let round = 0; round < 20; round += 1) await Promise.all([put('a'), put('b')])
    expect(s3.counters).toMatchObject({ requests: 42, connections: 2 })
  })

  it('are closed after a refusal', async () => {
    const { s3, put } = await openFast()
    s3.script = ({ attempt }) => (attempt === 1 ? { status: 503, body: xmlError('SlowDown') } : undefined)
    await failureOf(put('k'))
    await put('k')
    await put('k')
    expect(s3.counters).toMatchObject({ requests: 3, connections: 2 })
  })
})
