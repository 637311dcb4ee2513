import { describe, expect, it } from 'vitest'
import type { Call, PartBody } from '../../../../src/destinations/destination.ts'
import type { UploadEvent } from '../../../../src/observe/events.ts'
import { createAutomatic } from '../../../../src/transfer/pace/automatic.ts'
import { createFakeClock, type FakeClock, settled } from '../../../support/fake-clock.ts'
import { createFakeDestination } from '../../../support/fake-destination.ts'
import { failure } from '../scene.ts'

const object = { key: 'a', contentType: 'audio/wav', partSize: 2 ** 23 }
const body = { size: 10 } as PartBody

/** Lets time pass until the work is done. */
async function pass(clock: FakeClock, work: Promise<unknown>): Promise<void> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  await settled()
  while (!isDone) await clock.advance(1)
  await done
}

function start() {
  let isRefusing = false
  const clock = createFakeClock({ skipUpTo: -1 })
  const events: UploadEvent[] = []
  const stop = new AbortController()
  const call: Call = { signal: stop.signal, requests: 1 }
  const inner = createFakeDestination({ script: () => (isRefusing ? failure('THROTTLED', 'busy') : undefined) })
  const automatic = createAutomatic({
    destinations: [inner],
    clock,
    emit: (event) => void events.push(event),
    busyMs: () => 0,
  })
  const [view] = automatic.views
  if (view === undefined) throw new Error('no view of the destination')
  const { destination, turn } = view
  const put = (): Promise<unknown> => destination.putObject(object, body, call).catch((error: unknown) => error)
  return {
    turn,
    scheduler: automatic.scheduler,
    clock,
    events,
    stop,
    inner,
    put,
    /** So many requests at once, all refused. */
    async refuse(count: number): Promise<void> {
      isRefusing = true
      await pass(clock, Promise.all(Array.from({ length: count }, put)))
      isRefusing = false
    },
    said: () => events.flatMap((event) => (event.type === 'notice' ? [event.message] : [])),
    changes: () => events.filter(({ type }) => type === 'concurrency'),
  }
}

