import { idleLimitMs } from './agent.ts'
import { type Connection, closed, connectionOn } from './connection.ts'
import type { OpenSocket } from './open-socket.ts'

/** Connections to one origin, kept open from one request to the next. */
export interface ConnectionPool {
  /** The free connection that was used last, so that those not needed grow old and close; a new one where none is free. */
  acquire(): Connection | Promise<Connection>
  /** A new one. */
  connect(): Promise<Connection>
  /** Keeps a connection for the next request, if it can carry one. */
  release(connection: Connection): void
  /** Has the limits of requests under way looked after, until there are none. */
  watch(): void
  /** Closes all, and those under way. */
  close(): void
}

/** How often the requests under way are looked at, in milliseconds. */
const watchEveryMs = 250
/** Looks so late, in milliseconds, say that this program was held up: by its own work, or a machine that slept. */
const heldUpMs = 1000

export interface PoolPatience {
  /** For a connection to be made, in milliseconds. */
  readonly connect: number
  /** Without a byte in either direction, in milliseconds. */
  readonly idle: number
}

interface Free {
  readonly connection: Connection
  readonly sinceMs: number
}

/**
 * @param open makes a connection, unless its signal is aborted before; the number of connections is not limited here, since the transfer bounds the requests
 * @param now milliseconds on a clock that never goes back
 */
export function createConnectionPool(
  open: (signal: AbortSignal) => Promise<OpenSocket>,
  patience: PoolPatience,
  now: () => number = () => performance.now(),
): ConnectionPool {
  /** Oldest first. */
  const free: Free[] = []
  const all = new Set<Connection>()
  const opening = new Set<AbortController>()
  let isClosed = false
  let sweep: NodeJS.Timeout | undefined
  let watching: NodeJS.Timeout | undefined
  let watchedMs = 0

  const forget = (connection: Connection): void => {
    all.delete(connection)
    connection.destroy()
  }
  const closeOld = (): void => {
    const young = free.findIndex(({ sinceMs }) => now() - sinceMs < idleLimitMs)
    for (const { connection } of free.splice(0, young < 0 ? free.length : young)) forget(connection)
    if (free.length > 0) return
    clearInterval(sweep)
    sweep = undefined
  }
  const watchAll = (): void => {
    const lateMs = now() - watchedMs - watchEveryMs
    watchedMs = now()
    let isAny = false
    for (const connection of all) isAny = connection.watch(lateMs > heldUpMs ? lateMs : 0) || isAny
    if (!isAny) unwatch()
  }
  const unwatch = (): void => {
    clearInterval(watching)
    watching = undefined
  }
  const connect = async (): Promise<Connection> => {
    if (isClosed) throw closed()
    const giveUp = new AbortController()
    opening.add(giveUp)
    const opened = await inTime(open(giveUp.signal), patience.connect)
      .catch((error) => {
        giveUp.abort()
        throw isClosed ? closed() : error
      })
      .finally(() => opening.delete(giveUp))
    opened.socket.setTimeout(patience.idle)
    const connection = connectionOn(opened, now)
    all.add(connection)
    if (isClosed) forget(connection)
    return connection
  }

  return {
    acquire() {
      for (let last = free.pop(); last !== undefined; last = free.pop()) {
        if (last.connection.isOpen && now() - last.sinceMs < idleLimitMs) return last.connection
        forget(last.connection)
      }
      return connect()
    },
    connect,
    release(connection) {
      if (!connection.isOpen || isClosed) return forget(connection)
      free.push({ connection, sinceMs: now() })
      sweep ??= setInterval(closeOld, 1000).unref()
    },
    watch() {
      if (watching !== undefined || isClosed) return
      watchedMs = now()
      // What has come by now is read before anything is judged.
      watching = setInterval(() => setImmediate(watchAll), watchEveryMs).unref()
    },
    close() {
      isClosed = true
      clearInterval(sweep)
      unwatch()
      free.length = 0
      for (const each of opening) each.abort()
      for (const connection of all) forget(connection)
    },
  }
}

/** A connection that comes too late is closed. */
async function inTime(opening: Promise<OpenSocket>, limitMs: number): Promise<OpenSocket> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    // Where many connections begin at once, those that stand have to be looked at first.
    timer = setTimeout(() => setImmediate(giveUp), limitMs)
  })
  try {
    return await Promise.race([opening, tooLate])
  } catch (error) {
    opening.then(({ socket }) => socket.destroy()).catch(() => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
}
