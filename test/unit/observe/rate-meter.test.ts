import { describe, expect, it } from 'vitest'
import { createRateMeter } from '../../../src/observe/rate-meter.ts'

/** Readings every `stepMs`, at a rate that may change over time. */
function run(stepMs: number, seconds: number, rateAt: (second: number) => number): number {
  const meter = createRateMeter(0)
  let bytes = 0
  let rate = 0
  for (let ms = stepMs; ms <= seconds * 1000; ms += stepMs) {
    bytes += (rateAt(ms / 1000) * stepMs) / 1000
    rate = meter.update(ms, bytes)
  }
  return rate
}

describe('rate meter', () => {
  it.each([100, 1000, 10_000])('is exact for a steady rate, reading every %d ms', (stepMs) => {
    expect(run(stepMs, 20, () => 41e6)).toBeCloseTo(41e6, 0)
  })

  it('is the mean since the start while it is young', () => {
    expect(run(100, 0.5, () => 1000)).toBeCloseTo(1000, 5)
  })

  it('follows a change within some seconds, however often it is read', () => {
    const rateAt = (second: number): number => (second <= 20 ? 100 : 10)
    for (const stepMs of [100, 500]) {
      expect(run(stepMs, 22, rateAt)).toBeGreaterThan(50)
      expect(run(stepMs, 40, rateAt)).toBeLessThan(12)
    }
  })

  it('does not take readings that are too close, nor a clock set back', () => {
    const meter = createRateMeter(1000, 500)
    expect(meter.update(1001, 10_000)).toBe(0)
    expect(meter.update(2000, 1500)).toBeCloseTo(1000)
    expect(meter.update(1500, 9000)).toBeCloseTo(1000)
  })

  it('is never negative', () => {
    const meter = createRateMeter(0, 1000)
    expect(meter.update(1000, 0)).toBe(0)
  })
})