describe('createAutomatic', () => {
  it('holds nothing back at first', async () => {
    const { turn, stop, put, inner, events } = start()
    expect(turn(stop.signal)).toBeUndefined()
    await Promise.all(Array.from({ length: 40 }, put))
    expect([inner.mostRequests, events]).toEqual([40, []])
  })

  it('halves the slots where the server refuses, and says so', async () => {
    const { refuse, scheduler, changes } = start()
    await refuse(16)
    expect(changes()).toEqual([
      { type: 'concurrency', from: 32, to: 16, reason: 'the server asked for fewer requests' },
    ])
    const held = Array.from({ length: 20 }, () => scheduler.spare(() => new Promise(() => {})))
    expect(held.filter((slot) => slot !== undefined)).toHaveLength(16)
  })

  it('lets requests begin one after the other from then on, in order, whether files, parts or repeats', async () => {
    const { refuse, turn, put, stop, clock, inner } = start()
    await refuse(16)
    const before = inner.calls.length
    // One a second at first: nothing was ever accepted.
    const order: string[] = []
    const first = put().then(() => order.push('first'))
    const second = turn(stop.signal)?.then(() => order.push('second'))
    const third = put().then(() => order.push('third'))
    await settled()
    expect([order, inner.calls.length - before]).toEqual([['first'], 1])
    for (let n = 0; n < 300 && order.length < 3; n += 1) await clock.advance(10)
    await Promise.all([first, second, third])
    expect(order).toEqual(['first', 'second', 'third'])
    // The second waited already: its request begins at once.
    await put()
    expect(inner.calls.length - before).toBe(3)
  })

  it('has no file wait for a turn while as many as there are slots are left from files that sent nothing', async () => {
    const { refuse, turn, put, stop, clock, changes } = start()
    await refuse(16)
    expect(changes()).toMatchObject([{ to: 16 }])
    for (let n = 0; n < 16; n += 1) await pass(clock, turn(stop.signal) ?? Promise.reject(new Error('no turn')))
    expect(turn(stop.signal)).toBeUndefined()
    await put()
    const next = turn(stop.signal)
    expect(next).toBeDefined()
    await pass(clock, next ?? Promise.resolve())
  })

  it('lets nobody wait for a turn after the end', async () => {
    const { refuse, turn, put, stop } = start()
    await refuse(16)
    await put()
    const waiting = [turn(stop.signal), turn(stop.signal)]
    stop.abort()
    const ends = await Promise.allSettled(waiting)
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('says at what rate it holds back, again only where that is another, and when it no longer does', async () => {
    const { refuse, put, clock, said, changes } = start()
    const load = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        await pass(clock, put())
        await clock.advance(1)
      }
    }
    await load(1000)
    await refuse(16)
    await refuse(16)
    await load(600)
    expect(said()).toEqual([expect.stringMatching(/^held back to \d+ requests\/s: the server refuses more$/)])
    expect(changes()).toHaveLength(1)
    await clock.advance(30_000)
    await put()
    expect(said().at(-1)).toBe('requests are not held back any more')
    expect(said()).toHaveLength(2)
  })

  it('holds back only what goes to the destination that refuses, and counts the slots once', async () => {
    const clock = createFakeClock({ skipUpTo: -1 })
    const events: UploadEvent[] = []
    const busy = createFakeDestination({ url: 'fake://busy/', script: () => failure('THROTTLED', 'busy') })
    const other = createFakeDestination({ url: 'fake://other/' })
    const automatic = createAutomatic({
      destinations: [busy, other],
      clock,
      emit: (event) => void events.push(event),
      busyMs: () => 0,
    })
    const [ofBusy, ofOther] = automatic.views
    const call: Call = { signal: new AbortController().signal, requests: 1 }
    const put = (view: typeof ofBusy) =>
      view?.destination.putObject(object, body, call).catch((error: unknown) => error)
    await pass(clock, Promise.all(Array.from({ length: 16 }, () => put(ofBusy))))
    expect(events.filter(({ type }) => type === 'concurrency')).toMatchObject([{ from: 32, to: 16 }])
    expect(ofBusy?.turn(call.signal)).toBeDefined()
    expect(ofOther?.turn(call.signal)).toBeUndefined()
    const before = clock.elapsed()
    await Promise.all(Array.from({ length: 20 }, () => put(ofOther)))
    expect([clock.elapsed(), other.calls.length]).toEqual([before, 20])
  })

  it('lets one that is apart slow down alone: no slot is lost for what it refuses', async () => {
    const clock = createFakeClock({ skipUpTo: -1 })
    const events: UploadEvent[] = []
    const busy = createFakeDestination({ url: 'fake://busy/', script: () => failure('THROTTLED', 'busy') })
    const automatic = createAutomatic({
      destinations: [busy, createFakeDestination()],
      apart: new Set([busy]),
      clock,
      emit: (event) => void events.push(event),
      busyMs: () => 0,
    })
    const [ofBusy] = automatic.views
    const call: Call = { signal: new AbortController().signal, requests: 1 }
    const put = () => ofBusy?.destination.putObject(object, body, call).catch((error: unknown) => error)
    await pass(clock, Promise.all(Array.from({ length: 16 }, put)))
    expect(events.filter(({ type }) => type === 'concurrency')).toEqual([])
    expect([automatic.scheduler.slots, ofBusy?.turn(call.signal) !== undefined]).toEqual([32, true])
  })

  it('says which destination refuses, where there are several', async () => {
    const clock = createFakeClock({ skipUpTo: -1 })
    const said: string[] = []
    let isRefusing = false
    const script = () => (isRefusing ? failure('THROTTLED', 'busy') : undefined)
    const [view] = createAutomatic({
      destinations: [createFakeDestination({ url: 'fake://busy/', script }), createFakeDestination()],
      clock,
      emit: (event) => void (event.type === 'notice' && said.push(event.message)),
      busyMs: () => 0,
    }).views
    const call: Call = { signal: new AbortController().signal, requests: 1 }
    const put = () => view?.destination.putObject(object, body, call).catch((error: unknown) => error)
    const load = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        await pass(clock, Promise.resolve(put()))
        await clock.advance(1)
      }
    }
    await load(1000)
    for (const _ of [1, 2]) {
      isRefusing = true
      await pass(clock, Promise.all(Array.from({ length: 16 }, put)))
      isRefusing = false
    }
    await load(600)
    expect(said).toEqual([expect.stringMatching(/^held back to \d+ requests\/s at fake:\/\/busy\/: the server/)])
  })
})
