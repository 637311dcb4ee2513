import { describe, expect, it } from 'vitest'
import { type ErrorCode, UploadError, type UploadErrorDetails } from '../../../../src/errors.ts'
import { type RetryOptions, retrying } from '../../../../src/transfer/trouble/retry.ts'
import { createFakeClock, type FakeClock, type FakeClockOptions } from '../../../support/fake-clock.ts'

const policy = { retries: 3, retryDelayMs: 200, retryMaxDelayMs: 20_000, retryMaxTimeMs: 600_000, retryFailed: 1 }

function failure(code: ErrorCode, details?: UploadErrorDetails): UploadError {
  return new UploadError(code, `${code} it was`, details)
}

interface Scene {
  readonly clock: FakeClock
  readonly stop: AbortController
  readonly told: [code: ErrorCode, failures: number, delayMs: number][]
  readonly options: RetryOptions
}

function scene(over: Partial<RetryOptions> = {}, clockOptions: FakeClockOptions = {}): Scene {
  const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY, ...clockOptions })
  const stop = new AbortController()
  const told: Scene['told'] = []
  const onRetry: RetryOptions['onRetry'] = ({ code }, failures, delayMs) => void told.push([code, failures, delayMs])
  return { clock, stop, told, options: { policy, clock, signal: stop.signal, onRetry, ...over } }
}

/** An attempt that does each of `steps` in turn; each takes `lastsMs`. */
function attempts(clock: FakeClock, steps: readonly (Error | string)[], lastsMs = 0) {
  let made = 0
  const attempt = async (): Promise<string> => {
    const step = steps[made]
    made += 1
    await clock.advance(lastsMs)
    if (step === undefined) throw new Error('one attempt too many')
    if (step instanceof Error) throw step
    return step
  }
  return { attempt, made: () => made }
}

