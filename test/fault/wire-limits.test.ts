import { describe, expect, it } from 'vitest'
import { freePort } from '../support/server-process.ts'
import { scriptedServer } from './scripted-server.ts'
import { always, aWire, type Body, failure, never, put, until } from './wire-scene.ts'

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
    expect(await aWire({ idle: 2000 }).send(put(server, body), never())).toMatchObject({ status: 200 })
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
