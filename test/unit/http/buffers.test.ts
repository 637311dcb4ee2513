import { describe, expect, it } from 'vitest'
import { type BufferPool, createBufferPool, leastBufferSize } from '../../../src/http/buffers.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** All that can be had without a wait. */
function takeAll(pool: BufferPool): Buffer[] {
  const all: Buffer[] = []
  for (let taken = pool.take(); taken instanceof Buffer; taken = pool.take()) all.push(taken)
  return all
}

function one(pool: BufferPool): Buffer {
  const taken = pool.take()
  if (taken instanceof Buffer) return taken
  throw new Error('there is none')
}

describe('the size of a buffer', () => {
  it.each([
    [256 * KiB, 1, 256 * KiB],
    [256 * KiB, 64, 256 * KiB],
    [256 * KiB, 256, 256 * KiB],
    [256 * KiB, 257, 252 * KiB],
    [256 * KiB, 300, 216 * KiB],
    [256 * KiB, 1000, 64 * KiB],
    [256 * KiB, 1024, 64 * KiB],
    [256 * KiB, 100_000, 64 * KiB],
    [64 * KiB, 1, 64 * KiB],
    [1, 1, 64 * KiB],
    [4 * KiB, 8, 64 * KiB],
    [8 * MiB, 4, 8 * MiB],
    [8 * MiB, 16, 4 * MiB],
    [1024 * MiB, 1, 64 * MiB],
    [256 * KiB, 0, 256 * KiB],
  ])('wanted %i for %i requests is %i', (wanted, requests, size) => {
    const pool = createBufferPool(wanted, requests)
    expect(pool.size).toBe(size)
    // One byte of room, by which a file of this size that grew shows.
    expect(one(pool).length).toBe(size + 1)
  })

  it('is never below that from which on the socket is waited for', () => {
    expect(leastBufferSize).toBe(64 * KiB)
    for (let requests = 1; requests < 5000; requests += 7) {
      for (const wanted of [0, 1000, 100 * KiB, 256 * KiB, 64 * MiB]) {
        expect(createBufferPool(wanted, requests).size).toBeGreaterThanOrEqual(64 * KiB)
      }
    }
  })
})

describe('all buffers', () => {
  it.each([
    [256 * KiB, 8],
    [256 * KiB, 300],
    [64 * KiB, 5000],
    [64 * MiB, 1],
  ])('of %i bytes for %i requests are at most 64 MiB, and enough for each request', (wanted, requests) => {
    const pool = createBufferPool(wanted, requests)
    const all = takeAll(pool)
    expect(all.length * pool.size).toBeLessThanOrEqual(64 * MiB)
    expect((all.length + 1) * pool.size).toBeGreaterThan(64 * MiB)
    expect(new Set(all.map((buffer) => buffer.buffer)).size).toBe(all.length)
    expect(all.length).toBeGreaterThanOrEqual(Math.min(requests, 1024))
  })
})

describe('a buffer', () => {
  const small = () => createBufferPool(64 * KiB, 1, 4 * 64 * KiB)

  it('that was given back is the next to be taken', () => {
    const pool = small()
    const [first, second] = [one(pool), one(pool)]
    pool.give(first)
    pool.give(second)
    expect(one(pool)).toBe(second)
    expect(one(pool)).toBe(first)
  })

  it('is waited for where none is free, first come, first served', async () => {
    const pool = small()
    const taken = [one(pool), one(pool), one(pool), one(pool)] as const
    const order: string[] = []
    const wait = async (name: string) => {
      const buffer = await pool.take()
      order.push(name)
      return buffer
    }
    const waiting = [wait('first'), wait('second'), wait('third')] as const
    expect(order).toEqual([])
    pool.give(taken[2])
    expect(await waiting[0]).toBe(taken[2])
    expect(order).toEqual(['first'])
    pool.give(taken[0])
    pool.give(taken[1])
    expect([await waiting[1], await waiting[2]]).toEqual([taken[0], taken[1]])
    expect(order).toEqual(['first', 'second', 'third'])
    expect(pool.take()).toBeInstanceOf(Promise)
  })

  it('is spare only while fewer than half are taken', () => {
    const pool = small()
    const first = one(pool)
    const spare = pool.takeSpare()
    expect(spare).toBeInstanceOf(Buffer)
    expect(spare).not.toBe(first)
    expect(pool.takeSpare()).toBeUndefined()
    pool.give(first)
    expect(pool.takeSpare()).toBe(first)
    expect(pool.takeSpare()).toBeUndefined()
  })

  it('is not spare where there is but one', () => {
    const pool = createBufferPool(64 * MiB, 1)
    expect(pool.take()).toBeInstanceOf(Buffer)
    expect(pool.takeSpare()).toBeUndefined()
  })
})
