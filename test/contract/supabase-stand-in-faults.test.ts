import { Agent, request } from 'node:http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import { answerOf, ask, begin } from './supabase-stand-in.ts'

let supabase: SupabaseFake
const patiently = { timeout: 10_000 }

beforeEach(async () => {
  supabase = await startSupabaseFake()
  supabase.makeBucket('audio', { fileSizeLimit: 10_000_000 })
})
afterEach(() => supabase.close())

const upload = (body: string | Uint8Array = 'hello') =>
  ask(supabase, 'POST', '/object/audio/a', { 'content-type': 'audio/wav', 'x-upsert': 'true' }, body)

async function beginResumable(length: number): Promise<string> {
  const names = { bucketName: 'audio', objectName: 'b' }
  const pairs = Object.entries(names).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': String(length), 'upload-metadata': pairs.join(',') }
  return (await ask(supabase, 'POST', '/upload/resumable', headers)).headers.location ?? ''
}

function patch(url: string, offset: number, body: Uint8Array) {
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-offset': String(offset),
    'content-type': 'application/offset+octet-stream',
  }
  return ask(supabase, 'PATCH', url, headers, body)
}

it('writes down every request', async () => {
  await upload()
  await ask(supabase, 'GET', '/object/info/audio/none?x=1')
  expect(supabase.requests).toMatchObject([
    { protocol: 'rest', method: 'POST', path: '/storage/v1/object/audio/a', bytes: 5, status: 200 },
    { protocol: 'rest', method: 'GET', path: '/storage/v1/object/info/audio/none?x=1', bytes: 0, status: 400 },
  ])
  expect(supabase.requests[0]?.headers.authorization).toBe(`Bearer ${supabase.key}`)
  expect(supabase.connections).toBe(2)
})

it('counts the bytes of a body while it comes in, and when its answer has gone', async () => {
  const asked = begin(supabase, 'POST', '/object/audio/a', { 'content-type': 'audio/wav', 'content-length': '10' })
  const answer = answerOf(asked)
  asked.write('hello')
  await expect.poll(() => supabase.requests[0]?.bytes, patiently).toBe(5)
  expect(supabase.requests[0]).toMatchObject({ endedAt: undefined, status: undefined })
  asked.end('world')
  await answer
  const [seen] = supabase.requests
  await expect.poll(() => seen?.endedAt, patiently).toBeGreaterThan(seen?.startedAt ?? 0)
  expect(seen?.bytes).toBe(10)
})

it('gives the answer an interceptor wants, once the body is read', async () => {
  supabase.intercept = async () => ({ status: 503, headers: { 'retry-after': '7' }, body: 'busy' })
  expect(await upload(Buffer.alloc(3_000_000))).toMatchObject({
    status: 503,
    headers: { 'retry-after': '7' },
    body: 'busy',
  })
  expect(supabase.requests[0]?.bytes).toBe(3_000_000)
  expect(supabase.objects.size).toBe(0)
})

it('resets before the body', async () => {
  supabase.intercept = () => 'reset'
  await expect(upload(Buffer.alloc(3_000_000))).rejects.toMatchObject({
    code: expect.stringMatching(/ECONNRESET|EPIPE/),
  })
  expect(supabase.objects.size).toBe(0)
})

it('resets in the middle of a standard upload, of which nothing stays', async () => {
  supabase.intercept = () => ({ resetAfter: 1_234_567 })
  await expect(upload(Buffer.alloc(3_000_000))).rejects.toThrow()
  expect(supabase.requests[0]).toMatchObject({ bytes: 1_234_567, status: undefined })
  expect(supabase.objects.size).toBe(0)
})

it('resets in the middle of a part, of which exactly so much stays', async () => {
  const bytes = Buffer.alloc(3_000_000, 'part')
  const url = await beginResumable(bytes.length)
  supabase.intercept = ({ method }) => (method === 'PATCH' ? { resetAfter: 1_234_567 } : undefined)
  await expect(patch(url, 0, bytes)).rejects.toThrow()
  supabase.intercept = undefined
  const head = await ask(supabase, 'HEAD', url, { 'tus-resumable': '1.0.0' })
  expect(head.headers['upload-offset']).toBe('1234567')
  expect((await patch(url, 1_234_567, bytes.subarray(1_234_567))).status).toBe(204)
  expect(supabase.objects.get('audio/b')?.size).toBe(bytes.length)
})

it('does what was asked and drops the answer', async () => {
  const url = await beginResumable(5)
  supabase.intercept = () => ({ dropAnswer: true })
  await expect(upload()).rejects.toMatchObject({ code: 'ECONNRESET' })
  await expect(patch(url, 0, Buffer.from('hello'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect([...supabase.objects.keys()]).toEqual(['audio/a', 'audio/b'])
  expect(supabase.requests.map(({ status }) => status)).toEqual([201, 200, 204])
})

it('reads a body and never answers', async () => {
  supabase.intercept = () => 'hang'
  const asked = begin(supabase, 'POST', '/object/audio/a', { 'content-length': '5' })
  const answer = answerOf(asked)
  asked.end('hello')
  await expect.poll(() => supabase.requests[0]?.bytes, patiently).toBe(5)
  asked.destroy(new Error('given up'))
  await expect(answer).rejects.toThrow('given up')
  expect(supabase.requests[0]?.status).toBeUndefined()
})

it.each([false, true])('leaves a connection that was refused something of no use (open: %s)', async (stalls) => {
  await supabase.close()
  supabase = await startSupabaseFake({ stallsAfterRefusal: stalls })
  supabase.makeBucket('audio')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { port } = new URL(supabase.url)
  const head = (key: string) => {
    const headers = { authorization: `Bearer ${supabase.key}` }
    return request({ agent, port, method: 'HEAD', path: `/storage/v1/object/audio/${key}`, headers })
  }
  const first = head('none')
  const answer = answerOf(first)
  first.end()
  expect((await answer).status).toBe(400)

  const second = head('none')
  const secondAnswer = answerOf(second)
  second.end()
  await expect.poll(() => supabase.requests.length, patiently).toBe(2)
  expect(second.reusedSocket).toBe(stalls)
  if (stalls) {
    second.destroy(new Error('given up'))
    await expect(secondAnswer).rejects.toThrow('given up')
  } else {
    expect((await secondAnswer).status).toBe(400)
  }
  agent.destroy()
})
