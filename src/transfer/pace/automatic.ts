import type { Destination } from '../../destinations/destination.ts'
import type { Listener } from '../../observe/events.ts'
import type { Clock } from '../clock.ts'
import { type ConcurrencyController, createConcurrencyController } from './concurrency.ts'
import { createRefusals } from './refusals.ts'
import { createRequestRate, type RequestRate } from './request-rate.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { watchDestination } from './watched-destination.ts'

/** A change of the request rate by less than this share is not worth a word. */
const worthSaying = 0.2

/** What `--concurrency auto` consists of: one number of slots for all destinations, and for each the rate it takes. */
export interface Automatic {
  readonly scheduler: Scheduler
  /** One for each destination, in their order. */
  readonly views: readonly AutomaticView[]
}

export interface AutomaticView {
  /** The one to send to: what becomes of its requests is what decides. */
  readonly destination: Destination
  /**
   * To be awaited before a file is begun, so that it waits for its turn outside of its slot and of its own time;
   * undefined where nothing is held back.
   */
  turn(signal: AbortSignal): Promise<void> | undefined
}

export interface AutomaticOptions {
  readonly destinations: readonly Destination[]
  /** Those of them that slow down alone where they refuse requests: what goes elsewhere keeps all of its slots. */
  readonly apart?: ReadonlySet<Destination> | undefined
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly emit: Listener
  /** Milliseconds that this program's one thread has had something to do, in all. */
  readonly busyMs: () => number
}

export function createAutomatic({ destinations, apart, clock, emit, busyMs }: AutomaticOptions): Automatic {
  const isOneOfMany = destinations.length > 1
  const rates = destinations.map(({ url }) =>
    createRequestRate(clock.elapsed, sayRate(emit, isOneOfMany ? ` at ${url}` : '')),
  )
  const slowing = rates.filter((_, index) => !apart?.has(destinations[index] as Destination))
  const controller = createConcurrencyController({
    now: clock.elapsed,
    busyMs,
    rate: {
      get isBinding() {
        return slowing.some((rate) => rate.isBinding)
      },
    },
    onChange: (change) => {
      scheduler.setConcurrency(change.to)
      emit({ type: 'concurrency', ...change })
    },
  })
  const scheduler = createScheduler(controller.limit, controller.waited)
  const views = destinations.map((destination, index) =>
    viewOf(destination, rates[index] as RequestRate, controller, clock, apart?.has(destination) === true),
  )
  return { scheduler, views }
}

function viewOf(
  destination: Destination,
  rate: RequestRate,
  controller: ConcurrencyController,
  clock: AutomaticOptions['clock'],
  isApart: boolean,
): AutomaticView {
  const now = clock.elapsed
  const refusals = createRefusals(now)

  const answered = (beganMs: number, isRefused: boolean): void => {
    const share = refusals.answered(beganMs, isRefused)
    if (share === undefined) return
    // Held back by rate, it was the rate that was too high.
    if (!rate.isBinding && !isApart) controller.throttled()
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

/** @param where which server it is about, where there are several */
function sayRate(emit: Listener, where: string): (perSecond: number | undefined) => void {
  let said: number | undefined
  return (perSecond) => {
    if (perSecond === undefined) {
      if (said !== undefined) emit({ type: 'notice', message: `requests are not held back any more${where}` })
    } else if (said === undefined || Math.abs(perSecond / said - 1) > worthSaying) {
      const message = `held back to ${Math.round(perSecond)} requests/s${where}: the server refuses more`
      emit({ type: 'notice', message })
    } else {
      return
    }
    said = perSecond
  }
}
