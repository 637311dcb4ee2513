import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../../src/observe/events.ts'
import {
  createTimeouts,
  type Forecast,
  predictAnswerMs,
  predictTimeoutMs,
  type TimeoutSurroundings,
} from '../../../../src/transfer/trouble/timeouts.ts'

const KiB = 1024
const MiB = 1024 * KiB
const second = 1000
const hour = 3600 * second

describe('the limit of a request', () => {
  it.each<[name: string, forecast: Forecast, seconds: number]>([
    ['nothing', { size: 0, bytesPerSecond: undefined }, 30],
    ['64 KiB, nothing measured', { size: 64 * KiB, bytesPerSecond: undefined }, 34],
    ['8 MiB, nothing measured', { size: 8 * MiB, bytesPerSecond: undefined }, 542],
    ['8 MiB at 1 MiB/s', { size: 8 * MiB, bytesPerSecond: MiB }, 62],
    ['8 MiB at 1 GiB/s', { size: 8 * MiB, bytesPerSecond: 1024 * MiB }, 30.03125],
    ['8 MiB, and 2 s beside', { size: 8 * MiB, bytesPerSecond: MiB, fixedMs: 2 * second }, 70],
    ['10 KiB at the least rate', { size: 10 * KiB, bytesPerSecond: 10 * KiB }, 34],
    ['10 KiB at less than that', { size: 10 * KiB, bytesPerSecond: 1 }, 34],
    ['5 GiB at the least rate: a day', { size: 5 * 1024 * MiB, bytesPerSecond: 0 }, 86_400],
    ['a limited rate', { size: MiB, bytesPerSecond: 100 * MiB, mostBytesPerSecond: 128 * KiB }, 62],
    ['a limited rate, nothing measured', { size: MiB, bytesPerSecond: undefined, mostBytesPerSecond: 32 * KiB }, 158],
    ['a rate limited to less than the least', { size: 10 * KiB, bytesPerSecond: MiB, mostBytesPerSecond: KiB }, 70],
    ['a limit that is no limit', { size: MiB, bytesPerSecond: MiB, mostBytesPerSecond: 1024 * MiB }, 34],
  ])('%s', (_, forecast, seconds) => {
    expect(predictTimeoutMs(forecast)).toBe(seconds * second)
  })
})

describe('the limit of an answer', () => {
  it.each<[name: string, forecast: Forecast, stallMs: number, seconds: number]>([
    ['nothing', { size: 0, bytesPerSecond: undefined }, 100, 30],
    ['64 KiB, nothing measured', { size: 64 * KiB, bytesPerSecond: undefined }, 100, 34.0032768],
    ['100 MB on a fast line', { size: 100_000_000, bytesPerSecond: 1024 * MiB }, 100, 35.00390625],
    ['100 MB on a slow line', { size: 100_000_000, bytesPerSecond: 64 * KiB }, 100, 99],
    ['1 MiB at less than the least rate', { size: MiB, bytesPerSecond: 1 }, 100, 439.6524288],
    ['more patience with silence', { size: 0, bytesPerSecond: undefined }, 60 * second, 60],
    ['5 TB', { size: 5e12, bytesPerSecond: MiB }, 100, 86_400],
  ])('%s', (_, forecast, stallMs, seconds) => {
    expect(predictAnswerMs(forecast, stallMs)).toBeCloseTo(seconds * second, 3)
  })
})

function scene(over: Partial<TimeoutSurroundings> = {}, requestMs: number | 'auto' = 'auto') {
  const events: UploadEvent[] = []
  const emit = (event: UploadEvent): void => void events.push(event)
  const surroundings = { requests: 32, limitRate: undefined, partSize: 8 * MiB, emit, ...over }
  const timeouts = createTimeouts({ requestMs, stallMs: 30 * second }, surroundings)
  const notices = () => events.map((event) => (event.type === 'notice' ? event.message : event.type))
  /** What the limit of 8 MiB says the throughput is, in KiB/s. */
  const rate = () => Math.round((8 * KiB * 4) / (timeouts.limitMs(8 * MiB) / second - 30))
  return { timeouts, notices, rate }
}

