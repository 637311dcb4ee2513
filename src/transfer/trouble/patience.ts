import { once } from 'node:events'
import type { Clock } from '../clock.ts'

/** After a stop, how long what is in flight may take to end, in milliseconds: the report has to be written as well. */
export const patienceAfterStopMs = 6000

/**
 * Resolves with the work's end or, where the run has been stopped, soon after that: a request that ignores being cut
 * must not hold up the report.
 */
export async function withPatience(work: Promise<void>, signal: AbortSignal, clock: Clock): Promise<void> {
  const done = new AbortController()
  const patience = async (): Promise<void> => {
    if (!signal.aborted) await once(signal, 'abort', { signal: done.signal })
    await clock.sleep(patienceAfterStopMs, done.signal)
  }
  try {
    // Given up once the work has ended.
    await Promise.race([work, patience().catch(() => work)])
  } finally {
    done.abort()
  }
}
