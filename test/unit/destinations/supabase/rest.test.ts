import { describe, expect, it } from 'vitest'
import type { Destination, ObjectInfo } from '../../../../src/destinations/destination.ts'
import { aCall } from '../../../contract/bodies.ts'
import { bucketAt, key, type Received, type Scripted, scriptedServer } from './scripted-server.ts'

const missing: Scripted = { status: 400, body: { statusCode: '404', error: 'not_found', message: 'Object not found' } }
const missingNow: Scripted = { status: 404, body: { statusCode: '404', code: 'NoSuchKey', message: 'Not there' } }
const noBucket: Scripted = { status: 400, body: { statusCode: '404', error: 'Bucket not found', code: 'NoSuchBucket' } }
const noRoute: Scripted = { status: 404, body: { message: 'Route POST:/object/list-v2/audio not found' } }

describe('headObject', () => {
  const head = (url: string, bucket?: string) =>
    bucketAt(url, {}, bucket).then((destination) => destination.headObject('in/a b.wav', aCall()))

  it('reads what the server says of an object', async () => {
    const changed = '2026-11-22T08:00:00.123Z'
    const server = await scriptedServer(() => ({
      body: { size: 7, etag: '"e"', last_modified: changed, version: 'v' },
    }))
    expect(await head(server.url)).toEqual({ key: 'in/a b.wav', size: 7, etag: '"e"', lastModified: new Date(changed) })
    const [{ method, path, headers, body }] = server.received as [Received]
    expect([method, path, body.length]).toEqual(['GET', '/storage/v1/object/info/audio/in/a%20b.wav', 0])
    expect(headers).toMatchObject({ authorization: `Bearer ${key}`, apikey: key })
    expect(headers).not.toHaveProperty('content-type')
  })

  it('does without what is not said', async () => {
    const { url } = await scriptedServer(() => ({ body: { size: 0, last_modified: 'lately' } }))
    expect(await head(url)).toEqual({ key: 'in/a b.wav', size: 0 })
  })

  it('asks for buckets with the name of a route by the long way', async () => {
    const server = await scriptedServer(() => ({ body: { size: 0 } }))
    await head(server.url, 'public')
    expect(server.received.map(({ path }) => path)).toEqual([
      '/storage/v1/object/info/authenticated/public/in/a%20b.wav',
    ])
  })

  it.each([missing, missingNow])('tells that there is none: %j', async (answer) => {
    const { url } = await scriptedServer(() => answer)
    expect(await head(url)).toBeUndefined()
  })

  it.each([
    [noBucket, 'BUCKET_NOT_FOUND'],
    [noRoute, 'BAD_RESPONSE'],
    [{ body: '<html>', type: 'text/html' }, 'BAD_RESPONSE'],
    [{ body: { size: 'large' } }, 'BAD_RESPONSE'],
    [{ status: 429, body: '' }, 'THROTTLED'],
  ])('fails with %j', async (answer, code) => {
    const { url } = await scriptedServer(() => answer)
    await expect(head(url)).rejects.toMatchObject({ code })
  })
})

