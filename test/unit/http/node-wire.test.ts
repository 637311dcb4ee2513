import { createServer, type RequestListener } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RequestTimeouts } from '../../../src/destinations/destination.ts'
import { createNodeWire } from '../../../src/http/node-wire.ts'
import { patienceFor } from '../../../src/http/patience.ts'
import type { Wire, WireRequest } from '../../../src/http/send.ts'

interface Scene {
  readonly wire: Wire
  readonly origin: string
  readonly connections: () => number
}

async function scene(listener: RequestListener): Promise<Scene> {
  let connections = 0
  const server = createServer(listener)
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const wire = createNodeWire(
    { caBundle: undefined, verify: true },
    patienceFor({ requestMs: 'auto', stallMs: 30_000 }),
  )
  onTestFinished(() => {
    wire.close()
    server.closeAllConnections()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  const { port } = server.address() as { readonly port: number }
  return { wire, origin: `http://127.0.0.1:${port}`, connections: () => connections }
}

/** Reads a request to its end and says what it was. */
const echo: RequestListener = async (request, response) => {
  let body = ''
  for await (const piece of request) body += piece
  const { 'content-length': length, 'x-a': a } = request.headers
  response.setHeader('x-b', 'two')
  response.end(JSON.stringify({ method: request.method, url: request.url, length, a, body }))
}

const aRequest = (origin: string, over: Partial<WireRequest> = {}): WireRequest => ({
  method: 'POST',
  origin,
  path: '/a%20b?c=d%2Fe',
  headers: ['host', new URL(origin).host, 'x-a', 'one', 'content-length', '5'],
  body: Buffer.from('hello'),
  ...over,
})
const never = new AbortController().signal

it('sends a request as it is, and gives its answer', async () => {
  const { wire, origin } = await scene(echo)
  const { status, headers, body } = await wire.send(aRequest(origin), never)
  expect([status, headers['x-b']]).toEqual([200, 'two'])
  const seen = { method: 'POST', url: '/a%20b?c=d%2Fe', length: '5', a: 'one', body: 'hello' }
  expect(JSON.parse(body.toString())).toEqual(seen)
})

it('sends a body piece by piece', async () => {
  const { wire, origin } = await scene(echo)
  const body = async function* () {
    yield Buffer.from('he')
    yield Buffer.from('llo')
  }
  const answer = await wire.send(aRequest(origin, { body }), never)
  expect(JSON.parse(answer.body.toString())).toMatchObject({ length: '5', body: 'hello' })
})

it('reads no body from an answer to HEAD', async () => {
  const { wire, origin } = await scene((_, response) => response.writeHead(200, { 'content-length': '7' }).end())
  const request = aRequest(origin, { method: 'HEAD', headers: [], body: Buffer.alloc(0) })
  expect(await wire.send(request, never)).toMatchObject({ status: 200, body: Buffer.alloc(0) })
})

it('keeps its connection after a success, and never after a refusal', async () => {
  let status = 200
  const { wire, origin, connections } = await scene((request, response) => {
    request.resume()
    response.statusCode = status
    response.end('{}')
  })
  await wire.send(aRequest(origin), never)
  await wire.send(aRequest(origin), never)
  expect(connections()).toBe(1)
  status = 400
  await wire.send(aRequest(origin), never)
  await wire.send(aRequest(origin), never)
  expect(connections()).toBe(2)
})

describe('fails', () => {
  it('with what its body failed with', async () => {
    const { wire, origin } = await scene(echo)
    const failure = new Error('the file is gone')
    // biome-ignore lint/correctness/useYield: it fails before it gives anything
    const body = async function* (): AsyncGenerator<Uint8Array> {
      throw failure
    }
    await expect(wire.send(aRequest(origin, { body }), never)).rejects.toBe(failure)
  })

  it('with CANCELLED once it is stopped, before and while it waits', async () => {
    const stop = new AbortController()
    const { wire, origin } = await scene(() => stop.abort())
    await expect(wire.send(aRequest(origin), stop.signal)).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect(wire.send(aRequest(origin), stop.signal)).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('where an answer goes on and on', async () => {
    const { wire, origin } = await scene((_, response) => response.end(Buffer.alloc(300_000)))
    await expect(wire.send(aRequest(origin), never)).rejects.toMatchObject({ code: 'HPE_INVALID_ANSWER' })
  })

  it('where a success comes before all of the body was sent, on a connection that is then closed', async () => {
    const { wire, origin, connections } = await scene((_, response) => response.end('{}'))
    const size = 64 * 2 ** 20
    const body = async function* () {
      yield Buffer.alloc(size)
    }
    const request = aRequest(origin, { headers: ['content-length', String(size)], body, size })
    await expect(wire.send(request, never)).rejects.toMatchObject({ code: 'HPE_OUT_OF_TURN' })
    expect(await wire.send(aRequest(origin), never)).toMatchObject({ status: 200 })
    expect(connections()).toBe(2)
  })

  it('where it takes too long, and tells those who predict', async () => {
    const { wire, origin } = await scene(() => {})
    const told: string[] = []
    const timeouts: RequestTimeouts = {
      limitMs: () => 20,
      answerLimitMs: () => 20,
      succeeded: () => told.push('succeeded'),
      overdue: (size) => told.push(`overdue ${size}`),
    }
    const sent = wire.send(aRequest(origin, { size: 5, timeouts }), never)
    await expect(sent).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(told).toEqual(['overdue 5'])
  })
})
