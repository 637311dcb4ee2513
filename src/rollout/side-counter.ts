import { createLatencyBuckets, type LatencyCounter } from './latency-buckets.ts'
import type { Outcome, SizeClass } from './outcome.ts'
import type { LatencyBuckets, SideFigures } from './state.ts'

/** Figures that are added to: once for every file, so plain numbers in a plain object, which costs the least. */
export interface Totals {
  files: number
  failures: number
  bytes: number
}

/** Figures of one side that can be added to. */
export interface SideCounter extends Totals {
  firstSeen: string | null
  lastSeen: string | null
  readonly latency: Record<SizeClass, LatencyCounter | undefined>
}

export function createSideCounter(): SideCounter {
  return {
    files: 0,
    failures: 0,
    bytes: 0,
    firstSeen: null,
    lastSeen: null,
    latency: { '64KiB': undefined, '1MiB': undefined, '16MiB': undefined, larger: undefined },
  }
}

export function createTotals(): Totals {
  return { files: 0, failures: 0, bytes: 0 }
}

export function addToSide(counter: SideCounter, outcome: Outcome): void {
  addToTotals(counter, outcome)
  const { beganAt, durationMs, sizeClass } = outcome
  if (counter.firstSeen === null || beganAt < counter.firstSeen) counter.firstSeen = beganAt
  if (counter.lastSeen === null || beganAt > counter.lastSeen) counter.lastSeen = beganAt
  if (durationMs === undefined) return
  const latency = counter.latency[sizeClass] ?? createLatencyBuckets()
  counter.latency[sizeClass] = latency
  latency.record(durationMs)
}

export function addToTotals(counter: Totals, { isSuccess, bytes }: Outcome): void {
  counter.files += 1
  if (!isSuccess) counter.failures += 1
  counter.bytes += bytes
}

export function sideFiguresOf({ files, failures, bytes, firstSeen, lastSeen, latency }: SideCounter): SideFigures {
  return {
    files,
    failures,
    bytes,
    firstSeen,
    lastSeen,
    latency: latencyByClass((sizeClass) => latency[sizeClass]?.content() ?? []),
  }
}

export function latencyByClass(bucketsOf: (sizeClass: SizeClass) => LatencyBuckets): SideFigures['latency'] {
  return {
    '64KiB': bucketsOf('64KiB'),
    '1MiB': bucketsOf('1MiB'),
    '16MiB': bucketsOf('16MiB'),
    larger: bucketsOf('larger'),
  }
}
