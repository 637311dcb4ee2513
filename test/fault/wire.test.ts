import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Wire, WireAnswer } from '../../src/http/send.ts'
import { type ScriptedConnection, type ScriptedServer, scriptedServer } from './scripted-server.ts'
import { always, aWire, type Body, failure, never, put, turn, until } from './wire-scene.ts'

/** Bodies of either kind. */
const kinds: readonly (readonly [string, (bytes: Buffer) => Body])[] = [
  ['whole', (bytes) => bytes],
  [
    'in pieces',
    (bytes) =>
      async function* () {
        for (let at = 0; at < bytes.length; at += 2) {
          await turn()
          yield bytes.subarray(at, at + 2)
        }
      },
  ],
]

describe.each(kinds)('a request with its body %s', (_, bodyOf) => {
  const body = (text = 'body') => bodyOf(Buffer.from(text))
  const send = (wire: Wire, server: ScriptedServer, signal = never()): Promise<WireAnswer> =>
    wire.send(put(server, body(), 4), signal)

  it('arrives as it was sent, and its answer as the server gave it', async () => {
    const seen: string[] = []
    const server = await scriptedServer(async ({ request, socket }) => {
      seen.push(await request())
      socket.write('HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 2\r\n\r\nhi')
    })
    const answer = await send(aWire(), server)
    expect(seen).toEqual(['PUT /k?x=1 HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody'])
    expect(answer).toMatchObject({ status: 200, headers: { etag: '"e"' }, body: Buffer.from('hi') })
  })

  it('goes on a connection that is kept', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const wire = aWire()
    for (let n = 0; n < 20; n += 1) await send(wire, server)
    expect(server.connections()).toBe(1)
  })

  it.each([
    ['Connection: close', 200, 'Connection: close'],
    ['a refusal', 403, 'X-A: b'],
    ['a redirect', 301, 'X-A: b'],
    ['trouble', 503, 'X-A: b'],
  ])('closes the connection after %s', async (_, status, header) => {
    const closed: Promise<void>[] = []
    const server = await scriptedServer((connection) => {
      closed.push(connection.closed)
      return always(connection, status, header)
    })
    const wire = aWire()
    expect(await send(wire, server)).toMatchObject({ status })
    expect(await send(wire, server)).toMatchObject({ status })
    await Promise.all(closed)
    expect(server.connections()).toBe(2)
  })

  type Death = (connection: ScriptedConnection) => Promise<void>
  const close = ({ socket }: ScriptedConnection): void => void socket.end()
  const reset = ({ socket }: ScriptedConnection): void => void socket.resetAndDestroy()
  const deaths: readonly (readonly [string, Death])[] = [
    ['closed right after its answer', async (connection) => close(connection)],
    ['reset right after its answer', async (connection) => reset(connection)],
    ['closed when a request comes', (connection) => connection.head().then(() => close(connection))],
    ['reset when a request comes', (connection) => connection.head().then(() => reset(connection))],
    ['closed when a request is there', (connection) => connection.request().then(() => close(connection))],
    ['reset when a request is there', (connection) => connection.request().then(() => reset(connection))],
  ]

  it.each(deaths)('does not go again where it must not be sent twice, and the kept one was %s', async (_, die) => {
    const server = await scriptedServer(async (connection) => {
      await connection.request()
      connection.answer()
      if (connection.number === 1) await die(connection)
      else await always(connection)
    })
    const wire = aWire()
    const once = () => wire.send({ ...put(server, body(), 4), isOnce: true }, never())
    await once()
    // Where the connection's end is known before, a new one is made at once.
    const outcome = await once().catch((error) => error)
    const isKnown = server.connections() === 2
    expect(outcome).toMatchObject(isKnown ? { status: 200 } : { code: expect.stringMatching('ECONNRESET|EPIPE') })
    expect(await once()).toMatchObject({ status: 200 })
    expect(server.connections()).toBe(2)
  })

  it.each(deaths)('goes again on a new connection where the kept one was %s', async (_, die) => {
    const seen: string[] = []
    const server = await scriptedServer(async (connection) => {
      seen.push(await connection.request())
      connection.answer()
      if (connection.number === 1) await die(connection)
      else await always(connection)
    })
    const wire = aWire()
    await send(wire, server)
    expect(await send(wire, server)).toMatchObject({ status: 200 })
    expect(server.connections()).toBe(2)
    expect(new Set(seen).size).toBe(1)
  })

  it('goes again only once', async () => {
    const server = await scriptedServer(async ({ request, answer, number, socket }) => {
      await request()
      if (number === 1) {
        answer()
        await request()
      }
      socket.end()
    })
    const wire = aWire()
    await send(wire, server)
    expect(await failure(send(wire, server))).toMatchObject({ code: 'ECONNRESET' })
    expect(server.connections()).toBe(2)
  })

  it('goes again on a new connection even where others are free', async () => {
    const server = await scriptedServer(async ({ request, answer, number, socket }) => {
      await request()
      answer()
      if (number > 2) return
      await request()
      socket.end()
    })
    const wire = aWire()
    await Promise.all([send(wire, server), send(wire, server)])
    expect(server.connections()).toBe(2)
    expect(await send(wire, server)).toMatchObject({ status: 200 })
    expect(server.connections()).toBe(3)
  })

  it.each(deaths.slice(2))('fails where a new connection is %s', async (_, die) => {
    const server = await scriptedServer(die)
    expect((await failure(send(aWire(), server))).code).toMatch(/^(ECONNRESET|EPIPE)$/)
    expect(server.connections()).toBe(1)
  })

  it.each([
    'H',
    'HTTP/1.1 200 OK\r\nContent-Le',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
  ])('fails where the server closes a kept connection after %j', async (begun) => {
    const server = await scriptedServer(async ({ request, answer, socket }) => {
      await request()
      answer()
      await request()
      socket.end(begun)
    })
    const wire = aWire()
    await send(wire, server)
    expect(await failure(send(wire, server))).toMatchObject({ code: 'ECONNRESET' })
    expect(server.connections()).toBe(1)
  })

  it('fails where what comes is no answer, and closes the connection', async () => {
    const server = await scriptedServer(async ({ request, socket, closed }) => {
      await request()
      socket.write('SSH-2.0-OpenSSH\r\n')
      await closed
    })
    expect((await failure(send(aWire(), server))).code).toMatch(/^HPE_/)
    await until(() => server.open() === 0)
  })

  it('does not take an answer nobody asked for as its own', async () => {
    const server = await scriptedServer(async (connection) => {
      await connection.request()
      connection.answer()
      if (connection.number === 1) connection.answer(200, 'x-of: nobody')
      await always(connection)
    })
    const wire = aWire()
    await send(wire, server)
    await until(() => server.open() === 0)
    expect((await send(wire, server)).headers).not.toHaveProperty('x-of')
    expect(server.connections()).toBe(2)
  })

  it('is cut before its connection is asked for', async () => {
    const server = await scriptedServer((connection) => always(connection))
    expect(await failure(send(aWire(), server, AbortSignal.abort()))).toMatchObject({ code: 'CANCELLED' })
  })

  it('is cut while its connection is made; that serves another', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const wire = aWire()
    const stop = new AbortController()
    const outcome = failure(send(wire, server, stop.signal))
    stop.abort()
    expect(await outcome).toMatchObject({ code: 'CANCELLED' })
    await until(() => server.open() === 1)
    for (let n = 0; n < 3; n += 1) await turn()
    await send(wire, server)
    expect(server.connections()).toBe(1)
  })

  it('is cut while it waits for its answer', async () => {
    const stop = new AbortController()
    const server = await scriptedServer(async ({ request, closed }) => {
      await request()
      stop.abort()
      await closed
    })
    expect(await failure(send(aWire(), server, stop.signal))).toMatchObject({ code: 'CANCELLED' })
    await until(() => server.open() === 0)
  })

  it('is cut in the middle of its answer, and does not go again', async () => {
    const stop = new AbortController()
    const server = await scriptedServer(async ({ request, answer, closed, socket }) => {
      await request()
      answer()
      await request()
      socket.write('HTTP/1.1 200 OK\r\n')
      stop.abort()
      await closed
    })
    const wire = aWire()
    await send(wire, server)
    expect(await failure(send(wire, server, stop.signal))).toMatchObject({ code: 'CANCELLED' })
    expect(server.connections()).toBe(1)
  })

  it('leaves nothing behind: one connection, one listener, after a thousand', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const wire = aWire()
    const { signal } = new AbortController()
    await send(wire, server, signal)
    const before = getEventListeners(signal, 'abort').length
    for (let n = 0; n < 1000; n += 1) await send(wire, server, signal)
    expect(getEventListeners(signal, 'abort').length).toBe(before)
    expect(before).toBeLessThanOrEqual(1)
    expect(server.connections()).toBe(1)
    wire.close()
    await until(() => server.open() === 0)
  })

  it('is cut when the wire is closed', async () => {
    const wire = aWire()
    const server = await scriptedServer(async ({ request, closed }) => {
      await request()
      wire.close()
      await closed
    })
    expect(await failure(send(wire, server))).toMatchObject({ code: 'ECONNRESET' })
    await until(() => server.open() === 0)
  })
})

