import { describe, expect, it } from 'vitest'
import type { RequestTimeouts } from '../../src/destinations/destination.ts'
import { scriptedServer } from './scripted-server.ts'
import { always, aWire, type Body, failure, never, put, until } from './wire-scene.ts'

interface Limits {
  readonly timeouts: RequestTimeouts
  readonly learnt: (readonly [what: 'succeeded' | 'overdue', size: number, durationMs: number])[]
}

function limits({ request = 60_000, answer = 60_000 }: { request?: number; answer?: number }): Limits {
  const learnt: Limits['learnt'] = []
  const timeouts: RequestTimeouts = {
    limitMs: () => request,
    answerLimitMs: () => answer,
    succeeded: (size, durationMs) => void learnt.push(['succeeded', size, durationMs]),
    overdue: (size, durationMs) => void learnt.push(['overdue', size, durationMs]),
  }
  return { timeouts, learnt }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Comes in so many pieces, each of them late. */
function slowly(pieces: number, ms: number, piece = Buffer.alloc(1)): Body {
  return async function* () {
    for (let n = 0; n < pieces; n += 1) {
      await pause(ms)
      yield piece
    }
  }
}

describe('a server that never answers', () => {
  it.each([
    ['whole', undefined],
    ['in pieces', slowly(2, 1)],
  ])('is not waited for longer than for an answer (body %s)', async (_, body) => {
    const server = await scriptedServer(async ({ request, closed }) => {
      await request()
      await closed
    })
    const { timeouts, learnt } = limits({ answer: 100 })
    // Silence is no reason here: the server has all that it waits for.
    const error = await failure(aWire({ idle: 20 }).send({ ...put(server, body, 2), timeouts }, never()))
    expect(error).toMatchObject({ name: 'TimeoutError', reason: 'no-answer', limitMs: 100 })
    expect(learnt).toEqual([])
    await until(() => server.open() === 0)
  })

  it('may think for longer than it may be silent', async () => {
    const server = await scriptedServer(async ({ request, answer, closed }) => {
      await request()
      await pause(150)
      answer()
      await closed
    })
    const { timeouts, learnt } = limits({})
    const answer = await aWire({ idle: 30 }).send({ ...put(server), size: 4, timeouts }, never())
    expect(answer).toMatchObject({ status: 200 })
    expect(learnt).toEqual([['succeeded', 4, expect.any(Number)]])
  })
})

describe('a server that drips its answer', () => {
  it('is left when the time of the request is over', async () => {
    const server = await scriptedServer(async ({ request, socket }) => {
      await request()
      socket.write('HTTP/1.1 200 OK\r\n')
      while (!socket.destroyed) {
        socket.write('x: y\r\n')
        await pause(10)
      }
    })
    const { timeouts, learnt } = limits({ request: 100 })
    const error = await failure(aWire({ idle: 5000 }).send({ ...put(server), timeouts }, never()))
    expect(error).toMatchObject({ name: 'TimeoutError', reason: 'not-done', limitMs: 100 })
    expect(learnt).toEqual([])
    await until(() => server.open() === 0)
  })

  it('is left where it falls silent in the middle', async () => {
    const server = await scriptedServer(async ({ request, socket, closed }) => {
      await request()
      socket.write('HTTP/1.1 200 OK\r\n')
      await closed
    })
    const { timeouts } = limits({})
    const error = await failure(aWire({ idle: 50 }).send({ ...put(server), timeouts }, never()))
    expect(error).toMatchObject({ name: 'TimeoutError', reason: 'silent', limitMs: 50 })
  })
})

describe('a server that stops reading', () => {
  const large = 32 * 2 ** 20
  const deaf = async () => {
    let readOn = (): void => {}
    const server = await scriptedServer(async ({ head, closed, socket }) => {
      await head()
      socket.pause()
      readOn = () => void socket.resume()
      await closed
    })
    return { server, readOn: () => readOn() }
  }

  it('is silent', async () => {
    const { server, readOn } = await deaf()
    const { timeouts } = limits({})
    const request = { ...put(server, Buffer.alloc(large)), timeouts }
    expect(await failure(aWire({ idle: 150 }).send(request, never()))).toMatchObject({ reason: 'silent' })
    readOn()
    await until(() => server.open() === 0)
  })

  it('teaches that the line is slower than thought, where the limit comes first', async () => {
    const { server, readOn } = await deaf()
    const { timeouts, learnt } = limits({ request: 100 })
    const request = { ...put(server, Buffer.alloc(large)), size: large, timeouts }
    expect(await failure(aWire({ idle: 5000 }).send(request, never()))).toMatchObject({ reason: 'not-done' })
    expect(learnt).toEqual([['overdue', large, expect.any(Number)]])
    readOn()
    await until(() => server.open() === 0)
  })
})

describe('time in which the body is waited for', () => {
  it('counts neither as silence nor against the limit', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const { timeouts, learnt } = limits({ request: 250, answer: 250 })
    // Together much longer than either; and looked at in between.
    const request = { ...put(server, slowly(3, 300), 3), size: 3, timeouts }
    expect(await aWire({ idle: 40 }).send(request, never())).toMatchObject({ status: 200 })
    expect(learnt).toHaveLength(1)
  })
})

describe('a connection that waits for its next request', () => {
  it('is kept, however little silence is allowed', async () => {
    const server = await scriptedServer((connection) => always(connection))
    const wire = aWire({ idle: 20 })
    const { timeouts } = limits({})
    for (let n = 0; n < 3; n += 1) {
      expect(await wire.send({ ...put(server), timeouts }, never())).toMatchObject({ status: 200 })
      await pause(60)
    }
    expect(server.connections()).toBe(1)
  })
})
