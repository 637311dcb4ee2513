import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { createProgress, fractionDone, secondsLeft } from '../../../src/observe/progress.ts'
import { failed, fileEnded, fileStarted } from './events.ts'

function progressOf(...events: readonly UploadEvent[]) {
  const progress = createProgress(() => 1000)
  for (const event of events) progress.apply(event)
  return progress
}

const sent = (index: number, bytes: number, partsDone = 0): UploadEvent => {
  return { type: 'file-progress', index, sent: bytes, partsDone }
}
const retry: UploadEvent = {
  type: 'file-retry',
  index: 1,
  path: 'a',
  attempt: 1,
  code: 'TIMEOUT',
  message: 'no answer',
  delayMs: 500,
}
const deferred: UploadEvent = { type: 'file-deferred', index: 1, path: 'a', code: 'TIMEOUT', message: 'no answer' }

describe('progress', () => {
  it('adds up what is done and what is under way', () => {
    const progress = progressOf(
      { type: 'totals', files: 3, bytes: 300, complete: true },
      fileStarted(1, { size: 100 }),
      fileStarted(2, { size: 100 }),
      sent(1, 60),
      sent(2, 30),
      fileEnded(1, { size: 100, bytesSent: 100 }),
    )
    expect(progress).toMatchObject({
      files: 3,
      bytes: 300,
      complete: true,
      filesDone: 1,
      bytesDone: 130,
      bytesSent: 130,
    })
    expect([...progress.inFlight.keys()]).toEqual([2])
  })

  it('counts what was there already as done, but not as sent', () => {
    const there = (bytes: number): UploadEvent => ({
      type: 'file-progress',
      index: 1,
      sent: bytes,
      before: 60,
      partsDone: 3,
    })
    const progress = progressOf(fileStarted(1, { size: 100 }), there(60), there(75))
    expect(progress).toMatchObject({ bytesDone: 75, bytesSent: 15 })
    expect(progress.inFlight.get(1)).toMatchObject({ sent: 75, sentInAll: 15 })
    // The destination has lost it all: it goes out again.
    for (const event of [sent(1, 0), sent(1, 100)]) progress.apply(event)
    expect(progress).toMatchObject({ bytesDone: 100, bytesSent: 115 })
    progress.apply(fileEnded(1, { size: 100, bytesSent: 115 }))
    expect(progress).toMatchObject({ bytesDone: 100, bytesSent: 115, filesDone: 1 })
  })

  it('goes back where an attempt begins anew; bytes sent do not', () => {
    const progress = progressOf(fileStarted(1, { size: 100 }), sent(1, 80), retry, sent(1, 0), sent(1, 30))
    expect(progress).toMatchObject({ bytesDone: 30, bytesSent: 110, retries: 1 })
    progress.apply(fileEnded(1, { size: 100, bytesSent: 180 }))
    expect(progress).toMatchObject({ bytesDone: 100, bytesSent: 180 })
  })

  it('knows when the next attempt begins, until bytes move', () => {
    const progress = progressOf(fileStarted(1), sent(1, 80), retry)
    expect(progress.inFlight.get(1)?.retryAt).toBe(1500)
    progress.apply(sent(1, 0))
    expect(progress.inFlight.get(1)?.retryAt).toBe(1500)
    progress.apply(sent(1, 10))
    expect(progress.inFlight.get(1)?.retryAt).toBeUndefined()
  })

  it('counts a file of a later pass once', () => {
    const progress = progressOf(
      { type: 'totals', files: 1, bytes: 100, complete: true },
      fileStarted(1, { size: 100 }),
      sent(1, 70),
      deferred,
    )
    expect(progress).toMatchObject({ filesDone: 0, bytesDone: 0, bytesSent: 70, retries: 1 })
    expect(progress.inFlight.size).toBe(0)
    for (const event of [fileStarted(1, { size: 100 }), sent(1, 100), fileEnded(1, { size: 100, bytesSent: 170 })]) {
      progress.apply(event)
    }
    expect(progress).toMatchObject({ filesDone: 1, bytesDone: 100, bytesSent: 170 })
  })

  it('begins anew with a file that fell back from the candidate, in its slot', () => {
    const progress = progressOf(
      { type: 'totals', files: 2, bytes: 200, complete: true },
      fileStarted(1, { size: 100 }),
      sent(1, 70),
      { type: 'file-fallback', index: 1, path: 'a', code: 'STALLED', message: 'nothing moves' },
      fileStarted(1, { size: 100 }),
      sent(1, 20),
    )
    expect(progress).toMatchObject({ filesDone: 0, bytesDone: 20, bytesSent: 90, retries: 0 })
    progress.apply(sent(1, 100))
    progress.apply(fileEnded(1, { size: 100, bytesSent: 170 }))
    expect(progress).toMatchObject({ filesDone: 1, bytesDone: 100, bytesSent: 170 })
  })

  it('does not count the bytes of files that a rule leaves out, which the totals are without', () => {
    const progress = createProgress(() => 0)
    progress.apply(fileEnded(1, { status: 'skipped', reason: 'excluded-by-rule', size: 7, bytesSent: 0 }))
    expect(progress).toMatchObject({ filesDone: 1, bytesDone: 0 })
  })

  it('counts failed files as done, cancelled ones not', () => {
    const progress = progressOf(
      fileStarted(1),
      sent(1, 50),
      failed(1),
      fileStarted(2),
      sent(2, 50),
      fileEnded(2, { status: 'cancelled', bytesSent: 50 }),
      fileEnded(3, { status: 'skipped', size: 7, bytesSent: 0 }),
    )
    expect(progress).toMatchObject({ filesDone: 2, failed: 1, bytesDone: 81_200_007, bytesSent: 100 })
  })

  it('takes the bytes sent for the size of what had none', () => {
    const progress = progressOf(
      fileStarted(1, { size: undefined }),
      sent(1, 42),
      fileEnded(1, { size: null, bytesSent: 42 }),
    )
    expect(progress.bytesDone).toBe(42)
    expect(progressOf(fileEnded(9, { size: null, bytesSent: 0 })).bytesDone).toBe(0)
  })

  it('what is read on the way says nothing of what is left', () => {
    const begun = [
      { type: 'totals', files: 2, bytes: 100, complete: true },
      fileStarted(1, { size: undefined }),
      fileStarted(2, { size: 100 }),
      sent(1, 5000),
      sent(2, 25),
    ] as const
    const progress = progressOf(...begun)
    expect(progress).toMatchObject({ bytes: 100, bytesDone: 5025, bytesUnforeseen: 5000 })
    expect([fractionDone(progress), secondsLeft(progress, 25, 0)]).toEqual([0.25, 3])
    const ended = fileEnded(1, { size: 6000, bytesSent: 6000 })
    expect(progressOf(...begun, ended)).toMatchObject({ bytesDone: 6025, bytesUnforeseen: 6000 })
    const cut = fileEnded(1, { status: 'cancelled', size: null, bytesSent: 5000 })
    expect(progressOf(...begun, cut)).toMatchObject({ bytesDone: 25, bytesUnforeseen: 0 })
    expect(progressOf(...begun, deferred)).toMatchObject({ bytesDone: 25, bytesUnforeseen: 0 })
  })

  it('is not troubled by what it does not know', () => {
    const progress = progressOf(sent(5, 10), retry, deferred, { type: 'notice', message: 'hello' })
    expect(progress).toMatchObject({ bytesDone: 0, bytesSent: 0, retries: 2 })
  })
})

