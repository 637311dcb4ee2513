// The module's own path: the package's entry brings its WebAssembly and its log formats along, six times as much code.
import int32Histogram from 'hdr-histogram-js/dist/Int32Histogram.js'
import type { LatencyBuckets } from './state.ts'

// Node and bundlers wrap a CommonJS module's default export once more, vitest's loader does not.
const Int32Histogram = (int32Histogram.default ?? int32Histogram) as typeof int32Histogram.default

/** How long files took, in as few buckets as give each figure within 1 %: 8 kB, however many files there were. */
export interface LatencyCounter {
  /** How many durations are in it. */
  readonly count: number
  /** Adds one duration, in milliseconds with any fraction. */
  record(ms: number): void
  /** Adds everything of a histogram as the state has it. */
  merge(other: LatencyBuckets): void
  /** Milliseconds, within 1 %; null where nothing has been recorded. */
  percentile(percent: number): number | null
  /** The most that {@link percentile} can be in truth: the end of its bucket. */
  percentileAtMost(percent: number): number | null
  /** As the state has it. */
  content(): LatencyBuckets
}

const dayInMicroseconds = 86_400_000_000

/** Of each power of two. The middle of such a bucket is at most 0.8 % off. */
const bucketsPerDoubling = 64

/** Two histograms as one. Costs as much as they have buckets, without any histogram being made. */
export function mergedBuckets(one: LatencyBuckets, other: LatencyBuckets): LatencyBuckets {
  if (one.length === 0) return other
  const merged: [number, number][] = []
  let next = 0
  for (const [lowestMicroseconds, count] of one) {
    for (let bucket = other[next]; bucket !== undefined && bucket[0] < lowestMicroseconds; bucket = other[next]) {
      merged.push([bucket[0], bucket[1]])
      next += 1
    }
    const same = other[next]
    if (same?.[0] === lowestMicroseconds) next += 1
    merged.push([lowestMicroseconds, same?.[0] === lowestMicroseconds ? count + same[1] : count])
  }
  for (const [lowestMicroseconds, count] of other.slice(next)) merged.push([lowestMicroseconds, count])
  return merged
}

export function createLatencyBuckets(from: LatencyBuckets = []): LatencyCounter {
  // It takes digits, which need not be whole: 100 buckets to the doubling, for two digits, would be rounded up to 128.
  const histogram = new Int32Histogram(1, dayInMicroseconds, Math.log10(bucketsPerDoubling))
  histogram.autoResize = true

  const merge = (other: LatencyBuckets): void => {
    for (const [lowestMicroseconds, count] of other) histogram.recordValueWithCount(lowestMicroseconds, count)
  }
  merge(from)

  const atPercentile = (percent: number, value: (inBucket: number) => number): number | null =>
    histogram.totalCount === 0 ? null : value(histogram.getValueAtPercentile(percent)) / 1000

  return {
    get count() {
      return histogram.totalCount
    },
    record(ms) {
      histogram.recordValue(ms > 0 ? Math.min(Math.round(ms * 1000), Number.MAX_SAFE_INTEGER) : 0)
    },
    merge,
    percentile: (percent) => atPercentile(percent, (inBucket) => histogram.medianEquivalentValue(inBucket)),
    percentileAtMost: (percent) => atPercentile(percent, (inBucket) => inBucket),
    content() {
      const buckets: [number, number][] = []
      for (let index = 0; index < histogram.countsArrayLength; index += 1) {
        const count = histogram.getCountAtIndex(index)
        if (count > 0) buckets.push([histogram.valueFromIndex(index), count])
      }
      return buckets
    },
  }
}
