import pLimit from 'p-limit'
import type { Scheduler } from './scheduler.ts'

/**
 * A side's part of slots that both sides share: its files never hold more than this share of them, rounded down, but one
 * at least. A file that waits for an answer keeps its slot; without a bound, a side that answers nothing would soon have
 * all of them. Parts take only what nobody waits for, so they are not bounded.
 *
 * @param share above 0, up to 1
 */
export function createCapped(scheduler: Scheduler, share: number): Scheduler {
  const most = (): number => Math.max(1, Math.floor(scheduler.slots * share))
  const limit = pLimit(most())
  const inSlot = (task: () => Promise<void>, begun: () => void): Promise<void> =>
    new Promise((resolve) => {
      void scheduler.start(() => {
        begun()
        return task().finally(resolve)
      })
    })
  return {
    get slots() {
      return most()
    },
    start(task) {
      // They may have become more or fewer.
      if (limit.concurrency !== most()) limit.concurrency = most()
      return new Promise((begun) => {
        void limit(() => inSlot(task, begun))
      })
    },
    spare: scheduler.spare,
    setConcurrency: scheduler.setConcurrency,
    halve: scheduler.halve,
    idle: scheduler.idle,
  }
}
