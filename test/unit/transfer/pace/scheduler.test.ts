import { describe, expect, it } from 'vitest'
import { createScheduler } from '../../../../src/transfer/pace/scheduler.ts'
import { seededRandom, settled } from '../../../support/fake-clock.ts'

/** Work that ends when told. */
function held() {
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let hasBegun = false
  const task = (): Promise<void> => {
    hasBegun = true
    return ended
  }
  return { task, end, hasBegun: () => hasBegun }
}

describe('createScheduler', () => {
  it('begins as many as there are slots, and the next one when a slot is free', async () => {
    const scheduler = createScheduler(2)
    const files = [held(), held(), held()] as const
    await scheduler.start(files[0].task)
    await scheduler.start(files[1].task)
    let hasSlot = false
    const third = scheduler.start(files[2].task).then(() => {
      hasSlot = true
    })
    await settled()
    expect([hasSlot, files[2].hasBegun()]).toEqual([false, false])
    files[0].end()
    await third
    expect(files[2].hasBegun()).toBe(true)
    files[1].end()
    files[2].end()
    await scheduler.idle()
  })

  it('is idle where nothing ever ran', async () => {
    await createScheduler(1).idle()
  })

  it('gives no more spare slots than are free', async () => {
    const scheduler = createScheduler(3)
    const file = held()
    const parts = [held(), held(), held()] as const
    await scheduler.start(file.task)
    const given = parts.map(({ task }) => scheduler.spare(task))
    expect(given.map((slot) => slot !== undefined)).toEqual([true, true, false])
    parts[0].end()
    await given[0]
    expect(scheduler.spare(parts[2].task)).toBeDefined()
    for (const { end } of [file, ...parts]) end()
    await scheduler.idle()
  })

  it('hands a slot to the file that waits rather than to a part', async () => {
    const scheduler = createScheduler(1)
    const part = held()
    const file = held()
    const given = scheduler.spare(part.task)
    const begun = scheduler.start(file.task)
    part.end()
    await given
    expect(scheduler.spare(part.task)).toBeUndefined()
    await begun
    expect(scheduler.spare(part.task)).toBeUndefined()
    file.end()
    await scheduler.idle()
    expect(scheduler.spare(async () => {})).toBeDefined()
  })

  it('gives slots that were added to those who wait', async () => {
    const scheduler = createScheduler(1)
    const files = [held(), held()] as const
    await scheduler.start(files[0].task)
    const second = scheduler.start(files[1].task)
    scheduler.setConcurrency(3)
    await second
    expect(files[1].hasBegun()).toBe(true)
    const part = held()
    expect(scheduler.spare(part.task)).toBeDefined()
    expect(scheduler.spare(part.task)).toBeUndefined()
    for (const { end } of [...files, part]) end()
    await scheduler.idle()
  })

  it('lets what runs end where slots were taken away, and begins nothing until there is one', async () => {
    const scheduler = createScheduler(3)
    const files = [held(), held(), held(), held()] as const
    for (const { task } of files.slice(0, 3)) await scheduler.start(task)
    scheduler.setConcurrency(1)
    const last = scheduler.start(files[3].task)
    for (const { end } of files.slice(0, 2)) {
      end()
      await settled()
      expect(files[3].hasBegun()).toBe(false)
      expect(scheduler.spare(async () => {})).toBeUndefined()
    }
    files[2].end()
    await last
    files[3].end()
    await scheduler.idle()
  })

  it('tells of each who finds no free slot', async () => {
    let found = 0
    const scheduler = createScheduler(1, () => {
      found += 1
    })
    const file = held()
    await scheduler.start(file.task)
    expect(found).toBe(0)
    scheduler.spare(file.task)
    const second = scheduler.start(file.task)
    expect(found).toBe(2)
    file.end()
    await second
    await scheduler.idle()
  })

  describe('halved', () => {
    it.each([
      // slots, in use, halved
      [8, 8, 4],
      [500, 300, 150],
      [3, 3, 1],
      [8, 1, undefined],
      [1, 1, undefined],
    ])('%i slots, %i of them in use: %s', async (slots, inUse, halved) => {
      const scheduler = createScheduler(slots)
      const file = held()
      for (let n = 0; n < inUse; n += 1) await scheduler.start(file.task)
      expect(scheduler.halve()).toBe(halved)
      file.end()
      await scheduler.idle()
    })

    it('stays so, whatever else is wanted, and waits for its effect before the next time', async () => {
      const scheduler = createScheduler(8)
      const file = held()
      for (let n = 0; n < 8; n += 1) await scheduler.start(file.task)
      expect([scheduler.halve(), scheduler.halve()]).toEqual([4, undefined])
      scheduler.setConcurrency(16)
      expect(scheduler.spare(file.task)).toBeUndefined()
      file.end()
      await scheduler.idle()
      const next = held()
      for (let n = 0; n < 4; n += 1) await scheduler.start(next.task)
      expect(scheduler.spare(next.task)).toBeUndefined()
      expect(scheduler.halve()).toBe(2)
      next.end()
      await scheduler.idle()
    })
  })

  it('keeps going where a task throws, gives its slot back, and tells in the end', async () => {
    const scheduler = createScheduler(1)
    const first = new Error('first')
    await scheduler.start(async () => {
      throw first
    })
    await scheduler.start(() => {
      throw new Error('second')
    })
    const file = held()
    await scheduler.start(file.task)
    file.end()
    await expect(scheduler.idle()).rejects.toBe(first)
  })

  it.each([1, 2, 7])('never exceeds %i slots, however files and parts come', async (concurrency) => {
    const scheduler = createScheduler(concurrency)
    const random = seededRandom(concurrency)
    let running = 0
    let most = 0
    let ended = 0
    const task = async (): Promise<void> => {
      running += 1
      most = Math.max(most, running)
      for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await settled()
      running -= 1
      ended += 1
    }
    let begun = 0
    const parts = async (): Promise<void> => {
      for (let n = 0; n < 100; n += 1) {
        const slot = scheduler.spare(task)
        if (slot !== undefined) begun += 1
        await (random() < 0.5 ? slot : settled())
      }
    }
    const files = async (): Promise<void> => {
      for (let n = 0; n < 100; n += 1) {
        begun += 1
        await scheduler.start(task)
        if (random() < 0.3) await settled()
      }
    }
    await Promise.all([files(), parts(), parts()])
    await scheduler.idle()
    expect([most, running, ended]).toEqual([concurrency, 0, begun])
  })
})
