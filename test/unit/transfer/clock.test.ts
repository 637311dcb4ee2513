import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/transfer/clock.ts'

describe('systemClock', () => {
  const never = new AbortController().signal

  it('sleeps until woken or cut', async () => {
    await expect(systemClock.sleep(0, never)).resolves.toBeUndefined()
    const stop = new AbortController()
    const sleeping = systemClock.sleep(1_000_000, stop.signal)
    stop.abort()
    await expect(sleeping).rejects.toThrow(/aborted/)
    await expect(systemClock.sleep(1_000_000, stop.signal)).rejects.toThrow(/aborted/)
  })

  it('tells time and chance', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
    const before = systemClock.elapsed()
    expect(systemClock.elapsed()).toBeGreaterThanOrEqual(before)
    const drawn = systemClock.random()
    expect(drawn >= 0 && drawn < 1).toBe(true)
  })
})
