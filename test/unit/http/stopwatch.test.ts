import { beforeEach, describe, expect, it } from 'vitest'
import type { RequestTimeouts } from '../../../src/destinations/destination.ts'
import { createStopwatch, type Stopwatch } from '../../../src/http/stopwatch.ts'

let nowMs: number
let stopwatch: Stopwatch
let learnt: (readonly [what: string, size: number, durationMs: number])[]
let limitMs: number

beforeEach(() => {
  nowMs = 5
  limitMs = 1000
  learnt = []
  stopwatch = createStopwatch(() => nowMs)
})

const timeouts: RequestTimeouts = {
  limitMs: (size) => limitMs + size,
  answerLimitMs: (size) => 200 + size,
  succeeded: (size, durationMs) => void learnt.push(['succeeded', size, durationMs]),
  overdue: (size, durationMs) => void learnt.push(['overdue', size, durationMs]),
}

const sending = () => stopwatch.verdict(false, false)
const sent = () => stopwatch.verdict(true, false)
const answering = () => stopwatch.verdict(true, true)

describe('a request', () => {
  it('may take as long as its limit, and no longer', () => {
    stopwatch.start(10, timeouts)
    nowMs += 1010
    expect(sending()).toBeUndefined()
    nowMs += 1
    expect(sending()).toMatchObject({ name: 'TimeoutError', reason: 'not-done', limitMs: 1010 })
    expect(learnt).toEqual([['overdue', 10, 1011]])
  })

  it('has no more time while it is being answered', () => {
    stopwatch.start(10, timeouts)
    expect(answering()).toBeUndefined()
    nowMs += 1011
    expect(answering()).toMatchObject({ reason: 'not-done' })
    // The server is slow; the line may well be what it was.
    expect(learnt).toEqual([])
  })

  it('is waited for from the end of its body on', () => {
    stopwatch.start(10, timeouts)
    nowMs += 500
    expect(sending()).toBeUndefined()
    expect(sent()).toBeUndefined()
    nowMs += 210
    expect(sent()).toBeUndefined()
    nowMs += 1
    expect(sent()).toMatchObject({ name: 'TimeoutError', reason: 'no-answer', limitMs: 210 })
  })

  it('whose answer has begun is not waited for any more', () => {
    stopwatch.start(10, timeouts)
    expect(sent()).toBeUndefined()
    nowMs += 500
    expect(answering()).toBeUndefined()
  })

  it('gets more time where others were slower than thought, but never less', () => {
    stopwatch.start(10, timeouts)
    limitMs = 2000
    nowMs += 2000
    expect(sending()).toBeUndefined()
    limitMs = 100
    expect(sending()).toBeUndefined()
    nowMs += 11
    expect(sending()).toMatchObject({ reason: 'not-done', limitMs: 2010 })
  })

  it('teaches how long it took', () => {
    stopwatch.start(10, timeouts)
    nowMs += 300
    stopwatch.stop(true)
    stopwatch.start(20, timeouts)
    nowMs += 400
    stopwatch.stop(false)
    stopwatch.start(30, timeouts)
    nowMs += 500
    stopwatch.stop(true)
    expect(learnt).toEqual([
      ['succeeded', 10, 300],
      ['succeeded', 30, 500],
    ])
  })

  it('is over when it ended', () => {
    stopwatch.start(10, timeouts)
    expect(stopwatch.isRunning).toBe(true)
    stopwatch.stop(true)
    nowMs += 10_000
    expect([stopwatch.isRunning, sent()]).toEqual([false, undefined])
  })

  it('begins anew, whatever the one before it was', () => {
    stopwatch.start(10, timeouts)
    stopwatch.pause()
    stopwatch.start(10, timeouts)
    expect(sent()).toBeUndefined()
    stopwatch.start(10, timeouts)
    nowMs += 211
    expect(sent()).toBeUndefined()
  })

  it('without limits is never too late, and teaches nothing', () => {
    stopwatch.start(10, undefined)
    stopwatch.pause()
    nowMs += 1e9
    stopwatch.resume()
    expect([stopwatch.isRunning, sending(), sent()]).toEqual([false, undefined, undefined])
    stopwatch.stop(true)
    expect(learnt).toEqual([])
  })
})

describe('time that does not count', () => {
  it('is that in which a body is waited for', () => {
    stopwatch.start(10, timeouts)
    nowMs += 600
    stopwatch.pause()
    nowMs += 5000
    expect(sending()).toBeUndefined()
    stopwatch.resume()
    nowMs += 410
    expect(sending()).toBeUndefined()
    stopwatch.stop(true)
    expect(learnt).toEqual([['succeeded', 10, 1010]])
  })

  it('is that in which this program was held up', () => {
    stopwatch.start(10, timeouts)
    expect(sent()).toBeUndefined()
    nowMs += 5000
    stopwatch.excuse(4900)
    expect(sent()).toBeUndefined()
    nowMs += 111
    expect(sent()).toMatchObject({ reason: 'no-answer' })
  })

  it('is none before the request began', () => {
    stopwatch.start(10, timeouts)
    nowMs += 300
    expect(sent()).toBeUndefined()
    stopwatch.excuse(2000)
    nowMs += 211
    expect(sent()).toMatchObject({ reason: 'no-answer' })
    stopwatch.stop(true)
    expect(learnt).toEqual([['succeeded', 10, 211]])
  })

  it('does not count twice', () => {
    stopwatch.start(10, timeouts)
    stopwatch.pause()
    nowMs += 5000
    stopwatch.excuse(5000)
    stopwatch.resume()
    nowMs += 1011
    expect(sending()).toMatchObject({ reason: 'not-done' })
  })
})
