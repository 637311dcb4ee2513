import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorKinds } from '../../../src/errors.ts'
import type { FallbackRecord, FileError, FileRecord } from '../../../src/observe/records.ts'
import { outcomeOf, sizeClassOf } from '../../../src/rollout/outcome.ts'
import { failedLine, fileLine } from './scene.ts'

const codes = Object.keys(errorKinds) as ErrorCode[]
const isOwnFault = (code: ErrorCode): boolean =>
  /^(SOURCE|TOO|TYPE|KEY)_/.test(code) || ['ALREADY_EXISTS', 'CANCELLED', 'HALTED'].includes(code)

function error(code: ErrorCode): FileError {
  return { code, message: 'it failed', retryable: false }
}

function fallback(code: ErrorCode, attempts = 1): FallbackRecord {
  return { engine: 'fast', destination: 's3://b/', attempts, durationMs: 50, error: error(code) }
}

describe('outcomeOf', () => {
  it('counts a file that arrived for its side', () => {
    expect(outcomeOf(fileLine({ side: 'baseline', size: 70_000, durationMs: 12.5 }))).toEqual({
      stage: 10,
      side: 'baseline',
      isSuccess: true,
      bytes: 70_000,
      sizeClass: '1MiB',
      durationMs: 12.5,
      beganAt: '2026-11-20T02:00:00.000Z',
    })
  })

  it('counts a file that failed for its side, without bytes or a duration', () => {
    expect(outcomeOf(failedLine())).toEqual({
      stage: 10,
      side: 'candidate',
      isSuccess: false,
      bytes: 0,
      sizeClass: '64KiB',
      durationMs: undefined,
      beganAt: '2026-11-20T02:00:00.000Z',
    })
  })

  const rows: readonly (readonly [string, Partial<FileRecord>, 'success' | 'failure' | undefined])[] = [
    ['uploaded', {}, 'success'],
    ['uploaded, and taken back since', { status: 'undone' }, 'success'],
    ['at stage 0', { stage: 0 }, 'success'],
    ['of neither side', { stage: undefined, side: undefined }, undefined],
    ['without a stage', { stage: undefined }, undefined],
    ['without a side', { side: undefined }, undefined],
    ['skipped', { status: 'skipped', reason: 'exists' }, undefined],
    ['cancelled', { status: 'cancelled', error: error('CANCELLED') }, undefined],
    ['failed', { status: 'failed', error: error('TIMEOUT') }, 'failure'],
    ['failed before its first request', { status: 'failed', error: error('TIMEOUT'), attempts: 0 }, undefined],
    ['never begun', { startedAt: null }, undefined],
    ['begun at no time there is', { startedAt: 'yesterday' }, undefined],
    ['fallen back', { fallback: fallback('TIMEOUT') }, 'failure'],
    ['fallen back without a request of its own', { fallback: fallback('BUCKET_NOT_FOUND', 0) }, 'failure'],
    [
      'fallen back, and failed there',
      { status: 'failed', error: error('TIMEOUT'), fallback: fallback('TIMEOUT') },
      'failure',
    ],
    ['fallen back, and cancelled there', { status: 'cancelled', fallback: fallback('TIMEOUT') }, undefined],
    ['fallen back for a fault of its own', { fallback: fallback('SOURCE_CHANGED') }, undefined],
  ]
  it.each(rows)('%s', (_what, different, counts) => {
    const outcome = outcomeOf(fileLine(different))
    expect(outcome && (outcome.isSuccess ? 'success' : 'failure')).toBe(counts)
  })

  it('charges the candidate, and credits nobody, for a file that fell back', () => {
    const line = fileLine({ fallback: fallback('STALLED'), engine: 'standard' })
    expect(outcomeOf(line)).toMatchObject({ side: 'candidate', isSuccess: false, bytes: 0, durationMs: undefined })
  })

  it.each(codes)('counts %s as the contract says', (code) => {
    const counts = !isOwnFault(code)
    expect(outcomeOf(failedLine({ error: error(code) })) !== undefined).toBe(counts)
    expect(outcomeOf(fileLine({ fallback: fallback(code) })) !== undefined).toBe(counts)
  })

  it('counts a failure that nobody named', () => {
    expect(outcomeOf(failedLine({ error: undefined }))?.isSuccess).toBe(false)
  })

  it('goes by the bytes sent where the size is not known', () => {
    const unsized = { size: null, bytesSent: 2_000_000 }
    expect(outcomeOf(fileLine(unsized))).toMatchObject({ bytes: 2_000_000, sizeClass: '16MiB' })
    expect(outcomeOf(failedLine(unsized))).toMatchObject({ bytes: 0, sizeClass: '16MiB' })
  })
})

it.each([
  [0, '64KiB'],
  [65_536, '64KiB'],
  [65_537, '1MiB'],
  [1_048_576, '1MiB'],
  [1_048_577, '16MiB'],
  [16_777_216, '16MiB'],
  [16_777_217, 'larger'],
] as const)('%d bytes are of the class %s', (size, sizeClass) => {
  expect(sizeClassOf(size)).toBe(sizeClass)
})
