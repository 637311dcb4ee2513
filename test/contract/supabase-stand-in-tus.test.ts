import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SupabaseFake, type SupabaseFakeOptions, startSupabaseFake } from '../support/supabase-fake.ts'
import { answerOf, ask, begin } from './supabase-stand-in.ts'

const mib = 2 ** 20
const partSize = 6 * mib
const bytes = Buffer.alloc(2 * partSize + 1000, 'resumable')
const sha256 = createHash('sha256').update(bytes).digest('hex')

let supabase: SupabaseFake

async function start(options: SupabaseFakeOptions = {}): Promise<void> {
  supabase = await startSupabaseFake(options)
  supabase.makeBucket('audio')
  supabase.makeBucket('small', { fileSizeLimit: 10, allowedMimeTypes: ['audio/*'] })
}
beforeEach(() => start())
afterEach(() => supabase.close())

interface Creation {
  readonly length?: number
  readonly metadata?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string | undefined>>
}

function create({ length = bytes.length, metadata = {}, headers = {} }: Creation = {}) {
  const named = { bucketName: 'audio', objectName: 'a b/c.wav', contentType: 'audio/wav', ...metadata }
  const pairs = Object.entries(named).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
  return ask(supabase, 'POST', '/upload/resumable', {
    'tus-resumable': '1.0.0',
    'upload-length': String(length),
    'upload-metadata': pairs.join(','),
    ...headers,
  })
}

/** @returns the address of a new upload */
async function created(creation: Creation = {}): Promise<string> {
  const answer = await create(creation)
  expect(answer.status).toBe(201)
  return answer.headers.location ?? ''
}

const patchHeaders = (offset: number) => ({
  'tus-resumable': '1.0.0',
  'upload-offset': String(offset),
  'content-type': 'application/offset+octet-stream',
})

function patch(url: string, offset: number, end: number, headers: Record<string, string | undefined> = {}) {
  return ask(supabase, 'PATCH', url, { ...patchHeaders(offset), ...headers }, bytes.subarray(offset, end))
}

const head = (url: string) => ask(supabase, 'HEAD', url, { 'tus-resumable': '1.0.0', authorization: undefined })
const terminate = (url: string) => ask(supabase, 'DELETE', url, { 'tus-resumable': '1.0.0' })

describe('resumable upload', () => {
  it('goes from creation to the finished object', async () => {
    const url = await created({ metadata: { cacheControl: '60', metadata: '{"take":"2"}' } })
    const id = url.slice(`${supabase.url}/storage/v1/upload/resumable/`.length)
    expect(Buffer.from(id, 'base64url').toString()).toMatch(/^audio\/a b\/c\.wav\/[0-9a-f-]{36}$/)

    expect(await head(url)).toMatchObject({
      status: 200,
      body: '',
      headers: { 'upload-offset': '0', 'upload-length': String(bytes.length) },
    })
    for (let offset = 0; offset < bytes.length; offset += partSize) {
      const answer = await patch(url, offset, offset + partSize)
      const end = Math.min(offset + partSize, bytes.length)
      expect(answer).toMatchObject({ status: 204, headers: { 'upload-offset': String(end) } })
    }
    const object = supabase.objects.get('audio/a b/c.wav')
    expect(object).toMatchObject({
      size: bytes.length,
      contentType: 'audio/wav',
      cacheControl: 'max-age=60',
      metadata: { take: '2' },
      protocol: 'tus',
    })
    expect(await object?.sha256()).toBe(sha256)
    expect(supabase.uploads).toEqual([
      { url, bucket: 'audio', key: 'a b/c.wav', size: bytes.length, patches: 3, isFinished: true },
    ])
    expect((await head(url)).headers['upload-offset']).toBe(String(bytes.length))
    expect(await ask(supabase, 'DELETE', url, { 'tus-resumable': '1.0.0', 'x-upsert': 'true' })).toMatchObject({
      status: 400,
      body: 'Cannot terminate an already completed upload',
    })
  })

  it('takes only whole seconds for the cache', async () => {
    const url = await created({ length: 5, metadata: { cacheControl: 'max-age=60' } })
    await patch(url, 0, 5)
    expect(supabase.objects.get('audio/a b/c.wav')?.cacheControl).toBe('no-cache')
  })

  it('makes no empty object', async () => {
    expect((await create({ length: 0 })).status).toBe(404)
    expect(supabase.objects.size).toBe(0)
  })

  it('keeps what arrived of a torn request', async () => {
    const url = await created()
    const request = begin(supabase, 'PATCH', url, { ...patchHeaders(0), 'content-length': String(partSize) })
    const answer = answerOf(request)
    request.write(bytes.subarray(0, mib), () => request.destroy(new Error('gone')))
    await expect(answer).rejects.toThrow('gone')

    const offset = Number((await head(url)).headers['upload-offset'])
    expect(offset).toBeGreaterThan(0)
    expect(offset).toBeLessThanOrEqual(mib)
    expect((await patch(url, offset, bytes.length)).status).toBe(204)
    expect(await supabase.objects.get('audio/a b/c.wav')?.sha256()).toBe(sha256)
  })

  it('ends a running request where another one asks for the offset', async () => {
    await supabase.close()
    await start({ lockDrainMs: 1 })
    const url = await created()
    const running = begin(supabase, 'PATCH', url, { ...patchHeaders(0), 'content-length': String(partSize) })
    const answer = answerOf(running).catch((error: Error) => error)
    running.write(bytes.subarray(0, 1000))
    // Of a request that is ended before it has begun to write, nothing stays.
    await expect.poll(() => supabase.keptOf(url), { timeout: 10_000 }).toBe(1000)
    expect((await head(url)).headers['upload-offset']).toBe('1000')
    running.destroy()
    await answer
  })

  it('terminates', async () => {
    const url = await created()
    expect((await terminate(url)).status).toBe(204)
    expect(await head(url)).toMatchObject({ status: 404, body: '' })
    expect((await patch(url, 0, 5)).status).toBe(404)
  })

  it('is found below a path, and says where in the words of the request', async () => {
    await supabase.close()
    await start({ pathPrefix: '/proxied', locate: (url) => url.replace('http:', 'https:') })
    const url = await created({ headers: { host: 'example.test' } })
    expect(url).toMatch(/^https:\/\/example\.test\/proxied\/storage\/v1\/upload\/resumable\/[\w-]+$/)
    const id = url.slice(url.lastIndexOf('/'))
    expect((await patch(`/upload/resumable${id}`, 0, bytes.length)).status).toBe(204)
    expect(await supabase.objects.get('audio/a b/c.wav')?.sha256()).toBe(sha256)
  })

  it('can insist on parts of 6 MiB', async () => {
    supabase.makeBucket('audio', { wantsWholeParts: true })
    const url = await created()
    expect((await patch(url, 0, 5 * mib)).status).toBe(400)
    expect((await patch(url, 0, 2 * partSize)).status).toBe(400)
    expect((await patch(url, 0, partSize)).status).toBe(204)
    expect((await patch(url, partSize, 2 * partSize)).status).toBe(204)
    expect((await patch(url, 2 * partSize, bytes.length)).status).toBe(204)
    expect(supabase.uploads[0]).toMatchObject({ patches: 3, isFinished: true })
  })
})

