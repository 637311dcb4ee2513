import { afterEach, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/errors.ts'
import type { UploadEvent } from '../../../src/observe/events.ts'
import type { FileRecord } from '../../../src/observe/records.ts'
import { createTally, type Tally, type TallyEnd } from '../../../src/observe/tally.ts'
import { fallbackRecord } from './events.ts'

const running: Tally[] = []
afterEach(() => {
  for (const tally of running.splice(0)) tally.stop()
})

function file(over: Partial<FileRecord> = {}): UploadEvent {
  const record: FileRecord = {
    type: 'file',
    path: 'a.wav',
    source: 'a.wav',
    key: 'a.wav',
    destination: 's3://b/',
    size: 100,
    mtime: null,
    status: 'uploaded',
    attempts: 1,
    startedAt: null,
    durationMs: 10,
    bytesSent: 100,
    bytesPerSecond: null,
    parts: 1,
    engine: 'standard',
    contentType: 'audio/wav',
    ...over,
  }
  return { type: 'file', index: 1, file: record }
}

function failed(code: ErrorCode, over: Partial<FileRecord> = {}): UploadEvent {
  return file({ status: 'failed', error: { code, message: `${code}!`, retryable: false }, ...over })
}

const retried = (code: ErrorCode): UploadEvent => ({
  type: 'file-retry',
  index: 1,
  path: 'a',
  attempt: 1,
  code,
  message: '',
  delayMs: 1,
})
const deferred = (code: ErrorCode): UploadEvent => ({ type: 'file-deferred', index: 1, path: 'a', code, message: '' })

function tallyOf(...events: readonly UploadEvent[]): Tally {
  const tally = createTally()
  running.push(tally)
  for (const event of events) tally.see(event)
  return tally
}

const end: TallyEnd = { exitCode: 0, files: 0, junkSkipped: 0, durationMs: 2000 }

describe('createTally', () => {
  it('counts the half-sent uploads that are kept, and says nothing where there are none', () => {
    const kept = { ...failed('TIMEOUT'), keepsUpload: true } as UploadEvent
    expect(tallyOf(file(), kept, kept).finish(end).unfinishedUploads).toBe(2)
    expect(tallyOf(file(), failed('TIMEOUT')).finish(end)).not.toHaveProperty('unfinishedUploads', expect.anything())
  })

  it('has nothing to say of nothing', () => {
    const tally = tallyOf()
    expect(tally.finish(end)).toMatchObject({
      type: 'summary',
      exitCode: 0,
      outcome: 'success',
      files: 0,
      successRate: null,
      errorRate: null,
      timeoutRate: null,
      latencyMs: null,
      bytes: 0,
      bytesPerSecond: 0,
      byErrorCode: {},
      byDestination: {},
      byEngine: {},
    })
    expect([tally.failures, tally.listed]).toEqual([[], 0])
  })

  it('adds up', () => {
    const tally = tallyOf(
      file({ durationMs: 10 }),
      file({ durationMs: 30, bytesSent: 250, attempts: 3 }),
      file({ size: null, destination: 'file:./x/', engine: 'fast', durationMs: null, bytesSent: 0 }),
      failed('TOO_LARGE', { bytesSent: 50, durationMs: 99_000 }),
      file({ status: 'skipped', durationMs: null, bytesSent: 0, attempts: 0 }),
      file({
        status: 'cancelled',
        durationMs: 5,
        bytesSent: 0,
        attempts: 0,
        error: { code: 'CANCELLED', message: '', retryable: true },
      }),
    )
    expect(tally.listed).toBe(6)
    expect(tally.counts).toEqual({ uploaded: 3, skipped: 1, failed: 1, cancelled: 1, bytes: 200 })
    const summary = tally.finish({ exitCode: 1, files: 8, junkSkipped: 2, durationMs: 2000.4 })
    expect(summary).toMatchObject({
      exitCode: 1,
      outcome: 'partial',
      files: 8,
      uploaded: 3,
      skipped: 1,
      failed: 1,
      // One was listed, two never were.
      cancelled: 3,
      successRate: 0.75,
      errorRate: 0.25,
      bytes: 200,
      bytesSent: 400,
      durationMs: 2000,
      // Of what has arrived, not of what was sent.
      bytesPerSecond: 100,
      filesPerSecond: 1.5,
      latencyMs: { min: 10, max: 30, mean: 20 },
      junkSkipped: 2,
      byErrorCode: { TOO_LARGE: 1 },
      byDestination: {
        's3://b/': { uploaded: 2, skipped: 1, failed: 1, cancelled: 1, bytes: 200 },
        'file:./x/': { uploaded: 1, skipped: 0, failed: 0, cancelled: 0, bytes: 0 },
      },
      byEngine: { standard: { uploaded: 2 }, fast: { uploaded: 1 } },
    })
    expect(summary.peakRssBytes).toBeGreaterThan(10 * 2 ** 20)
  })

  it('counts files that were found only when their turn came', () => {
    expect(tallyOf(file(), file(), file()).finish({ ...end, files: 2 })).toMatchObject({ files: 3, cancelled: 0 })
  })

  it('has no rates where no time went by', () => {
    expect(tallyOf(file()).finish({ ...end, durationMs: 0 })).toMatchObject({ bytesPerSecond: 0, filesPerSecond: 0 })
  })

  it.each([
    ['success', 0, [file()]],
    ['success', 0, []],
    ['partial', 1, [file(), failed('TIMEOUT')]],
    ['failure', 1, [failed('TIMEOUT')]],
    ['partial', 130, [file()]],
    ['failure', 3, []],
  ] as const)('is a %s with exit code %i', (outcome, exitCode, events) => {
    expect(tallyOf(...events).finish({ ...end, exitCode })).toMatchObject({ exitCode, outcome })
  })

  it('counts each attempt that was throttled or took too long, once', () => {
    const tally = tallyOf(
      retried('THROTTLED'),
      retried('TIMEOUT'),
      deferred('STALLED'),
      retried('CONNECTION'),
      failed('THROTTLED', { attempts: 5 }),
      failed('STALLED', { attempts: 5 }),
    )
    expect(tally.finish(end)).toMatchObject({ retries: 4, throttled: 2, timeouts: 3, timeoutRate: 0.3 })
  })

  it('tells which share of the requests took too long: parts are requests too', () => {
    const tally = tallyOf(retried('STALLED'), file({ attempts: 2, parts: 9 }), file({ status: 'skipped', attempts: 0 }))
    expect(tally.finish(end)).toMatchObject({ timeouts: 1, timeoutRate: 0.1 })
  })

  it('does not take a file that failed without a reason for one of any code', () => {
    const tally = tallyOf(file({ status: 'failed' }))
    expect(tally.finish(end)).toMatchObject({ failed: 1, byErrorCode: {} })
    expect(tally.failures).toEqual([])
  })

  it('keeps ten failures of each code to be shown', () => {
    const many = Array.from({ length: 50 }, (_, n) => failed(n % 2 ? 'TIMEOUT' : 'KEY_INVALID', { path: `${n}` }))
    const tally = tallyOf(...many)
    expect(tally.failures).toHaveLength(20)
    expect(tally.failures.filter(({ code }) => code === 'TIMEOUT').map(({ path }) => path)).toEqual(
      Array.from({ length: 10 }, (_, n) => `${2 * n + 1}`),
    )
    expect(tally.failures[0]).toEqual({ code: 'KEY_INVALID', path: '0', message: 'KEY_INVALID!' })
    expect(tally.finish(end).byErrorCode).toEqual({ TIMEOUT: 25, KEY_INVALID: 25 })
  })

  it('passes over what it has no use for', () => {
    const tally = tallyOf({ type: 'warning', message: 'x' }, { type: 'totals', files: 1, bytes: 1, complete: true })
    expect([tally.listed, tally.finish(end).retries]).toEqual([0, 0])
  })

  it('tells how long the event loop was held up', async () => {
    const tally = tallyOf()
    const delays = () => tally.finish(end).eventLoopDelayMs
    const turnsUntil = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    // The monitor looks every 10 ms; what it tells of begins with its first look, and is told from its second on.
    await turnsUntil(() => delays().max > 0)
    const before = delays().max
    const heldMs = before + 120
    const until = performance.now() + heldMs
    while (performance.now() < until);
    await turnsUntil(() => delays().max > before)
    const { p99, max } = delays()
    expect(max).toBeGreaterThan(heldMs - 40)
    expect(p99).toBeLessThanOrEqual(max)
  })
})

describe('files that are taken back', () => {
  const undone = (was: 'uploaded' | 'skipped', over: Partial<FileRecord> = {}): UploadEvent => {
    const event = file({ status: 'undone', ...over })
    return { type: 'undone', was, file: (event as Extract<UploadEvent, { type: 'file' }>).file }
  }

  it('no longer count as what they were, and once', () => {
    const tally = createTally()
    running.push(tally)
    for (const event of [file(), file(), file({ status: 'skipped' }), failed('CONNECTION')]) tally.see(event)
    for (const event of [undone('uploaded'), undone('uploaded'), undone('skipped')]) tally.see(event)
    // Sent by an earlier invocation, from sources that this one does not have.
    for (const destination of ['s3://b/', 's3://other/']) tally.see(undone('skipped', { destination }))
    const summary = tally.finish({ exitCode: 1, files: 4, junkSkipped: 0, durationMs: 1000 })
    expect(summary).toMatchObject({ uploaded: 0, skipped: 0, failed: 1, undone: 5, bytes: 0, cancelled: 0 })
    expect(summary.byDestination['s3://b/']).toEqual({ uploaded: 0, skipped: 0, failed: 1, cancelled: 0, bytes: 0 })
    expect(summary.byEngine.standard).toMatchObject({ uploaded: 0, bytes: 0 })
    expect(summary).toMatchObject({ bytesSent: 400, outcome: 'failure' })
  })

  it('take their half-sent uploads with them', () => {
    const tally = createTally()
    running.push(tally)
    const cut = failed('CONNECTION') as Extract<UploadEvent, { type: 'file' }>
    for (let n = 0; n < 3; n += 1) tally.see({ ...cut, keepsUpload: true })
    tally.see({ type: 'uploads-aborted', count: 2 })
    const end: TallyEnd = { exitCode: 1, files: 3, junkSkipped: 0, durationMs: 1000 }
    expect(tally.finish(end).unfinishedUploads).toBe(1)
    tally.see({ type: 'uploads-aborted', count: 2 })
    expect(tally.finish(end).unfinishedUploads).toBeUndefined()
  })
})

describe('the two sides of a rollout', () => {
  const fallback = fallbackRecord({ destination: 's3://c/' })
  const candidate = { stage: 10, side: 'candidate', startedAt: '2026-11-22T07:38:13.000Z' } as const
  const baseline = { ...candidate, side: 'baseline' } as const
  const rolledOut: TallyEnd = { ...end, rollout: 'nightly' }

  it('are counted as the rollout counts them, and files that fell back', () => {
    const tally = tallyOf(
      file({ ...candidate, destination: 's3://c/', engine: 'fast' }),
      file({ ...candidate, destination: 's3://c/', engine: 'fast' }),
      // For the user it is uploaded, and it is where it went at last.
      file({ ...candidate, fallback }),
      failed('CONNECTION', { ...candidate }),
      file(baseline),
      failed('TIMEOUT', { ...baseline }),
      // These say nothing of either side.
      failed('SOURCE_CHANGED', { ...candidate }),
      failed('CONNECTION', { ...candidate, attempts: 0 }),
      file({ status: 'skipped', ...candidate }),
      file(),
    )
    const summary = tally.finish(rolledOut)
    expect(summary.rollout).toEqual({
      name: 'nightly',
      candidate: { succeeded: 2, failed: 2 },
      baseline: { succeeded: 1, failed: 1 },
      fellBack: 1,
    })
    expect(summary).toMatchObject({ uploaded: 5, failed: 4, skipped: 1 })
    expect(summary.byDestination['s3://c/']).toMatchObject({ uploaded: 2, failed: 0 })
    expect(summary.byEngine).toMatchObject({ fast: { uploaded: 2 }, standard: { uploaded: 3 } })
  })

  it('have no part in the summary where there is no rollout, or nothing was counted', () => {
    expect(tallyOf(file(candidate)).finish(end).rollout).toBeUndefined()
    expect(tallyOf(file()).finish(rolledOut).rollout).toBeUndefined()
    // Its error is one that counts for neither, and it was sent again all the same.
    const error = { code: 'ALREADY_EXISTS', message: 'it exists', retryable: false } as const
    const uncounted = tallyOf(file({ ...candidate, fallback: { ...fallback, error } }))
    expect(uncounted.finish(rolledOut).rollout).toMatchObject({ candidate: { failed: 0 }, fellBack: 1 })
  })

  it('have the trouble of the candidate in the figures, where it was asked at all', () => {
    const throttled = { ...fallback, error: { code: 'THROTTLED', message: 'busy', retryable: true } } as const
    const stalled = { ...fallback, error: { code: 'STALLED', message: 'nothing moves', retryable: true } } as const
    const never = { ...throttled, attempts: 0 }
    const events = [throttled, stalled, never].map((fallback) => file({ ...candidate, attempts: 2, fallback }))
    expect(tallyOf(...events).finish(rolledOut)).toMatchObject({
      throttled: 1,
      timeouts: 1,
      retries: 0,
      byErrorCode: {},
      rollout: { candidate: { failed: 3 }, fellBack: 3 },
    })
  })
})
