import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { SmallBody } from '../../src/destinations/destination.ts'
import type { S3FakeOptions } from '../support/s3-fake.ts'
import { seeded } from '../unit/plan/tree.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment, fakeCredentials } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const names = (count: number) => Array.from({ length: count }, (_, at) => `file-${String(at).padStart(2, '0')}`)

/** The way of small files; it is open once something was stored the usual way. */
async function openSmall(options: S3FakeOptions = {}) {
  const fast = await openFast(options)
  const { small } = fast.destination
  if (small === undefined) throw new Error('no way for small files')
  await fast.put('first')
  const before = fast.s3.counters.requests
  const put = (key: string, body: SmallBody = bodyOf(Buffer.from(key)), signal = new AbortController().signal) =>
    small.put(anObject(key), body, { signal })
  return {
    ...fast,
    small,
    put,
    /** As a transfer does it. */
    store: async (key: string) =>
      (await put(key)) ?? fast.destination.putObject(anObject(key), bodyOf(Buffer.from(key)), aCall()),
    requests: () => fast.s3.counters.requests - before,
  }
}

describe('a small file', () => {
  it('is sent by putObject while nothing is known of the bucket', async () => {
    const { s3, destination } = await openFast()
    expect(await destination.small?.put(anObject('k'), bodyOf(Buffer.of(1)), aCall())).toBeUndefined()
    expect(s3.counters.requests).toBe(0)
  })

  it('of any key and size is stored as it is', async () => {
    const { s3, put, small } = await openSmall()
    const below = seeded(5)
    const keys = Array.from({ length: 40 }, (_, at) => `${at} #%?+ü😀${String.fromCodePoint(33 + below(90))}`)
    for (const [at, key] of keys.entries()) {
      const bytes = someBytes([0, 1, 1000, small.maxSize][at % 4] as number, at + 1)
      const info = await put(key, bodyOf(bytes))
      expect(info).toMatchObject({ key, size: bytes.length, etag: s3.object('audio', key)?.etag })
      expect(info?.checksum?.algorithm).toBe('crc32')
      expect(Buffer.compare(s3.read('audio', key) ?? Buffer.of(), bytes)).toBe(0)
      expect(s3.object('audio', key)?.headers['content-type']).toBe('audio/wav')
    }
  })

  it('goes by connections that are kept', async () => {
    const { s3, put, requests } = await openSmall()
    for (const key of names(20)) await put(key)
    expect(requests()).toBe(20)
    expect(s3.counters.connections).toBe(1)
  })

  it('finds the bucket in another region, many at once', async () => {
    const { s3, store, requests } = await openSmall()
    s3.script = ({ headers }) =>
      headers.authorization?.includes('/ca-west-1/s3/')
        ? undefined
        : { status: 301, headers: { 'x-amz-bucket-region': 'ca-west-1' } }
    s3.hold(32)
    await Promise.all(names(32).map(store))
    expect(s3.keys('audio')).toEqual([...names(32), 'first'])
    expect(requests()).toBe(64)
  })

  it('goes without a checksum where it is refused, many at once, said once', async () => {
    const { s3, store, put, requests, warnings } = await openSmall()
    s3.script = ({ headers }) =>
      headers['x-amz-checksum-crc32'] === undefined
        ? undefined
        : { status: 501, body: xmlError('NotImplemented', "Header 'x-amz-checksum-crc32' not implemented") }
    s3.hold(32)
    await Promise.all(names(32).map(store))
    expect(requests()).toBe(64)
    expect(warnings).toHaveLength(1)
    expect(await put('later')).toMatchObject({ key: 'later', checksum: undefined })
    expect(requests()).toBe(65)
  })

  it.each([
    ['SlowDown', { status: 503, headers: { 'retry-after': '2' }, body: xmlError('SlowDown') }, 'THROTTLED'],
    ['an error inside 200', { status: 200, body: xmlError('InternalError') }, 'SERVER_ERROR'],
    ['no ETag', { status: 200 }, 'BAD_RESPONSE'],
    ['BadDigest', { status: 400, body: xmlError('BadDigest', 'The CRC32 did not match') }, 'CHECKSUM_MISMATCH'],
    [
      'the checksum of other bytes',
      { status: 200, headers: { etag: '"e"', 'x-amz-checksum-crc32': 'AAAAAA==' } },
      'CHECKSUM_MISMATCH',
    ],
    [
      'AccessDenied, before it has the body',
      { status: 403, early: true, body: xmlError('AccessDenied') },
      'ACCESS_DENIED',
    ],
    ['nothing', 'reset', 'CONNECTION'],
  ] as const)('is not stored where the answer is %s', async (_, fault, code) => {
    const { s3, put } = await openSmall()
    s3.script = () => fault
    expect(await failureOf(put('k'))).toMatchObject({ code })
    s3.script = undefined
    expect(await put('k')).toMatchObject({ key: 'k' })
  })

  it('asks for other credentials the usual way', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      vi.stubEnv('AWS_CREDENTIAL_EXPIRATION', new Date(Date.now() + 3_600_000).toISOString())
      const { put, s3 } = await openSmall({ credentials: fakeCredentials })
      expect(await put('now')).toBeDefined()
      vi.setSystemTime(Date.now() + 56 * 60_000)
      expect(await put('later')).toBeUndefined()
      expect(s3.keys('audio')).toEqual(['first', 'now'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('passes on what went wrong when it was read', async () => {
    const { put, requests } = await openSmall()
    const outcome = put('k', bodyOf(Buffer.alloc(10), { size: 11 }))
    expect(await failureOf(outcome)).toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(requests()).toBe(0)
  })

  it('is given up at once when the run is stopped, be it read or sent', async () => {
    const { s3, put } = await openSmall()
    const reading = new AbortController()
    const hanging: SmallBody = {
      size: 10,
      readAll: () => {
        setImmediate(() => reading.abort())
        return new Promise(() => {})
      },
    }
    expect(await failureOf(put('k', hanging, reading.signal))).toMatchObject({ code: 'CANCELLED' })
    const sending = new AbortController()
    s3.script = () => {
      setImmediate(() => sending.abort())
      return 'hang'
    }
    expect(await failureOf(put('k', undefined, sending.signal))).toMatchObject({ code: 'CANCELLED' })
    expect(await failureOf(put('k', undefined, AbortSignal.abort()))).toMatchObject({ code: 'CANCELLED' })
    expect(s3.keys('audio')).toEqual(['first'])
  })
})