describe('what was measured', () => {
  it('raises the throughput slowly', () => {
    const { timeouts, rate } = scene()
    const rates: number[] = []
    for (let n = 0; n < 3; n += 1) {
      timeouts.succeeded(MiB, second)
      rates.push(rate())
    }
    expect(rates).toEqual([122, 212, 293])
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    expect(rate()).toBe(1024)
  })

  it('lowers it quickly', () => {
    const { timeouts, rate } = scene()
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    timeouts.succeeded(MiB, 10 * second)
    expect(rate()).toBe(563)
    timeouts.succeeded(MiB, 10 * second)
    timeouts.succeeded(MiB, 10 * second)
    expect(rate()).toBe(218)
  })

  it('of less than 64 KiB says nothing of the throughput, but of the rest', () => {
    const { timeouts } = scene()
    timeouts.succeeded(64 * KiB - 1, 8 * second)
    expect(timeouts.limitMs(0)).toBe(46 * second)
    expect(timeouts.limitMs(64 * KiB)).toBe(50 * second)
    // Up quickly, down slowly.
    timeouts.succeeded(0, 0)
    expect(timeouts.limitMs(0)).toBeCloseTo(45.2 * second, 6)
  })

  it('without bytes to speak of cannot make the limit grow without end', () => {
    const { timeouts } = scene()
    for (let n = 0; n < 100; n += 1) timeouts.succeeded(10, timeouts.limitMs(10))
    expect(timeouts.limitMs(0)).toBeLessThanOrEqual(270 * second)
  })

  it('counts the bytes alone where the rest is known', () => {
    const { timeouts, rate } = scene()
    for (let n = 0; n < 100; n += 1) timeouts.succeeded(10, second)
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, 3 * second)
    // 1 MiB in the two seconds that are left; and four times one second more.
    expect(timeouts.limitMs(8 * MiB)).toBeCloseTo((30 + 4 + 4 * 16) * second, -1)
    // But never more than half of the time: a request in no time is no infinite throughput.
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    expect(rate()).toBeLessThan(2048)
    timeouts.succeeded(MiB, 0)
    expect(Number.isFinite(rate())).toBe(true)
  })

  it('and was given up in the middle of its body makes the next limit longer', () => {
    const { timeouts, rate } = scene()
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    for (let n = 0; n < 50; n += 1) timeouts.overdue(8 * MiB, 64 * second)
    // Many that end together say it only once.
    expect(rate()).toBe(128)
    timeouts.overdue(8 * MiB, 10 * hour)
    expect(rate()).toBe(10)
  })

  it('and was given up says nothing where it was small, or faster than thought', () => {
    const { timeouts } = scene()
    timeouts.overdue(10, hour)
    timeouts.overdue(8 * MiB, second)
    expect(timeouts.limitMs(8 * MiB)).toBe(542 * second)
  })

  it('counts for the limit of an answer too', () => {
    const { timeouts } = scene()
    expect(timeouts.answerLimitMs(MiB)).toBeCloseTo(94.05 * second, -2)
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    expect(timeouts.answerLimitMs(MiB)).toBeCloseTo(34.05 * second, -2)
  })
})

describe('a limited rate', () => {
  it('is shared by all requests in flight', () => {
    expect(scene({ limitRate: MiB, requests: 32 }).rate()).toBe(32)
    expect(scene({ limitRate: MiB, requests: 256 }).rate()).toBe(4)
  })

  it('is not what a measurement can raise', () => {
    const { timeouts, rate } = scene({ limitRate: MiB, requests: 32 })
    for (let n = 0; n < 100; n += 1) timeouts.succeeded(MiB, 1)
    expect(rate()).toBe(32)
  })
})

describe('a number given by the user', () => {
  it('is the limit of all requests, whatever is measured', () => {
    const { timeouts, notices } = scene({}, 5 * second)
    timeouts.succeeded(100 * MiB, hour)
    timeouts.overdue(100 * MiB, hour)
    expect([timeouts.limitMs(0), timeouts.limitMs(5e12)]).toEqual([5 * second, 5 * second])
    expect(notices()).toEqual([])
  })
})

describe('what is told', () => {
  it('is a limit that changed by half or more', () => {
    const { timeouts, notices } = scene()
    for (let n = 0; n < 200; n += 1) timeouts.succeeded(MiB, second)
    expect(notices()).toEqual([
      'timeout of a request of 8 MiB: 185 s (measured 217 kB/s)',
      'timeout of a request of 8 MiB: 90 s (measured 557 kB/s)',
    ])
  })

  it('is told five times at most', () => {
    const { timeouts, notices } = scene()
    for (let n = 0; n < 10; n += 1) {
      for (let request = 0; request < 100; request += 1) timeouts.succeeded(MiB, second)
      timeouts.overdue(MiB, 100 * second)
    }
    expect(notices()).toHaveLength(5)
  })

  it('names a part of no whole MiB as it is', () => {
    const { timeouts, notices } = scene({ partSize: 6_500_000 })
    for (let n = 0; n < 2; n += 1) timeouts.succeeded(MiB, 1)
    expect(notices()).toEqual(['timeout of a request of 6.5 MB: 140 s (measured 237 kB/s)'])
  })

  it('is nothing while only small requests were made', () => {
    const { timeouts, notices } = scene()
    for (let n = 0; n < 100; n += 1) timeouts.succeeded(10, 20 * second)
    timeouts.overdue(10, hour)
    expect(notices()).toEqual([])
  })
})
