import { describe, expect, it } from 'vitest'
import { createLatencyBuckets, mergedBuckets } from '../../../src/rollout/latency-buckets.ts'
import type { LatencyBuckets } from '../../../src/rollout/state.ts'
import { seededRandom } from '../../support/fake-clock.ts'

const shapes: readonly (readonly [string, (random: () => number) => number])[] = [
  ['tenths of a millisecond', (random) => 0.1 + random() * 0.9],
  ['milliseconds', (random) => 20 + random() * 400],
  ['microseconds to ten hours, evenly over the orders of magnitude', (random) => 0.001 * 10 ** (random() * 10.5)],
  ['a long tail', (random) => 100 / (1 - random() * 0.9999)],
  ['two humps', (random) => (random() < 0.9 ? 5 + random() : 3_600_000 + random() * 1000)],
]

function exact(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

function filled(durations: readonly number[]): ReturnType<typeof createLatencyBuckets> {
  const buckets = createLatencyBuckets()
  for (const ms of durations) buckets.record(ms)
  return buckets
}

describe('latency buckets', () => {
  it.each(shapes)('are within one percent of the sorted list: %s', (_name, shape) => {
    const random = seededRandom(42)
    const durations = Array.from({ length: 20_000 }, () => shape(random))
    const sorted = durations.toSorted((a, b) => a - b)
    const buckets = filled(durations)
    for (const percent of [1, 50, 90, 95, 99, 100]) {
      const wanted = exact(sorted, percent)
      const found = buckets.percentile(percent) ?? Number.NaN
      expect(Math.abs(found - wanted)).toBeLessThanOrEqual(Math.max(0.001, wanted * 0.01))
      const atMost = buckets.percentileAtMost(percent) ?? Number.NaN
      expect(atMost).toBeGreaterThanOrEqual(wanted - 0.0005)
      expect(atMost).toBeLessThanOrEqual(wanted * 1.016 + 0.001)
    }
  })

  it('merge to what one of all would be, and from what is written of them', () => {
    const random = seededRandom(7)
    const durations = Array.from({ length: 5000 }, () => random() * 10 ** (random() * 8))
    const [one, other] = [filled(durations.slice(0, 2000)), filled(durations.slice(2000))]
    one.merge(JSON.parse(JSON.stringify(other.content())) as LatencyBuckets)
    expect(one.content()).toEqual(filled(durations).content())
    expect(one.count).toBe(5000)
    const halves = [durations.slice(0, 2000), durations.slice(2000)].map((half) => filled(half).content())
    expect(mergedBuckets(halves[0] ?? [], halves[1] ?? [])).toEqual(one.content())
    expect(createLatencyBuckets(one.content()).content()).toEqual(one.content())
  })

  it('write the lowest of each bucket in microseconds, with its count, by rising duration', () => {
    expect(filled([100, 0.002, 100.3, 120]).content()).toEqual([
      [2, 1],
      [99_328, 2],
      [119_808, 1],
    ])
  })

  it.each([
    ['nothing', [], [], []],
    ['something and nothing', [[5, 1]], [], [[5, 1]]],
    ['nothing and something', [], [[5, 1]], [[5, 1]]],
    ['the same', [[5, 1]], [[5, 2]], [[5, 3]]],
    [
      'one between others',
      [
        [1, 1],
        [9, 1],
      ],
      [[5, 2]],
      [
        [1, 1],
        [5, 2],
        [9, 1],
      ],
    ],
    [
      'some around one',
      [[5, 1]],
      [
        [1, 2],
        [2, 2],
        [5, 2],
        [8, 2],
        [9, 2],
      ],
      [
        [1, 2],
        [2, 2],
        [5, 3],
        [8, 2],
        [9, 2],
      ],
    ],
  ] as const)('merge %s', (_what, one, other, expected) => {
    expect(mergedBuckets(one, other)).toEqual(expected)
  })

  it('hold what is longer than a day', () => {
    const hours = 80 * 3_600_000
    const [one, other] = [filled([1]), filled([hours])]
    one.merge(other.content())
    expect(one.count).toBe(2)
    expect(Math.abs((one.percentile(99) ?? 0) / hours - 1)).toBeLessThan(0.01)
    expect(filled([Number.POSITIVE_INFINITY]).count).toBe(1)
  })

  it.each([-5, 0, Number.NaN])('count %d as nothing', (ms) => {
    expect(filled([ms]).content()).toEqual([[0, 1]])
  })

  it('have no percentile of nothing', () => {
    const buckets = createLatencyBuckets([])
    expect([buckets.count, buckets.percentile(50), buckets.percentileAtMost(95), buckets.content()]).toEqual([
      0,
      null,
      null,
      [],
    ])
  })

  it('are few', () => {
    const random = seededRandom(3)
    const orders = Array.from({ length: 50_000 }, () => 10 ** (random() * 5))
    expect(filled(orders).content().length).toBeLessThan(1100)
  })
})
