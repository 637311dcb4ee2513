import { describe, expect, it } from 'vitest'
import { createCapped } from '../../../../src/transfer/pace/capped.ts'
import { createScheduler } from '../../../../src/transfer/pace/scheduler.ts'
import { settled } from '../../../support/fake-clock.ts'

/** Work that never ends by itself. */
function endless() {
  let begun = 0
  const ends: (() => void)[] = []
  const task = (): Promise<void> => {
    begun += 1
    return new Promise((resolve) => void ends.push(resolve))
  }
  return { task, begun: () => begun, end: () => ends.shift()?.() }
}

describe('createCapped', () => {
  it.each([
    [1, 0.5, 1],
    [3, 0.5, 1],
    [8, 0.5, 4],
    [8, 0.9, 7],
  ])('%i slots, a share of %d: holds %i of them, and leaves the rest', async (slots, share, most) => {
    const scheduler = createScheduler(slots)
    const capped = createCapped(scheduler, share)
    const [bounded, others] = [endless(), endless()]
    for (let n = 0; n < 20; n += 1) void capped.start(bounded.task)
    await settled()
    for (let n = 0; n < 20; n += 1) void scheduler.start(others.task)
    await settled()
    expect([capped.slots, bounded.begun(), others.begun()]).toEqual([most, most, slots - most])
    bounded.end()
    await settled()
    expect(others.begun()).toBe(slots - most + 1)
  })

  it('goes by the slots there are', async () => {
    const scheduler = createScheduler(4)
    const capped = createCapped(scheduler, 0.5)
    const work = endless()
    capped.setConcurrency(20)
    for (let n = 0; n < 30; n += 1) void capped.start(work.task)
    await settled()
    expect([scheduler.slots, work.begun()]).toEqual([20, 10])
  })

  it('gives a slot back though the task fails, which whoever waits for the end is told', async () => {
    const capped = createCapped(createScheduler(2), 0.5)
    await capped.start(() => Promise.reject(new Error('broken')))
    const next = endless()
    await capped.start(next.task)
    next.end()
    await expect(capped.idle()).rejects.toThrow('broken')
  })
})
