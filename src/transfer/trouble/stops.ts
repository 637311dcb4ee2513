import { setMaxListeners } from 'node:events'
import type { UploadError } from '../../errors.ts'

/** What ends a run before its time: all of it, or what goes to one of its destinations. */
export interface Stops {
  /** Aborted with the run, by whoever wants it ended or by {@link stop}. */
  readonly signal: AbortSignal
  /** Each cause once, in the order in which they came; empty where nothing was stopped, or only by the caller. */
  readonly causes: readonly StopCause[]
  /** Ends the run; the first cause is the one told. */
  stop(cause: UploadError): void
  /** What goes to one destination, in the order of those the run has. */
  readonly parts: readonly StopPart[]
}

/** What goes to one destination. */
export interface StopPart {
  /** Aborted with the run, too. */
  readonly signal: AbortSignal
  /** Ends it; where every other has ended, or there is none, the run. */
  stop(cause: UploadError): void
}

export interface StopCause {
  readonly error: UploadError
  /** The URL of the one of several destinations that it is about. */
  readonly destination?: string | undefined
}

/**
 * @param signal aborted by whoever wants the run to end
 * @param destinations the URL of each
 * @param onBroken told of each of several that is given up
 */
export function createStops(
  signal: AbortSignal,
  destinations: readonly string[],
  onBroken: (destination: string, cause: UploadError) => void,
): Stops {
  const whole = new AbortController()
  const runSignal = manyListeners(AbortSignal.any([signal, whole.signal]))
  const causes: StopCause[] = []
  let intact = destinations.length

  const stop = (error: UploadError): void => {
    if (!causes.some(({ destination }) => destination === undefined)) causes.push({ error })
    whole.abort()
  }
  const partOf = (destination: string): StopPart => {
    const own = new AbortController()
    const partSignal = manyListeners(AbortSignal.any([runSignal, own.signal]))
    return {
      signal: partSignal,
      stop(error) {
        if (partSignal.aborted) return
        causes.push({ error, destination })
        intact -= 1
        own.abort()
        if (intact === 0) whole.abort()
        onBroken(destination, error)
      },
    }
  }
  return {
    signal: runSignal,
    causes,
    stop,
    // With one destination, its end is the run's.
    parts: destinations.length > 1 ? destinations.map(partOf) : [{ signal: runSignal, stop }],
  }
}

/** One listener for each request in flight. */
function manyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal)
  return signal
}
