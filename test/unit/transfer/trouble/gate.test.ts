import { describe, expect, it } from 'vitest'
import type { ErrorCode, UploadError, UploadErrorDetails } from '../../../../src/errors.ts'
import { createBreaker } from '../../../../src/transfer/trouble/breaker.ts'
import { createGate, type GateOptions } from '../../../../src/transfer/trouble/gate.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'
import { failure, retry } from '../scene.ts'

const signal = new AbortController().signal
const unreachable = failure('CONNECTION', 'refused', { unreachable: true })

/** @param tickMs passes with each look at the clock */
function scene(tickMs = 0, more: Pick<GateOptions, 'standIn' | 'hasTakenOver'> = {}) {
  const still = createFakeClock({ skipUpTo: -1 })
  let ticks = 0
  const clock = { ...still, elapsed: () => still.elapsed() + tickMs * ticks++ }
  const lost: UploadError[] = []
  const gate = createGate({
    clock,
    emit: () => {},
    policy: retry,
    scheduler: { halve: () => undefined },
    breaker: createBreaker(),
    isAdaptive: false,
    onLost: (error) => void lost.push(error),
    ...more,
  })
  return { clock, gate, lost }
}

describe('createGate', () => {
  it('is open at first', () => {
    expect(scene().gate.turn(signal)).toBeUndefined()
  })

  it('charges for a destination that was never reached', () => {
    const { gate } = scene()
    expect(gate.excuse(unreachable, 0)).toBeUndefined()
    expect(gate.turn(signal)).toBeUndefined()
  })

  it('pauses once it was, and then is not', async () => {
    const { clock, gate } = scene()
    gate.succeeded()
    await clock.advance(10)
    expect(gate.excuse(unreachable, clock.elapsed())).toBe(0)
    let open = false
    gate.turn(signal)?.then(() => {
      open = true
    })
    await settled()
    expect(open).toBe(false)
    gate.succeeded()
    await settled()
    expect([open, gate.turn(signal)]).toEqual([true, undefined])
  })

  it('takes no single connection that fails, while others get through, for an outage', async () => {
    const { clock, gate } = scene()
    const beganMs = clock.elapsed()
    await clock.advance(10)
    gate.succeeded()
    expect(gate.excuse(unreachable, beganMs)).toBeUndefined()
    expect(gate.turn(signal)).toBeUndefined()
    // In an outage it is one more that waits.
    gate.excuse(unreachable, clock.elapsed())
    expect(gate.excuse(unreachable, beganMs)).toBeDefined()
    gate.close()
  })

  it.each<[string, UploadError, boolean]>([
    ['a refusal', failure('SERVER_ERROR', 'broken', { status: 500 }), true],
    ['a connection that breaks', failure('CONNECTION', 'reset'), false],
    ['silence', failure('STALLED', 'silent'), false],
  ])('goes on after %s: %s', async (_name, error, opens) => {
    const { gate } = scene()
    gate.succeeded()
    gate.excuse(unreachable, 0)
    expect(gate.excuse(error, 0)).toBeUndefined()
    expect(gate.turn(signal) === undefined).toBe(opens)
    gate.close()
  })

  it('asks those that come back from an outage to wait for a throttling server too', async () => {
    const { clock, gate } = scene()
    gate.succeeded()
    gate.excuse(unreachable, 0)
    let open = false
    gate.turn(signal)?.then(() => {
      open = true
    })
    const busy = failure('THROTTLED', 'busy', { status: 503, retryAfterMs: 1000 })
    gate.excuse(busy, 0)
    gate.failed(busy, 1000)
    await clock.advance(999)
    expect(open).toBe(false)
    await clock.advance(1000)
    expect(open).toBe(true)
  })

  it('does not charge for too many open files', () => {
    const { gate } = scene()
    const cause = Object.assign(new Error('x'), { code: 'EMFILE' })
    const excuse = gate.excuse(failure('SOURCE_UNREADABLE', 'too many open files', { cause }), 0)
    expect(excuse).toBeGreaterThanOrEqual(100)
  })

  it('says that a destination is lost', async () => {
    const { clock, gate, lost } = scene()
    gate.succeeded()
    gate.excuse(unreachable, 0)
    await clock.advance(retry.retryMaxTimeMs)
    expect(lost).toMatchObject([{ code: 'CONNECTION' }])
  })
})

