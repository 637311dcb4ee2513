import { setMaxListeners } from 'node:events'
import { exitCodeOfStop, type StopReason } from '../exit-code.ts'
import type { Host } from './host.ts'

/** What may end a run from outside, while it is listened for. */
export interface Stops {
  /** Aborted, with the {@link StopReason} as its reason, by the first of them. */
  readonly signal: AbortSignal
  reason(): StopReason | undefined
  /** Listens no more. */
  release(): void
}

/**
 * Listens for SIGINT, SIGTERM and a reader of standard output that has gone. The first one lets the run end in good
 * order; a second signal ends the process at once.
 *
 * @param announce - Told of the first signal, not of a reader that has gone: nobody is there to be told.
 */
export function listenForStops(host: Host, announce: (reason: StopReason) => void): Stops {
  const controller = new AbortController()
  // One listener for each request in flight.
  setMaxListeners(0, controller.signal)
  let reason: StopReason | undefined
  let signals = 0

  const stop = (why: StopReason): void => {
    if (reason !== undefined) return
    reason = why
    if (why !== 'EPIPE') announce(why)
    controller.abort(why)
  }
  const releases = (['SIGINT', 'SIGTERM'] as const).map((name) =>
    host.onSignal(name, () => {
      signals += 1
      if (signals > 1) host.exitNow(exitCodeOfStop(name))
      else stop(name)
    }),
  )
  const lost = (): void => stop('EPIPE')
  host.stdout.on('error', lost)
  return {
    signal: controller.signal,
    reason: () => reason,
    release() {
      for (const release of releases) release()
      host.stdout.off('error', lost)
    },
  }
}

/**
 * Does a command's work, which may be stopped from outside.
 *
 * @returns the exit code: the work's own, or that of what stopped it
 * @throws what the work throws while nothing has stopped it.
 */
export async function stoppable(host: Host, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stops = listenForStops(host, () => {})
  try {
    return await work(stops.signal)
  } catch (error) {
    const reason = stops.reason()
    if (reason === undefined) throw error
    return exitCodeOfStop(reason)
  } finally {
    stops.release()
  }
}
