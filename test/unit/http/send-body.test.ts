import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Checksummer, checksummerOf } from '../../../src/checksums/checksummer.ts'
import type { Call, Pacer, PartBody } from '../../../src/destinations/destination.ts'
import { UploadError } from '../../../src/errors.ts'
import { type BufferPool, createBufferPool } from '../../../src/http/buffers.ts'
import type { WireAnswer, WireRequest } from '../../../src/http/send.ts'
import { sendBody } from '../../../src/http/send-body.ts'
import { fileBody } from '../../../src/transfer/reading/file-body.ts'
import { aCall, bodyOf, someBytes } from '../../contract/bodies.ts'

const size = 64 * 1024
const ok: WireAnswer = { status: 200, headers: {}, body: Buffer.alloc(0) }
const refused: WireAnswer = { ...ok, status: 403 }

/** A pool that tells what became of its buffers. */
function countingPool(): BufferPool & { readonly counts: { taken: number; given: number } } {
  const pool = createBufferPool(size, 1, 4 * size)
  const counts = { taken: 0, given: 0 }
  return {
    ...pool,
    counts,
    take() {
      counts.taken += 1
      return pool.take()
    },
    takeSpare() {
      const spare = pool.takeSpare()
      if (spare !== undefined) counts.taken += 1
      return spare
    },
    give(buffer) {
      counts.given += 1
      pool.give(buffer)
    },
  }
}

/** A body that counts how often it was opened and closed, and what was read of it. */
function counted(body: PartBody) {
  const counts = { opened: 0, closed: 0, whole: 0, reads: 0, compared: 0 }
  const watched: PartBody = {
    ...body,
    async readAll(into) {
      counts.whole += 1
      await body.readAll(into)
    },
    async openReader() {
      const reader = await body.openReader()
      counts.opened += 1
      return {
        async read(into, offset) {
          counts.reads += 1
          if (counts.closed > 0) throw new Error('it was read after it was closed')
          return reader.read(into, offset)
        },
        async compare() {
          counts.compared += 1
          await reader.compare()
        },
        async close() {
          counts.closed += 1
          await reader.close()
        },
      }
    },
  }
  return { body: watched, counts }
}