describe('secondsLeft', () => {
  const totals = (files: number, bytes: number): UploadEvent => ({ type: 'totals', files, bytes, complete: true })
  it.each([
    ['bytes at this rate', progressOf(totals(2, 100)), 10, 0, 10],
    ['nobody knows while nothing moves', progressOf(totals(2, 100)), 0, 0, Number.POSITIVE_INFINITY],
    ['empty files at the pace so far', progressOf(totals(4, 0), fileEnded(1, { size: 0, bytesSent: 0 })), 0, 2000, 6],
    ['empty files, none done', progressOf(totals(4, 0)), 0, 2000, Number.POSITIVE_INFINITY],
    ['nothing', progressOf(totals(0, 0)), 0, 0, 0],
    ['nobody knows while nothing has been found yet', progressOf(), 0, 0, Number.POSITIVE_INFINITY],
  ])('%s', (_name, progress, rate, elapsedMs, seconds) => {
    expect(secondsLeft(progress, rate, elapsedMs)).toBe(seconds)
  })
})

describe('fractionDone', () => {
  const totals = (files: number, bytes: number, complete = true): UploadEvent => ({
    type: 'totals',
    files,
    bytes,
    complete,
  })
  const done = (index: number, size: number): UploadEvent => fileEnded(index, { size, bytesSent: size })
  it.each([
    ['by bytes', progressOf(totals(9, 200), done(1, 50)), 0.25],
    ['by files where there are no bytes', progressOf(totals(4, 0), done(1, 0)), 0.25],
    ['less than 1 while files are left', progressOf(totals(2, 50), done(1, 50)), 0.999],
    ['less than 1 while scanning goes on', progressOf(totals(1, 50, false), done(1, 50)), 0.999],
    ['1 when all is done', progressOf(totals(1, 50), done(1, 50)), 1],
    ['1 where there is nothing to do', progressOf(totals(0, 0)), 1],
    ['0 before anything is known', progressOf(), 0],
  ])('%s', (_name, progress, fraction) => expect(fractionDone(progress)).toBe(fraction))
})
