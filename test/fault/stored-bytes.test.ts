import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type { Pacer, PartBody } from '../../src/destinations/destination.ts'
import { type BufferPool, createBufferPool } from '../../src/http/buffers.ts'
import { connectionOn } from '../../src/http/connection.ts'
import { createWire, type WireRequest } from '../../src/http/send.ts'
import { sendBody } from '../../src/http/send-body.ts'
import { aCall, bodyOf, someBytes } from '../contract/bodies.ts'
import { type Random, randomFrom } from '../support/random.ts'
import { stutteringForwarder } from '../support/stuttering-forwarder.ts'
import { collectingServer } from './collecting-server.ts'

const certificates = new URL('../contract/certificates/', import.meta.url)
const tls = {
  cert: readFileSync(new URL('server.pem', certificates), 'utf8'),
  key: readFileSync(new URL('server-key.pem', certificates), 'utf8'),
}
const KiB = 1024
const patience = { connect: 10_000, connectThroughProxy: 10_000, idle: 20_000 }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A body that is read with pauses, and often less at a time than was asked for. */
function slowlyRead(bytes: Buffer, random: Random): PartBody {
  const body = bodyOf(bytes)
  const pause = async (): Promise<void> => {
    for (let turns = random.below(3); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    ...body,
    async readAll(into) {
      await pause()
      await body.readAll(into)
    },
    async openReader() {
      const reader = await body.openReader()
      return {
        ...reader,
        async read(into, offset) {
          await pause()
          const some = random.below(2) === 0 ? into : into.subarray(0, Math.min(into.length, 1 + random.below(50_000)))
          return reader.read(some, offset)
        },
      }
    },
  }
}

const unlimited = (pieceSize: number): Pacer => ({ pieceSize, take: async () => {} })

type Send = (path: string, size: number, body: WireRequest['body']) => ReturnType<Parameters<typeof sendBody>[1]>

interface Round {
  readonly sizes: readonly number[]
  readonly buffers: BufferPool
  readonly send: Send
  readonly stored: ReadonlyMap<string, string>
  readonly seed: number
  readonly pacer?: Pacer
  /** How many are under way at a time. */
  readonly atOnce?: number
}

/** Sends bodies of the sizes and names those that were stored otherwise than they were. */
async function wronglyStored({
  sizes,
  buffers,
  send,
  stored,
  seed,
  pacer,
  atOnce = 8,
}: Round): Promise<readonly string[]> {
  const random = randomFrom(seed)
  const wrong: string[] = []
  const queue = sizes.map((size, at) => ({ size, at }))
  const checksumBuffers = createBufferPool(2 ** 17, 2, 2 ** 18)
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { size, at } = next
      const path = `/${at}-${size}`
      const bytes = someBytes(size, seed * 1000 + at)
      const body = slowlyRead(bytes, random)
      const checksummer = at % 2 === 0 ? checksummerOf('crc32') : undefined
      const options = { body, buffers, checksumBuffers, call: aCall({ pacer }), checksummer }
      const { status } = await untilSent(() => sendBody(options, (_, body) => send(path, size, body)))
      if (status !== 200 || stored.get(path) !== sha256(bytes)) wrong.push(path)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return wrong
}

/** What a broken connection cut off is sent again at once, out of buffers that others may have by then. */
async function untilSent<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    }
  }
}

function wireTo(port: number, isTls: boolean): Send {
  const wire = createWire({ caBundle: undefined, verify: false }, patience)
  onTestFinished(wire.close)
  const origin = `${isTls ? 'https' : 'http'}://127.0.0.1:${port}`
  const { signal } = new AbortController()
  return (path, size, body) => {
    const headers = ['host', `127.0.0.1:${port}`, 'content-length', String(size)]
    return wire.send({ method: 'PUT', origin, path, headers, body }, signal)
  }
}

/** Around the boundaries of buffers, a last piece of a few bytes among them. */
const around = (bufferSize: number): readonly number[] => [
  0,
  1,
  ...[1, 2, 3, Math.floor((3 * KiB * KiB) / bufferSize)].flatMap((times) =>
    [-1, 0, 1, 700].map((more) => times * bufferSize + more),
  ),
]

