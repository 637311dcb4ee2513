import { describe, expect, it } from 'vitest'
import { createThrottleGate, type ThrottleGate } from '../../../../src/transfer/trouble/throttle-gate.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { failure } from '../scene.ts'

const policy = { retryDelayMs: 200, retryMaxDelayMs: 20_000, retryMaxTimeMs: 600_000 }
const signal = new AbortController().signal

function scene(onlyAsked = false) {
  const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
  return { clock, gate: createThrottleGate({ clock, policy, onlyAsked }) }
}

const busy = (retryAfterMs?: number) => failure('THROTTLED', 'busy', { status: 503, retryAfterMs })

/** For how long the gate holds an attempt back that comes now. */
async function heldMs(gate: ThrottleGate, clock: { elapsed(): number }): Promise<number> {
  const from = clock.elapsed()
  await gate.turn(signal)
  return clock.elapsed() - from
}

describe('createThrottleGate', () => {
  it('holds nothing back at first, after one refusal, and after any other failure', () => {
    const { gate } = scene()
    expect(gate.turn(signal)).toBeUndefined()
    gate.failed(busy(), 400)
    gate.failed(failure('SERVER_ERROR', 'broken', { status: 500 }), 400)
    expect(gate.turn(signal)).toBeUndefined()
  })

  it('makes all wait for the backoff of the second refusal in a row', async () => {
    const { clock, gate } = scene()
    gate.failed(busy(), 200)
    gate.failed(busy(), 3000)
    gate.failed(busy(), 100)
    const held = await heldMs(gate, clock)
    expect(held).toBeGreaterThanOrEqual(3000)
    expect(held).toBeLessThan(3200)
    expect(gate.turn(signal)).toBeUndefined()
  })

  it('lets refusals among successes be', () => {
    const { gate } = scene()
    for (let n = 0; n < 5; n += 1) {
      gate.failed(busy(), 3000)
      gate.succeeded()
    }
    expect(gate.turn(signal)).toBeUndefined()
  })

  it.each([
    // asked for, times, held at least
    [7000, 1, 7000],
    [90_000, 1, 20_000],
    [90_000, 2, 90_000],
    [9_000_000, 2, 600_000],
  ])('waits where %i ms are asked for, %i times: %i ms', async (retryAfterMs, times, least) => {
    const { clock, gate } = scene()
    for (let n = 0; n < times; n += 1) gate.failed(busy(retryAfterMs), 0)
    const held = await heldMs(gate, clock)
    expect(held).toBeGreaterThanOrEqual(least)
    expect(held).toBeLessThan(least + 200)
  })

  it('waits where any failure comes with a time', async () => {
    const { clock, gate } = scene()
    gate.failed(failure('SERVER_ERROR', 'broken', { status: 500, retryAfterMs: 5000 }), 0)
    expect(await heldMs(gate, clock)).toBeGreaterThanOrEqual(5000)
  })

  it('leaves all but named times to a run that slows down by itself', async () => {
    const { clock, gate } = scene(true)
    for (let n = 0; n < 5; n += 1) gate.failed(busy(), 3000)
    expect(gate.turn(signal)).toBeUndefined()
    gate.failed(busy(4000), 0)
    expect(await heldMs(gate, clock)).toBeGreaterThanOrEqual(4000)
  })

  it('goes on waiting where it is asked for more meanwhile, and spreads those that come back', async () => {
    const clock = createFakeClock({ skipUpTo: -1 })
    const gate = createThrottleGate({ clock, policy, onlyAsked: false })
    gate.failed(busy(5000), 0)
    const back: number[] = []
    const waiting = Array.from({ length: 5 }, async () => {
      await gate.turn(signal)
      back.push(clock.elapsed())
    })
    await clock.advance(3000)
    gate.failed(busy(8000), 0)
    await clock.advance(20_000)
    await Promise.all(waiting)
    expect(Math.min(...back)).toBeGreaterThanOrEqual(11_000)
    expect(new Set(back).size).toBe(5)
  })
})
