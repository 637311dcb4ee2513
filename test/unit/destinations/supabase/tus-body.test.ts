import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import { readChecksum, sendRest } from '../../../../src/destinations/supabase/tus-body.ts'
import { UploadError } from '../../../../src/errors.ts'
import { type BufferPool, createBufferPool } from '../../../../src/http/buffers.ts'
import type { WireAnswer, WireRequest } from '../../../../src/http/send.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'

const bufferSize = 64 * 1024
const ok: WireAnswer = { status: 204, headers: {}, body: Buffer.alloc(0) }
const crc32 = checksummerOf('crc32')

/** A pool that knows how many of its buffers are out. */
function countingPool(budget = 8 * bufferSize): BufferPool & { readonly out: () => number } {
  const pool = createBufferPool(bufferSize, 1, budget)
  let out = 0
  return {
    ...pool,
    out: () => out,
    take() {
      out += 1
      return pool.take()
    },
    takeSpare() {
      const spare = pool.takeSpare()
      if (spare !== undefined) out += 1
      return spare
    },
    give(buffer) {
      out -= 1
      pool.give(buffer)
    },
  }
}

async function read(bytes: WireRequest['body']): Promise<Buffer> {
  if (typeof bytes !== 'function') return Buffer.from(bytes)
  const pieces: Buffer[] = []
  // A piece is only this reader's until it asks for the next.
  for await (const piece of bytes()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** Sizes around those of buffers, and where the server's bytes may end. */
const cases = [1, 1000, bufferSize, bufferSize + 1, 5 * bufferSize + 7].flatMap((size) =>
  [0, 1, Math.floor(size / 2), size - 1].filter((from) => from < size).map((from): [number, number] => [size, from]),
)

describe('the rest of a part', () => {
  it.each(cases)('of %i bytes, from %i on, is sent with the checksum of all', async (size, from) => {
    const bytes = someBytes(size)
    const buffers = countingPool()
    const told: number[] = []
    const call = aCall({ onBytes: (sent) => told.push(sent) })
    let sent: Buffer | undefined
    const { answer, checksum } = await sendRest(
      { body: bodyOf(bytes), from, buffers, call, checksummer: crc32 },
      async (body) => {
        sent = await read(body)
        return ok
      },
    )
    expect([answer, checksum, buffers.out()]).toEqual([ok, crc32.of(bytes), 0])
    expect(sent?.equals(bytes.subarray(from))).toBe(true)
    expect([told.at(-1), told.every((each) => each > from)]).toEqual([size, true])
  })

  it('has the same checksum where a request had to begin its body once more', async () => {
    const bytes = someBytes(3 * bufferSize)
    const { checksum } = await sendRest(
      { body: bodyOf(bytes), from: 100, buffers: countingPool(), call: aCall(), checksummer: crc32 },
      async (body) => {
        if (typeof body !== 'function') throw new Error('it comes in one')
        for await (const piece of body()) if (piece.length > 0) break
        expect((await read(body)).equals(bytes.subarray(100))).toBe(true)
        return ok
      },
    )
    expect(checksum).toBe(crc32.of(bytes))
  })

  it('needs no more than one buffer: what the server has is read with memory of its own', async () => {
    const bytes = someBytes(3 * bufferSize)
    const buffers = countingPool(bufferSize)
    const part = { body: bodyOf(bytes), from: bufferSize, buffers, call: aCall(), checksummer: crc32 }
    const { checksum } = await sendRest(part, async (body) => {
      await read(body)
      return ok
    })
    expect([checksum, buffers.out()]).toEqual([crc32.of(bytes), 0])
  })

  it('is sent without reading what the server has where no checksum is wanted', async () => {
    const bytes = someBytes(3 * bufferSize)
    const offsets: number[] = []
    const body = bodyOf(bytes)
    const openReader = async () => {
      const reader = await body.openReader()
      return {
        ...reader,
        read(into: Buffer, offset: number) {
          offsets.push(offset)
          return reader.read(into, offset)
        },
      }
    }
    const part = { body: { ...body, openReader }, from: 2 * bufferSize, buffers: countingPool(), call: aCall() }
    const { checksum } = await sendRest({ ...part, checksummer: undefined }, async (rest) => {
      await read(rest)
      return ok
    })
    expect([checksum, Math.min(...offsets)]).toEqual([undefined, 2 * bufferSize])
  })

  it.each([0, 70_000])(
    'that cannot be read fails as its file does, and every buffer goes back (from %i)',
    async (from) => {
      const error = new UploadError('SOURCE_CHANGED', 'it became shorter')
      const body = bodyOf(someBytes(5 * bufferSize), { failAfter: { bytes: 2 * bufferSize, error } })
      const buffers = countingPool()
      const sending = sendRest({ body, from, buffers, call: aCall(), checksummer: crc32 }, async (bytes) => {
        await read(bytes)
        return ok
      })
      await expect(sending).rejects.toBe(error)
      expect(buffers.out()).toBe(0)
    },
  )
})

describe('the checksum of a part that is there', () => {
  const part = { buffers: createBufferPool(bufferSize, 1), call: aCall(), checksummer: crc32 }

  it('is read from the file', async () => {
    const bytes = someBytes(3 * bufferSize + 5)
    expect(await readChecksum({ ...part, body: bodyOf(bytes) })).toBe(crc32.of(bytes))
    expect(await readChecksum({ ...part, body: bodyOf(bytes), checksummer: undefined })).toBeUndefined()
  })

  it('is none of a file that has changed', async () => {
    const body = bodyOf(someBytes(1000), { size: 999 })
    await expect(readChecksum({ ...part, body })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('is not waited for once the run is stopped', async () => {
    const call = aCall({ signal: AbortSignal.abort() })
    await expect(readChecksum({ ...part, body: bodyOf(someBytes(10)), call })).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })
})
