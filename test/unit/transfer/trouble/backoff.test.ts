import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../../src/transfer/trouble/backoff.ts'
import { seededRandom } from '../../../support/fake-clock.ts'

const policy = { retryDelayMs: 200, retryMaxDelayMs: 20_000 }

describe('backoffMs', () => {
  it.each([
    // failures, random, Retry-After, expected
    [1, 0, undefined, 0],
    [1, 0.5, undefined, 100],
    [1, 1, undefined, 200],
    [2, 1, undefined, 400],
    [3, 1, undefined, 800],
    [7, 1, undefined, 12_800],
    [8, 1, undefined, 20_000],
    [9, 1, undefined, 20_000],
    [2000, 1, undefined, 20_000],
    [1, 0, 3000, 3000],
    [1, 0.5, 3000, 3100],
    [8, 1, 60_000, 80_000],
    [1, 0.5, 0, 100],
  ])('after %i failures, chance %d, Retry-After %s: %d ms', (failures, random, retryAfterMs, expected) => {
    expect(backoffMs(failures, policy, random, retryAfterMs)).toBe(expected)
  })

  it('never waits where the delay is nothing', () => {
    expect(backoffMs(5, { retryDelayMs: 0, retryMaxDelayMs: 20_000 }, 0.9)).toBe(0)
  })

  it('is spread over the whole range, so that many files do not come back at once', () => {
    const random = seededRandom(7)
    const tenths = new Set(Array.from({ length: 200 }, () => Math.floor(backoffMs(1, policy, random()) / 20)))
    expect([...tenths].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
