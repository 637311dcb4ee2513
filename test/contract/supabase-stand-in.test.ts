import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import { answerOf, ask, begin } from './supabase-stand-in.ts'

let supabase: SupabaseFake

beforeEach(async () => {
  supabase = await startSupabaseFake({ maxUploadSize: 1_000_000 })
  supabase.makeBucket('audio')
  supabase.makeBucket('small', { fileSizeLimit: 10, allowedMimeTypes: ['audio/*', 'application/json'] })
})
afterEach(() => supabase.close())

const put = (path: string, headers: Record<string, string | undefined> = {}, body: string | Uint8Array = 'hello') =>
  ask(supabase, 'POST', `/object/${path}`, { 'content-type': 'audio/wav', ...headers }, body)

describe('standard upload', () => {
  it('keeps the bytes and what was said of them', async () => {
    const metadata = { artist: 'Ü', take: '2' }
    const headers = {
      'cache-control': 'max-age=60',
      'x-metadata': Buffer.from(JSON.stringify(metadata)).toString('base64'),
    }
    const answer = await put("audio/a%20b%2Bc%26d%3De%3F/x'!.wav", headers)

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({ Id: expect.any(String), Key: "audio/a b+c&d=e?/x'!.wav" })
    const object = supabase.objects.get("audio/a b+c&d=e?/x'!.wav")
    expect(object).toMatchObject({ size: 5, contentType: 'audio/wav', cacheControl: 'max-age=60', protocol: 'rest' })
    expect(object?.metadata).toEqual(metadata)
    expect(object?.etag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`)
    expect(await object?.sha256()).toBe(createHash('sha256').update('hello').digest('hex'))
  })

  it('keeps an empty object, and no-cache where nothing was said', async () => {
    expect((await put('audio/empty', {}, '')).status).toBe(200)
    expect(supabase.objects.get('audio/empty')).toMatchObject({ size: 0, cacheControl: 'no-cache' })
  })

  it('gives a large object an ETag that is not its MD5', async () => {
    await supabase.close()
    supabase = await startSupabaseFake()
    supabase.makeBucket('audio')
    const bytes = Buffer.alloc(5 * 2 ** 20 + 1, 7)
    expect((await put('audio/large', {}, bytes)).status).toBe(200)
    const object = supabase.objects.get('audio/large')
    expect(object?.etag).toMatch(/^"[0-9a-f]{32}-2"$/)
    expect(await object?.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('replaces an object only where told to', async () => {
    await put('audio/a', {}, 'first')
    const refused = await put('audio/a', {}, 'second')
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.body)).toEqual({
      statusCode: '409',
      error: 'Duplicate',
      message: 'The resource already exists',
      code: 'KeyAlreadyExists',
    })
    expect((await put('audio/a', { 'x-upsert': 'false' }, 'second')).status).toBe(400)
    expect((await put('audio/a', { 'x-upsert': 'true' }, 'third')).status).toBe(200)
    expect(await supabase.objects.get('audio/a')?.sha256()).toBe(createHash('sha256').update('third').digest('hex'))
  })
})

describe('refusals', () => {
  const cases: readonly {
    readonly name: string
    readonly ask: () => ReturnType<typeof put>
    readonly says: Readonly<Record<string, unknown>>
  }[] = [
    {
      name: 'more than the bucket allows',
      ask: () => put('small/a', {}, 'x'.repeat(11)),
      says: { statusCode: '413', error: 'Payload too large', code: 'EntityTooLarge' },
    },
    {
      name: 'more than the project allows',
      ask: () => put('audio/a', {}, Buffer.alloc(1_000_001)),
      says: { statusCode: '413', code: 'EntityTooLarge' },
    },
    {
      name: 'a type the bucket does not allow',
      ask: () => put('small/a', { 'content-type': 'text/plain;charset=UTF-8' }),
      says: { statusCode: '415', error: 'invalid_mime_type', code: 'InvalidMimeType' },
    },
    {
      name: 'a key outside the rule',
      ask: () => put('audio/track%20%231.wav'),
      says: { statusCode: '400', error: 'InvalidKey', message: 'Invalid key: track #1.wav' },
    },
    {
      name: 'a bucket that is not there',
      ask: () => put('nowhere/a'),
      says: { statusCode: '404', error: 'Bucket not found', code: 'NoSuchBucket' },
    },
    {
      name: 'a token that is none',
      ask: () => put('audio/a', { authorization: 'Bearer sb_secret_x' }),
      says: { statusCode: '403', error: 'Unauthorized', message: 'Invalid Compact JWS' },
    },
    {
      name: 'a token signed by somebody else',
      ask: () => put('audio/a', { authorization: `Bearer ${supabase.key.replace(/[^.]*$/, 'x'.repeat(43))}` }),
      says: { statusCode: '403', error: 'Unauthorized', message: 'signature verification failed' },
    },
    {
      name: 'an expired token',
      ask: () => put('audio/a', { authorization: `Bearer ${supabase.expiredKey}` }),
      says: { statusCode: '403', error: 'Unauthorized', message: '"exp" claim timestamp check failed' },
    },
    {
      name: 'no token',
      ask: () => put('audio/a', { authorization: undefined }),
      says: { statusCode: '400', message: "headers must have required property 'authorization'" },
    },
    {
      name: 'a role that may not write',
      ask: () => put('audio/a', { authorization: `Bearer ${supabase.anonKey}` }),
      says: { statusCode: '403', message: 'new row violates row-level security policy' },
    },
    {
      name: 'a key that cannot be decoded',
      ask: () => put('audio/100%.wav'),
      says: { code: 'FST_ERR_BAD_URL' },
    },
  ]
  it.each(cases)('$name', async ({ ask: asking, says }) => {
    const answer = await asking()
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject(says)
    expect(supabase.objects.size).toBe(0)
    expect(answer.headers.connection).toBe('close')
  })

  it('lets a body without a length past the limit', async () => {
    const request = begin(supabase, 'POST', '/object/small/a', {
      'content-type': 'audio/wav',
      'transfer-encoding': 'chunked',
    })
    const answer = answerOf(request)
    request.end('x'.repeat(11))
    expect((await answer).status).toBe(200)
    expect(supabase.objects.get('small/a')?.size).toBe(11)
  })

  it('does not keep the frame of a form for an object', async () => {
    expect((await put('audio/a', { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(501)
    expect(supabase.objects.size).toBe(0)
  })

  it('counts good keys as expired when told to', async () => {
    supabase.setExpired(true)
    expect(JSON.parse((await put('audio/a')).body)).toMatchObject({ message: '"exp" claim timestamp check failed' })
    supabase.setExpired(false)
    expect((await put('audio/a')).status).toBe(200)
  })
})

describe('what is there', () => {
  beforeEach(async () => {
    for (const key of ['a.wav', 'b/c.wav', 'b/d/e.wav', 'b/f.wav']) await put(`audio/${key}`)
  })

  it('tells of one object', async () => {
    const answer = await ask(supabase, 'GET', '/object/info/audio/b/c.wav')
    expect(answer.status).toBe(200)
    const object = supabase.objects.get('audio/b/c.wav')
    expect(JSON.parse(answer.body)).toMatchObject({
      name: 'b/c.wav',
      size: 5,
      content_type: 'audio/wav',
      cache_control: 'no-cache',
      etag: object?.etag,
      version: object?.version,
      created_at: object?.createdAt.toISOString(),
    })
    const head = await ask(supabase, 'HEAD', '/object/audio/b/c.wav')
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '5', etag: object?.etag } })
    expect(await ask(supabase, 'GET', '/object/authenticated/audio/b/c.wav')).toMatchObject({
      status: 200,
      body: 'hello',
    })
  })

  it('tells of a missing one', async () => {
    const missing = await ask(supabase, 'GET', '/object/info/audio/none')
    expect(missing.status).toBe(400)
    expect(JSON.parse(missing.body)).toMatchObject({
      statusCode: '404',
      error: 'not_found',
      message: 'Object not found',
    })
    expect(await ask(supabase, 'HEAD', '/object/audio/none')).toMatchObject({ status: 400, body: '' })
  })

  it('lists one level of folders, page by page', async () => {
    const list = async (query: unknown) => {
      const answer = await ask(supabase, 'POST', '/object/list/audio', {}, JSON.stringify(query))
      return JSON.parse(answer.body) as { name: string; id: string | null; metadata: { size: number } | null }[]
    }
    expect(await list({ prefix: '' })).toMatchObject([
      { name: 'a.wav', id: expect.any(String), metadata: { size: 5, eTag: supabase.objects.get('audio/a.wav')?.etag } },
      { name: 'b', id: null, metadata: null },
    ])
    const sortBy = { column: 'name', order: 'asc' }
    const names = async (offset: number) =>
      (await list({ prefix: 'b', limit: 2, offset, sortBy })).map(({ name }) => name)
    expect(await names(0)).toEqual(['c.wav', 'd'])
    expect(await names(2)).toEqual(['f.wav'])
  })

  it('deletes', async () => {
    const gone = await ask(supabase, 'DELETE', '/object/audio/b/c.wav')
    expect(gone).toMatchObject({ status: 200, body: '{"message":"Successfully deleted"}' })
    expect(JSON.parse((await ask(supabase, 'DELETE', '/object/audio/b/c.wav')).body)).toMatchObject({
      statusCode: '404',
      error: 'not_found',
    })
    const several = await ask(supabase, 'DELETE', '/object/audio', {}, JSON.stringify({ prefixes: ['a.wav', 'none'] }))
    expect(JSON.parse(several.body)).toMatchObject([{ name: 'a.wav' }])
    expect([...supabase.objects.keys()]).toEqual(['audio/b/d/e.wav', 'audio/b/f.wav'])
  })

  it('describes a bucket', async () => {
    const small = await ask(supabase, 'GET', '/bucket/small')
    expect(JSON.parse(small.body)).toMatchObject({ id: 'small', file_size_limit: 10 })
    expect(JSON.parse((await ask(supabase, 'GET', '/bucket/none')).body)).toMatchObject({ error: 'Bucket not found' })
  })
})
