import { expect, it } from 'vitest'
import { newRunId } from '../../src/run-id.ts'

it.each([
  [Date.UTC(2026, 10, 22, 7, 38, 12, 999), 0x7f3a / 2 ** 16, '20261122T073812Z-7f3a'],
  [Date.UTC(2026, 0, 2, 3, 4, 5), 0, '20260102T030405Z-0000'],
  [Date.UTC(2026, 0, 2, 3, 4, 5), 0.999999999, '20260102T030405Z-ffff'],
  [Date.UTC(2026, 0, 2, 3, 4, 5), 0.001, '20260102T030405Z-0041'],
])('of %i and %d: %s', (now, random, expected) => {
  expect(newRunId(now, random)).toBe(expected)
})

it('sorts by time', () => {
  const times = [Date.UTC(2026, 8, 30, 23, 59, 59), Date.UTC(2026, 9, 1), Date.UTC(2027, 0, 1)]
  const ids = times.map((now) => newRunId(now, 0.5))
  expect([...ids].sort()).toEqual(ids)
})
