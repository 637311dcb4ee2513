// The module's own path: the package's entry brings its WebAssembly and its log formats along, six times as much code.
import int32Histogram from 'hdr-histogram-js/dist/Int32Histogram.js'
import type { LatencySummary } from './records.ts'

// Node and bundlers wrap a CommonJS module's default export once more, vitest's loader does not.
const Int32Histogram = (int32Histogram.default ?? int32Histogram) as typeof int32Histogram.default

/** How long files took: any number of them in constant memory (about 130 kB), each figure within 0.1 %. */
export interface LatencyHistogram {
  /** How many durations are in it. */
  readonly count: number
  /** Adds one duration, in milliseconds with any fraction; what is below 0 or no number counts as 0. */
  record(ms: number): void
  /** Adds everything `other` holds, which stays as it is. */
  merge(other: LatencyHistogram): void
  /** Milliseconds, to the microsecond; null where nothing has been recorded. */
  summary(): LatencySummary | null
  /** What {@link merge} reads of another histogram. */
  readonly content: LatencyContent
}

/** Exact where that costs nothing; the buckets hold microseconds. */
interface LatencyContent {
  readonly buckets: InstanceType<typeof Int32Histogram>
  sumMs: number
  minMs: number
  maxMs: number
}

const dayInMicroseconds = 86_400_000_000
const significantDigits = 3

export function createLatencyHistogram(): LatencyHistogram {
  const buckets = new Int32Histogram(1, dayInMicroseconds, significantDigits)
  buckets.autoResize = true
  const content: LatencyContent = { buckets, sumMs: 0, minMs: Number.POSITIVE_INFINITY, maxMs: 0 }

  const percentile = (percent: number): number => {
    // A bucket answers with its upper edge, which may lie beyond every value in it.
    const ms = buckets.getValueAtPercentile(percent) / 1000
    return toMicroseconds(Math.min(Math.max(ms, content.minMs), content.maxMs))
  }

  return {
    content,
    get count() {
      return buckets.totalCount
    },
    record(ms) {
      const duration = ms > 0 && Number.isFinite(ms) ? ms : 0
      buckets.recordValue(Math.round(duration * 1000))
      content.sumMs += duration
      content.minMs = Math.min(content.minMs, duration)
      content.maxMs = Math.max(content.maxMs, duration)
    },
    merge(other) {
      buckets.add(other.content.buckets)
      content.sumMs += other.content.sumMs
      content.minMs = Math.min(content.minMs, other.content.minMs)
      content.maxMs = Math.max(content.maxMs, other.content.maxMs)
    },
    summary() {
      const count = buckets.totalCount
      if (count === 0) return null
      return {
        min: toMicroseconds(content.minMs),
        mean: toMicroseconds(content.sumMs / count),
        p50: percentile(50),
        p90: percentile(90),
        p95: percentile(95),
        p99: percentile(99),
        max: toMicroseconds(content.maxMs),
      }
    },
  }
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
