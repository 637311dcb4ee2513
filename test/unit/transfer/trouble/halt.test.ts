import { describe, expect, it } from 'vitest'
import type { FileStatus } from '../../../../src/observe/records.ts'
import { createHalt } from '../../../../src/transfer/trouble/halt.ts'

/** How many files had ended when the run was halted, and what was said; undefined where it was not. */
function haltedAt(
  rules: { readonly maxFailures?: number; readonly maxErrorRate?: number },
  statuses: readonly FileStatus[],
): readonly [number, string] | undefined {
  const halt = createHalt({ maxFailures: undefined, maxErrorRate: undefined, ...rules })
  for (const [at, status] of statuses.entries()) {
    const error = halt.ended(status)
    if (error !== undefined) {
      expect(error).toMatchObject({ code: 'HALTED', retryable: true })
      return [at + 1, error.message]
    }
  }
  return undefined
}

const many = (count: number, status: FileStatus): FileStatus[] => Array(count).fill(status)

describe('createHalt', () => {
  it('lets everything fail where there is no rule', () => {
    expect(haltedAt({}, many(1000, 'failed'))).toBeUndefined()
  })

  it.each([
    [1, 1, 'halted: 1 file failed (--max-failures 1); go on with upload --resume'],
    [3, 3, 'halted: 3 files failed (--max-failures 3); go on with upload --resume'],
  ])('at the failure number %i', (maxFailures, at, message) => {
    expect(haltedAt({ maxFailures }, many(5, 'failed'))).toEqual([at, message])
    expect(haltedAt({ maxFailures }, [...many(50, 'uploaded'), ...many(maxFailures - 1, 'failed')])).toBeUndefined()
  })

  it.each<[number, FileStatus[], number | undefined]>([
    [0.05, [...many(19, 'failed')], undefined],
    [0.05, [...many(20, 'failed')], 20],
    [0.05, [...many(19, 'uploaded'), 'failed'], undefined],
    [0.05, [...many(19, 'uploaded'), 'failed', 'failed'], 21],
    [0, [...many(30, 'uploaded'), 'failed'], 31],
    [1, many(100, 'failed'), undefined],
    [0.07, [...many(93, 'uploaded'), ...many(7, 'failed')], undefined],
  ])('above a share of %d, of twenty or more', (maxErrorRate, statuses, at) => {
    expect(haltedAt({ maxErrorRate }, statuses)?.[0]).toBe(at)
  })

  it('counts neither what was skipped nor what was cancelled', () => {
    const others = [...many(50, 'skipped'), ...many(50, 'cancelled')]
    expect(haltedAt({ maxErrorRate: 0.5, maxFailures: 20 }, [...others, ...many(19, 'failed')])).toBeUndefined()
  })

  it('names the share as it was given', () => {
    expect(haltedAt({ maxErrorRate: 0.07 }, many(20, 'failed'))).toEqual([
      20,
      'halted: 20 of 20 files failed (--max-error-rate 7%); go on with upload --resume',
    ])
  })
})