describe('refusals', () => {
  const inWords: readonly (readonly [string, Creation, number, string])[] = [
    ['more than the bucket allows', { length: 11, metadata: { bucketName: 'small' } }, 413, 'Maximum size exceeded'],
    ['more than the project allows', { length: 60_000_000_000 }, 413, 'Maximum size exceeded'],
    [
      'a type the bucket does not allow',
      { length: 5, metadata: { bucketName: 'small', contentType: 'text/plain' } },
      415,
      'mime type text/plain is not supported',
    ],
    ['a key outside the rule', { metadata: { objectName: 'é.wav' } }, 400, 'Invalid key: é.wav'],
    ['a bucket that is not there', { metadata: { bucketName: 'none' } }, 404, 'Bucket not found'],
    ['an upload in several', { headers: { 'upload-concat': 'partial' } }, 501, 'Concatenation extension is not'],
  ]
  it.each(inWords)('%s', async (_name, creation, status, words) => {
    const answer = await create(creation)
    expect(answer.status).toBe(status)
    expect(answer.body).toContain(words)
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    expect(supabase.uploads).toEqual([])
  })

  it('looks at the type only where one is given', async () => {
    await created({ length: 5, metadata: { bucketName: 'small', contentType: '' } })
  })

  it('refuses what exists, at the creation and at each part', async () => {
    const url = await created({ headers: { 'x-upsert': 'true' } })
    await ask(supabase, 'POST', '/object/audio/a%20b/c.wav', { 'content-type': 'audio/wav' }, 'hello')

    expect(await create()).toMatchObject({ status: 409, body: 'The resource already exists' })
    expect(await patch(url, 0, 5)).toMatchObject({ status: 409, body: 'The resource already exists' })
    expect((await patch(url, 0, bytes.length, { 'x-upsert': 'true' })).status).toBe(204)
    expect(await supabase.objects.get('audio/a b/c.wav')?.sha256()).toBe(sha256)
  })

  it('refuses tokens in JSON, and asks for none to tell the offset', async () => {
    const url = await created()
    const authorization = `Bearer ${supabase.expiredKey}`
    const expired = { statusCode: '403', error: 'Unauthorized', message: '"exp" claim timestamp check failed' }
    for (const answer of [await create({ headers: { authorization } }), await patch(url, 0, 5, { authorization })]) {
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body)).toMatchObject(expired)
    }
    const none = await create({ headers: { authorization: undefined } })
    expect(none.status).toBe(400)
    expect(none.body).toContain("headers must have required property 'authorization'")
    const anonymous = await create({ headers: { authorization: `Bearer ${supabase.anonKey}` } })
    expect(anonymous).toMatchObject({ status: 403, body: 'new row violates row-level security policy' })
    supabase.setExpired(true)
    expect((await patch(url, 0, 5)).body).toContain('exp')
    expect((await head(url)).status).toBe(200)
  })

  it('refuses a wrong offset, and an upload it does not know', async () => {
    const url = await created()
    expect(await patch(url, 7, 9)).toMatchObject({ status: 409, body: 'Upload-Offset conflict\n' })
    expect(await patch(`${url.slice(0, -3)}AAA`, 0, 9)).toMatchObject({
      status: 404,
      body: 'The file for this url was not found\n',
    })
  })

  it('forgets an upload that expired', async () => {
    const [lost, gone] = [await created(), await created({ metadata: { objectName: 'other' } })]
    supabase.expireUpload(lost)
    supabase.expireUpload(gone, { gone: true })
    expect((await head(lost)).status).toBe(404)
    expect(await patch(lost, 0, 5)).toMatchObject({ status: 404, body: 'The file for this url was not found\n' })
    expect((await head(gone)).status).toBe(410)
    expect((await patch(gone, 0, 5)).status).toBe(410)
  })

  it('answers 423 while an upload is locked', async () => {
    const url = await created()
    const unlock = supabase.lockUpload(url)
    expect((await head(url)).status).toBe(423)
    expect((await patch(url, 0, 5)).status).toBe(423)
    unlock()
    expect((await patch(url, 0, 5)).status).toBe(204)
  })
})
