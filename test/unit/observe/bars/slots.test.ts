import { describe, expect, it } from 'vitest'
import { createSlots } from '../../../../src/observe/bars/slots.ts'
import { createProgress } from '../../../../src/observe/progress.ts'
import { fileEnded, fileStarted } from '../events.ts'

function start(...indexes: readonly number[]) {
  const progress = createProgress(() => 0)
  const slots = createSlots()
  const begin = (...begun: readonly number[]) => {
    for (const index of begun) progress.apply(fileStarted(index))
  }
  begin(...indexes)
  return {
    begin,
    end(index: number, now: number) {
      progress.apply(fileEnded(index))
      slots.ended(index, 'uploaded', now)
    },
    shown: (now: number, capacity = 10) => slots.refresh(now, capacity, progress.inFlight).map(({ index }) => index),
    slots,
    progress,
  }
}

describe('slots', () => {
  it('show the files begun first, as many as fit', () => {
    const { shown } = start(1, 2, 3, 4)
    expect(shown(0, 3)).toEqual([1, 2, 3])
    expect(shown(0, 2)).toEqual([1, 2])
    expect(shown(0, 0)).toEqual([])
    expect(shown(0, 9)).toEqual([1, 2, 3, 4])
  })

  it('give the row of a file that is done to the next one, in place', () => {
    const { end, shown } = start(1, 2, 3, 4)
    shown(0, 3)
    end(2, 800)
    expect(shown(800, 3)).toEqual([1, 4, 3])
  })

  it('let a row be read before it changes', () => {
    const { begin, end, shown } = start(1)
    shown(0, 1)
    end(1, 10)
    begin(2)
    expect(shown(400, 1)).toEqual([1])
    expect(shown(500, 1)).toEqual([2])
  })

  it('keep the last rows for a moment, then take them away', () => {
    const { end, shown } = start(1, 2)
    shown(0)
    end(1, 3000)
    expect(shown(3999)).toEqual([1, 2])
    expect(shown(4000)).toEqual([2])
  })

  it('take up a file again that comes back in a later pass', () => {
    const { slots, progress, begin, shown } = start(1)
    shown(0)
    progress.apply({ type: 'file-deferred', index: 1, path: 'a', code: 'TIMEOUT', message: '' })
    slots.ended(1, 'deferred', 100)
    expect(slots.refresh(200, 1, progress.inFlight)[0]?.outcome?.status).toBe('deferred')
    begin(1)
    const [slot] = slots.refresh(300, 1, progress.inFlight)
    expect(slot?.outcome).toBeUndefined()
    expect(slot?.file).toBe(progress.inFlight.get(1))
  })

  it('do not mind the end of a file without a row', () => {
    const { end, shown } = start(1, 2)
    shown(0, 1)
    end(2, 10)
    expect(shown(2000, 1)).toEqual([1])
  })
})
