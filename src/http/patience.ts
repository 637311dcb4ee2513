import type { TimeoutSettings } from '../config/settings.ts'

/** How long to wait, in milliseconds. */
export interface Patience {
  /** For a connection. */
  readonly connect: number
  /** For a connection through a proxy, which first makes one of its own. */
  readonly connectThroughProxy: number
  /** Without a byte in either direction, while a request is on its way. */
  readonly idle: number
  /** The same once all of it was sent. */
  readonly idleWhileAnswering: number
  /** The same for an object being put together from its parts: servers that copy them are silent for long. */
  readonly idleWhileCompleting: number
  /** For a request as a whole that has no limit of its own: all but those that carry the bytes of objects. */
  readonly request: number
  /** The same for an object being put together. */
  readonly completing: number
}

const seconds = 1000
const minutes = 60 * seconds

/** What `--timeout` and `--stall-timeout` come to. */
export function patienceFor({ requestMs, stallMs }: TimeoutSettings): Patience {
  const idleWhileCompleting = Math.max(5 * minutes, stallMs)
  return {
    connect: 3 * seconds,
    connectThroughProxy: 10 * seconds,
    idle: stallMs,
    idleWhileAnswering: Math.max(30 * seconds, stallMs),
    idleWhileCompleting,
    request: requestMs === 'auto' ? 5 * minutes : requestMs,
    // To be cut short, over and over, would cost the whole upload.
    completing: requestMs === 'auto' ? 60 * minutes : Math.max(requestMs, idleWhileCompleting),
  }
}