describe('isSilent', () => {
  it.each<[ErrorCode, UploadErrorDetails, boolean]>([
    ['CONNECTION', {}, true],
    ['STALLED', {}, true],
    ['TIMEOUT', {}, true],
    ['TIMEOUT', { status: 408 }, false],
    ['SERVER_ERROR', { status: 500 }, false],
    ['CHECKSUM_MISMATCH', {}, false],
  ])('%s %j: %s', async (code, details, expected) => {
    const { clock, gate } = scene()
    gate.succeeded()
    const error = failure(code, 'x', details)
    gate.failed(failure('CONNECTION', 'reset'), 0)
    await clock.advance(30_000)
    gate.failed(error, 0)
    expect(gate.isSilent(error, 10)).toBe(expected)
  })

  it('ends with any success, and after a minute for all', async () => {
    const { clock, gate } = scene()
    const reset = failure('CONNECTION', 'reset')
    gate.failed(reset, 0)
    expect(gate.isSilent(reset, 0)).toBe(false)
    gate.succeeded()
    expect(gate.isSilent(reset, 0)).toBe(false)
    gate.failed(reset, 0)
    await clock.advance(59_999)
    expect([gate.isSilent(reset, 0), gate.isSilent(reset, 59_000)]).toEqual([true, true])
    await clock.advance(1)
    expect([gate.isSilent(reset, 0), gate.isSilent(reset, 59_000)]).toEqual([false, false])
  })

  it('is that of the very file whose failure was the first, on a clock that does not stand still', () => {
    const { clock, gate } = scene(0.01)
    const reset = failure('CONNECTION', 'reset')
    gate.succeeded()
    const failedMs = clock.elapsed()
    gate.failed(reset, 0)
    expect(gate.isSilent(reset, failedMs)).toBe(true)
  })

  it('is not that of a file that fails while others get through', async () => {
    const { clock, gate } = scene()
    const reset = failure('CONNECTION', 'reset')
    gate.succeeded()
    gate.failed(reset, 0)
    await clock.advance(1000)
    gate.succeeded()
    await clock.advance(1000)
    gate.failed(reset, 0)
    expect([gate.isSilent(reset, 0), gate.isSilent(reset, 2000)]).toEqual([false, true])
  })

  describe('of a destination that another can stand in for', () => {
    const silent = failure('TIMEOUT', 'no answer', { retryable: true })
    const failAlways = async ({ clock, gate }: ReturnType<typeof scene>): Promise<void> => {
      const beganMs = clock.elapsed()
      await clock.advance(30_000)
      for (let n = 0; n < 4; n += 1) gate.excuse(silent, beganMs)
    }

    it.each([false, true])('gives it up where nothing succeeds any more; had it worked: %s', async (hasWorked) => {
      const it = scene(0, { standIn: { isInTrouble: false } })
      if (hasWorked) it.gate.succeeded()
      await failAlways(it)
      expect([it.lost[0]?.code, it.gate.isLost]).toEqual(['TIMEOUT', hasWorked])
    })

    it('does not where the other is in trouble, too, or where there is none', async () => {
      const ofBoth = scene(0, { standIn: { isInTrouble: true } })
      const alone = scene()
      for (const each of [ofBoth, alone]) {
        await failAlways(each)
        expect([each.lost, each.gate.isLost]).toEqual([[], false])
      }
    })
  })

  it('knows of trouble with the line until something gets through', () => {
    const { gate } = scene()
    expect(gate.isInTrouble).toBe(false)
    gate.failed(failure('SERVER_ERROR', 'broken', { status: 500 }), 0)
    expect(gate.isInTrouble).toBe(false)
    gate.failed(failure('CONNECTION', 'reset'), 0)
    expect(gate.isInTrouble).toBe(true)
    gate.succeeded()
    expect(gate.isInTrouble).toBe(false)
    gate.excuse(unreachable, 0)
    expect(gate.isInTrouble).toBe(true)
    gate.close()
  })

  it('waits for one that was never reached where it takes over from one that was', () => {
    const { gate } = scene(0, { hasTakenOver: () => true })
    expect(gate.excuse(unreachable, 0)).toBe(0)
    expect(gate.turn(signal)).toBeDefined()
    gate.close()
  })
})
