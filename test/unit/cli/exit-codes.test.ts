import { describe, expect, it } from 'vitest'
import { exitCodeOfError, exitCodeOfPlan } from '../../../src/cli/exit-codes.ts'
import { UploadError, UsageError } from '../../../src/errors.ts'

describe('of an error', () => {
  it.each([
    [new UsageError('x'), undefined, 2],
    [new UploadError('ACCESS_DENIED', 'x'), undefined, 3],
    [new UploadError('HALTED', 'x'), undefined, 4],
    [new TypeError('x'), undefined, 3],
    ['thrown', undefined, 3],
    [new UsageError('x'), 'SIGINT', 130],
    [new UploadError('CANCELLED', 'x'), 'SIGTERM', 143],
    [new Error('x'), 'EPIPE', 141],
  ] as const)('%s, stopped by %s: %d', (error, reason, code) => {
    expect(exitCodeOfError(error, reason)).toBe(code)
  })
})

describe('of a plan', () => {
  it.each([
    [0, undefined, 0],
    [3, undefined, 1],
    [0, 'SIGINT', 130],
    [3, 'EPIPE', 141],
  ] as const)('%d failing, stopped by %s: %d', (failing, reason, code) => {
    expect(exitCodeOfPlan(failing, reason)).toBe(code)
  })
})
