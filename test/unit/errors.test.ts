import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorKinds, toUploadError, UploadError, UsageError } from '../../src/errors.ts'

/** As the contract lists them. */
const codes =
  'SOURCE_NOT_FOUND SOURCE_UNREADABLE SOURCE_CHANGED TOO_LARGE TOO_SMALL TYPE_NOT_ALLOWED KEY_INVALID ALREADY_EXISTS BUCKET_NOT_FOUND ACCESS_DENIED CREDENTIALS_INVALID CREDENTIALS_EXPIRED CLOCK_SKEW THROTTLED TIMEOUT STALLED CONNECTION CHECKSUM_MISMATCH QUOTA_EXCEEDED SERVER_ERROR BAD_RESPONSE CANCELLED HALTED INTERNAL'

describe('errorKinds', () => {
  it('has every code of a report, and no other', () => {
    expect(Object.keys(errorKinds)).toEqual(codes.split(' '))
  })

  it('says what trying again may help', () => {
    const retryable = Object.keys(errorKinds).filter((code) => errorKinds[code as ErrorCode].retryable)
    expect(retryable.join(' ')).toBe(
      'CLOCK_SKEW THROTTLED TIMEOUT STALLED CONNECTION CHECKSUM_MISMATCH SERVER_ERROR BAD_RESPONSE CANCELLED HALTED',
    )
  })
})

describe('UploadError', () => {
  it('is as retryable as its code, unless it says otherwise', () => {
    expect(new UploadError('TIMEOUT', 'x').retryable).toBe(true)
    expect(new UploadError('TOO_LARGE', 'x').retryable).toBe(false)
    expect(new UploadError('BAD_RESPONSE', 'x', { retryable: false }).retryable).toBe(false)
    expect(new UploadError('SOURCE_UNREADABLE', 'x', { retryable: true }).retryable).toBe(true)
  })

  it('holds what is known of the answer', () => {
    const cause = new Error('below')
    const error = new UploadError('THROTTLED', 'slow down', { status: 503, requestId: 'R', retryAfterMs: 1000, cause })
    expect(error).toMatchObject({
      name: 'UploadError',
      message: 'slow down',
      status: 503,
      requestId: 'R',
      retryAfterMs: 1000,
      cause,
    })
  })

  it('has no cause where none is given', () => {
    expect('cause' in new UploadError('THROTTLED', 'slow down')).toBe(false)
  })
})

describe('UsageError', () => {
  it.each([
    ['one', ['one']],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  ])('of %j', (given, faults) => {
    const error = new UsageError(given)
    expect([error.name, error.faults, error.message]).toEqual(['UsageError', faults, faults.join('\n')])
  })
})

describe('toUploadError', () => {
  it('leaves one as it is', () => {
    const error = new UploadError('TIMEOUT', 'x')
    expect(toUploadError(error)).toBe(error)
  })

  it.each([
    [new TypeError('x is not a function'), 'x is not a function'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('takes %s for something nobody foresaw', (thrown, message) => {
    expect(toUploadError(thrown)).toMatchObject({ code: 'INTERNAL', message, retryable: false })
  })
})
