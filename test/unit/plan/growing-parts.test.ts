import { describe, expect, it } from 'vitest'
import { growingPartSize, mostInGrowingParts } from '../../../src/plan/growing-parts.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

describe('growingPartSize', () => {
  it.each([
    [1, 8 * MiB],
    [1000, 8 * MiB],
    [1001, 16 * MiB],
    [2000, 16 * MiB],
    [2001, 32 * MiB],
    [10_000, 4 * GiB],
  ])('part %i of those that begin with 8 MiB', (partNumber, size) => {
    expect(growingPartSize(partNumber, 8 * MiB, { maxPartSize: 5 * GiB })).toBe(size)
  })

  it('is no larger than the destination takes', () => {
    expect(growingPartSize(9999, 64 * MiB, { maxPartSize: 5 * GiB })).toBe(5 * GiB)
  })
})

describe('mostInGrowingParts', () => {
  it.each([
    [8 * MiB, 10_000, 8 * MiB * 1000 * 1023],
    [8 * MiB, 1500, 8 * MiB * 1000 + 16 * MiB * 500],
    [5 * GiB, 10_000, 5 * GiB * 10_000],
    [7, 3, 21],
  ])('%i at first, and %i parts', (first, maxParts, bytes) => {
    expect(mostInGrowingParts(first, { maxPartSize: 5 * GiB, maxParts })).toBe(bytes)
  })

  it('is the sum of the parts', () => {
    const limits = { maxPartSize: 100, maxParts: 4321 }
    let sum = 0
    for (let number = 1; number <= limits.maxParts; number += 1) sum += growingPartSize(number, 17, limits)
    expect(mostInGrowingParts(17, limits)).toBe(sum)
  })

  it('reaches beyond what S3 took in one object for twenty years, with the usual part size', () => {
    expect(mostInGrowingParts(8 * MiB, { maxPartSize: 5 * GiB, maxParts: 10_000 })).toBeGreaterThan(5 * 2 ** 40)
  })
})