const oneEach = (pool: BufferPool): BufferPool => ({ ...pool, takeSpare: () => undefined })

describe.each([
  ['plain', false],
  ['TLS', true],
] as const)('over a stuttering %s connection, what is stored is what was sent', (_, isTls) => {
  const scene = async (seed: number, breaks = 0) => {
    const server = await collectingServer(isTls ? tls : undefined)
    const way = await stutteringForwarder(server.port, seed, breaks)
    return { stored: server.stored, send: wireTo(way.port, isTls), way }
  }

  it.each([
    [64, 1, 1],
    [64, 2, 2],
    [256, 1, 3],
    [256, 2, 4],
  ])('in buffers of %i KiB, %i for each', async (kibibytes, each, seed) => {
    const { way, ...around64 } = await scene(seed)
    const pool = createBufferPool(kibibytes * KiB, 8)
    const buffers = each === 1 ? oneEach(pool) : pool
    expect(await wronglyStored({ sizes: around(kibibytes * KiB), buffers, seed, ...around64 })).toEqual([])
    expect(way.pauses()).toBeGreaterThan(100)
  })

  it.each([4, 20, 63, 64, 65, 100])('in pieces of %i KiB under a limit', async (kibibytes) => {
    const sizes = [3, 4, 64, 65, 700].flatMap((size) => [size * KiB - 1, size * KiB, size * KiB + 1])
    const pacer = unlimited(kibibytes * KiB)
    const { way: _, ...to } = await scene(kibibytes)
    expect(await wronglyStored({ sizes, buffers: createBufferPool(256 * KiB, 8), seed: 5, pacer, ...to })).toEqual([])
  })

  it('many at once, with few buffers', async () => {
    const { way, ...to } = await scene(6)
    const sizes = Array.from({ length: 120 }, (_, at) => (at % 10) * 30 * KiB + at)
    const buffers = createBufferPool(64 * KiB, 1, 5 * 64 * KiB)
    expect(await wronglyStored({ sizes, buffers, seed: 6, atOnce: 40, ...to })).toEqual([])
    expect(way.connections()).toBeLessThanOrEqual(40)
  })

  it('where connections break, and their few buffers are used again at once', async () => {
    const { way, ...to } = await scene(8, 12)
    const sizes = Array.from({ length: 100 }, (_, at) => (at % 10) * 25 * KiB + at)
    const buffers = createBufferPool(64 * KiB, 1, 3 * 64 * KiB)
    expect(await wronglyStored({ sizes, buffers, seed: 8, atOnce: 20, ...to })).toEqual([])
    expect(way.broken()).toBeGreaterThan(20)
  })

  it('but for buffers that two have at once, which shows', async () => {
    const { way: _, ...to } = await scene(7)
    const shared = Buffer.alloc(64 * KiB)
    const buffers: BufferPool = {
      size: shared.length,
      take: () => shared,
      takeSpare: () => undefined,
      give() {},
    }
    const sizes = Array.from({ length: 24 }, (_, at) => 40 * KiB + at)
    expect(await wronglyStored({ sizes, buffers, seed: 7, ...to })).not.toEqual([])
  })
})

/**
 * A connection that keeps what it is given, as a socket may whose kernel is full, and copies it later, a few bytes at a
 * time. It answers once it has copied all.
 */