async function all(body: WireRequest['body']): Promise<Buffer> {
  if (typeof body !== 'function') return Buffer.from(body)
  const pieces: Buffer[] = []
  // A piece is only this reader's until it asks for the next.
  for await (const piece of body()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

function base64(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes.toString('base64')
}

interface Scene {
  readonly body: PartBody
  readonly call?: Partial<Call>
  readonly checksummer?: Checksummer | undefined
}

function scene({ body, call = {}, ...others }: Scene) {
  const checksummer = 'checksummer' in others ? others.checksummer : checksummerOf('crc32')
  const buffers = countingPool()
  const checksumBuffers = countingPool()
  const watched = counted(body)
  const sendWith = (send: (checksum: string | undefined, body: WireRequest['body']) => Promise<WireAnswer>) =>
    sendBody({ body: watched.body, buffers, checksumBuffers, call: aCall(call), checksummer }, send)
  return { buffers: buffers.counts, checksums: checksumBuffers.counts, reading: watched.counts, sendWith }
}

const changed = () => new UploadError('SOURCE_CHANGED', 'it changed')
const boundaries = [0, 1, size - 1, size, size + 1, 2 * size - 1, 2 * size, 2 * size + 1, 3 * size + 7, 10 * size]

describe.each(boundaries)('a body of %i bytes', (length) => {
  const bytes = someBytes(length, 7)
  const isSmall = length <= size

  it('is sent as it is, after its checksum', async () => {
    const told: number[] = []
    const { buffers, reading, sendWith } = scene({ body: bodyOf(bytes), call: { onBytes: (sent) => told.push(sent) } })
    let seen: Buffer | undefined
    const answer = await sendWith(async (checksum, body) => {
      expect(checksum).toBe(base64(crc32(bytes)))
      expect(body instanceof Buffer).toBe(isSmall)
      seen = await all(body)
      return ok
    })
    expect(answer).toBe(ok)
    expect(seen?.equals(bytes)).toBe(true)
    expect(told.at(-1)).toBe(length)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(buffers).toEqual({ taken: isSmall ? 1 : 2, given: isSmall ? 1 : 2 })
    expect(reading).toMatchObject({ opened: isSmall ? 0 : 1, closed: isSmall ? 0 : 1, whole: isSmall ? 1 : 0 })
  })

  it('is read once where no checksum is wanted', async () => {
    const { reading, sendWith } = scene({ body: bodyOf(bytes), checksummer: undefined })
    await sendWith(async (checksum, body) => {
      expect(checksum).toBeUndefined()
      expect((await all(body)).equals(bytes)).toBe(true)
      return ok
    })
    expect(reading.reads).toBe(isSmall ? 0 : Math.ceil(length / size))
  })

  it('is compared with what it was before its last byte', async () => {
    if (isSmall) return expect(length).toBeLessThanOrEqual(size)
    const { reading, sendWith } = scene({ body: bodyOf(bytes) })
    await sendWith(async (_, body) => {
      let seen = 0
      if (typeof body !== 'function') return refused
      for await (const piece of body()) {
        seen += piece.length
        expect(reading.compared).toBe(seen === length ? 1 : 0)
      }
      return ok
    })
    expect(reading.compared).toBe(1)
  })

  it('whose sending fails gives its buffers back', async () => {
    const { buffers, reading, sendWith } = scene({ body: bodyOf(bytes) })
    const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' })
    const outcome = sendWith(async (_, body) => {
      await all(body)
      throw lost
    })
    await expect(outcome).rejects.toBe(lost)
    expect(buffers).toMatchObject({ given: buffers.taken })
    expect(reading.closed).toBe(reading.opened)
  })

  it('that is refused in the middle gives its buffers back, and is closed', async () => {
    const told: number[] = []
    const { buffers, reading, sendWith } = scene({ body: bodyOf(bytes), call: { onBytes: (sent) => told.push(sent) } })
    const answer = await sendWith(async (_, body) => {
      if (typeof body === 'function') await body()[Symbol.asyncIterator]().next()
      return refused
    })
    expect(answer).toBe(refused)
    expect(buffers).toMatchObject({ given: buffers.taken })
    expect(reading.closed).toBe(reading.opened)
    expect(told).toEqual([])
  })

  it('goes again from its start', async () => {
    const told: number[] = []
    const { buffers, reading, sendWith } = scene({ body: bodyOf(bytes), call: { onBytes: (sent) => told.push(sent) } })
    await sendWith(async (_, body) => {
      if (typeof body === 'function') {
        const first = body()[Symbol.asyncIterator]()
        await first.next()
        await first.next()
      }
      expect((await all(body)).equals(bytes)).toBe(true)
      return ok
    })
    expect(told.at(-1)).toBe(length)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(buffers).toMatchObject({ given: buffers.taken })
    expect(reading.closed).toBe(reading.opened)
  })
})

describe('a file that changes', () => {
  it('while it is read whole is an error, and the buffer goes back', async () => {
    const body = bodyOf(someBytes(100), { failAfter: { bytes: 0, error: changed() } })
    const { buffers, sendWith } = scene({ body })
    let wasSent = false
    const outcome = sendWith(async () => {
      wasSent = true
      return ok
    })
    await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(wasSent).toBe(false)
    expect(buffers).toEqual({ taken: 1, given: 1 })
  })

  it('while its checksum is made is an error, and the buffers go back', async () => {
    const body = bodyOf(someBytes(5 * size), { failAfter: { bytes: 3 * size, error: changed() } })
    const { buffers, checksums, reading, sendWith } = scene({ body })
    let wasSent = false
    const outcome = sendWith(async () => {
      wasSent = true
      return ok
    })
    await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(wasSent).toBe(false)
    expect(buffers).toEqual({ taken: 0, given: 0 })
    expect(checksums).toEqual({ taken: 1, given: 1 })
    expect(reading).toMatchObject({ opened: 1, closed: 1 })
  })

  it.each([
    ['in the middle', { failAfter: { bytes: 3 * size, error: changed() } }, 3 * size],
    ['at its end', { size: 5 * size, failAfter: { bytes: 6 * size, error: changed() } }, 4 * size],
    ['to be shorter', { size: 6 * size }, 5 * size],
  ])('%s of its sending is an error, and its last bytes do not leave', async (_, options, most) => {
    const body = bodyOf(someBytes(5 * size), options)
    const { buffers, reading, sendWith } = scene({ body, checksummer: undefined })
    let seen = 0
    const outcome = sendWith(async (_, body) => {
      if (typeof body !== 'function') return refused
      for await (const piece of body()) seen += piece.length
      return ok
    })
    await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(seen).toBeLessThanOrEqual(most)
    expect(seen).toBeGreaterThan(0)
    expect(buffers).toEqual({ taken: 2, given: 2 })
    expect(reading).toMatchObject({ opened: 1, closed: 1 })
  })

  it('and cannot be opened is an error, and the buffers go back', async () => {
    const gone = changed()
    const { buffers, checksums, sendWith } = scene({
      body: { ...bodyOf(someBytes(size + 1)), openReader: () => Promise.reject(gone) },
    })
    await expect(sendWith(async () => ok)).rejects.toBe(gone)
    expect(buffers).toEqual({ taken: 0, given: 0 })
    expect(checksums).toEqual({ taken: 0, given: 0 })
  })
})

describe('a stop', () => {
  it('while the checksum is made ends it after the read under way', async () => {
    const stop = new AbortController()
    const bytes = bodyOf(someBytes(50 * size))
    let reads = 0
    const body: PartBody = {
      ...bytes,
      async openReader() {
        const reader = await bytes.openReader()
        return {
          ...reader,
          read(into, offset) {
            reads += 1
            if (reads === 3) stop.abort()
            return reader.read(into, offset)
          },
        }
      },
    }
    const { buffers, checksums, reading, sendWith } = scene({ body, call: { signal: stop.signal } })
    await expect(sendWith(async () => ok)).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(reads).toBe(3)
    expect(buffers).toEqual({ taken: 0, given: 0 })
    expect(checksums).toEqual({ taken: 1, given: 1 })
    expect(reading).toMatchObject({ opened: 1, closed: 1 })
  })

  it('between two pieces ends the body', async () => {
    const stop = new AbortController()
    const { buffers, reading, sendWith } = scene({ body: bodyOf(someBytes(5 * size)), call: { signal: stop.signal } })
    let pieces = 0
    const outcome = sendWith(async (_, body) => {
      if (typeof body !== 'function') return refused
      for await (const _piece of body()) {
        pieces += 1
        stop.abort()
      }
      return ok
    })
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(pieces).toBe(1)
    expect(buffers.given).toBe(buffers.taken)
    expect(reading.closed).toBe(1)
  })

  it.each([10, 5 * size])('while a limit is waited for ends it (%i bytes)', async (length) => {
    const pacer: Pacer = { pieceSize: size, take: () => Promise.reject(new UploadError('CANCELLED', 'stopped')) }
    const { buffers, reading, sendWith } = scene({ body: bodyOf(someBytes(length)), call: { pacer } })
    const outcome = sendWith(async (_, body) => {
      await all(body)
      return ok
    })
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(buffers.given).toBe(buffers.taken)
    expect(reading.closed).toBe(reading.opened)
  })
})

describe('a limit', () => {
  it.each([1000, 4096, size - 1, size, size + 1, 10 * size])(
    'is asked for each piece of at most %i bytes',
    async (pieceSize) => {
      const asked: number[] = []
      const pacer: Pacer = {
        pieceSize,
        take: async (count) => {
          asked.push(count)
        },
      }
      const bytes = someBytes(3 * size + 5)
      const { sendWith } = scene({ body: bodyOf(bytes), call: { pacer } })
      await sendWith(async (_, body) => {
        if (typeof body !== 'function') return refused
        const seen: Uint8Array[] = []
        const copies: Buffer[] = []
        for await (const piece of body()) {
          // What a socket takes over without a wait stays as it is.
          if (piece.length < size) seen.push(piece)
          else seen.push(Buffer.from(piece))
          copies.push(Buffer.from(piece))
        }
        expect(Buffer.concat(copies).equals(bytes)).toBe(true)
        expect(Buffer.concat(seen).equals(bytes)).toBe(true)
        return ok
      })
      expect(asked.reduce((sum, count) => sum + count, 0)).toBe(bytes.length)
      expect(Math.max(...asked)).toBeLessThanOrEqual(pieceSize)
    },
  )
})

it('buffers that are all in use are waited for', async () => {
  const buffers = createBufferPool(size, 1, size)
  const held = await buffers.take()
  let wasSent = false
  const options = {
    body: bodyOf(someBytes(9)),
    buffers,
    checksumBuffers: buffers,
    call: aCall(),
    checksummer: checksummerOf('crc32'),
  }
  const outcome = sendBody(options, async () => {
    wasSent = true
    return ok
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(wasSent).toBe(false)
  buffers.give(held)
  expect(await outcome).toBe(ok)
})

describe('a body that is in memory', () => {
  const bytes = someBytes(3 * size + 7, 7)
  const held = [bytes.subarray(0, size + 1), bytes.subarray(size + 1)]
  const facts = { absolute: '-', size: bytes.length, mtimeMs: 0, held }
  const body = fileBody(facts, { start: 10, size: bytes.length - 10 }, size)
  const expected = bytes.subarray(10)

  it('goes out as it lies there, again where it has to, and takes no buffer', async () => {
    const told: number[] = []
    const buffers = countingPool()
    const checksumBuffers = countingPool()
    const call = aCall({ onBytes: (sent) => told.push(sent) })
    const seen: Buffer[] = []
    await sendBody(
      { body, buffers, checksumBuffers, call, checksummer: checksummerOf('crc32') },
      async (checksum, pieces) => {
        expect(checksum).toBe(base64(crc32(expected)))
        if (typeof pieces !== 'function') throw new Error('it is no stream')
        for await (const piece of pieces()) {
          expect(held.some((each) => each.buffer === piece.buffer)).toBe(true)
          if (seen.push(Buffer.from(piece)) === 2) break
        }
        seen.splice(0, seen.length, await all(pieces))
        return ok
      },
    )
    expect(Buffer.concat(seen).equals(expected)).toBe(true)
    expect([buffers.counts, checksumBuffers.counts]).toEqual([
      { taken: 0, given: 0 },
      { taken: 0, given: 0 },
    ])
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
    expect(told.at(-1)).toBe(expected.length)
  })

  it('is paced, and ends with the run', async () => {
    const stop = new AbortController()
    const taken: number[] = []
    const pacer: Pacer = {
      pieceSize: 1000,
      async take(count) {
        taken.push(count)
        if (taken.length === 3) stop.abort()
      },
    }
    const options = { body, buffers: countingPool(), checksumBuffers: countingPool(), checksummer: undefined }
    const sending = sendBody({ ...options, call: aCall({ pacer, signal: stop.signal }) }, async (_, pieces) => {
      await all(pieces)
      return ok
    })
    await expect(sending).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(taken).toEqual([1000, 1000, 1000])
  })
})
