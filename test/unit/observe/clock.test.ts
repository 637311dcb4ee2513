import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchClock } from '../../../src/observe/clock.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1000 }))
afterEach(() => void vi.useRealTimers())

it('ticks until it is stopped', () => {
  const ticks: number[] = []
  const stop = watchClock.every(10, () => void ticks.push(watchClock.now()))
  vi.advanceTimersByTime(25)
  stop()
  vi.advanceTimersByTime(100)
  expect(ticks).toEqual([1010, 1020])
})

it('keeps no process alive', () => {
  vi.useRealTimers()
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const stop = watchClock.every(60_000, () => {})
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before)
  stop()
})