describe('retrying', () => {
  it('does it once where that is enough', async () => {
    const { clock, told, options } = scene()
    const { attempt, made } = attempts(clock, ['done'])
    expect(await retrying(attempt, options)).toBe('done')
    expect([made(), told, clock.sleeps]).toEqual([1, [], []])
  })

  it('waits longer and longer, with jitter, and tells of each', async () => {
    const { clock, told, options } = scene()
    const { attempt } = attempts(clock, [failure('THROTTLED'), failure('CONNECTION'), failure('SERVER_ERROR'), 'done'])
    expect(await retrying(attempt, options)).toBe('done')
    expect(told.map(([code, failures]) => [code, failures])).toEqual([
      ['THROTTLED', 1],
      ['CONNECTION', 2],
      ['SERVER_ERROR', 3],
    ])
    expect(told.map(([, , delayMs]) => delayMs)).toEqual(clock.sleeps)
    for (const [at, sleptMs] of clock.sleeps.entries()) {
      expect(sleptMs).toBeGreaterThan(0)
      expect(sleptMs).toBeLessThan(200 * 2 ** at)
    }
  })

  it('gives up after the last of its retries, with the last failure', async () => {
    const { clock, told, options } = scene()
    const last = failure('TIMEOUT')
    const { attempt, made } = attempts(clock, [failure('THROTTLED'), failure('STALLED'), failure('CONNECTION'), last])
    await expect(retrying(attempt, options)).rejects.toBe(last)
    expect([made(), told.length]).toEqual([4, 3])
  })

  it('makes one attempt where no retries are wanted', async () => {
    const { clock, told, options } = scene({ policy: { ...policy, retries: 0 } })
    const { attempt, made } = attempts(clock, [failure('CONNECTION')])
    await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CONNECTION' })
    expect([made(), told]).toEqual([1, []])
  })

  it.each([
    ['ACCESS_DENIED', undefined, 1],
    ['SOURCE_CHANGED', undefined, 1],
    ['BAD_RESPONSE', { retryable: false }, 1],
    ['SOURCE_UNREADABLE', { retryable: true }, 2],
    ['CHECKSUM_MISMATCH', undefined, 2],
  ] as const)('%s %j: %i attempts', async (code, details, expected) => {
    const { clock, options } = scene()
    const { attempt, made } = attempts(clock, [failure(code, details), 'done'])
    await retrying(attempt, options).catch(() => undefined)
    expect(made()).toBe(expected)
  })

  it('takes what nobody foresaw for permanent', async () => {
    const { clock, options } = scene()
    const { attempt, made } = attempts(clock, [new TypeError('x is not a function')])
    await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'INTERNAL', message: 'x is not a function' })
    expect(made()).toBe(1)
  })

  it('leaves the server alone for as long as it asked', async () => {
    const { clock, options } = scene()
    const { attempt } = attempts(clock, [failure('THROTTLED', { retryAfterMs: 7000 }), 'done'])
    await retrying(attempt, options)
    expect(clock.sleeps[0]).toBeGreaterThanOrEqual(7000)
    expect(clock.sleeps[0]).toBeLessThan(7200)
  })

  it('does not wait for a server that wants more time than there is', async () => {
    const { clock, options } = scene()
    const { attempt } = attempts(clock, [failure('THROTTLED', { retryAfterMs: 600_001 })])
    await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'THROTTLED' })
    expect(clock.sleeps).toEqual([])
  })

  it('goes on until its time is used up, counted from the first failure', async () => {
    const many = { ...policy, retries: 1000, retryDelayMs: 1, retryMaxDelayMs: 1 }
    const { clock, told, options } = scene({ policy: many })
    const { attempt } = attempts(clock, Array(1000).fill(failure('TIMEOUT')), 100_000)
    await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'TIMEOUT' })
    // One failure at the start of the clock, six more within its 600 s less the pauses.
    expect(told.length).toBe(6)
  })

  it('tries again however long the first attempt took', async () => {
    const { clock, options } = scene()
    const { attempt } = attempts(clock, [failure('CONNECTION'), 'done'], 3_600_000)
    expect(await retrying(attempt, options)).toBe('done')
  })

  it('has its whole budget again after progress', async () => {
    let won = 0
    const { clock, told, options } = scene({ progress: () => won })
    const failing = (wins: number) => {
      won += wins
      return failure('CONNECTION')
    }
    const wins = [0, 0, 0, 1, 0, 0, 0]
    let made = 0
    const attempt = async (): Promise<string> => {
      const win = wins[made]
      made += 1
      await clock.advance(300_000)
      throw failing(win ?? 0)
    }
    // Three retries fail; the fourth failure would be the end, but something was won before it.
    const patient = { ...options, policy: { ...policy, retryMaxTimeMs: 1_000_000 } }
    await expect(retrying(attempt, patient)).rejects.toMatchObject({ code: 'CONNECTION' })
    expect(made).toBe(7)
    expect(told.map(([, failures]) => failures)).toEqual([1, 2, 3, 1, 2, 3])
  })

  it('asks whether it may, with the time at which the next attempt would begin', async () => {
    const asked: unknown[] = []
    const mayRetry: RetryOptions['mayRetry'] = (error, failures, elapsedMs) => {
      asked.push([error.code, failures, elapsedMs])
      return failures < 2
    }
    const { clock, told, options } = scene({ mayRetry })
    const { attempt, made } = attempts(clock, [failure('CONNECTION'), failure('CONNECTION')], 1000)
    await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CONNECTION' })
    expect(made()).toBe(2)
    const delayMs = told[0]?.[2] ?? Number.NaN
    expect(asked[0]).toEqual(['CONNECTION', 1, 1000 + delayMs])
    expect(asked[1]).toEqual(['CONNECTION', 2, expect.any(Number)])
  })

  describe('after an attempt that was made before, in another way,', () => {
    it('counts it as the first, and tells of it', async () => {
      const { clock, told, options } = scene({ failedBefore: { error: failure('THROTTLED'), beganMs: 0 } })
      const { attempt, made } = attempts(clock, [failure('CONNECTION'), 'done'])
      expect(await retrying(attempt, options)).toBe('done')
      expect(told.map(([code, failures]) => [code, failures])).toEqual([
        ['THROTTLED', 1],
        ['CONNECTION', 2],
      ])
      expect(made()).toBe(2)
    })

    it('makes one attempt less', async () => {
      const { clock, told, options } = scene({ failedBefore: { error: failure('THROTTLED'), beganMs: 0 } })
      const { attempt, made } = attempts(clock, Array(3).fill(failure('TIMEOUT')))
      await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'TIMEOUT' })
      expect([made(), told.length]).toEqual([3, 3])
    })

    it.each([
      ['that trying again cannot mend', failure('ACCESS_DENIED'), policy],
      ['where no retries are wanted', failure('CONNECTION'), { ...policy, retries: 0 }],
    ])('makes none %s', async (_when, error, policy) => {
      const { clock, told, options } = scene({ policy, failedBefore: { error, beganMs: 0 } })
      const { attempt, made } = attempts(clock, ['done'])
      await expect(retrying(attempt, options)).rejects.toBe(error)
      expect([made(), told, clock.sleeps]).toEqual([0, [], []])
    })

    it('counts its time where it asks whether it may', async () => {
      const asked: number[] = []
      const mayRetry: RetryOptions['mayRetry'] = (_error, _failures, elapsedMs) => {
        asked.push(elapsedMs)
        return false
      }
      const { clock, options } = scene({ mayRetry, failedBefore: { error: failure('CONNECTION'), beganMs: 500 } })
      await clock.advance(3500)
      const { attempt } = attempts(clock, ['done'])
      await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CONNECTION' })
      expect(asked[0]).toBeGreaterThan(3000)
      expect(asked[0]).toBeLessThan(3200)
    })

    it('is stopped before another', async () => {
      const { clock, stop, told, options } = scene({ failedBefore: { error: failure('CONNECTION'), beganMs: 0 } })
      stop.abort()
      const { attempt, made } = attempts(clock, ['done'])
      await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CANCELLED' })
      expect([made(), told]).toEqual([0, []])
    })
  })

  describe('with a gate', () => {
    type Passed = NonNullable<RetryOptions['gate']>
    const open: Passed = {
      turn: () => undefined,
      succeeded: () => {},
      excuse: () => undefined,
      failed: () => {},
      isSilent: () => false,
    }

    it('passes it before each attempt, and tells it of each end', async () => {
      const told: string[] = []
      const gate: Passed = {
        ...open,
        turn: () => void told.push('turn'),
        succeeded: () => void told.push('success'),
        failed: ({ code }, delayMs) => void told.push(`${code} ${delayMs === clock.sleeps.at(-1)}`),
      }
      const { clock, options } = scene({ gate }, { skipUpTo: Number.POSITIVE_INFINITY })
      const { attempt } = attempts(clock, [failure('THROTTLED'), 'done'])
      await retrying(attempt, options)
      expect(told).toEqual(['turn', 'THROTTLED false', 'turn', 'success'])
    })

    it('charges neither the time spent before it nor what it excuses', async () => {
      const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
      const began: number[] = []
      const gate: Passed = {
        ...open,
        turn: (signal) => clock.sleep(500_000, signal),
        excuse: (error, beganMs) => {
          began.push(beganMs)
          return error.unreachable ? 400_000 : undefined
        },
      }
      const lost = failure('CONNECTION', { unreachable: true })
      const asked: number[] = []
      const mayRetry: RetryOptions['mayRetry'] = (_error, _failures, elapsedMs) => asked.push(elapsedMs) > 0
      const { told, options } = scene({ gate, clock, mayRetry })
      const steps = [failure('CONNECTION'), ...Array(20).fill(lost), failure('CONNECTION'), 'done']
      const { attempt, made } = attempts(clock, steps, 1000)
      expect(await retrying(attempt, options)).toBe('done')
      expect(made()).toBe(23)
      expect(told.map(([code, failures]) => [code, failures])).toEqual([
        ['CONNECTION', 1],
        ['CONNECTION', 2],
      ])
      // Two attempts of a second each, and the pauses after them.
      expect(asked.at(-1)).toBeGreaterThan(2000)
      expect(asked.at(-1)).toBeLessThan(2000 + 200 + 400)
      expect(began[0]).toBe(500_000)
    })

    it('does not tell of what it excuses', async () => {
      const gate: Passed = { ...open, excuse: () => 300 }
      const { clock, told, options } = scene({ gate })
      const { attempt } = attempts(clock, [failure('INTERNAL'), failure('INTERNAL'), 'done'])
      expect(await retrying(attempt, options)).toBe('done')
      expect([told, clock.sleeps]).toEqual([[], [300, 300]])
    })

    it('goes beyond its retries while nothing gets through anywhere', async () => {
      let silent = 6
      const gate: Passed = { ...open, isSilent: () => silent-- > 0 }
      const { clock, options } = scene({ gate })
      const last = failure('STALLED')
      const { attempt, made } = attempts(clock, [...Array(policy.retries + 6).fill(failure('CONNECTION')), last])
      await expect(retrying(attempt, options)).rejects.toBe(last)
      expect(made()).toBe(policy.retries + 7)
    })

    it('is stopped before it', async () => {
      const clock = createFakeClock({ skipUpTo: -1 })
      const gate: Passed = { ...open, turn: (signal) => clock.sleep(1000, signal) }
      const { stop, options } = scene({ gate, clock })
      const { attempt, made } = attempts(clock, ['done'])
      const running = retrying(attempt, options)
      stop.abort()
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(made()).toBe(0)
    })
  })

  describe('a stop', () => {
    it('before the first attempt: nothing is tried', async () => {
      const { clock, stop, options } = scene()
      stop.abort()
      const { attempt, made } = attempts(clock, ['done'])
      await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(made()).toBe(0)
    })

    it('during an attempt: its failure is the stop, the cause is kept', async () => {
      const { stop, options } = scene()
      const cause = failure('CONNECTION')
      const attempt = async () => {
        stop.abort()
        throw cause
      }
      await expect(retrying(attempt, options)).rejects.toMatchObject({ code: 'CANCELLED', cause })
    })

    it('during an attempt that says so itself', async () => {
      const { stop, options } = scene()
      const cause = failure('CANCELLED')
      const attempt = async () => {
        stop.abort()
        throw cause
      }
      await expect(retrying(attempt, options)).rejects.toBe(cause)
    })

    it('during an attempt that succeeds all the same: what arrived has arrived', async () => {
      const { stop, options } = scene()
      const attempt = async () => {
        stop.abort()
        return 'done'
      }
      expect(await retrying(attempt, options)).toBe('done')
    })

    it('during a pause: at once', async () => {
      const { clock, stop, options } = scene({}, { skipUpTo: -1 })
      const { attempt, made } = attempts(clock, [failure('THROTTLED', { retryAfterMs: 20_000 }), 'done'])
      const running = retrying(attempt, options)
      await clock.advance(10_000)
      expect(clock.sleeping).toBe(1)
      stop.abort()
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED', cause: { code: 'THROTTLED' } })
      expect([made(), clock.sleeping]).toEqual([1, 0])
    })
  })
})
