import type { Destination } from '../destinations/destination.ts'
import type { Listener } from '../observe/events.ts'
import type { Clock } from './clock.ts'
import { createConcurrencyController } from './concurrency.ts'
import { createRefusals } from './refusals.ts'
import { createRequestRate } from './request-rate.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { watchDestination } from './watched-destination.ts'

/** A change of the request rate by less than this share is not worth a word. */
const worthSaying = 0.2

/** What `--concurrency auto` consists of. */
export interface Automatic {
  readonly scheduler: Scheduler
  /** The one to send to: what becomes of its requests is what decides. */
  readonly destination: Destination
  /**
   * To be awaited before a file is begun, so that it waits for its turn outside of its slot and of its own time;
   * undefined where nothing is held back.
   */
  turn(signal: AbortSignal): Promise<void> | undefined
}

export interface AutomaticOptions {
  readonly destination: Destination
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly emit: Listener
  /** Milliseconds that this program's one thread has had something to do, in all. */
  readonly busyMs: () => number
}

export function createAutomatic({ destination, clock, emit, busyMs }: AutomaticOptions): Automatic {
  const now = clock.elapsed
  let said: number | undefined
  const rate = createRequestRate(now, (perSecond) => {
    if (perSecond === undefined) {
      if (said !== undefined) emit({ type: 'notice', message: 'requests are not held back any more' })
    } else if (said === undefined || Math.abs(perSecond / said - 1) > worthSaying) {
      emit({ type: 'notice', message: `held back to ${Math.round(perSecond)} requests/s: the server refuses more` })
    } else {
      return
    }
    said = perSecond
  })
  const refusals = createRefusals(now)
  const controller = createConcurrencyController({
    now,
    busyMs,
    rate,
    onChange: (change) => {
      scheduler.setConcurrency(change.to)
      emit({ type: 'concurrency', ...change })
    },
  })
  const scheduler = createScheduler(controller.limit, controller.waited)

  const answered = (beganMs: number, isRefused: boolean): void => {
    const share = refusals.answered(beganMs, isRefused)
    if (share === undefined) return
    // Held back by rate, it was the rate that was too high.
    if (!rate.isBinding) controller.throttled()
    rate.cut(share)
  }

  /** The last one in the row of those that wait for their turn. */
  let last: Promise<unknown> = Promise.resolve()
  /** Turns that were waited for before a file was begun, for its first request to use. */
  let inHand = 0

  const inTurn = (signal: AbortSignal): Promise<void> => {
    const turn = last.then(async () => {
      for (let ms = rate.waitMs(); ms > 0; ms = rate.waitMs()) await clock.sleep(Math.ceil(ms), signal)
      rate.take()
    })
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    scheduler,
    destination: watchDestination(destination, {
      now,
      turn(signal) {
        if (rate.perSecond === undefined) return undefined
        if (inHand === 0) return inTurn(signal)
        inHand -= 1
        return undefined
      },
      moved: controller.moved,
      completed(beganMs, bytes) {
        controller.completed(bytes)
        rate.accepted()
        answered(beganMs, false)
      },
      throttled: (beganMs) => answered(beganMs, true),
    }),
    turn(signal) {
      // Some files need no request: what they leave is enough, but more than one for each slot would come as a burst.
      if (rate.perSecond === undefined || inHand >= controller.limit) return undefined
      return inTurn(signal).then(() => {
        inHand += 1
      })
    },
  }
}
