import { describe, expect, it } from 'vitest'
import { exitCodeOf, exitCodeOfStop, type RunEnd, stopReasonOf } from '../../src/exit-code.ts'

describe('exitCodeOf', () => {
  it.each<[number, RunEnd]>([
    [0, { stopReason: undefined, stoppedBy: [], failed: 0 }],
    [1, { stopReason: undefined, stoppedBy: [], failed: 1 }],
    [1, { stopReason: undefined, stoppedBy: [], failed: 1_000_000 }],
    [3, { stopReason: undefined, stoppedBy: ['CONNECTION'], failed: 0 }],
    [3, { stopReason: undefined, stoppedBy: ['CONNECTION'], failed: 1 }],
    [4, { stopReason: undefined, stoppedBy: ['HALTED'], failed: 0 }],
    [4, { stopReason: undefined, stoppedBy: ['HALTED'], failed: 7 }],
    [4, { stopReason: undefined, stoppedBy: ['BUCKET_NOT_FOUND', 'HALTED'], failed: 7 }],
    [143, { stopReason: 'SIGTERM', stoppedBy: ['HALTED'], failed: 7 }],
    [130, { stopReason: 'SIGINT', stoppedBy: [], failed: 0 }],
    [130, { stopReason: 'SIGINT', stoppedBy: ['CONNECTION'], failed: 1 }],
    [143, { stopReason: 'SIGTERM', stoppedBy: ['CONNECTION'], failed: 1 }],
    [141, { stopReason: 'EPIPE', stoppedBy: ['CONNECTION'], failed: 1 }],
  ])('%i for %j', (code, end) => {
    expect(exitCodeOf(end)).toBe(code)
  })
})

describe('stopReasonOf', () => {
  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
    ['EPIPE', 'EPIPE', 141],
    ['anything else', 'SIGTERM', 143],
    [new Error('x'), 'SIGTERM', 143],
    [undefined, 'SIGTERM', 143],
  ] as const)('%s is %s, %i', (reason, expected, code) => {
    const stop = new AbortController()
    stop.abort(reason)
    expect(stopReasonOf(stop.signal)).toBe(expected)
    expect(exitCodeOfStop(expected)).toBe(code)
  })

  it('is nothing where nothing was stopped', () => {
    expect(stopReasonOf(new AbortController().signal)).toBeUndefined()
  })
})
