import type { UploadError } from '../../errors.ts'
import type { Listener } from '../../observe/events.ts'
import type { Clock } from '../clock.ts'
import type { Scheduler } from '../pace/scheduler.ts'

/** After a step down, milliseconds until the next: what runs by then has to end first. */
const stepMs = 1000
/** Milliseconds until the attempt is made again: connections nobody needs any more are closed meanwhile. */
const again = { leastMs: 100, mostMs: 1000 }
/** For so long, in milliseconds, nothing may get through before the failures count as any others. */
const patienceMs = 60_000

/** What a process says that may open no more files and connections. */
const crowdedCodes: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE'])

/** Makes do with the files and connections that this process may have open. */
export interface Crowding {
  /**
   * @param lastSuccessMs when anything last succeeded, by the clock's `elapsed`
   * @returns after how many milliseconds the attempt is to be made again, which is nobody's failure; undefined where it
   * failed for another reason
   */
  pauseMs(error: UploadError, lastSuccessMs: number): number | undefined
}

export interface CrowdingOptions {
  readonly scheduler: Pick<Scheduler, 'halve'>
  readonly clock: Pick<Clock, 'elapsed' | 'random'>
  readonly emit: Listener
}

export function createCrowding({ scheduler, clock, emit }: CrowdingOptions): Crowding {
  let sinceMs: number | undefined
  let steppedMs = Number.NEGATIVE_INFINITY
  let isSaid = false

  const stepDown = (): void => {
    const requests = scheduler.halve()
    if (requests === undefined) return
    steppedMs = clock.elapsed()
    const many = requests === 1 ? '1 request' : `${requests} requests`
    const message = `too many open files: ${many} at a time from here on; raise "ulimit -n"`
    emit({ type: isSaid ? 'notice' : 'warning', message })
    isSaid = true
  }

  return {
    pauseMs(error, lastSuccessMs) {
      if (!isCrowded(error)) return undefined
      const now = clock.elapsed()
      // A success since then has shown that fewer will do.
      if (sinceMs === undefined || lastSuccessMs > sinceMs) sinceMs = now
      if (now - sinceMs > patienceMs) return undefined
      if (now - steppedMs >= stepMs) stepDown()
      return again.leastMs + clock.random() * (again.mostMs - again.leastMs)
    },
  }
}

/** Whoever mapped the failure kept what it came from. */
function isCrowded(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = causeOf(cause)) {
    if ('code' in cause && crowdedCodes.has(cause.code)) return true
  }
  return false
}

/** Several addresses of one host have a failure each. */
function causeOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause
}
