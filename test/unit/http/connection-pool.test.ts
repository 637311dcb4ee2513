import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { RequestTimeouts } from '../../../src/destinations/destination.ts'
import type { Connection } from '../../../src/http/connection.ts'
import { createConnectionPool } from '../../../src/http/connection-pool.ts'
import type { OpenSocket } from '../../../src/http/open-socket.ts'

/** A socket that never sends or receives anything. */
function silent(): OpenSocket {
  const socket = Object.assign(new Duplex({ read() {}, write: (_, __, done) => done() }), { setTimeout: () => socket })
  return { socket: socket as unknown as Socket, onBytes: (listener) => void socket.on('data', listener) }
}

function scene(open: (signal: AbortSignal) => Promise<OpenSocket> = async () => silent()) {
  const clock = { now: 0 }
  let opened = 0
  const sockets: Socket[] = []
  const pool = createConnectionPool(
    async (signal) => {
      opened += 1
      const made = await open(signal)
      sockets.push(made.socket)
      return made
    },
    { connect: 1000, idle: 1000 },
    () => clock.now,
  )
  onTestFinished(() => pool.close())
  return { pool, clock, opened: () => opened, sockets }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  return () => vi.useRealTimers()
})

it('the connection that was used last is the next', async () => {
  const { pool, opened } = scene()
  const [first, second, third] = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
  expect(opened()).toBe(3)
  for (const each of [second, third, first]) pool.release(each)
  expect(await pool.acquire()).toBe(first)
  expect(await pool.acquire()).toBe(third)
  expect(await pool.acquire()).toBe(second)
  expect(opened()).toBe(3)
})

it('a free connection is had at once', async () => {
  const { pool } = scene()
  const connection = await pool.acquire()
  pool.release(connection)
  expect(pool.acquire()).toBe(connection)
})

it('one that idled for four seconds is closed and not used', async () => {
  const { pool, clock, opened } = scene()
  const [old, young] = [await pool.acquire(), await pool.acquire()]
  pool.release(old)
  clock.now = 1
  pool.release(young)
  clock.now = 4000
  expect(pool.acquire()).toBe(young)
  expect(await pool.acquire()).not.toBe(old)
  expect([old.isOpen, young.isOpen]).toEqual([false, true])
  expect(opened()).toBe(3)
})

it('those that idle are closed even where nobody asks', async () => {
  const { pool, clock, sockets } = scene()
  const connections = [await pool.acquire(), await pool.acquire(), await pool.acquire()] as const
  pool.release(connections[0])
  clock.now = 3000
  pool.release(connections[1])
  clock.now = 4000
  vi.advanceTimersByTime(1000)
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false, false])
  clock.now = 7000
  vi.advanceTimersByTime(1000)
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false])
  // Nothing is free: nothing to look after.
  expect(vi.getTimerCount()).toBe(0)
  pool.release(connections[2])
  expect(vi.getTimerCount()).toBe(1)
  pool.close()
  expect(vi.getTimerCount()).toBe(0)
})

it('one that was closed meanwhile is passed over', async () => {
  const { pool, sockets } = scene()
  const [one, other] = [await pool.acquire(), await pool.acquire()]
  pool.release(one)
  pool.release(other)
  sockets[1]?.destroy()
  await once(sockets[1] as Socket, 'close')
  expect(pool.acquire()).toBe(one)
})

it('one that was closed is not kept', async () => {
  const { pool, opened } = scene()
  const connection = await pool.acquire()
  connection.destroy()
  pool.release(connection)
  expect(await pool.acquire()).not.toBe(connection)
  expect(opened()).toBe(2)
})

it('all are closed with the pool, those in use and those that come later too', async () => {
  const { pool, sockets, opened } = scene()
  const [used, free] = [await pool.acquire(), await pool.acquire()]
  pool.release(free)
  pool.close()
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true])
  pool.release(used)
  await expect(pool.connect()).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(opened()).toBe(2)
})

it('one that is being made is given up with the pool', async () => {
  let given: AbortSignal | undefined
  const { pool } = scene((signal) => {
    given = signal
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  const outcome = Promise.resolve(pool.acquire()).catch((error: unknown) => error)
  pool.close()
  expect(given?.aborted).toBe(true)
  expect(await outcome).toMatchObject({ code: 'ECONNRESET' })
})

it('one that comes after its time is closed', async () => {
  let come = (_: OpenSocket): void => {}
  const open = () =>
    new Promise<OpenSocket>((resolve) => {
      come = resolve
    })
  const pool = createConnectionPool(open, { connect: 5, idle: 1000 })
  await expect(pool.acquire()).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  const late = silent()
  come(late)
  await once(late.socket, 'close')
})

it('one that its other side closes while it idles is closed here', async () => {
  const server = createServer((socket) => void socket.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const { pool, sockets } = scene(async () => {
    const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
    await once(socket, 'connect')
    return { socket, onBytes: (listener) => void socket.on('data', listener) }
  })
  const connection: Connection = await pool.acquire()
  pool.release(connection)
  await once(sockets[0] as Socket, 'close')
  expect(connection.isOpen).toBe(false)
})

describe('requests under way', () => {
  const timeouts: RequestTimeouts = {
    limitMs: () => 60_000,
    answerLimitMs: () => 5000,
    succeeded: () => {},
    overdue: () => {},
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  /** The time goes on, and the pool looks as often as it does. */
  async function pass(clock: { now: number }, ms: number, stepMs = 250): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.now += stepMs
      vi.advanceTimersByTime(250)
      await turn()
    }
  }

  function request(connection: Connection, limits?: RequestTimeouts): { readonly outcome: () => unknown } {
    let outcome: unknown
    connection.exchange('PUT / HTTP/1.1\r\n\r\n', Buffer.from('body'), { size: 4, timeouts: limits }).catch((error) => {
      outcome = error
    })
    return { outcome: () => outcome }
  }

  it('end when their time is over', async () => {
    const { pool, clock } = scene()
    const [first, second] = [request(await pool.acquire(), timeouts), request(await pool.acquire())]
    pool.watch()
    await pass(clock, 5000)
    expect(first.outcome()).toBeUndefined()
    await pass(clock, 500)
    expect(first.outcome()).toMatchObject({ reason: 'no-answer', limitMs: 5000 })
    await pass(clock, 100_000)
    expect(second.outcome()).toBeUndefined()
  })

  it('are looked after by one timer, and only while there are any', async () => {
    const { pool, clock } = scene()
    const connections = [await pool.acquire(), await pool.acquire()]
    for (const connection of connections) {
      request(connection, timeouts)
      pool.watch()
    }
    expect(vi.getTimerCount()).toBe(1)
    connections[0]?.destroy()
    await pass(clock, 250)
    expect(vi.getTimerCount()).toBe(1)
    connections[1]?.destroy()
    await pass(clock, 250)
    expect(vi.getTimerCount()).toBe(0)
    pool.watch()
    expect(vi.getTimerCount()).toBe(1)
    pool.close()
    pool.watch()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('do not end because this program was held up', async () => {
    const { pool, clock } = scene()
    const { outcome } = request(await pool.acquire(), timeouts)
    pool.watch()
    await pass(clock, 250)
    await pass(clock, 3_600_000, 3_600_000)
    expect(outcome()).toBeUndefined()
    await pass(clock, 4750)
    expect(outcome()).toBeUndefined()
    await pass(clock, 500)
    expect(outcome()).toMatchObject({ reason: 'no-answer' })
  })
})
