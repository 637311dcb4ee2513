import { describe, expect, it } from 'vitest'
import { createSizeLimits, type SizeLimits } from '../../../src/transfer/size-limits.ts'
import { planned } from './scene.ts'

function made(given: Partial<Parameters<typeof createSizeLimits>[0]> = {}): SizeLimits {
  return createSizeLimits({
    maxSize: undefined,
    minSize: undefined,
    maxTotalSize: undefined,
    plannedBytes: 0,
    ...given,
  })
}

describe('a file as its sending begins', () => {
  it('is what it was', () => {
    const limits = made({ maxSize: 10, minSize: 5, maxTotalSize: 100, plannedBytes: 100 })
    expect(limits.begins(planned(1, { size: 7 }), { size: 7 })).toBeUndefined()
  })

  it.each([
    [11, 'TOO_LARGE'],
    [4, 'TOO_SMALL'],
  ])('has %s bytes by now: %s', (size, code) => {
    const limits = made({ maxSize: 10, minSize: 5 })
    expect(limits.begins(planned(1, { size: 7 }), { size })).toMatchObject({ code })
    expect(limits.refuse({ size })).toMatchObject({ code })
  })

  it('may grow by what the run has left, and not by a byte more', () => {
    const limits = made({ maxTotalSize: 110, plannedBytes: 100 })
    expect(limits.begins(planned(1, { size: 50 }), { size: 60 })).toBeUndefined()
    expect(limits.begins(planned(2, { size: 50 }), { size: 51 })).toMatchObject({
      code: 'HALTED',
      message: expect.stringContaining('more than the 110 bytes that --max-total-size allows'),
    })
  })

  it('counts once, however often it is begun', () => {
    const limits = made({ maxTotalSize: 110, plannedBytes: 100 })
    const file = planned(1, { size: 50 })
    for (const size of [60, 60, 55, 50, 60]) expect(limits.begins(file, { size })).toBeUndefined()
    expect(limits.leftForStdin().bytes).toBe(0)
    expect(limits.begins(file, { size: 61 })).toMatchObject({ code: 'HALTED' })
  })

  it('counts with all that have begun, of which the first scan need not have known', () => {
    const limits = made({ maxTotalSize: 100, plannedBytes: 20 })
    for (const index of [1, 90_000]) {
      for (let tried = 0; tried < 3; tried += 1) {
        expect(limits.begins(planned(index, { size: 50 }), { size: 50 })).toBeUndefined()
      }
    }
    expect(limits.leftForStdin().bytes).toBe(0)
    expect(limits.begins(planned(2, { size: 1 }), { size: 1 })).toMatchObject({ code: 'HALTED' })
  })

  it('leaves room where another shrank', () => {
    const limits = made({ maxTotalSize: 100, plannedBytes: 100 })
    expect(limits.begins(planned(1, { size: 50 }), { size: 40 })).toBeUndefined()
    expect(limits.begins(planned(2, { size: 50 }), { size: 60 })).toBeUndefined()
  })

  it('that is refused counts for nothing', () => {
    const limits = made({ maxSize: 60, maxTotalSize: 110, plannedBytes: 100 })
    expect(limits.begins(planned(1, { size: 50 }), { size: 61 })).toMatchObject({ code: 'TOO_LARGE' })
    expect(limits.leftForStdin().bytes).toBe(10)
  })

  it('standard input, whose size was not known', () => {
    const limits = made({ maxTotalSize: 110, plannedBytes: 100 })
    expect(limits.begins(planned(1, { size: undefined }), { size: 10 })).toBeUndefined()
    expect(limits.grew(1)).toMatchObject({ code: 'HALTED' })
  })
})

describe('what standard input may have', () => {
  it('anything, where there is no limit', () => {
    expect(made().leftForStdin().bytes).toBe(Number.POSITIVE_INFINITY)
  })

  it('as much as one file', () => {
    const left = made({ maxSize: 10, maxTotalSize: 200, plannedBytes: 100 }).leftForStdin()
    expect(left.bytes).toBe(10)
    expect(left.error()).toMatchObject({
      code: 'TOO_LARGE',
      message: 'it has more than the 10 bytes that --max-size allows; send less, or raise the limit',
    })
  })

  it('what all other files leave', () => {
    const limits = made({ maxSize: 50, maxTotalSize: 110, plannedBytes: 100 })
    expect(limits.leftForStdin().bytes).toBe(10)
    limits.grew(4)
    expect(limits.leftForStdin().bytes).toBe(6)
    limits.grew(40)
    expect(limits.leftForStdin().bytes).toBe(0)
    expect(limits.leftForStdin().error()).toMatchObject({ code: 'HALTED', retryable: true })
  })
})
