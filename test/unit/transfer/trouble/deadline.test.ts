import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deadline } from '../../../../src/config/halting-values.ts'
import type { UploadEvent } from '../../../../src/observe/events.ts'
import { deadlineAt, lateText, watchDeadline } from '../../../../src/transfer/trouble/deadline.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'

const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const at = (hours: number, minutes = 0): Deadline => ({ kind: 'at', hours, minutes })
const iso = (ms: number): string => new Date(ms).toISOString()

describe('deadlineAt', () => {
  it.each<[string, string, Deadline, string]>([
    ['UTC', '2026-11-22T05:00:00Z', at(6), '2026-11-22T06:00:00.000Z'],
    ['UTC', '2026-11-22T06:00:00Z', at(6), '2026-11-23T06:00:00.000Z'],
    ['UTC', '2026-11-22T23:59:00Z', at(0, 5), '2026-11-23T00:05:00.000Z'],
    ['UTC', '2026-12-31T12:00:00Z', at(6), '2027-01-01T06:00:00.000Z'],
    ['UTC', '2026-11-22T05:00:00Z', { kind: 'after', ms: 7_200_000 }, '2026-11-22T07:00:00.000Z'],
    ['America/New_York', '2026-07-01T12:00:00Z', at(9), '2026-07-01T13:00:00.000Z'],
    // The night of 23 hours: at six it is summer time.
    ['Europe/Berlin', '2026-03-28T20:00:00Z', at(6), '2026-03-29T04:00:00.000Z'],
    // There is no half past two that day; an hour later there is.
    ['Europe/Berlin', '2026-03-28T23:30:00Z', at(2, 30), '2026-03-29T01:30:00.000Z'],
    // The night of 25 hours.
    ['Europe/Berlin', '2026-10-24T20:00:00Z', at(6), '2026-10-25T05:00:00.000Z'],
    ['Europe/Berlin', '2026-10-24T22:30:00Z', at(2, 30), '2026-10-25T00:30:00.000Z'],
  ])('%s, %s, %j: %s', (timeZone, now, deadline, expected) => {
    process.env.TZ = timeZone
    expect(iso(deadlineAt(deadline, Date.parse(now)))).toBe(expected)
  })
})

describe('lateText', () => {
  beforeEach(() => {
    process.env.TZ = 'UTC'
  })
  it.each([
    ['2026-11-23T06:20:00Z', 'at this rate it ends at 06:20, 20 minutes after the deadline (06:00)'],
    ['2026-11-23T06:00:10Z', 'at this rate it ends at 06:00, 1 minute after the deadline (06:00)'],
    ['2026-11-23T07:59:00Z', 'at this rate it ends at 07:59, 119 minutes after the deadline (06:00)'],
    ['2026-11-23T09:01:00Z', 'at this rate it ends at 09:01, 3 hours after the deadline (06:00)'],
    ['2026-11-26T06:00:00Z', 'at this rate it ends at 06:00 on 2026-11-26, 3 days after the deadline (06:00)'],
  ])('%s', (end, expected) => {
    const now = Date.parse('2026-11-23T04:00:00Z')
    expect(lateText(Date.parse(end), Date.parse('2026-11-23T06:00:00Z'), now)).toBe(expected)
  })
})

describe('watchDeadline', () => {
  beforeEach(() => {
    process.env.TZ = 'UTC'
  })

  function scene(deadline: Deadline | undefined) {
    const clock = createFakeClock({ skipUpTo: -1, now: Date.parse('2026-11-22T05:00:00Z') })
    const said: string[] = []
    const watch = watchDeadline(deadline, clock, (event) => {
      if (event.type === 'warning') said.push(event.message)
    })
    let sent = 0
    /** So many seconds in which so many bytes leave. */
    const send = async (seconds: number, perSecond: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        sent += perSecond
        watch.listener({ type: 'file-progress', index: 1, sent, partsDone: 0 })
        await clock.advance(1000)
      }
    }
    const begin = (bytes: number): void => {
      const events: UploadEvent[] = [
        { type: 'totals', files: 1, bytes, complete: true },
        { type: 'file-started', index: 1, path: 'a', key: 'a', size: bytes, parts: 1 },
      ]
      for (const event of events) watch.listener(event)
    }
    return { clock, said, watch, send, begin }
  }

  it('does nothing where there is none', async () => {
    const { clock, watch } = scene(undefined)
    await clock.advance(10 ** 9)
    expect([watch.signal.aborted, clock.sleeps]).toEqual([false, []])
    watch.close()
  })

  it.each<[Deadline, number]>([
    [{ kind: 'after', ms: 2500 }, 2500],
    [at(5, 1), 60_000],
  ])('stops at it: %j', async (deadline, ms) => {
    const { clock, watch, said } = scene(deadline)
    await clock.advance(ms - 1)
    expect(watch.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(watch.signal.reason).toMatchObject({
      code: 'HALTED',
      message: expect.stringMatching(/^stopped at the deadline \(05:0[01]\); go on with upload --resume$/),
    })
    expect([said, clock.sleeping]).toEqual([[], 0])
  })

  it('warns, after some seconds of sending, that it will be missed', async () => {
    const { said, watch, begin, send } = scene(at(6))
    begin(8_000_000)
    await send(5, 1000)
    expect(said).toEqual([])
    await send(10, 1000)
    expect(said).toEqual(['at this rate it ends at 07:13, 73 minutes after the deadline (06:00)'])
    await send(600, 1000)
    expect(said).toHaveLength(1)
    watch.close()
  })

  it('warns again where that changed much', async () => {
    const { said, watch, begin, send } = scene(at(6))
    begin(8_000_000)
    await send(15, 1000)
    await send(120, 400)
    expect(said).toHaveLength(2)
    expect(said[1]).toMatch(/5 hours after/)
    watch.close()
  })

  it('says nothing of a run that will be in time, has not begun to send, or does not move', async () => {
    const fast = scene(at(6))
    fast.begin(8_000_000)
    await fast.send(60, 10_000)
    const scanning = scene(at(6))
    await scanning.clock.advance(60_000)
    expect([fast.said, scanning.said]).toEqual([[], []])
    fast.watch.close()
    scanning.watch.close()
  })

  it('rests once it is closed', async () => {
    const { clock, watch } = scene(at(6))
    watch.close()
    await settled()
    expect([clock.sleeping, watch.signal.aborted]).toEqual([0, false])
  })
})
