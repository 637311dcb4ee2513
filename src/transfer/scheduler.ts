import pLimit from 'p-limit'

/**
 * The run's slots: one request each. A file takes one; the parts of a large file take what is left over, so that files
 * and parts together never exceed the number.
 */
export interface Scheduler {
  /** Resolves once a slot is free. Until {@link run} has taken it, {@link spare} gives none away. */
  free(): Promise<void>
  /** Runs a task in a slot. */
  run(task: () => Promise<void>): void
  /**
   * Takes up to `most` slots that nobody is waiting for.
   *
   * @returns how many it got; each must be given back by {@link release}
   */
  spare(most: number): number
  release(slots: number): void
  /** Resolves once no task is running. */
  idle(): Promise<void>
}

export function createScheduler(concurrency: number): Scheduler {
  const limit = pLimit(concurrency)
  let taken = 0
  let wanted: (() => void) | undefined
  let ended: (() => void) | undefined

  const give = (slots: number): void => {
    taken -= slots
    if (taken < concurrency) wanted?.()
    if (taken === 0) ended?.()
  }

  return {
    async free() {
      while (taken >= concurrency) {
        await new Promise<void>((resolve) => {
          wanted = resolve
        })
      }
    },
    run(task) {
      wanted = undefined
      taken += 1
      void limit(task).finally(() => give(1))
    },
    spare(most) {
      const slots = wanted === undefined ? Math.max(0, Math.min(most, concurrency - taken)) : 0
      taken += slots
      return slots
    },
    release: give,
    async idle() {
      if (taken === 0) return
      await new Promise<void>((resolve) => {
        ended = resolve
      })
    },
  }
}
