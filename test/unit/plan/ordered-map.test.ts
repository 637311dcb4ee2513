import { describe, expect, it } from 'vitest'
import { orderedMap } from '../../../src/plan/ordered-map.ts'
import { all } from './tree.ts'

/** Numbers from 1, and how many were asked for and whether it was closed. */
function source(count: number, failAt = Number.POSITIVE_INFINITY) {
  const seen = { taken: 0, closed: false }
  async function* items() {
    try {
      for (let item = 1; item <= count; item += 1) {
        if (item === failAt) throw new Error('the source broke')
        seen.taken = item
        yield item
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, items: items() }
}

describe('orderedMap', () => {
  it('keeps the order whatever ends first', async () => {
    const gates: (() => void)[] = []
    const map = (item: number) => new Promise<number>((fulfil) => gates.push(() => fulfil(item * 10)))
    const results = all(orderedMap(source(4).items, 4, map))
    while (gates.length < 4) await new Promise(setImmediate)
    for (const open of gates.toReversed()) open()
    expect(await results).toEqual([10, 20, 30, 40])
  })

  it.each([1, 2, 3, 8])('has at most %i under way and reads no further ahead', async (atOnce) => {
    let underWay = 0
    let most = 0
    const { seen, items } = source(20)
    const results: number[] = []
    for await (const result of orderedMap(items, atOnce, async (item) => {
      most = Math.max(most, ++underWay)
      await new Promise(setImmediate)
      underWay -= 1
      return item
    })) {
      results.push(result)
      expect(seen.taken).toBeLessThanOrEqual(results.length + atOnce - 1)
    }
    expect(results).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(most).toBe(atOnce)
  })

  it('begins those of a burst together, and none before the last burst was given', async () => {
    const { seen, items } = source(8)
    const begunWith: number[] = []
    let given = 0
    for await (const _ of orderedMap(items, 3, async () => begunWith.push(given * 10 + seen.taken))) given += 1
    // The results given by then, and the items taken.
    expect(begunWith).toEqual([3, 3, 3, 36, 36, 36, 68, 68])
  })

  it('yields nothing from nothing', async () => {
    expect(await all(orderedMap(source(0).items, 3, async (item) => item))).toEqual([])
  })

  it('closes its source when the reader stops', async () => {
    const { seen, items } = source(100)
    for await (const result of orderedMap(items, 3, async (item) => item)) if (result === 5) break
    expect(seen).toEqual({ taken: 6, closed: true })
  })

  it('fails where the item that failed stands, and closes its source', async () => {
    const { seen, items } = source(100)
    const results: number[] = []
    const failing = async () => {
      for await (const result of orderedMap(items, 4, async (item) => {
        // The later ones fail first; nobody looks at them any more.
        if (item >= 3) throw new Error(`no ${item}`)
        return item
      })) {
        results.push(result)
      }
    }
    await expect(failing()).rejects.toThrow('no 3')
    expect(results).toEqual([1, 2])
    expect(seen.closed).toBe(true)
  })

  it('fails with its source', async () => {
    await expect(all(orderedMap(source(9, 5).items, 2, async (item) => item))).rejects.toThrow('the source broke')
  })
})
