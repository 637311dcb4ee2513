import { setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Pacer } from '../../../../src/destinations/destination.ts'
import type { Clock } from '../../../../src/transfer/clock.ts'
import { createPacer } from '../../../../src/transfer/pace/rate-limit.ts'
import { createFakeClock, type FakeClock, seededRandom, settled } from '../../../support/fake-clock.ts'

const kB = 1000
const MB = 1_000_000
const GB = 1_000_000_000
const KiB = 1024
const MiB = 1024 * KiB

const nobody = new AbortController().signal
setMaxListeners(0, nobody)

/** A clock whose sleeps end late, by up to so many milliseconds; it passes them at once. */
function lateClock(lateMs: number): Clock {
  const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
  const random = seededRandom(7)
  return { ...clock, sleep: (ms, signal) => clock.sleep(ms + random() * lateMs, signal) }
}

/** A clock that stands still until it is moved. */
function stillClock(): FakeClock {
  return createFakeClock({ skipUpTo: -1 })
}

interface Release {
  readonly at: number
  readonly bytes: number
}

/** So many readers, each taking piece after piece, for so many milliseconds. */
async function drain(pacer: Pacer, clock: Clock, readers: number, untilMs: number, pieceSize = pacer.pieceSize) {
  const releases: Release[] = []
  const read = async (): Promise<void> => {
    for (;;) {
      await pacer.take(pieceSize, nobody)
      const at = clock.elapsed()
      if (at > untilMs) return
      releases.push({ at, bytes: pieceSize })
    }
  }
  await Promise.all(Array.from({ length: readers }, read))
  return releases
}

/** The fewest and the most bytes in any window of so many milliseconds, between the first release and the last. */
function extremes(releases: readonly Release[], windowMs: number): { least: number; most: number } {
  const last = releases.at(-1)?.at ?? 0
  let least = Number.POSITIVE_INFINITY
  let most = 0
  let inWindow = 0
  let to = 0
  for (const { at, bytes } of releases) {
    // From this release on; a window that begins right after it has the same end, without it.
    for (; to < releases.length && (releases[to] as Release).at < at + windowMs; to += 1) {
      inWindow += (releases[to] as Release).bytes
    }
    if (at + windowMs > last) break
    most = Math.max(most, inWindow)
    inWindow -= bytes
    least = Math.min(least, inWindow)
  }
  return { least, most }
}

describe('the rate', () => {
  const tenSeconds = 10_000
  const rates = [1 * kB, 3 * kB, 10 * kB, 100 * kB, 1 * MB, 20 * MB, 125 * MB, 1 * GB]
  const cases = rates.flatMap((rate) => [1, 2, 7, 1000].flatMap((n) => [0, 5, 40].map((late) => [rate, n, late])))

  it.each(cases)('of %i bytes a second holds over any 10 s: %i at once, timers up to %i ms late', async (...given) => {
    const [rate = 0, readers = 0, lateMs = 0] = given
    const clock = lateClock(lateMs)
    const releases = await drain(createPacer(rate, clock), clock, readers, 3 * tenSeconds)
    const { least, most } = extremes(releases, tenSeconds)
    expect(least / (10 * rate)).toBeGreaterThan(0.95)
    expect(most / (10 * rate)).toBeLessThan(1.05)
  })

  it.each([
    // bytes in each request
    [100],
    [1 * KiB],
    [16 * KiB],
    [300 * KiB],
  ])('holds with many small files of %i bytes', async (bytes) => {
    const clock = lateClock(3)
    const releases = await drain(createPacer(1 * MB, clock), clock, 50, 2 * tenSeconds, bytes)
    const { least, most } = extremes(releases, tenSeconds)
    expect(least / (10 * MB)).toBeGreaterThan(0.95)
    expect(most / (10 * MB)).toBeLessThan(1.05)
  })

  it('costs one timer at a time, and no more of them than pieces', async () => {
    const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
    const releases = await drain(createPacer(1 * MB, clock), clock, 1000, 10_000)
    expect(clock.sleeps.length).toBeLessThanOrEqual(releases.length + 1000)
    expect(Math.min(...clock.sleeps)).toBeGreaterThanOrEqual(1)
  })

  it('does not slow down by the time that each piece takes on its way', async () => {
    const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
    const pacer = createPacer(1 * MB, clock)
    let bytes = 0
    while (clock.elapsed() < 10_000) {
      await pacer.take(pacer.pieceSize, nobody)
      bytes += pacer.pieceSize
      await clock.sleep(30, nobody)
    }
    expect(bytes / (10 * MB)).toBeGreaterThan(0.95)
    expect(bytes / (10 * MB)).toBeLessThan(1.05)
  })

  it('never makes up for more than a tenth of a second', async () => {
    const clock = createFakeClock({ skipUpTo: Number.POSITIVE_INFINITY })
    const pacer = createPacer(1 * MB, clock)
    await pacer.take(1, nobody)
    await clock.sleep(3_600_000, nobody)
    const from = clock.elapsed()
    let atOnce = 0
    for (;;) {
      await pacer.take(10 * kB, nobody)
      if (clock.elapsed() > from) break
      atOnce += 10 * kB
    }
    expect(atOnce).toBeGreaterThanOrEqual(50 * kB)
    expect(atOnce).toBeLessThanOrEqual(110 * kB)
  })

  it('lets a piece pass that is more than the burst', async () => {
    const clock = stillClock()
    const pacer = createPacer(1 * kB, clock)
    await pacer.take(5 * kB, nobody)
    let isNext = false
    const next = pacer.take(1, nobody).then(() => {
      isNext = true
    })
    await clock.advance(4999)
    expect(isNext).toBe(false)
    await clock.advance(1)
    expect(isNext).toBe(true)
    await next
  })
})

