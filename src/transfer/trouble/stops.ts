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
  /** Why it was ended by itself; undefined where it was not, or with the run. */
  givenUp(): UploadError | undefined
}

/** One of the destinations of a run. */
export interface StoppablePart {
  readonly url: string
  /** What goes there can go elsewhere: its end is no cause of the run's. */
  readonly isReplaceable?: boolean | undefined
}

export interface StopCause {
  readonly error: UploadError
  /** The URL of the one of several destinations that it is about. */
  readonly destination?: string | undefined
}

/**
 * @param signal aborted by whoever wants the run to end
 * @param onBroken told of each of several destinations that is given up
 */
export function createStops<Part extends StoppablePart>(
  signal: AbortSignal,
  destinations: readonly Part[],
  onBroken: (destination: Part, cause: UploadError) => void,
): Stops {
  const whole = new AbortController()
  const runSignal = manyListeners(AbortSignal.any([signal, whole.signal]))
  const causes: StopCause[] = []
  let intact = destinations.length

  const stop = (error: UploadError): void => {
    if (!causes.some(({ destination }) => destination === undefined)) causes.push({ error })
    whole.abort()
  }
  const partOf = (destination: Part): StopPart => {
    let cause: UploadError | undefined
    const own = new AbortController()
    const partSignal = manyListeners(AbortSignal.any([runSignal, own.signal]))
    return {
      signal: partSignal,
      stop(error) {
        if (partSignal.aborted) return
        cause = error
        if (!destination.isReplaceable) causes.push({ error, destination: destination.url })
        intact -= 1
        own.abort()
        if (intact === 0) whole.abort()
        onBroken(destination, error)
      },
      givenUp: () => cause,
    }
  }
  return {
    signal: runSignal,
    causes,
    stop,
    // With one destination, its end is the run's.
    parts: destinations.length > 1 ? destinations.map(partOf) : [{ signal: runSignal, stop, givenUp: () => undefined }],
  }
}

/** One listener for each request in flight. */
function manyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal)
  return signal
}
