import { describe, expect, it } from 'vitest'
import { partCount, partRange, partSizeFor } from '../../../src/plan/part-ranges.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30
const TiB = 2 ** 40
const s3 = { minPartSize: 5 * MiB, maxPartSize: 5 * GiB, maxParts: 10_000 }

describe('partSizeFor', () => {
  it.each([
    ['nothing', 0, 8 * MiB, 8 * MiB],
    ['a small object', 1, 8 * MiB, 8 * MiB],
    ['10,000 parts exactly', 10_000 * 8 * MiB, 8 * MiB, 8 * MiB],
    ['a byte more', 10_000 * 8 * MiB + 1, 8 * MiB, 9 * MiB],
    ['100 GiB', 100 * GiB, 8 * MiB, 11 * MiB],
    ['1 TiB', TiB, 8 * MiB, 105 * MiB],
    ['48.8 TiB', 10_000 * 5 * GiB, 8 * MiB, 5 * GiB],
    ['more than fits', 10_000 * 5 * GiB + 1, 8 * MiB, 5 * GiB],
    ['too small parts wanted', 100 * MiB, MiB, 5 * MiB],
    ['too small parts wanted for a large object', 100 * GiB, MiB, 11 * MiB],
    ['too large parts wanted', 100 * MiB, 6 * GiB, 5 * GiB],
    ['odd parts wanted', 100 * MiB, 5 * MiB + 1, 5 * MiB + 1],
  ])('%s', (_, size, wanted, expected) => {
    const partSize = partSizeFor(size, wanted, s3)
    expect(partSize).toBe(expected)
    if (size <= 10_000 * 5 * GiB) expect(partCount(size, partSize)).toBeLessThanOrEqual(10_000)
  })
})

describe('partRange', () => {
  it.each([
    [0, 8],
    [1, 8],
    [7, 8],
    [8, 8],
    [9, 8],
    [80, 8],
    [81, 8],
    [48 * TiB + 1, 5 * GiB],
  ])('%i bytes in parts of %i: every byte once, in order', (size, partSize) => {
    const count = partCount(size, partSize)
    const ranges = Array.from({ length: count }, (_, index) => partRange(index + 1, size, partSize))
    let next = 0
    for (const [index, range] of ranges.entries()) {
      const isSound = range.partNumber === index + 1 && range.start === next && range.size <= partSize
      const isFull = range.size === partSize || range.partNumber === count
      if (!isSound || !isFull) expect.fail(JSON.stringify(range))
      next += range.size
    }
    expect(next).toBe(size)
  })

  it('an empty object has one empty part', () => {
    expect(partCount(0, 8)).toBe(1)
    expect(partRange(1, 0, 8)).toEqual({ partNumber: 1, start: 0, size: 0 })
  })
})
