import { getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createWire, type Wire, type WireAnswer, type WirePatience, type WireRequest } from '../../src/http/send.ts'
import { freePort } from '../support/server-process.ts'
import { type ScriptedConnection, type ScriptedServer, scriptedServer } from './scripted-server.ts'

const usual: WirePatience = { connect: 5000, connectThroughProxy: 5000, idle: 10_000 }

function aWire(patience: Partial<WirePatience> = {}): Wire {
  const wire = createWire({ caBundle: undefined, verify: true }, { ...usual, ...patience })
  onTestFinished(wire.close)
  return wire
}

type Body = WireRequest['body']

function put({ origin }: Pick<ScriptedServer, 'origin'>, body: Body = Buffer.from('body'), size?: number): WireRequest {
  const length = body instanceof Buffer ? body.length : (size ?? 0)
  return { method: 'PUT', origin, path: '/k?x=1', headers: ['host', 'h', 'content-length', String(length)], body }
}

const never = () => new AbortController().signal
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function until(isSo: () => boolean): Promise<void> {
  await vi.waitUntil(isSo, { interval: 1, timeout: 5000 })
}

async function failure(outcome: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  const thrown = await outcome.then(
    (value) => new Error(`no failure: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  return thrown as Error
}

/** Answers each request with a status. */
async function always({ request, answer }: ScriptedConnection, status = 200, ...headers: string[]): Promise<void> {
  while ((await request()) !== '') answer(status, ...headers)
}

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

describe('a server that answers too early', () => {
  const large = 16 * 2 ** 20
  const bodies: readonly (readonly [string, Body])[] = [
    ['whole', Buffer.alloc(large)],
    [
      'in pieces',
      async function* () {
        for (let at = 0; at < large; at += 2 ** 18) yield Buffer.alloc(2 ** 18)
      },
    ],
    [
      'in pieces of which no more come',
      async function* () {
        yield Buffer.alloc(9)
        await new Promise(() => {})
      },
    ],
  ]

  it.each(bodies)('with success is not believed (body %s)', async (_, body) => {
    let readOn = (): void => {}
    const server = await scriptedServer(async ({ head, answer, closed, socket }) => {
      await head()
      socket.pause()
      readOn = () => void socket.resume()
      answer()
      await closed
    })
    expect(await failure(aWire().send(put(server, body, large), never()))).toMatchObject({ code: 'HPE_OUT_OF_TURN' })
    expect(server.connections()).toBe(1)
    readOn()
    await until(() => server.open() === 0)
  })

  it.each(bodies)('with a refusal is heard, and left (body %s)', async (_, body) => {
    let readOn = (): void => {}
    const server = await scriptedServer(async ({ head, answer, closed, socket }) => {
      await head()
      socket.pause()
      readOn = () => void socket.resume()
      answer(403, 'x-why: policy')
      await closed
    })
    const answer = await aWire().send(put(server, body, large), never())
    expect(answer).toMatchObject({ status: 403, headers: { 'x-why': 'policy' } })
    readOn()
    await until(() => server.open() === 0)
  })

  it('with success and a close is not believed either', async () => {
    const server = await scriptedServer(async ({ head, answer, socket }) => {
      await head()
      answer(200, 'Connection: close')
      socket.end()
    })
    const body = bodies[1]?.[1] as Body
    expect((await failure(aWire().send(put(server, body, large), never()))).code).toMatch(
      /^(HPE_OUT_OF_TURN|ECONNRESET|EPIPE)$/,
    )
  })
})

describe('patience', () => {
  it('with a server that takes no more of a piece ends', async () => {
    let readOn = (): void => {}
    const server = await scriptedServer(async ({ head, closed, socket }) => {
      await head()
      socket.pause()
      readOn = () => void socket.resume()
      await closed
    })
    const body = Buffer.alloc(32 * 2 ** 20)
    const error = await failure(aWire({ idle: 150 }).send(put(server, body), never()))
    expect(error.name).toBe('TimeoutError')
    readOn()
    await until(() => server.open() === 0)
  })

  it('with a server that does not answer ends', async () => {
    const server = await scriptedServer(async ({ request, closed }) => {
      await request()
      await closed
    })
    expect((await failure(aWire({ idle: 50 }).send(put(server), never()))).name).toBe('TimeoutError')
  })

  it('with a server that takes a large piece slowly does not end', async () => {
    const body = Buffer.alloc(24 * 2 ** 20)
    let pauses = 0
    let received = 0
    const server = await scriptedServer(async ({ answer, socket, closed }) => {
      socket.on('data', (bytes: Buffer) => {
        received += bytes.length
        if (received > body.length) answer()
        if (pauses === 300) return
        pauses += 1
        socket.pause()
        // Together much longer than the limit.
        setTimeout(() => socket.resume(), 10)
      })
      await closed
    })
    expect(await aWire({ idle: 800 }).send(put(server, body), never())).toMatchObject({ status: 200 })
    expect(pauses).toBe(300)
  })

  it('is not tried by a body that is slow to come', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const slow = async function* () {
      for (const text of ['bo', 'dy']) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        yield Buffer.from(text)
      }
    }
    const wire = aWire({ idle: 40 })
    expect(await wire.send(put(server, slow, 4), never())).toMatchObject({ status: 200 })
  })

  it('with a server that falls silent after a body that was slow to come ends', async () => {
    const server = await scriptedServer(async ({ request, closed }) => {
      await request()
      await closed
    })
    const slow = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 100))
      yield Buffer.from('body')
    }
    expect((await failure(aWire({ idle: 40 }).send(put(server, slow, 4), never()))).name).toBe('TimeoutError')
  })

  it('with a connection that is not made ends, and nothing is left of it', async () => {
    const server = await scriptedServer(({ closed }) => closed)
    const wire = aWire({ connect: 50 })
    // It takes the connection, but never begins with TLS.
    const origin = server.origin.replace('http:', 'https:')
    expect(await failure(wire.send(put({ origin }), never()))).toMatchObject({ code: 'ETIMEDOUT' })
    await until(() => server.connections() === 1 && server.open() === 0)
  })

  it('with connections ends when the wire is closed', async () => {
    const server = await scriptedServer(({ closed }) => closed)
    const wire = aWire()
    const outcome = failure(wire.send(put({ origin: server.origin.replace('http:', 'https:') }), never()))
    await until(() => server.open() === 1)
    wire.close()
    expect(await outcome).toMatchObject({ code: 'ECONNRESET' })
    await until(() => server.open() === 0)
  })
})

describe('a body', () => {
  it('that fails ends its request with its own error, and the connection', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const wire = aWire()
    const broken = async function* () {
      yield Buffer.from('bo')
      throw Object.assign(new Error('it changed'), { code: 'SOURCE_CHANGED' })
    }
    await wire.send(put(server), never())
    expect(await failure(wire.send(put(server, broken, 4), never()))).toMatchObject({ code: 'SOURCE_CHANGED' })
    await until(() => server.open() === 0)
    expect(await wire.send(put(server), never())).toMatchObject({ status: 200 })
    expect(server.connections()).toBe(2)
  })

  it('is told that no more is wanted when its request is cut', async () => {
    const stop = new AbortController()
    const server = await scriptedServer(async ({ head, closed }) => {
      await head()
      stop.abort()
      await closed
    })
    let ended = false
    const body = async function* () {
      try {
        for (;;) yield Buffer.alloc(2 ** 20)
      } finally {
        ended = true
      }
    }
    expect(await failure(aWire().send(put(server, body, 2 ** 30), stop.signal))).toMatchObject({ code: 'CANCELLED' })
    await until(() => ended)
  })

  it('of nothing goes as well', async () => {
    const server = await scriptedServer((connection) => always(connection))
    expect(await aWire().send(put(server, Buffer.alloc(0)), never())).toMatchObject({ status: 200 })
    const none = async function* () {}
    const wire = aWire()
    expect(await wire.send(put(server, none, 0), never())).toMatchObject({ status: 200 })
  })
})

describe('a header', () => {
  it.each(['a\r\nx-b: c', 'a\nb', 'a\rb', 'a\0b'])('with %j in it is refused, and nothing is sent', async (value) => {
    const seen: string[] = []
    const server = await scriptedServer(async (connection) => {
      seen.push(await connection.request())
      connection.answer()
    })
    const wire = aWire()
    const request = put(server)
    const error = await failure(wire.send({ ...request, headers: [...request.headers, 'x-a', value] }, never()))
    expect(error).toMatchObject({ code: 'INTERNAL', message: 'the header x-a cannot be sent' })
    await wire.send(request, never())
    expect(seen).toHaveLength(1)
    expect(server.connections()).toBe(1)
  })
})

it('many requests at once have a connection each, and leave none behind', async () => {
  const server = await scriptedServer((connection) => always(connection))
  const wire = aWire()
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => wire.send(put(server), never())))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  }
  expect(server.connections()).toBe(100)
  wire.close()
  await until(() => server.open() === 0)
})

it('a server that refuses connections is an error at once', async () => {
  const origin = `http://127.0.0.1:${await freePort()}`
  expect(await failure(aWire().send(put({ origin }), never()))).toMatchObject({ code: 'ECONNREFUSED' })
})

it('a host with an IPv6 address is reached', async () => {
  const server = await scriptedServer((connection) => always(connection), '::1')
  expect(await aWire().send(put(server), never())).toMatchObject({ status: 200 })
})
