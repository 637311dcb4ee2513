import type { TimeoutSettings } from '../../config/settings.ts'
import type { RequestTimeouts } from '../../destinations/destination.ts'
import type { Listener } from '../../observe/events.ts'
import { formatRate, formatSize } from '../../observe/format.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** What every request has, however small, in milliseconds: a server may well be busy for some seconds. */
const leastMs = 30_000
const mostMs = 24 * 3_600_000
/** So many times longer than predicted is still no failure: others share the line, and more of them all the time. */
const margin = 4
/** Throughput of one request, in bytes a second: taken while none was measured, and the least that is reckoned with. */
const coldRate = 64 * KiB
const leastRate = 10 * KiB
/** Bytes; the time of a smaller request says nothing of the throughput. */
const tellingSize = 64 * KiB
/** The most that small requests can make of the fixed part, so that a server that drips its answers ends somewhere. */
const mostFixedMs = 60_000
/** Bytes a server stores in a second, at the least, before it answers. */
const storingRate = 20_000_000
/** Bytes that the kernel may still hold when it has taken the last of a body. */
const kernelBuffer = MiB

export interface Forecast {
  /** Bytes of the body. */
  readonly size: number
  /** Throughput of one request, in bytes a second; undefined while none was measured. */
  readonly bytesPerSecond: number | undefined
  /** What a request takes beside its bytes, in milliseconds. */
  readonly fixedMs?: number
  /** Bytes a second that a request may send at all, where the user limits the rate. */
  readonly mostBytesPerSecond?: number
}

/**
 * Milliseconds a request may take from its first byte to the end of its answer:
 *
 *     30 s + 4 × (fixed + size / throughput), 24 h at most
 *
 * The throughput is 64 KiB/s while none was measured, never less than 10 KiB/s, and never more than the user's limit.
 */
export function predictTimeoutMs({ size, bytesPerSecond, fixedMs = 0, mostBytesPerSecond }: Forecast): number {
  const measured = Math.max(leastRate, bytesPerSecond ?? coldRate)
  const rate = Math.min(measured, mostBytesPerSecond ?? Number.POSITIVE_INFINITY)
  return Math.min(mostMs, leastMs + margin * (fixedMs + (size / rate) * 1000))
}

/**
 * Milliseconds from the last byte of a body to the first of its answer:
 *
 *     30 s + size / 20 MB/s + 4 × min(size, 1 MiB) / throughput, 24 h at most, and no less than the limit for silence
 *
 * The second term is for the server, which has to store the bytes; the third is for those that the kernel took but has
 * not sent: on a slow line they take longer than any server.
 */
export function predictAnswerMs({ size, bytesPerSecond }: Forecast, stallMs: number): number {
  const rate = Math.max(leastRate, bytesPerSecond ?? coldRate)
  const unsent = Math.min(size, kernelBuffer) / rate
  const ms = leastMs + (size / storingRate + margin * unsent) * 1000
  return Math.max(stallMs, Math.min(mostMs, ms))
}

export interface TimeoutSurroundings {
  /** Requests in flight, at the most. */
  readonly requests: number
  /** Bytes a second for the whole run; undefined: no limit. */
  readonly limitRate: number | undefined
  /** Bytes; the request whose limit is told under `-v`. */
  readonly partSize: number
  readonly emit: Listener
}

/** A request that was more times faster than those before it counts as so much faster only. */
const mostRise = 10

/** A limit that became so many times longer or shorter is worth a line, but not more often than this in a run. */
const notableChange = 2
const mostNotices = 5

/**
 * Limits that follow what requests really take. One number for all of them, and a cautious one: the throughput falls
 * quickly and rises slowly, and begins with that of a poor line. It is the throughput of one request among all that
 * are in flight, so it needs not know how many these are.
 */
export function createTimeouts(
  { requestMs, stallMs }: TimeoutSettings,
  { requests, limitRate, partSize, emit }: TimeoutSurroundings,
): RequestTimeouts {
  const mostBytesPerSecond = limitRate === undefined ? Number.POSITIVE_INFINITY : limitRate / requests
  let bytesPerSecond: number | undefined
  let fixedMs = 0
  let noticesLeft = requestMs === 'auto' ? mostNotices : 0

  const forecast = (size: number): Forecast => ({ size, bytesPerSecond, fixedMs, mostBytesPerSecond })
  const limitMs = (size: number): number => (requestMs === 'auto' ? predictTimeoutMs(forecast(size)) : requestMs)
  let toldMs = limitMs(partSize)

  const tellChange = (): void => {
    if (noticesLeft === 0 || bytesPerSecond === undefined) return
    const ms = limitMs(partSize)
    if (ms < toldMs * notableChange && ms * notableChange > toldMs) return
    toldMs = ms
    noticesLeft -= 1
    const measured = formatRate(bytesPerSecond)
    emit({
      type: 'notice',
      message: `timeout of a request of ${partText(partSize)}: ${inSeconds(ms)} (measured ${measured})`,
    })
  }

  return {
    limitMs,
    answerLimitMs: (size) => predictAnswerMs(forecast(size), stallMs),
    succeeded(size, durationMs) {
      if (size < tellingSize) {
        const sample = Math.min(durationMs, mostFixedMs)
        fixedMs = towards(fixedMs, sample, sample > fixedMs ? 0.5 : 0.05)
        return
      }
      // Half at least is the bytes' own time: a fixed part that is out of date must not make a line look endless.
      const movingMs = Math.max(1, durationMs - Math.min(fixedMs, durationMs / 2))
      const before = bytesPerSecond ?? coldRate
      // One request that found the line empty must not count for hundreds.
      const sample = Math.min((size * 1000) / movingMs, before * mostRise)
      bytesPerSecond = towards(before, sample, sample < before ? 0.5 : 0.1)
      tellChange()
    },
    overdue(size, durationMs) {
      if (size < tellingSize) return
      bytesPerSecond = Math.max(leastRate, Math.min(bytesPerSecond ?? coldRate, (size * 1000) / durationMs))
      tellChange()
    },
  }
}

function towards(before: number, sample: number, share: number): number {
  return before + share * (sample - before)
}

/** A part's size is given in whole MiB, as a rule. */
function partText(size: number): string {
  return size % MiB === 0 ? `${size / MiB} MiB` : formatSize(size)
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
