import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { base64OfCrc32 } from '../../../../src/checksums/checksummer.ts'
import { automaticConcurrency } from '../../../../src/config/automatic-concurrency.ts'
import type { Destination, ObjectToPut } from '../../../../src/destinations/destination.ts'
import { partSize } from '../../../../src/destinations/supabase/engine.ts'
import type { UploadError } from '../../../../src/errors.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import { bucketAt, key, type Received, type Scripted, scriptedServer } from './scripted-server.ts'

const target: ObjectToPut = { key: 'in/take 1?.wav', contentType: 'audio/wav', partSize }
const stored: Scripted = { body: { Id: 'i', Key: 'audio/in/take 1?.wav' } }

/** Both ways to store a whole object. */
const ways: readonly (readonly [string, (to: Destination, object: ObjectToPut, bytes: Buffer) => Promise<unknown>])[] =
  [
    ['as a small file', async (to, object, bytes) => to.small?.put(object, bodyOf(bytes), aCall())],
    ['in one request', (to, object, bytes) => to.putObject(object, bodyOf(bytes), aCall())],
  ]

const failure = (promise: Promise<unknown> | undefined): Promise<UploadError> =>
  Promise.resolve(promise).then(
    () => {
      throw new Error('it succeeded')
    },
    (error) => error,
  )

describe.each(ways)('an object %s', (_, put) => {
  it.each([0, 1, 5000])('of %i bytes', async (size) => {
    const server = await scriptedServer(() => stored)
    const bytes = someBytes(size)
    const info = await put(await bucketAt(server.url), target, bytes)
    const checksum = { algorithm: 'crc32', value: base64OfCrc32(crc32(bytes)) }
    expect(info).toEqual({ key: target.key, size, checksum })
    const [{ method, path, headers, body }] = server.received as [Received]
    expect([method, path]).toEqual(['POST', '/storage/v1/object/audio/in/take%201%3F.wav'])
    expect(body).toEqual(bytes)
    expect(headers).toEqual({
      host: server.url.slice('http://'.length),
      authorization: `Bearer ${key}`,
      apikey: key,
      'user-agent': expect.stringMatching(/^bulk-upload\/\d/),
      'x-upsert': 'true',
      'cache-control': 'max-age=3600',
      'content-type': 'audio/wav',
      'content-length': String(size),
    })
  })

  it('with properties, and only where there is none yet; each as its own object says', async () => {
    const server = await scriptedServer(() => stored)
    const destination = await bucketAt(server.url)
    const properties = { cacheControl: 'no-store', metadata: { take: '1', by: 'me' } }
    for (const object of [{ ...target, properties, ifAbsent: true }, { ...target, properties }, target]) {
      await put(destination, object, Buffer.of(1))
    }
    const sent = server.received.map(({ headers }) => [
      headers['x-upsert'],
      headers['cache-control'],
      headers['x-metadata'] && JSON.parse(Buffer.from(String(headers['x-metadata']), 'base64').toString()),
    ])
    expect(sent).toEqual([
      ['false', 'no-store', { take: '1', by: 'me' }],
      ['true', 'no-store', { take: '1', by: 'me' }],
      ['true', 'max-age=3600', undefined],
    ])
  })

  it.each([
    ['none', undefined],
    ['sha256', { algorithm: 'sha256', value: createHash('sha256').update('wav').digest('base64') }],
  ] as const)('with checksum %s', async (choice, checksum) => {
    const { url } = await scriptedServer(() => stored)
    const info = await put(await bucketAt(url, { checksum: choice }), target, Buffer.from('wav'))
    expect(info).toEqual({ key: target.key, size: 3, ...(checksum && { checksum }) })
  })

  it.each([
    ['a refusal', { status: 400, body: { statusCode: '409', error: 'Duplicate' } }, 'ALREADY_EXISTS', false],
    ['a refusal with status 200', { body: { statusCode: '413', error: 'Payload too large' } }, 'TOO_LARGE', false],
    ['a web page with status 200', { body: '<html>Hi</html>', type: 'text/html' }, 'BAD_RESPONSE', false],
    ['nothing', { body: '' }, 'BAD_RESPONSE', true],
    ['a key that is no text', { body: { Key: 1 } }, 'BAD_RESPONSE', true],
    ['another status', { status: 204, body: '' }, 'BAD_RESPONSE', true],
    ['trouble', { status: 500, body: { statusCode: '500', error: 'InternalError' } }, 'SERVER_ERROR', true],
  ] as const)('that is answered with %s', async (_name, answer, code, retryable) => {
    const { url } = await scriptedServer(() => answer)
    const error = await failure(put(await bucketAt(url), target, Buffer.of(1)))
    expect([error.code, error.retryable]).toEqual([code, retryable])
  })

  it('whose connection breaks', async () => {
    const { url } = await scriptedServer(() => 'cut')
    const broken = await failure(put(await bucketAt(url), target, Buffer.of(1)))
    expect([broken.code, broken.message]).toEqual([
      'CONNECTION',
      `the connection to ${url.slice(7)} was closed in the middle; check the network and the server`,
    ])
  })

  it('without a key', async () => {
    const server = await scriptedServer(() => stored)
    const destination = await bucketAt(server.url)
    vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', '')
    vi.stubEnv('SUPABASE_KEY', '')
    const error = await failure(put(destination, target, Buffer.of(1)))
    expect([error.code, server.received.length]).toEqual(['CREDENTIALS_INVALID', 0])
  })
})

