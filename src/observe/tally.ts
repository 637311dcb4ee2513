import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { EngineName } from '../destinations/destination.ts'
import type { ErrorCode } from '../errors.ts'
import type { FailureSample, FileEnded, FileUndone, UploadEvent } from './events.ts'
import { createLatencyHistogram } from './latency.ts'
import type { FileRecord, StatusCounts, SummaryRecord } from './records.ts'
import { createRolloutTally } from './rollout-tally.ts'

/** Failures of each code that are kept to be shown. */
const samplesKept = 10
/** How often the event loop is looked at, in milliseconds. */
const loopResolutionMs = 10
const timeoutCodes: readonly ErrorCode[] = ['TIMEOUT', 'STALLED']

/** Adds up a run as it goes, in memory that does not grow with the number of files. */
export interface Tally {
  see(event: UploadEvent): void
  readonly counts: Readonly<Counts>
  /** Files whose fate is known. */
  readonly listed: number
  readonly failures: readonly FailureSample[]
  finish(end: TallyEnd): SummaryRecord
  /** Stops measuring, where the run ended without a summary. */
  stop(): void
}

export interface TallyEnd {
  readonly exitCode: number
  /** Files of the plan; those that were never listed count as cancelled. */
  readonly files: number
  readonly junkSkipped: number
  readonly durationMs: number
  /** The name of the rollout that the run takes part in. */
  readonly rollout?: string | undefined
}

type Counts = { -readonly [K in keyof StatusCounts]: StatusCounts[K] }

export function createTally(): Tally {
  const counts = noCounts()
  const byErrorCode: Partial<Record<ErrorCode, number>> = {}
  const byDestination: Record<string, Counts> = {}
  const byEngine: Partial<Record<EngineName, Counts>> = {}
  const samples = new Map<ErrorCode, FailureSample[]>()
  const latency = createLatencyHistogram()
  const sides = createRolloutTally()
  const loopDelay = monitorEventLoopDelay({ resolution: loopResolutionMs })
  loopDelay.enable()
  let bytesSent = 0
  let requests = 0
  let retries = 0
  let throttled = 0
  let timeouts = 0
  let unfinishedUploads = 0
  let undone = 0

  const count = (counted: Counts, file: FileRecord): void => {
    if (file.status === 'uploaded') counted.bytes += file.size ?? 0
    if (file.status !== 'undone') counted[file.status] += 1
  }
  const seeTrouble = (code: ErrorCode): void => {
    if (code === 'THROTTLED') throttled += 1
    if (timeoutCodes.includes(code)) timeouts += 1
  }
  const seeFile = ({ file, stopsRun, keepsUpload }: FileEnded): void => {
    if (keepsUpload) unfinishedUploads += 1
    count(counts, file)
    byDestination[file.destination] ??= noCounts()
    count(byDestination[file.destination] as Counts, file)
    byEngine[file.engine] ??= noCounts()
    count(byEngine[file.engine] as Counts, file)
    bytesSent += file.bytesSent
    // An attempt at a whole file begins with all its parts; what goes again after that goes alone.
    if (file.attempts > 0) requests += file.attempts + Math.max(0, file.parts - 1)
    if (file.status === 'uploaded' && file.durationMs !== null) latency.record(file.durationMs)
    if (file.side !== undefined || file.fallback !== undefined) sides.see(file)
    if (file.fallback !== undefined && file.fallback.attempts > 0) seeTrouble(file.fallback.error.code)
    if (file.status !== 'failed' || file.error === undefined) return
    const { code, message } = file.error
    seeTrouble(code)
    byErrorCode[code] = (byErrorCode[code] ?? 0) + 1
    if (stopsRun) return
    const kept = samples.get(code) ?? []
    if (kept.length < samplesKept) samples.set(code, [...kept, { code, path: file.path, message }])
  }

  const seeUndone = ({ file, was }: FileUndone): void => {
    undone += 1
    for (const counted of [counts, byDestination[file.destination], byEngine[file.engine]]) {
      // A continued run takes back what earlier invocations sent, too, files that this one did not list among it.
      if (counted === undefined || counted[was] === 0) continue
      counted[was] -= 1
      if (was === 'uploaded') counted.bytes -= file.size ?? 0
    }
  }

  return {
    counts,
    see(event) {
      if (event.type === 'file') seeFile(event)
      if (event.type === 'undone') seeUndone(event)
      if (event.type === 'uploads-aborted') unfinishedUploads = Math.max(0, unfinishedUploads - event.count)
      if (event.type === 'file-retry' || event.type === 'file-deferred') {
        retries += 1
        seeTrouble(event.code)
      }
    },
    get listed() {
      return counts.uploaded + counts.skipped + counts.failed + counts.cancelled
    },
    get failures() {
      return [...samples.values()].flat()
    },
    finish({ exitCode, files, junkSkipped, durationMs, rollout }) {
      const attempted = counts.uploaded + counts.failed
      const listed = attempted + counts.skipped + counts.cancelled + undone
      const seconds = durationMs / 1000
      const perSecond = (amount: number): number => (seconds > 0 ? Math.round((amount / seconds) * 100) / 100 : 0)
      return {
        type: 'summary',
        exitCode,
        outcome: exitCode === 0 ? 'success' : counts.uploaded > 0 ? 'partial' : 'failure',
        // A directory may have grown since it was first looked at.
        files: Math.max(files, listed),
        uploaded: counts.uploaded,
        skipped: counts.skipped,
        failed: counts.failed,
        cancelled: counts.cancelled + Math.max(0, files - listed),
        undone: undone === 0 ? undefined : undone,
        unfinishedUploads: unfinishedUploads === 0 ? undefined : unfinishedUploads,
        successRate: attempted === 0 ? null : counts.uploaded / attempted,
        errorRate: attempted === 0 ? null : counts.failed / attempted,
        bytes: counts.bytes,
        bytesSent,
        durationMs: Math.round(durationMs),
        bytesPerSecond: Math.round(perSecond(counts.bytes)),
        filesPerSecond: perSecond(counts.uploaded),
        latencyMs: latency.summary(),
        retries,
        throttled,
        timeouts,
        timeoutRate: requests === 0 ? null : timeouts / requests,
        junkSkipped,
        byErrorCode,
        byDestination,
        byEngine,
        rollout: rollout === undefined ? undefined : sides.summary(rollout),
        eventLoopDelayMs: { p99: delayMs(loopDelay.percentile(99)), max: delayMs(loopDelay.max) },
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
      }
    },
    stop: () => void loopDelay.disable(),
  }
}

function noCounts(): Counts {
  return { uploaded: 0, skipped: 0, failed: 0, cancelled: 0, bytes: 0 }
}

/** The monitor counts nanoseconds, the interval at which it looks included. */
function delayMs(nanoseconds: number): number {
  const ms = nanoseconds / 1_000_000 - loopResolutionMs
  return Math.round(Math.max(0, ms || 0) * 100) / 100
}
