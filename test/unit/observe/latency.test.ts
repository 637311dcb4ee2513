import { describe, expect, it } from 'vitest'
import { createLatencyHistogram } from '../../../src/observe/latency.ts'

/** Random numbers that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

function exact(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

function within(actual: number | undefined, expected: number): void {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(Math.max(0.001, expected * 0.01))
}

const hour = 3_600_000
const shapes: readonly (readonly [string, (random: () => number) => number])[] = [
  ['tenths of a millisecond', (random) => 0.1 + random() * 0.9],
  ['milliseconds', (random) => 20 + random() * 400],
  ['microseconds to ten hours, evenly over the orders of magnitude', (random) => 0.001 * 10 ** (random() * 10.5)],
  ['a long tail', (random) => 100 / (1 - random() * 0.9999)],
  ['two humps', (random) => (random() < 0.97 ? 5 + random() : hour + random() * 1000)],
]

describe('latency histogram', () => {
  it.each(shapes)('is within 1 %% of the sorted list: %s', (_name, shape) => {
    const random = seeded(42)
    const durations = Array.from({ length: 20_000 }, () => shape(random))
    const histogram = createLatencyHistogram()
    for (const ms of durations) histogram.record(ms)
    const sorted = durations.toSorted((a, b) => a - b)
    const summary = histogram.summary()

    expect(histogram.count).toBe(20_000)
    within(summary?.min, sorted[0] ?? Number.NaN)
    within(summary?.mean, durations.reduce((sum, ms) => sum + ms, 0) / durations.length)
    within(summary?.p50, exact(sorted, 50))
    within(summary?.p90, exact(sorted, 90))
    within(summary?.p95, exact(sorted, 95))
    within(summary?.p99, exact(sorted, 99))
    within(summary?.max, sorted.at(-1) ?? Number.NaN)
  })

  it('merges to what one histogram of all would be', () => {
    const random = seeded(7)
    const [all, one, other] = [createLatencyHistogram(), createLatencyHistogram(), createLatencyHistogram()]
    for (let n = 0; n < 5000; n += 1) {
      const ms = random() * 10 ** (random() * 6)
      all.record(ms)
      ;(n % 3 === 0 ? one : other).record(ms)
    }
    const otherBefore = other.summary()
    one.merge(other)
    expect(one.summary()).toEqual({ ...all.summary(), mean: expect.closeTo(all.summary()?.mean ?? 0, 2) })
    expect(one.count).toBe(5000)
    expect(other.summary()).toEqual(otherBefore)
  })

  it('merges what is longer than a day', () => {
    const [one, other] = [createLatencyHistogram(), createLatencyHistogram()]
    other.record(80 * hour)
    one.record(1)
    one.merge(other)
    expect(one.summary()).toMatchObject({ min: 1, max: 80 * hour })
    within(one.summary()?.p99, 80 * hour)
  })

  it('has no summary while it is empty, and none of an empty one merged in', () => {
    const histogram = createLatencyHistogram()
    histogram.merge(createLatencyHistogram())
    expect(histogram.summary()).toBeNull()
  })

  it('does not round a short duration to nothing', () => {
    const histogram = createLatencyHistogram()
    histogram.record(0.3)
    expect(histogram.summary()).toEqual({ min: 0.3, mean: 0.3, p50: 0.3, p90: 0.3, p95: 0.3, p99: 0.3, max: 0.3 })
  })

  it.each([-5, Number.NaN, Number.POSITIVE_INFINITY])('counts %d as 0', (ms) => {
    const histogram = createLatencyHistogram()
    histogram.record(ms)
    expect(histogram.summary()).toMatchObject({ min: 0, max: 0, p50: 0 })
  })
})
