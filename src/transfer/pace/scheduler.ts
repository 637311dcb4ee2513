import pLimit from 'p-limit'

/**
 * The run's slots: one request each, for files and for the parts of large files together. Files come first: parts take
 * what nobody waits for, and give it back after each part.
 */
export interface Scheduler {
  /** How many there are at present. */
  readonly slots: number
  /**
   * Runs a file's sending in a slot; resolves once it has one. Who calls it again only then reads a plan no faster than
   * it is sent: no more than one file ever waits.
   */
  start(task: () => Promise<void>): Promise<void>
  /**
   * Runs a task in a slot that nobody waits for, where there is one.
   *
   * @returns resolves once the slot has been given back; undefined where there is none
   */
  spare(task: () => Promise<void>): Promise<void> | undefined
  /** How many slots there are from now on, at least 1. Where there are fewer, what runs in the others runs to its end. */
  setConcurrency(concurrency: number): void
  /**
   * Half as many slots as are in use, at least 1, from now on: {@link setConcurrency} cannot raise them beyond that.
   *
   * @returns how many; undefined, and nothing changes, where more run than there are slots: a step down has still to
   * show, or there is nothing left to halve
   */
  halve(): number | undefined
  /**
   * Resolves once no task is running.
   *
   * @throws what a task threw, though none should.
   */
  idle(): Promise<void>
}

/** @param onFull told each time that somebody finds no free slot */
export function createScheduler(concurrency: number, onFull: () => void = () => {}): Scheduler {
  const limit = pLimit(concurrency)
  let slots = concurrency
  let wanted = concurrency
  let most = Number.POSITIVE_INFINITY
  /** Tasks that run or wait. */
  let taken = 0
  let failure: { readonly error: unknown } | undefined
  let whenIdle: (() => void) | undefined

  const run = async (task: () => Promise<void>): Promise<void> => {
    taken += 1
    try {
      await limit(task)
    } catch (error) {
      failure ??= { error }
    }
    taken -= 1
    if (taken === 0) whenIdle?.()
  }

  const apply = (): void => {
    slots = Math.min(wanted, most)
    limit.concurrency = slots
  }

  return {
    get slots() {
      return slots
    },
    start(task) {
      if (taken >= slots) onFull()
      return new Promise((begun) => {
        void run(() => {
          begun()
          return task()
        })
      })
    },
    spare(task) {
      if (taken < slots) return run(task)
      onFull()
      return undefined
    },
    setConcurrency(to) {
      wanted = to
      apply()
    },
    halve() {
      const inUse = Math.min(taken, slots)
      if (limit.activeCount > slots || inUse < 2) return undefined
      most = Math.floor(inUse / 2)
      apply()
      return slots
    },
    async idle() {
      if (taken > 0) {
        await new Promise<void>((resolve) => {
          whenIdle = resolve
        })
      }
      if (failure) throw failure.error
    },
  }
}