it('sends what is larger than a buffer in one request, too, and tells how far it is', async () => {
  const server = await scriptedServer(() => stored)
  const destination = await bucketAt(server.url, { bufferSize: 64 * 1024, concurrency: 1 })
  const bytes = someBytes(300_000)
  const seen: number[] = []
  const info = await destination.putObject(target, bodyOf(bytes), aCall({ onBytes: (sent) => seen.push(sent) }))
  expect(info.checksum?.value).toBe(base64OfCrc32(crc32(bytes)))
  expect(server.received.map(({ body }) => body.equals(bytes))).toEqual([true])
  expect(seen.at(-1)).toBe(300_000)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
})

it('keeps its connection, but not after a refusal', async () => {
  const refused: Scripted = { status: 400, body: { statusCode: '409', error: 'Duplicate' } }
  const server = await scriptedServer((_, turn) => (turn === 2 ? refused : stored))
  const destination = await bucketAt(server.url)
  const codes: (string | undefined)[] = []
  for (let turn = 1; turn <= 4; turn += 1) {
    const code = await destination.small?.put(target, bodyOf(Buffer.of(1)), aCall()).then(
      () => 'stored',
      (error: UploadError) => error.code,
    )
    codes.push(code)
  }
  expect(codes).toEqual(['stored', 'ALREADY_EXISTS', 'stored', 'stored'])
  expect(server.received.map(({ connection }) => connection)).toEqual([1, 1, 2, 2])
})

it('ends at once when it is cut', async () => {
  const controller = new AbortController()
  const { url } = await scriptedServer(() => {
    controller.abort()
    return 'hang'
  })
  const destination = await bucketAt(url)
  const error = await failure(destination.putObject(target, bodyOf(Buffer.of(1)), aCall({ signal: controller.signal })))
  expect(error.code).toBe('CANCELLED')
})

it('has small files up to a buffer, and no more than a part', async () => {
  const { url } = await scriptedServer(() => stored)
  const most = (bufferSize: number, concurrency: number | 'auto') =>
    bucketAt(url, { bufferSize, concurrency }).then(({ small }) => small?.maxSize)
  expect(await most(128 * 1024, 1)).toBe(128 * 1024)
  expect(await most(16 * 2 ** 20, 1)).toBe(partSize)
  expect(await most(16 * 2 ** 20, 'auto')).toBeLessThanOrEqual((64 * 2 ** 20) / automaticConcurrency.most)
})

it('tells what it is, without a request', async () => {
  const server = await scriptedServer(() => stored)
  const { limits, ...destination } = await bucketAt(`${server.url}/below/`)
  expect(destination).toMatchObject({
    url: 'supabase://audio/',
    endpoint: `${server.url}/below`,
    engine: 'fast',
    ifAbsent: 'checked',
  })
  expect(limits).toMatchObject({ minPartSize: partSize, maxPartSize: partSize, maxObjectSize: 500 * 2 ** 30 })
  expect(limits.maxParts * partSize).toBeGreaterThanOrEqual(limits.maxObjectSize)
  expect(limits.keyProblem(limits.fixName?.('é#') ?? 'é#')).toBeUndefined()
  expect(server.received).toEqual([])
})
