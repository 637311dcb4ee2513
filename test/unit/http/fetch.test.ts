import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { wireFetch } from '../../../src/http/fetch.ts'
import { createWire, type WireAnswer, type WireRequest } from '../../../src/http/send.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that writes down what it gets, and answers with a status and a body, and a `fetch` by our wire. */
async function scene(status = 200, answer = '{"a":1}', headers: Record<string, string> = {}) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    response.writeHead(status, headers).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const wire = createWire(
    { caBundle: undefined, verify: true },
    { connect: 5000, connectThroughProxy: 5000, idle: 10_000 },
  )
  onTestFinished(() => {
    wire.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { fetch: wireFetch(wire), url: `http://127.0.0.1:${port}`, seen }
}

/** A `fetch` whose requests go nowhere. */
function captured(answer: Partial<WireAnswer> = {}) {
  const requests: WireRequest[] = []
  const send = async (request: WireRequest) => {
    requests.push(request)
    return { status: 200, headers: {}, body: Buffer.alloc(0), ...answer }
  }
  return { fetch: wireFetch({ send }), requests }
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

describe('a request by the wire', () => {
  it('goes out as it was given', async () => {
    const { fetch, url, seen } = await scene()
    const answer = await fetch(`${url}/a%20b?c=d#e`, { method: 'put', headers: { 'X-A': 'b' }, body: 'text é' })
    expect(seen).toEqual([
      {
        method: 'PUT',
        url: '/a%20b?c=d',
        headers: {
          host: new URL(url).host,
          'x-a': 'b',
          'content-length': '7',
          'content-type': 'text/plain;charset=UTF-8',
        },
        body: 'text é',
      },
    ])
    expect([answer.status, answer.ok, await answer.json()]).toEqual([200, true, { a: 1 }])
  })

  const length = { 'content-length': '6' }
  const bodies: readonly (readonly [string, () => NonNullable<RequestInit['body']>, Record<string, string>])[] = [
    ['text', () => 'abcdef', {}],
    ['bytes', () => new TextEncoder().encode('xabcdefx').subarray(1, 7), {}],
    ['a buffer', () => Buffer.from('abcdef'), {}],
    ['a Node stream', () => Readable.from(pieces('abc', 'def')) as unknown as ReadableStream, length],
    ['an iterable', () => pieces('abc', '', 'def') as unknown as ReadableStream, length],
    ['a web stream', () => new Blob(['abcdef']).stream() as unknown as ReadableStream, length],
  ]
  it.each(bodies)('may have as its body %s', async (_, body, headers) => {
    const { fetch, url, seen } = await scene()
    await fetch(url, { method: 'POST', body: body(), headers, duplex: 'half' } as RequestInit)
    expect(seen).toMatchObject([{ method: 'POST', body: 'abcdef', headers: length }])
    expect(seen[0]?.headers).not.toHaveProperty('transfer-encoding')
  })

  it('may have a body that takes its time to end', async () => {
    const { fetch, url, seen } = await scene()
    async function* slow() {
      yield Buffer.from('abc')
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    const body = slow() as unknown as ReadableStream
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-length': '3' } })
    expect([answer.status, seen[0]?.body]).toEqual([200, 'abc'])
  })

  it('may be a URL or a Request', async () => {
    const { fetch, url, seen } = await scene()
    await fetch(new URL('/url', url))
    await fetch(new Request(`${url}/request`, { method: 'DELETE', headers: { 'x-a': 'b' } }))
    await fetch(new Request(`${url}/changed`), { method: 'POST', body: 'x', headers: { 'content-type': 'a/b' } })
    expect(seen).toMatchObject([
      { method: 'GET', url: '/url' },
      { method: 'DELETE', url: '/request', headers: { 'x-a': 'b' } },
      { method: 'POST', url: '/changed', body: 'x', headers: { 'content-type': 'a/b' } },
    ])
  })

  it('says how long its body is, where there may be one', async () => {
    const { fetch, requests } = captured()
    for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'PATCH']) await fetch('http://h/', { method })
    const stated = requests.map(({ method, headers }) => [method, headers.includes('content-length')])
    expect(Object.fromEntries(stated)).toEqual({
      GET: false,
      HEAD: false,
      DELETE: false,
      POST: true,
      PUT: true,
      PATCH: true,
    })
  })

  it('keeps the headers that are the connection’s for the wire', async () => {
    const { fetch, requests } = captured()
    const headers = {
      'Content-Length': '99',
      Connection: 'close',
      'Transfer-Encoding': 'chunked',
      Host: 'elsewhere',
      'Accept-Encoding': 'gzip',
      'X-A': 'b',
    }
    await fetch('http://h:1/', { method: 'POST', headers, body: Buffer.from('abc') })
    expect(requests[0]?.headers).toEqual(['host', 'h:1', 'x-a', 'b', 'content-length', '3'])
  })

  it('has the limits it was given', async () => {
    const requests: WireRequest[] = []
    const timeouts = { limitMs: () => 1, answerLimitMs: () => 1, succeeded: () => {}, overdue: () => {} }
    const send = async (request: WireRequest) => {
      requests.push(request)
      return { status: 200, headers: {}, body: Buffer.alloc(0) }
    }
    await wireFetch({ send }, { size: 5, timeouts })('http://h/')
    expect(requests).toMatchObject([{ size: 5, timeouts }])
  })

  it('is cut by its signal', async () => {
    const { fetch, url } = await scene()
    const stop = new AbortController()
    stop.abort()
    await expect(fetch(url, { signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect(fetch(new Request(url, { signal: stop.signal }))).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('an answer to it', () => {
  it.each([301, 307, 308])('may be a redirect, which is not followed: %d', async (status) => {
    const { fetch, url, seen } = await scene(status, 'x', { location: '/elsewhere' })
    const answer = await fetch(url, { headers: { authorization: 'secret' } })
    expect([answer.status, answer.headers.get('location')]).toEqual([status, '/elsewhere'])
    expect(seen).toHaveLength(1)
  })

  it.each([204, 304, 200, 404, 503])('may have no body: %d', async (status) => {
    const { fetch } = captured({ status, headers: { 'x-a': 'b' } })
    const answer = await fetch('http://h/')
    expect([answer.status, answer.headers.get('x-a'), await answer.text()]).toEqual([status, 'b', ''])
  })
})

describe('a body that cannot be sent', () => {
  it.each([undefined, 'six', '-1', ''])('is a stream of unknown length: %s', async (stated) => {
    const { fetch, requests } = captured()
    const headers: Record<string, string> = stated === undefined ? {} : { 'content-length': stated }
    const body = Readable.from(pieces('abc')) as unknown as ReadableStream
    await expect(fetch('http://h/', { method: 'POST', body, headers })).rejects.toBeInstanceOf(TypeError)
    expect(requests).toEqual([])
  })

  it.each(['2', '4'])('is a stream of another length than %s', async (stated) => {
    const { fetch, url } = await scene()
    const body = Readable.from(pieces('ab', 'c')) as unknown as ReadableStream
    const outcome = fetch(url, { method: 'POST', body, headers: { 'content-length': stated } })
    await expect(outcome).rejects.toThrow(`the ${stated} bytes`)
  })

  it('is a stream of text', async () => {
    const { fetch, url } = await scene()
    const body = Readable.from(['abc']) as unknown as ReadableStream
    const outcome = fetch(url, { method: 'POST', body, headers: { 'content-length': '3' } })
    await expect(outcome).rejects.toBeInstanceOf(TypeError)
  })

  it('is a form', async () => {
    const { fetch } = captured()
    await expect(fetch('http://h/', { method: 'POST', body: new FormData() })).rejects.toBeInstanceOf(TypeError)
  })

  it.each(['6', '3'])('is a stream that fails, with the error it fails with, before %s bytes', async (stated) => {
    const { fetch, url, seen } = await scene()
    const failure = new Error('the disk is gone')
    const body = Readable.from(
      (async function* () {
        yield Buffer.from('abc')
        throw failure
      })(),
    ) as unknown as ReadableStream
    const outcome = fetch(url, { method: 'POST', body, headers: { 'content-length': stated } })
    await expect(outcome).rejects.toBe(failure)
    expect(seen).toEqual([])
  })

  it('is a stream that was begun on a connection that broke', async () => {
    const send = async ({ body }: WireRequest) => {
      if (typeof body !== 'function') throw new Error('it is no stream')
      for await (const _ of body()) break
      body()
      throw new Error('it was begun twice')
    }
    const body = Readable.from(pieces('abc')) as unknown as ReadableStream
    const outcome = wireFetch({ send })('http://h/', { method: 'POST', body, headers: { 'content-length': '3' } })
    await expect(outcome).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