function slowConnection(random: Random, stored: Map<string, string>): Send {
  let path = ''
  let missing = 0
  let hash = createHash('sha256')
  let head = ''
  const take = (bytes: Uint8Array): void => {
    hash.update(bytes)
    missing -= bytes.length
    if (missing > 0) return
    stored.set(path, hash.digest('hex'))
    socket.push('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  }
  const copy = (bytes: Buffer, done: () => void): void => {
    const amount = Math.min(bytes.length, 1 + random.below(random.oneOf([100, 5000, 100_000])))
    const isLast = amount === bytes.length
    const copied = bytes.subarray(0, amount)
    const next = (): void => {
      // The answer must not come before the sender knows that its last bytes are gone.
      if (isLast) done()
      take(copied)
      if (!isLast) copy(bytes.subarray(amount), done)
    }
    if (random.below(4) === 0) setTimeout(next, random.below(2))
    else setImmediate(next)
  }
  const socket = new Duplex({
    read() {},
    write(bytes: Buffer, _, done) {
      if (missing > 0) return copy(bytes, done)
      head = bytes.toString('latin1')
      path = head.split(' ')[1] ?? ''
      missing = Number(/content-length: (\d+)/.exec(head)?.[1])
      hash = createHash('sha256')
      done()
      if (missing === 0) take(Buffer.alloc(0))
    },
  })
  const connection = connectionOn({
    socket: socket as unknown as Socket,
    onBytes: (listener) => void socket.on('data', listener),
  })
  return (target, size, body) => {
    const head = `PUT ${target} HTTP/1.1\r\ncontent-length: ${size}\r\n\r\n`
    return connection.exchange(head, typeof body === 'function' ? body() : body)
  }
}

describe('over a connection that copies late, what is stored is what was sent', () => {
  /** As many connections as there are bodies under way. */
  const scene = (seed: number, atOnce: number) => {
    const stored = new Map<string, string>()
    const free = Array.from({ length: atOnce }, (_, at) => slowConnection(randomFrom(seed * 100 + at), stored))
    const send: Send = async (path, size, body) => {
      const connection = free.pop()
      if (connection === undefined) throw new Error('more at once than there are connections')
      const answer = await connection(path, size, body)
      free.push(connection)
      return answer
    }
    return { stored, send }
  }
  const sizes = Array.from({ length: 40 }, (_, at) => [50, 64, 65, 130, 300][at % 5] as number).map(
    (size, at) => size * KiB + (at % 3) - 1,
  )

  it.each([
    [64, 1],
    [64, 2],
    [256, 1],
    [256, 2],
  ])('in buffers of %i KiB, %i for each', async (kibibytes, each) => {
    const pool = createBufferPool(kibibytes * KiB, 1, 9 * kibibytes * KiB)
    const buffers = each === 1 ? oneEach(pool) : pool
    expect(await wronglyStored({ sizes, buffers, seed: 8, ...scene(8, 8) })).toEqual([])
  })

  it.each([1, 7, 63, 64])('in pieces of %i KiB under a limit', async (kibibytes) => {
    const pacer = unlimited(kibibytes * KiB)
    const buffers = createBufferPool(64 * KiB, 8)
    expect(await wronglyStored({ sizes, buffers, seed: 9, pacer, ...scene(9, 8) })).toEqual([])
  })

  it('but for buffers given back before the answer, which shows', async () => {
    const pool = createBufferPool(64 * KiB, 8)
    const buffers: BufferPool = { ...pool, give() {} }
    const { send, stored } = scene(10, 8)
    const early: Send = (path, size, body) => {
      const answer = send(path, size, body)
      if (body instanceof Buffer) pool.give(Buffer.from(body.buffer))
      return answer
    }
    const small = Array.from({ length: 40 }, (_, at) => 50 * KiB + at)
    expect(await wronglyStored({ sizes: small, buffers, seed: 10, send: early, stored })).not.toEqual([])
    // The same, but for that.
    expect(await wronglyStored({ sizes: small, buffers: pool, seed: 10, ...scene(10, 8) })).toEqual([])
  })

  it('but for a piece that is overwritten before the next is asked for, which shows', async () => {
    const { send, stored } = scene(11, 1)
    const hasty: Send = (path, size, body) => {
      if (typeof body !== 'function') return send(path, size, body)
      return send(path, size, async function* () {
        for await (const piece of body()) {
          setImmediate(() => piece.fill(0))
          yield piece
        }
      })
    }
    const round = { sizes: [300 * KiB], buffers: createBufferPool(64 * KiB, 8), seed: 11, atOnce: 1 }
    expect(await wronglyStored({ ...round, send: hasty, stored })).toEqual([`/0-${300 * KiB}`])
  })
})
