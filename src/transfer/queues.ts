import type { FileWork } from './file-record.ts'
import type { Scheduler } from './pace/scheduler.ts'

/** Files that wait for a slot at the most, of both sides together. */
const mostWaiting = 1000

/** Files that wait for slots of their own side, so that a side that is full does not keep the other's from starting. */
export interface Queues {
  /**
   * Has a file begun after those that came before it for the same slots; resolves once the next one may come: those that
   * could not begin any sooner would only be kept in memory.
   */
  join(work: FileWork, slots: Scheduler): Promise<void>
  /** Resolves once no file waits. */
  empty(): Promise<void>
}

/**
 * @param pacing none comes while files wait for slots of each of these
 * @param begin resolves once the file has a slot, or needs none; never fails
 */
export function createQueues(pacing: readonly Scheduler[], begin: (work: FileWork) => Promise<void>): Queues {
  const queues = new Map<Scheduler, { readonly works: FileWork[]; readonly ending: Promise<void> }>()
  let waiting = 0
  let wake = (): void => {}

  const isFull = (): boolean => waiting >= mostWaiting || pacing.every((slots) => queues.has(slots))
  const beginAll = async (slots: Scheduler, works: FileWork[]): Promise<void> => {
    for (let next = works.shift(); next !== undefined; next = works.shift()) {
      await begin(next)
      waiting -= 1
      wake()
    }
    queues.delete(slots)
  }
  return {
    async join(work, slots) {
      waiting += 1
      const queue = queues.get(slots)
      if (queue === undefined) {
        const works = [work]
        queues.set(slots, { works, ending: beginAll(slots, works) })
      } else {
        queue.works.push(work)
      }
      while (isFull()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    async empty() {
      await Promise.all([...queues.values()].map(({ ending }) => ending))
    },
  }
}