describe('deleteObject', () => {
  const remove = (url: string) =>
    bucketAt(url).then((destination) => destination.deleteObject('in/a.wav', 'v1', aCall()))

  it.each([{ body: { message: 'Successfully deleted' } }, missing, missingNow])('removes it: %j', async (answer) => {
    const server = await scriptedServer(() => answer)
    expect(await remove(server.url)).toBeUndefined()
    const [{ method, path, headers }] = server.received as [Received]
    expect([method, path]).toEqual(['DELETE', '/storage/v1/object/audio/in/a.wav'])
    expect(headers).not.toHaveProperty('content-type')
  })

  it('fails where it may not', async () => {
    const { url } = await scriptedServer(() => ({ status: 400, body: { statusCode: '403', error: 'Unauthorized' } }))
    await expect(remove(url)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })
})

it('gives up a request that is cut, or not answered in time', async () => {
  const controller = new AbortController()
  const cutting = await scriptedServer(() => {
    controller.abort()
    return 'hang'
  })
  const cut = (await bucketAt(cutting.url)).headObject('a', aCall({ signal: controller.signal }))
  await expect(cut).rejects.toMatchObject({ code: 'CANCELLED' })
  const silent = await scriptedServer(() => 'hang')
  const late = (await bucketAt(silent.url, { timeouts: { requestMs: 100, stallMs: 30_000 } })).headObject('a', aCall())
  await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
})

describe('listObjects', () => {
  const listed = async (destination: Destination, prefix: string): Promise<ObjectInfo[]> => {
    const found: ObjectInfo[] = []
    for await (const info of destination.listObjects?.(prefix, aCall()) ?? []) found.push(info)
    return found
  }
  const inputOf = ({ body }: Received) => JSON.parse(body.toString())
  const changed = '2026-11-22T08:00:00Z'
  const entry = (name: string) => ({ name, id: 'i', metadata: { size: 3, eTag: '"e"', lastModified: changed } })
  const info = (name: string) => ({ key: name, size: 3, etag: '"e"', lastModified: new Date(changed) })

  it('goes from page to page, and takes only what begins with the prefix', async () => {
    const server = await scriptedServer((_, turn) => {
      if (turn === 1) return { body: { hasNext: true, nextCursor: 'c', objects: [entry('a_/1'), entry('ab/1')] } }
      return { body: { hasNext: false, objects: [entry('a_/2')] } }
    })
    expect(await listed(await bucketAt(server.url), 'a_/')).toEqual([info('a_/1'), info('a_/2')])
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(2).fill('POST /storage/v1/object/list-v2/audio'),
    )
    expect(server.received.map(inputOf)).toEqual([
      { prefix: 'a_/', limit: 100, with_delimiter: false },
      { prefix: 'a_/', limit: 100, with_delimiter: false, cursor: 'c' },
    ])
  })

  it('ends where a server repeats itself', async () => {
    const { url, received } = await scriptedServer(() => ({
      body: { hasNext: true, nextCursor: 'c', objects: [entry('a')] },
    }))
    await listed(await bucketAt(url), '')
    expect(received).toHaveLength(2)
  })

  /** A server of before: one folder at a time. */
  const older = (folders: Readonly<Record<string, readonly object[]>>, refusal = noRoute) =>
    scriptedServer((request) => {
      if (request.path.includes('list-v2')) return refusal
      const { prefix, limit, offset } = inputOf(request)
      return { body: (folders[prefix] ?? []).slice(offset, offset + limit) }
    })

  it.each([noRoute, noBucket, { status: 400, body: { message: 'This feature is not available for your tenant' } }])(
    'goes by folders at an older server: %j',
    async (refusal) => {
      const many = Array.from({ length: 150 }, (_, number) => entry(`n${1000 + number}`))
      const folders = { '': [{ name: 'in', id: null }, { name: 'on', id: null }, entry('in.txt')], in: many }
      const server = await older({ ...folders, on: [entry('x')] }, refusal)
      const destination = await bucketAt(server.url)
      const keys = async (prefix: string) => (await listed(destination, prefix)).map((found) => found.key)
      const below = many.map(({ name }) => `in/${name}`)
      expect(await keys('')).toEqual([...below, 'on/x', 'in.txt'])
      expect(await keys('in')).toEqual([...below, 'in.txt'])
      expect(await keys('in/n11')).toEqual(below.slice(100))
      expect(await keys('none/')).toEqual([])
      expect(await listed(destination, 'in.')).toEqual([info('in.txt')])
    },
  )

  it('ends where an older server repeats itself', async () => {
    const page = Array.from({ length: 100 }, (_, number) => entry(`n${number}`))
    const { url } = await scriptedServer(({ path }) => (path.includes('list-v2') ? noRoute : { body: page }))
    expect(await listed(await bucketAt(url), '')).toHaveLength(100)
  })

  it.each([
    [{ status: 400, body: { statusCode: '403', message: 'Invalid Compact JWS' } }, 'CREDENTIALS_INVALID'],
    [{ body: { objects: 'none' } }, 'BAD_RESPONSE'],
    [{ body: 'null' }, 'BAD_RESPONSE'],
    [{ body: { objects: [{ id: 'i' }] } }, 'BAD_RESPONSE'],
  ])('fails with %j', async (answer, code) => {
    const { url } = await scriptedServer(() => answer)
    await expect(listed(await bucketAt(url), '')).rejects.toMatchObject({ code })
    const before = await scriptedServer(({ path }) => (path.includes('list-v2') ? noRoute : answer))
    await expect(listed(await bucketAt(before.url), '')).rejects.toMatchObject({ code })
  })
})
