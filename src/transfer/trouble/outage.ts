import { UploadError } from '../../errors.ts'
import type { Listener } from '../../observe/events.ts'
import { formatDuration } from '../../observe/format.ts'
import type { Clock } from '../clock.ts'
import { timeOfDay } from './time-of-day.ts'

/** Milliseconds from one probe to the next: anything between these, so that many runs do not probe in step. */
const probeEvery = { leastMs: 1000, mostMs: 5000 }
/** In milliseconds, for how long what can be done without is waited for. */
const standInAfterMs = 10_000
/** Where the last outage ended so recently, in milliseconds, the next is spoken of only once a probe has failed too. */
const recentMs = 60_000

/** The time in which a destination that worked cannot be reached: nothing is sent meanwhile but probes. */
export interface Outage {
  readonly isOn: boolean
  /** To be awaited before an attempt; undefined where it may begin. What is let through meanwhile is the probe. */
  turn(signal: AbortSignal): Promise<void> | undefined
  /** An attempt did not reach the destination. */
  unreachable(error: UploadError): void
  /** The destination answered, if only with a refusal: all may go on. */
  answered(): void
  /** Ends the probing; whoever waits by then is released by their own signal. */
  close(): void
}

/** Takes what goes to another destination. */
export interface StandIn {
  /** It has trouble with the line as well: the other is not the cause. */
  readonly isInTrouble: boolean
}

export interface OutageOptions {
  readonly clock: Clock
  readonly emit: Listener
  /** For how long it is waited for at the most, in milliseconds. */
  readonly limitMs: number
  /** What messages call the destination; undefined where there is no other. */
  readonly name?: string | undefined
  /** What can take what goes there: it is not waited for long then. Undefined: nothing can. */
  readonly standIn?: StandIn | undefined
  /** It did not come back. */
  readonly onLost: (error: UploadError) => void
}

interface Current {
  readonly beganMs: number
  /** Ends the probing. */
  readonly over: AbortController
  isSaid: boolean
  /** Why the last attempt did not get through. */
  last: UploadError
}

export function createOutage(options: OutageOptions): Outage {
  const { clock, emit, limitMs, name = 'the destination', standIn, onLost } = options
  /** Those that wait, in the order in which they came. */
  const waiting = new Set<() => void>()
  let current: Current | undefined
  let endedMs = Number.NEGATIVE_INFINITY

  const say = (outage: Current): void => {
    if (outage.isSaid) return
    outage.isSaid = true
    if (standIn !== undefined) {
      const message = `${name} cannot be reached; its files go elsewhere if that lasts: ${outage.last.message}`
      emit({ type: 'warning', message })
      return
    }
    const until = timeOfDay(clock.now() + limitMs - (clock.elapsed() - outage.beganMs), 'seconds')
    const message = `${name} cannot be reached; waiting for it until ${until} at most (--retry-max-time)`
    emit({ type: 'warning', message: `${message}: ${outage.last.message}` })
  }

  /** Lets one of those that wait through every few seconds, whether or not the one before has come back by then. */
  const probe = async (outage: Current): Promise<void> => {
    for (;;) {
      const forMs = clock.elapsed() - outage.beganMs
      const isSpare = standIn !== undefined && !standIn.isInTrouble
      if (forMs >= limitMs || (isSpare && forMs >= standInAfterMs)) return giveUp(outage, forMs)
      const pauseMs = probeEvery.leastMs + clock.random() * (probeEvery.mostMs - probeEvery.leastMs)
      const leftMs = limitMs - forMs
      await clock.sleep(Math.min(leftMs, pauseMs), outage.over.signal)
      const [next] = waiting
      next?.()
    }
  }
  const giveUp = ({ last }: Current, forMs: number): void => {
    const advice = standIn !== undefined ? '' : '; go on with upload --resume'
    const message = `${name} could not be reached for ${formatDuration(forMs)}${advice}: ${last.message}`
    onLost(new UploadError('CONNECTION', message, { unreachable: true, cause: last }))
  }

  return {
    get isOn() {
      return current !== undefined
    },
    turn(signal) {
      if (current === undefined) return undefined
      if (signal.aborted) return Promise.reject(signal.reason)
      return new Promise((resolve, reject) => {
        const end = (act: () => void) => () => {
          waiting.delete(go)
          signal.removeEventListener('abort', cut)
          act()
        }
        const go = end(resolve)
        const cut = end(() => reject(signal.reason))
        waiting.add(go)
        signal.addEventListener('abort', cut)
      })
    },
    unreachable(error) {
      const nowMs = clock.elapsed()
      if (current !== undefined) {
        current.last = error
        // Attempts that were under way fail all at once; one that began later was a probe.
        if (nowMs - current.beganMs >= probeEvery.leastMs) say(current)
        return
      }
      current = { beganMs: nowMs, over: new AbortController(), isSaid: false, last: error }
      if (nowMs - endedMs > recentMs) say(current)
      // Cut by its end.
      probe(current).catch(() => undefined)
    },
    answered() {
      if (current === undefined) return
      const { beganMs, over, isSaid } = current
      current = undefined
      endedMs = clock.elapsed()
      over.abort()
      if (isSaid) {
        const message = `${name} can be reached again, after ${formatDuration(endedMs - beganMs)}`
        emit({ type: 'warning', message })
      }
      for (const go of [...waiting]) go()
    },
    close() {
      current?.over.abort()
    },
  }
}
