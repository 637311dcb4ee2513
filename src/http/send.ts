import type { TlsSettings } from '../config/settings.ts'
import { UploadError } from '../errors.ts'
import { cancelled, onAbort, refuseAborted, unlessAborted } from './abort.ts'
import { openConnections, type Route } from './agent.ts'
import type { Connection, Pieces, RequestLimits } from './connection.ts'
import { type ConnectionPool, createConnectionPool } from './connection-pool.ts'
import type { WireAnswer } from './response-parser.ts'

export type { WireAnswer } from './response-parser.ts'

/** A request with a body of known length, or none; without limits, it may take as long as bytes flow. */
export interface WireRequest extends RequestLimits {
  readonly method: string
  /** `https://host:port` */
  readonly origin: string
  /** Encoded, with its query. */
  readonly path: string
  /** Names, in lower case, and values in turn; `host` among them, and `content-length` where there may be a body. */
  readonly headers: readonly string[]
  /** What {@link headerLines} made of further headers, for many requests that have them in common. */
  readonly sharedLines?: string | undefined
  /**
   * The body: all of it, or a way to begin it. A buffer must not be changed before {@link Wire.send} has ended, a piece
   * not before the next is asked for.
   */
  readonly body: Buffer | (() => Pieces)
  /** What it does cannot be done twice: lost on a connection that was kept, it does not go again by itself. */
  readonly isOnce?: boolean | undefined
}

/** Sends requests over connections that are kept. */
export interface Wire {
  /**
   * Sends a request once. A connection that the server had closed meanwhile does not count: the request goes again on
   * a new one, unless it may not.
   *
   * @throws the error of the network as Node reports it, the body's own, a `TimeError`, or `CANCELLED` where the signal
   * is aborted.
   */
  send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer>
  /** Cuts what is in flight and closes all connections. */
  close(): void
}

/** How long to wait, in milliseconds. */
export interface WirePatience {
  /** For a connection. */
  readonly connect: number
  /** For a connection through a proxy, which first makes one of its own. */
  readonly connectThroughProxy: number
  /** Without a byte in either direction. */
  readonly idle: number
}

/**
 * The program's own way to send bodies: HTTP/1.1, one request at a time on each connection, answers bounded.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function createWire(tls: TlsSettings, patience: WirePatience): Wire {
  const connections = openConnections(tls, patience.connect)
  const ways = new Map<string, Promise<Way>>()
  let lastOrigin: string | undefined
  let lastWay: Way | undefined

  async function openWay(origin: string): Promise<Way> {
    const route = await connections.routeTo(origin)
    const connect = route.proxy === undefined ? patience.connect : patience.connectThroughProxy
    return { route, pool: createConnectionPool(route.open, { connect, idle: patience.idle }) }
  }

  async function wayTo(origin: string): Promise<Way> {
    const known = ways.get(origin) ?? openWay(origin)
    ways.set(origin, known)
    lastWay = await known
    lastOrigin = origin
    return lastWay
  }

  return {
    send(request, signal) {
      // Nearly always one and the same.
      if (request.origin !== lastOrigin || lastWay === undefined) {
        return wayTo(request.origin).then((way) => exchange(way, way.pool.acquire(), request, signal))
      }
      return exchange(lastWay, lastWay.pool.acquire(), request, signal)
    },
    close() {
      for (const way of ways.values()) way.then(({ pool }) => pool.close()).catch(() => {})
      connections.close()
    },
  }
}

interface Way {
  readonly route: Route
  readonly pool: ConnectionPool
}

async function exchange(
  way: Way,
  acquired: Connection | Promise<Connection>,
  request: WireRequest,
  signal: AbortSignal,
  isAgain = false,
): Promise<WireAnswer> {
  const { route, pool } = way
  let connection: Connection | undefined
  const stopWatching = onAbort(signal, () => connection?.destroy())
  try {
    connection = acquired instanceof Promise ? await unlessAborted(acquired, signal) : acquired
    refuseAborted(signal)
    const { body } = request
    if (request.timeouts !== undefined) pool.watch()
    return await connection.exchange(headOf(request, route), typeof body === 'function' ? body() : body, request)
  } catch (error) {
    if (signal.aborted) throw cancelled()
    // The server had closed a kept connection before the request came: that says nothing of the request.
    const wasDead = connection?.isUsed && !connection.isAnswering && isLoss(error)
    if (wasDead && !isAgain && !request.isOnce) return exchange(way, pool.connect(), request, signal, true)
    throw error
  } finally {
    stopWatching()
    if (connection !== undefined) pool.release(connection)
    else if (acquired instanceof Promise) acquired.then(pool.release, () => {})
  }
}

/** A line break would begin another header. */
const noHeaderValue = /[\0\r\n]/

function headOf({ method, path, headers, sharedLines = '' }: WireRequest, { pathPrefix, proxyHeaders }: Route): string {
  const own = headerLines(headers)
  return `${method} ${pathPrefix}${path} HTTP/1.1\r\n${sharedLines}${own}${headerLines(proxyHeaders)}\r\n`
}

/**
 * Headers as they stand in a request.
 *
 * @param headers names and values in turn
 * @throws UploadError INTERNAL where a value would begin another header
 */
export function headerLines(headers: readonly string[]): string {
  let lines = ''
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const value = headers[at + 1] as string
    if (noHeaderValue.test(value)) throw new UploadError('INTERNAL', `the header ${headers[at]} cannot be sent`)
    lines += `${headers[at]}: ${value}\r\n`
  }
  return lines
}

function isLoss(error: unknown): boolean {
  if (error instanceof UploadError || !(error instanceof Error) || !('code' in error)) return false
  return ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(String(error.code))
}