describe('a request for headers only', () => {
  const head = ({ origin }: ScriptedServer) => ({
    method: 'HEAD',
    origin,
    path: '/k',
    headers: ['host', 'h'],
    body: Buffer.alloc(0),
  })

  it('is answered as soon as they are there, and leaves the connection as good as it was', async () => {
    const seen: string[] = []
    const server = await scriptedServer(async ({ request, socket }) => {
      for (const more of ['Content-Length: 5000000000', 'Transfer-Encoding: chunked', 'X-A: b']) {
        seen.push((await request()).split(' ', 1)[0] ?? '')
        socket.write(`HTTP/1.1 200 OK\r\n${more}\r\n\r\n`)
      }
      seen.push((await request()).split(' ', 1)[0] ?? '')
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    })
    const wire = aWire()
    for (let n = 0; n < 3; n += 1) {
      const answer = await wire.send(head(server), never())
      expect([answer.status, answer.body.length]).toEqual([200, 0])
    }
    expect((await wire.send(put(server), never())).body.toString()).toBe('hi')
    expect(seen).toEqual(['HEAD', 'HEAD', 'HEAD', 'PUT'])
    expect(server.connections()).toBe(1)
  })

  it('goes again on a new connection where the kept one was closed, and has no body there either', async () => {
    const server = await scriptedServer(async ({ number, request, answer, socket }) => {
      await request()
      if (number === 1) {
        answer()
        await request()
        socket.end()
      } else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n')
    })
    const wire = aWire()
    await wire.send(put(server), never())
    expect(await wire.send(head(server), never())).toMatchObject({ status: 200, headers: { 'content-length': '7' } })
    expect(server.connections()).toBe(2)
  })
})
