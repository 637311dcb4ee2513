import { createLatencyBuckets, type LatencyCounter, mergedBuckets } from './latency-buckets.ts'
import { type SizeClass, sizeClasses } from './outcome.ts'
import { latencyByClass } from './side-counter.ts'
import { successRateOf } from './stage-figures.ts'
import type { ChangeFigures, HourSide, SideFigures } from './state.ts'

/** What was counted here and there, as if it had been counted in one place. */
export function sumOf(one: SideFigures, other: SideFigures): SideFigures {
  return {
    ...sumOfHours(one, other),
    firstSeen: earlier(one.firstSeen, other.firstSeen),
    lastSeen: later(one.lastSeen, other.lastSeen),
    latency: latencyByClass((sizeClass) => mergedBuckets(one.latency[sizeClass], other.latency[sizeClass])),
  }
}

export function sumOfHours(one: HourSide, other: HourSide): HourSide {
  return {
    files: one.files + other.files,
    failures: one.failures + other.failures,
    bytes: one.bytes + other.bytes,
  }
}

/** How long files took that arrived, of one size class or of all. */
export function latencyOf(figures: readonly SideFigures[], sizeClass?: SizeClass): LatencyCounter {
  const counter = createLatencyBuckets()
  const classes = sizeClass === undefined ? sizeClasses : [sizeClass]
  for (const { latency } of figures) for (const each of classes) counter.merge(latency[each])
  return counter
}

/** As a change of the rollout records them. */
export function changeFigures(figures: SideFigures): ChangeFigures {
  const latency = latencyOf([figures])
  return {
    files: figures.files,
    failures: figures.failures,
    successRate: successRateOf(figures),
    p50Ms: latency.percentile(50),
    p95Ms: latency.percentile(95),
  }
}

// Times of one form, all of them UTC: their order is that of their letters.
function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one > other ? one : other
}
