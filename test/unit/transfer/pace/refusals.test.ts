import { describe, expect, it } from 'vitest'
import { createRefusals } from '../../../../src/transfer/pace/refusals.ts'
import { seededRandom } from '../../../support/fake-clock.ts'

function start() {
  let nowMs = 0
  const refusals = createRefusals(() => nowMs)
  return {
    /** One request after the other, each of so many milliseconds; the shares that were found too large. */
    send(count: number, isRefused: (n: number) => boolean, ms = 1): readonly number[] {
      const shares: number[] = []
      for (let n = 1; n <= count; n += 1) {
        const beganMs = nowMs
        nowMs += ms
        const share = refusals.answered(beganMs, isRefused(n))
        if (share !== undefined) shares.push(share)
      }
      return shares
    },
    answered: refusals.answered,
  }
}

describe('createRefusals', () => {
  it('is content where nothing is refused', () => {
    expect(start().send(10_000, () => false)).toEqual([])
  })

  it('tells of a server that refuses all, after a few answers', () => {
    expect(start().send(15, () => true)).toEqual([1])
  })

  it('tells sooner than that where answers are rare', () => {
    expect(start().send(2, () => true, 600)).toEqual([1])
  })

  it('does not care for requests that began before it told', () => {
    const { answered, send } = start()
    expect(send(8, () => true)).toEqual([1])
    for (let n = 0; n < 100; n += 1) expect(answered(7, true)).toBeUndefined()
    expect(send(8, () => true)).toEqual([1])
  })

  it.each([0.001, 0.005])('puts up with %d of all, at random', (share) => {
    const random = seededRandom(7)
    expect(start().send(50_000, () => random() < share)).toEqual([])
  })

  it.each([0.05, 0.2])('tells of %d of all, at random', (share) => {
    const random = seededRandom(7)
    const shares = start().send(2000, () => random() < share)
    expect(shares.length).toBeGreaterThan(0)
  })

  it('forgets how good it was', () => {
    const { send } = start()
    expect(send(100_000, () => false)).toEqual([])
    expect(send(20, () => true).length).toBeGreaterThan(0)
  })
})
