import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../../src/observe/events.ts'
import { createOutage, type Outage, type StandIn } from '../../../../src/transfer/trouble/outage.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'
import { failure } from '../scene.ts'

const refused = failure('CONNECTION', 'the host refuses connections', { unreachable: true })

function scene(limitMs = 600_000, standIn?: StandIn) {
  const clock = createFakeClock({ skipUpTo: -1 })
  const events: UploadEvent[] = []
  const lost: string[] = []
  const outage = createOutage({
    clock,
    emit: (event) => void events.push(event),
    limitMs,
    standIn,
    onLost: (error) => void lost.push(`${error.code} ${error.message}`),
  })
  const said = (): string[] => events.map((event) => (event.type === 'warning' ? event.message : event.type))
  return { clock, outage, said, lost }
}

/** Waits at the outage; tells whether it has been let through. */
function waiter(outage: Outage, signal = new AbortController().signal) {
  const state = { went: false, cut: false }
  outage.turn(signal)?.then(
    () => {
      state.went = true
    },
    () => {
      state.cut = true
    },
  )
  return state
}

describe('createOutage', () => {
  it('holds nothing back while there is none', () => {
    const { outage } = scene()
    expect([outage.isOn, outage.turn(new AbortController().signal)]).toEqual([false, undefined])
    outage.answered()
    expect(outage.isOn).toBe(false)
  })

  it('lets one at a time through, every one to five seconds, in order', async () => {
    const { clock, outage } = scene()
    outage.unreachable(refused)
    const waiting = Array.from({ length: 4 }, () => waiter(outage))
    await clock.advance(999)
    expect(waiting.map(({ went }) => went)).toEqual([false, false, false, false])
    for (let probes = 1; probes <= 4; probes += 1) {
      await clock.advance(clock.sleeps.at(-1) ?? 0)
      expect(waiting.filter(({ went }) => went)).toHaveLength(probes)
      expect(waiting[probes - 1]?.went).toBe(true)
    }
    expect(Math.min(...clock.sleeps)).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(5000)
    expect(new Set(clock.sleeps).size).toBe(clock.sleeps.length)
    outage.close()
  })

  it('lets all go on once there is an answer, and says both', async () => {
    const { clock, outage, said } = scene()
    outage.unreachable(refused)
    outage.unreachable(refused)
    const waiting = Array.from({ length: 3 }, () => waiter(outage))
    await clock.advance(31_000)
    outage.unreachable(refused)
    const late = waiter(outage)
    outage.answered()
    await settled()
    expect([...waiting, late].map(({ went }) => went)).toEqual([true, true, true, true])
    expect(said()).toEqual([
      expect.stringMatching(
        /^the destination cannot be reached; waiting for it until \d\d:\d\d:\d\d at most .*: the host refuses connections$/,
      ),
      'the destination can be reached again, after 31.0 s',
    ])
    expect([outage.isOn, clock.sleeping]).toEqual([false, 0])
  })

  it.each([5000, 600_000])('ends the run after %i ms without an answer', async (limitMs) => {
    const { clock, outage, lost } = scene(limitMs)
    outage.unreachable(refused)
    await clock.advance(limitMs - 1)
    expect(lost).toEqual([])
    await clock.advance(1)
    expect(lost).toEqual([
      expect.stringMatching(/^CONNECTION .*could not be reached for .*--resume: the host refuses connections$/),
    ])
    await clock.advance(limitMs)
    expect(lost).toHaveLength(1)
  })

  it('cuts those whose signal is aborted, before or while they wait', async () => {
    const { clock, outage } = scene()
    const stop = new AbortController()
    outage.unreachable(refused)
    const before = waiter(outage, AbortSignal.abort())
    const meanwhile = waiter(outage, stop.signal)
    stop.abort()
    await settled()
    expect([before, meanwhile]).toEqual([
      { went: false, cut: true },
      { went: false, cut: true },
    ])
    const next = waiter(outage)
    await clock.advance(5000)
    expect(next.went).toBe(true)
    outage.close()
    await settled()
    expect(clock.sleeping).toBe(0)
  })

  it('is not waited out where another destination can take the files', async () => {
    const { clock, outage, said, lost } = scene(600_000, { isInTrouble: false })
    outage.unreachable(refused)
    await clock.advance(9999)
    expect(lost).toEqual([])
    await clock.advance(5001)
    expect(lost).toEqual([
      expect.stringMatching(/^CONNECTION the destination could not be reached for 1\d\.\d s: the host refuses/),
    ])
    expect(said()).toEqual([
      'the destination cannot be reached; its files go elsewhere if that lasts: the host refuses connections',
    ])
    expect(clock.sleeping).toBe(0)
  })

  it('is waited out where that one has trouble as well, since then it is the line', async () => {
    const standIn = { isInTrouble: true }
    const { clock, outage, lost } = scene(600_000, standIn)
    outage.unreachable(refused)
    await clock.advance(300_000)
    expect(lost).toEqual([])
    standIn.isInTrouble = false
    await clock.advance(5000)
    expect(lost).toHaveLength(1)
  })

  it('says of one that follows soon only what lasts', async () => {
    const { clock, outage, said } = scene()
    outage.unreachable(refused)
    outage.answered()
    outage.unreachable(refused)
    await clock.advance(10)
    outage.unreachable(refused)
    outage.answered()
    expect(said()).toHaveLength(2)
    outage.unreachable(refused)
    await clock.advance(3000)
    outage.unreachable(refused)
    outage.answered()
    expect(said()).toHaveLength(4)
    await clock.advance(60_001)
    outage.unreachable(refused)
    expect(said()).toHaveLength(5)
    outage.close()
  })
})
