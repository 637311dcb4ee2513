import { describe, expect, it } from 'vitest'
import { createRequestRate } from '../../../../src/transfer/pace/request-rate.ts'

function start() {
  let nowMs = 0
  const settled: (number | undefined)[] = []
  const rate = createRequestRate(
    () => nowMs,
    (perSecond) => void settled.push(perSecond),
  )
  return {
    rate,
    settled,
    pass: (ms: number) => {
      nowMs += ms
    },
    /** Sends as fast as it may, and each is accepted at once. @returns how many */
    send(ms: number): number {
      const untilMs = nowMs + ms
      for (let sent = 0; ; sent += 1) {
        for (let waitMs = rate.waitMs(); waitMs > 0; waitMs = rate.waitMs()) {
          nowMs += waitMs
          if (nowMs >= untilMs) return sent
        }
        rate.take()
        rate.accepted()
      }
    },
    /** So many a second, accepted, where nothing holds back. */
    accept(perSecond: number, ms: number): void {
      for (let n = 0; n < (perSecond * ms) / 1000; n += 1) {
        nowMs += 1000 / perSecond
        rate.take()
        rate.accepted()
      }
    },
  }
}

describe('createRequestRate', () => {
  it('holds nothing back before the first cut', () => {
    const { rate, accept, settled } = start()
    accept(1000, 3000)
    expect([rate.perSecond, rate.waitMs(), rate.isBinding, settled]).toEqual([undefined, 0, false, []])
  })

  it.each([50, 1000])('begins with the %i/s that were accepted, and doubles until it meets a limit', (perSecond) => {
    const { rate, accept, send } = start()
    accept(perSecond, 2000)
    rate.cut(0.3)
    expect(rate.isBinding).toBe(true)
    expect(rate.perSecond).toBeGreaterThan(perSecond * 0.95)
    expect(rate.perSecond).toBeLessThan(perSecond * 1.05)
    send(1000)
    expect(rate.perSecond).toBeGreaterThan(perSecond * 3.5)
    expect(rate.perSecond).toBeLessThan(perSecond * 4.5)
  })

  it('begins slowly where nothing was accepted, or only long ago', () => {
    const first = start()
    first.rate.cut(1)
    expect(first.rate.perSecond).toBe(1)
    const later = start()
    later.accept(1000, 1000)
    later.pass(60_000)
    later.rate.accepted()
    later.rate.cut(1)
    expect(later.rate.perSecond).toBeLessThan(20)
  })

  it.each([
    [0.001, 0.93],
    [0.2, 0.8],
    [0.9, 0.5],
  ])('takes off what was refused: %d leaves %d', (share, left) => {
    const { rate, accept } = start()
    accept(1000, 1000)
    rate.cut(0)
    const before = rate.perSecond ?? 0
    rate.cut(share)
    expect((rate.perSecond ?? 0) / before).toBeCloseTo(left, 5)
  })

  it('never falls below one a second', () => {
    const { rate } = start()
    for (let n = 0; n < 20; n += 1) rate.cut(1)
    expect(rate.perSecond).toBe(1)
  })

  it('sends evenly, and makes up for a late timer but not for a pause', () => {
    const { rate, accept, pass } = start()
    accept(1000, 1000)
    rate.cut(0)
    rate.cut(0.5)
    const gapMs = 1000 / (rate.perSecond ?? 0)
    expect(rate.waitMs()).toBe(0)
    rate.take()
    expect(rate.waitMs()).toBeCloseTo(gapMs, 5)
    pass(100)
    let atOnce = 0
    for (; rate.waitMs() === 0; atOnce += 1) rate.take()
    expect(atOnce).toBe(Math.floor(4 / gapMs) + 1)
  })

  it('stays, says so, and then grows: slowly at first, ever faster', () => {
    const { rate, accept, send, settled } = start()
    accept(200, 1000)
    rate.cut(0)
    rate.cut(0.1)
    const cutTo = rate.perSecond ?? 0
    send(499)
    expect([rate.perSecond, settled]).toEqual([cutTo, []])
    send(2000)
    expect(settled).toEqual([cutTo])
    const growth = (ms: number): number => {
      const before = rate.perSecond ?? 0
      send(ms)
      return (rate.perSecond ?? 0) / before - 1
    }
    const shares = [growth(2000), growth(5000), growth(5000), growth(5000)]
    expect(shares[0]).toBeGreaterThan(0.005)
    expect(shares[0]).toBeLessThan(0.03)
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares)
    expect(shares[3]).toBeGreaterThan(0.1)
  })

  it('is given up once it holds up nothing', () => {
    const { rate, accept, send, pass, settled } = start()
    accept(200, 1000)
    rate.cut(0)
    rate.cut(0.1)
    send(1000)
    pass(1500)
    expect(rate.isBinding).toBe(false)
    rate.waitMs()
    expect(rate.perSecond).toBeDefined()
    pass(10_000)
    expect(rate.waitMs()).toBe(0)
    expect([rate.perSecond, settled.at(-1)]).toEqual([undefined, undefined])
    rate.take()
    expect(rate.waitMs()).toBe(0)
  })
})