it.each([
  [1 * kB, 200],
  [10 * kB, 2000],
  [20 * KiB, 4 * KiB],
  [80 * KiB, 4 * KiB],
  [1 * MB, 50_000],
  [10 * MiB, 512 * KiB],
  [20 * MiB, 1 * MiB],
  [1 * GB, 1 * MiB],
  [1, 1],
])('at %i bytes a second a piece has %i bytes', (rate, expected) => {
  expect(createPacer(rate, stillClock()).pieceSize).toBe(expected)
})

describe('waiting', () => {
  /** A pacer of a byte a millisecond, with the first byte gone: the next is due after a millisecond. */
  async function busy() {
    const clock = stillClock()
    const pacer = createPacer(1 * kB, clock)
    const order: string[] = []
    await pacer.take(1, nobody)
    const take = (name: string, bytes: number, signal = nobody) =>
      pacer.take(bytes, signal).then(
        () => void order.push(`${name} at ${clock.elapsed()}`),
        (error) => void order.push(`${name}: ${error.code}`),
      )
    return { clock, pacer, order, take }
  }

  it('is first come, first served, whatever the size', async () => {
    const { clock, order, take } = await busy()
    for (const [name, bytes] of [
      ['a', 100],
      ['b', 1],
      ['c', 10],
      ['d', 1],
    ] as const)
      void take(name, bytes)
    expect(clock.sleeping).toBe(1)
    await clock.advance(1000)
    expect(order).toEqual(['a at 1', 'b at 101', 'c at 102', 'd at 112'])
  })

  it('goes behind who came before, even where bytes are due by now', async () => {
    const { clock, pacer, order, take } = await busy()
    void take('a', 10).then(() => take('c', 1))
    void take('b', 10)
    await clock.advance(1000)
    expect(order).toEqual(['a at 1', 'b at 11', 'c at 21'])
    expect(clock.sleeping).toBe(0)
    await expect(pacer.take(0, nobody)).resolves.toBeUndefined()
  })

  it('that is cut costs nothing, and those behind it move up', async () => {
    const { clock, order, take } = await busy()
    const stop = new AbortController()
    void take('a', 10)
    void take('b', 1000, stop.signal)
    void take('c', 10)
    await clock.advance(5)
    stop.abort()
    await settled()
    await clock.advance(1000)
    expect(order).toEqual(['a at 1', 'b: CANCELLED', 'c at 11'])
  })

  it('that is cut at the head costs nothing either', async () => {
    const { clock, order, take } = await busy()
    const stop = new AbortController()
    void take('a', 1000, stop.signal)
    void take('b', 10)
    stop.abort()
    await clock.advance(1000)
    expect(order).toEqual(['a: CANCELLED', 'b at 1'])
  })

  it('leaves no timer behind where nobody waits any more, and begins anew afterwards', async () => {
    const { clock, order, take } = await busy()
    const stop = new AbortController()
    for (const name of ['a', 'b']) void take(name, 1, stop.signal)
    expect(clock.sleeping).toBe(1)
    stop.abort()
    await settled()
    expect(clock.sleeping).toBe(0)
    void take('c', 1)
    expect(clock.sleeping).toBe(1)
    await clock.advance(1)
    expect(order).toEqual(['a: CANCELLED', 'b: CANCELLED', 'c at 1'])
  })

  it('is not begun with a signal that is aborted', async () => {
    const { pacer } = await busy()
    await expect(pacer.take(1, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('a timer that ends in the moment it is cut wakes nobody', async () => {
    const clock = stillClock()
    const wakes: (() => void)[] = []
    const deaf: Clock = { ...clock, elapsed: clock.elapsed, sleep: () => new Promise((wake) => wakes.push(wake)) }
    const pacer = createPacer(1 * kB, deaf)
    await pacer.take(10, nobody)
    const stop = new AbortController()
    const cut = pacer.take(1, stop.signal)
    stop.abort()
    await expect(cut).rejects.toMatchObject({ code: 'CANCELLED' })
    let isServed = false
    const next = pacer.take(1, nobody).then(() => {
      isServed = true
    })
    await clock.advance(10)
    wakes[0]?.()
    await settled()
    expect(isServed).toBe(false)
    wakes[1]?.()
    await next
  })

  it('a timer that comes too early is set again', async () => {
    const clock = stillClock()
    const wakes: (() => void)[] = []
    const hasty: Clock = { ...clock, elapsed: clock.elapsed, sleep: () => new Promise((wake) => wakes.push(wake)) }
    const pacer = createPacer(1 * kB, hasty)
    await pacer.take(10, nobody)
    const next = pacer.take(1, nobody)
    await clock.advance(9)
    wakes[0]?.()
    await settled()
    expect(wakes).toHaveLength(2)
    await clock.advance(1)
    wakes[1]?.()
    await next
  })
})
