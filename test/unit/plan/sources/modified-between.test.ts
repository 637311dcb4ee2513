import { describe, expect, it } from 'vitest'
import { isEmptyWindow, modifiedBetween, type TimeWindow } from '../../../../src/plan/sources/modified-between.ts'

const now = Date.UTC(2026, 10, 22, 6)
const minute = 60_000
const hour = 60 * minute
const neither: TimeWindow = { newerThan: undefined, olderThan: undefined }

it('every time will do where neither is given', () => {
  expect(modifiedBetween(neither, now)).toBeUndefined()
  expect(isEmptyWindow(neither, now)).toBe(false)
})

describe('what is in', () => {
  it.each<[string, Partial<TimeWindow>, number, boolean]>([
    ['newer: later', { newerThan: { agoMs: hour } }, now - hour + 1, true],
    ['newer: that very moment', { newerThan: { agoMs: hour } }, now - hour, true],
    ['newer: a part of a millisecond before', { newerThan: { agoMs: hour } }, now - hour - 0.001, false],
    ['newer: in the future', { newerThan: { agoMs: 0 } }, now + hour, true],
    ['newer: a date', { newerThan: { atMs: now - 5 } }, now - 5, true],
    ['newer: before a date', { newerThan: { atMs: now - 5 } }, now - 6, false],
    ['older: before', { olderThan: { agoMs: hour } }, now - hour - 0.001, true],
    ['older: that very moment', { olderThan: { agoMs: hour } }, now - hour, false],
    ['older: before 1970', { olderThan: { atMs: 0 } }, -1, true],
    ['both: at the first', { newerThan: { agoMs: hour }, olderThan: { agoMs: minute } }, now - hour, true],
    ['both: at the last', { newerThan: { agoMs: hour }, olderThan: { agoMs: minute } }, now - minute, false],
    ['both: a date and a time ago', { newerThan: { atMs: 0 }, olderThan: { agoMs: minute } }, now - hour, true],
  ])('%s', (_, window, mtimeMs, isIn) => {
    expect(modifiedBetween({ ...neither, ...window }, now)?.(mtimeMs)).toBe(isIn)
  })

  it('of two windows that meet, each file is in one', () => {
    const before = modifiedBetween({ ...neither, olderThan: { agoMs: hour } }, now)
    const since = modifiedBetween({ ...neither, newerThan: { agoMs: hour } }, now)
    for (const mtimeMs of [-0.5, -0.001, 0, 0.001, 0.5].map((off) => now - hour + off)) {
      expect([before?.(mtimeMs), since?.(mtimeMs)].toSorted()).toEqual([false, true])
    }
  })
})

it.each<[TimeWindow, boolean]>([
  [{ newerThan: { agoMs: hour }, olderThan: { agoMs: minute } }, false],
  [{ newerThan: { agoMs: minute }, olderThan: { agoMs: minute } }, true],
  [{ newerThan: { agoMs: minute }, olderThan: { agoMs: hour } }, true],
  [{ newerThan: { atMs: now - hour }, olderThan: { agoMs: minute } }, false],
  [{ newerThan: { atMs: now }, olderThan: { agoMs: minute } }, true],
  [{ newerThan: { atMs: 1 }, olderThan: { atMs: 2 } }, false],
  [{ newerThan: { atMs: 2 }, olderThan: { atMs: 1 } }, true],
  [{ newerThan: { atMs: 2 }, olderThan: undefined }, false],
  [{ newerThan: undefined, olderThan: { atMs: 2 } }, false],
])('%j: no time lies between: %j', (window, isEmpty) => {
  expect(isEmptyWindow(window, now)).toBe(isEmpty)
})
