import type { ErrorCode } from '../../../src/errors.ts'
import type { WatchClock } from '../../../src/observe/clock.ts'
import type { FileEnded, FileStarted, RunEnded, RunStarted } from '../../../src/observe/events.ts'
import type { FallbackRecord, FileRecord, RunRecord, SummaryRecord } from '../../../src/observe/records.ts'

/** Events and records with all that a test does not care about filled in. */

export function runRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    type: 'run',
    version: '0.1.0',
    runId: '20261122T073812Z-7f3a',
    invocation: 1,
    startedAt: '2026-11-22T07:38:12.000Z',
    cwd: '/home/ada',
    to: 's3://recordings/2026/',
    argv: ['./audio'],
    config: {},
    host: 'ada',
    node: 'v20.18.1',
    pid: 4711,
    ...changes,
  }
}

export function runStarted(changes: Partial<RunStarted> = {}): RunStarted {
  return { type: 'run', run: runRecord(), journal: '/state/run.jsonl', ...changes }
}

export function fileStarted(index: number, changes: Partial<FileStarted> = {}): FileStarted {
  const name = `take-${String(index).padStart(4, '0')}.wav`
  return {
    type: 'file-started',
    index,
    path: `./audio/${name}`,
    key: `2026/${name}`,
    size: 81_200_000,
    parts: 1,
    ...changes,
  }
}

export function fileRecord(changes: Partial<FileRecord> = {}): FileRecord {
  return {
    type: 'file',
    path: './audio/take-0001.wav',
    source: 'take-0001.wav',
    key: '2026/take-0001.wav',
    destination: 's3://recordings/2026/',
    size: 81_200_000,
    mtime: '2026-11-01T10:00:00.000Z',
    status: 'uploaded',
    attempts: 1,
    startedAt: '2026-11-22T07:38:13.000Z',
    durationMs: 1980.5,
    bytesSent: 81_200_000,
    bytesPerSecond: 41_000_000,
    parts: 1,
    engine: 'standard',
    contentType: 'audio/wav',
    ...changes,
  }
}

/** How a file failed on the candidate of a rollout. */
export function fallbackRecord(changes: Partial<FallbackRecord> = {}): FallbackRecord {
  return {
    engine: 'fast',
    destination: 's3://candidate/',
    attempts: 3,
    durationMs: 812.5,
    error: { code: 'SERVER_ERROR', message: 'the server answered 500', status: 500, retryable: true },
    ...changes,
  }
}

export function fileEnded(index: number, changes: Partial<FileRecord> = {}): FileEnded {
  const { path, key } = fileStarted(index)
  return { type: 'file', index, file: fileRecord({ path, key, ...changes }) }
}

export function failed(
  index: number,
  code: ErrorCode = 'SERVER_ERROR',
  message = 'the server answered 500',
): FileEnded {
  return fileEnded(index, { status: 'failed', bytesSent: 0, error: { code, message, retryable: true } })
}

export function summaryRecord(changes: Partial<SummaryRecord> = {}): SummaryRecord {
  return {
    type: 'summary',
    exitCode: 1,
    outcome: 'partial',
    files: 214,
    uploaded: 213,
    skipped: 0,
    failed: 1,
    cancelled: 0,
    successRate: 213 / 214,
    errorRate: 1 / 214,
    bytes: 3_200_000_000,
    bytesSent: 3_200_000_000,
    durationMs: 10_400,
    bytesPerSecond: 308_000_000,
    filesPerSecond: 20.48,
    latencyMs: { min: 90, mean: 300, p50: 212, p90: 800, p95: 1400, p99: 6100, max: 9800 },
    retries: 4,
    throttled: 0,
    timeouts: 0,
    timeoutRate: 0,
    junkSkipped: 0,
    byErrorCode: { SOURCE_UNREADABLE: 1 },
    byDestination: {
      's3://recordings/2026/': { uploaded: 213, skipped: 0, failed: 1, cancelled: 0, bytes: 3_200_000_000 },
    },
    byEngine: { standard: { uploaded: 213, skipped: 0, failed: 1, cancelled: 0, bytes: 3_200_000_000 } },
    eventLoopDelayMs: { p99: 11, max: 20 },
    peakRssBytes: 90_000_000,
    ...changes,
  }
}

export function runEnded(changes: Partial<RunEnded> = {}): RunEnded {
  return { type: 'summary', summary: summaryRecord(), reports: [], failures: [], ...changes }
}

/** A clock that stands still until it is told to go on. */
export function createFakeClock(start = Date.parse('2026-11-22T07:38:12.000Z')) {
  let now = start
  const timers = new Set<{ ms: number; due: number; action: () => void }>()
  const clock: WatchClock = {
    now: () => now,
    every(ms, action) {
      const timer = { ms, due: now + ms, action }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  return {
    ...clock,
    get timers() {
      return timers.size
    },
    advance(ms: number) {
      const end = now + ms
      for (;;) {
        const next = [...timers].sort((a, b) => a.due - b.due)[0]
        if (next === undefined || next.due > end) break
        now = next.due
        next.due += next.ms
        next.action()
      }
      now = end
    },
  }
}
