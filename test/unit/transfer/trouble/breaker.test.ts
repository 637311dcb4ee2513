import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorKinds, UploadError } from '../../../../src/errors.ts'
import { createBreaker, type Verdict } from '../../../../src/transfer/trouble/breaker.ts'

function failure(code: ErrorCode, status?: number): UploadError {
  return new UploadError(code, code, { status })
}

const runWide: readonly ErrorCode[] = ['BUCKET_NOT_FOUND', 'CREDENTIALS_INVALID', 'CREDENTIALS_EXPIRED', 'CLOCK_SKEW']
const codes = Object.keys(errorKinds) as ErrorCode[]

describe('failed', () => {
  it.each(codes)('%s before and after a success', (code) => {
    const fresh = createBreaker()
    const proven = createBreaker()
    proven.succeeded()
    const first: Partial<Record<ErrorCode, Verdict>> = {
      ACCESS_DENIED: 'undecided',
      CONNECTION: 'stop',
      // Without a status it is no answer in HTTP.
      BAD_RESPONSE: 'stop',
    }
    const usual: Verdict = runWide.includes(code) ? 'stop' : 'file'
    expect([fresh.failed(failure(code)), proven.failed(failure(code))]).toEqual([first[code] ?? usual, usual])
  })

  it('takes the tenth refusal for everybody, where nothing has arrived', () => {
    const breaker = createBreaker()
    const verdicts = Array.from({ length: 11 }, () => breaker.failed(failure('ACCESS_DENIED', 403)))
    expect(verdicts).toEqual([...Array(9).fill('undecided'), 'stop', 'stop'])
  })

  it('takes no number of refusals for everybody once something has arrived', () => {
    const breaker = createBreaker()
    for (let n = 0; n < 9; n += 1) breaker.failed(failure('ACCESS_DENIED', 403))
    breaker.succeeded()
    const verdicts = Array.from({ length: 20 }, () => breaker.failed(failure('ACCESS_DENIED', 403)))
    expect(new Set(verdicts)).toEqual(new Set(['file']))
  })

  it.each<[string, Verdict, (breaker: ReturnType<typeof createBreaker>) => void]>([
    ['nothing', 'stop', () => {}],
    ['a file that arrived', 'file', (breaker) => breaker.succeeded()],
    ['a part that arrived', 'file', (breaker) => breaker.answered()],
    ['an answer with a status', 'file', (breaker) => breaker.failed(failure('SERVER_ERROR', 500))],
    ['such an answer to an attempt', 'file', (breaker) => breaker.mayRetry(failure('THROTTLED', 503), 1, 10)],
    ['a file that could not be read', 'stop', (breaker) => breaker.failed(failure('SOURCE_UNREADABLE'))],
    ['a proxy that refuses', 'stop', (breaker) => breaker.failed(failure('CONNECTION', 407))],
  ])('no connection after %s: %s', (_name, verdict, before) => {
    const breaker = createBreaker()
    before(breaker)
    expect(breaker.failed(failure('CONNECTION'))).toBe(verdict)
  })

  it('takes an answer that has a status, however strange, for an answer', () => {
    const breaker = createBreaker()
    expect(breaker.failed(failure('BAD_RESPONSE', 200))).toBe('file')
    expect(breaker.failed(failure('BAD_RESPONSE'))).toBe('file')
  })
})

describe('mayRetry, before the destination has answered', () => {
  it.each([
    // failures, begins at, may
    [1, 100, true],
    [2, 300, true],
    [3, 500, false],
    // Connections that time out after three seconds: three fit into ten.
    [1, 3200, true],
    [2, 6500, true],
    [2, 6700, false],
    [3, 9600, false],
    // Slow ones: each would end too late.
    [1, 5000, true],
    [1, 5001, false],
    [1, 10_200, false],
  ])('%i failures, the next would begin at %i ms: %s', (failures, elapsedMs, may) => {
    const refused = new UploadError('CONNECTION', 'refused', { unreachable: true })
    expect(createBreaker().mayRetry(refused, failures, elapsedMs)).toBe(may)
  })

  it('lets a connection be that broke after it had stood for long', () => {
    const reset = failure('CONNECTION')
    expect(createBreaker().mayRetry(reset, 1, 20_000)).toBe(true)
    expect(createBreaker().mayRetry(reset, 8, 200_000)).toBe(true)
    // One that breaks at once reaches nothing.
    const breaker = createBreaker()
    expect([1, 2, 3].map((failures) => breaker.mayRetry(reset, failures, failures * 300))).toEqual([true, true, false])
  })

  it('lets any other failure be', () => {
    expect(createBreaker().mayRetry(failure('TIMEOUT'), 8, 500_000)).toBe(true)
  })

  it('lets it be once there was an answer', () => {
    const breaker = createBreaker()
    breaker.mayRetry(failure('SERVER_ERROR', 502), 1, 10)
    expect(breaker.mayRetry(failure('CONNECTION'), 8, 500_000)).toBe(true)
  })
})
