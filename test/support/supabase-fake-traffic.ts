import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A request as tests and interceptors see it. */
export interface SeenRequest {
  readonly protocol: 'rest' | 'tus' | 's3' | 'other'
  readonly method: string
  /** Path and query as they came over the wire. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Of its body, so far. */
  readonly bytes: number
  /** Milliseconds, by `performance.now()`. */
  readonly startedAt: number
  /** When the last of it was over: its answer had gone, or its connection. */
  readonly endedAt: number | undefined
  /** Of its answer, where one was begun; of the answer that was dropped, too. */
  readonly status: number | undefined
}

/** What may be made to happen to a request instead of the proper answer. */
export type Fault =
  /** This answer, nothing done; the body is read first, unless `early`. */
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly early?: boolean
    }
  /** The connection is reset before the body is read. */
  | 'reset'
  /** Exactly so many bytes of the body come through, then the connection is reset. Needs an answer at once, no promise. */
  | { readonly resetAfter: number }
  /** The body is read, nothing is done, no answer ever comes. */
  | 'hang'
  /** It is done, then the connection is reset instead of answered. */
  | { readonly dropAnswer: true }

/** A request under way, with what is needed to disturb it. */
export interface Traffic {
  readonly seen: SeenRequest
  /** Lets so many bytes of the body through; once these are read, the connection is reset. */
  cutAfter(bytes: number): void
  /** Resets the connection in the place of the answer. */
  dropAnswer(): void
}

/** Writes down what comes and goes. @param onRefusal called when an answer of 400 or above is begun */
export function watchTraffic(
  req: IncomingMessage,
  res: ServerResponse,
  protocol: SeenRequest['protocol'],
  onRefusal: () => void,
): Traffic {
  const seen = {
    protocol,
    method: req.method ?? '',
    path: req.url ?? '',
    headers: req.headers,
    bytes: 0,
    startedAt: performance.now(),
    endedAt: undefined as number | undefined,
    status: undefined as number | undefined,
  }
  // A torn connection is no failure of the server's.
  req.on('error', () => {})
  res.on('error', () => {})
  res.once('close', () => {
    seen.endedAt = performance.now()
  })

  let limit = Number.POSITIVE_INFINITY
  let isCut = false
  const push = req.push.bind(req)
  // Node hands over a body piece by piece with this: counted here, each byte counts when it arrives.
  req.push = (piece: unknown, encoding?: BufferEncoding) => {
    if (isCut) return false
    if (!(piece instanceof Uint8Array)) return push(piece, encoding)
    const taken = piece.subarray(0, limit - seen.bytes)
    seen.bytes += taken.length
    const wantsMore = taken.length === 0 || push(taken)
    if (seen.bytes < limit) return wantsMore
    isCut = true
    resetWhenRead(req, res)
    return false
  }

  const writeHead = res.writeHead.bind(res) as (status: number, ...rest: unknown[]) => ServerResponse
  const end = res.end.bind(res) as (...rest: unknown[]) => ServerResponse
  let isDropped = false
  Object.assign(res, {
    writeHead(status: number, ...rest: unknown[]) {
      seen.status = status
      if (isDropped) return res
      if (status >= 400) onRefusal()
      return writeHead(status, ...rest)
    },
    end(...rest: unknown[]) {
      seen.status ??= res.statusCode
      if (isDropped) {
        req.socket.resetAndDestroy()
        return res
      }
      if (seen.status < 400 || req.complete) return end(...rest)
      // The answer goes out early; closing with bytes unread would reset the connection and lose it.
      if (rest[0] !== undefined) res.write(rest[0])
      else if (!res.headersSent) res.flushHeaders()
      req.once('end', () => end()).once('close', () => end())
      req.resume()
      return res
    },
  })

  return {
    seen,
    cutAfter(bytes) {
      limit = bytes
    },
    dropAnswer() {
      isDropped = true
      const write = () => true
      Object.assign(res, { write, flushHeaders: () => {} })
    },
  }
}

/** Carries a fault out; true where the request needs no answer any more. */
export async function carryOut(
  fault: Fault | undefined,
  traffic: Traffic,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<boolean> {
  if (fault === undefined) return false
  if (fault === 'reset') {
    req.socket.resetAndDestroy()
    return true
  }
  if (fault === 'hang') {
    req.resume()
    return true
  }
  if ('resetAfter' in fault) {
    traffic.cutAfter(fault.resetAfter)
    return false
  }
  if ('dropAnswer' in fault) {
    traffic.dropAnswer()
    return false
  }
  if (!fault.early) await drain(req)
  const body = Buffer.from(fault.body ?? '')
  res.writeHead(fault.status, { 'content-length': String(body.length), ...fault.headers })
  res.end(req.method === 'HEAD' ? undefined : body)
  return true
}

/** Reads a body to its end, or until its connection is gone. */
async function drain(req: IncomingMessage): Promise<void> {
  if (req.complete && req.readableLength === 0) return
  await new Promise<void>((resolve) => {
    req.once('end', resolve).once('close', resolve)
    req.resume()
  })
}

/** What came through is taken by who reads the body, then the connection goes. */
function resetWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const socket: Socket = req.socket
  if (socket.destroyed) return
  if (req.readableLength === 0 || res.writableEnded) socket.resetAndDestroy()
  else setImmediate(() => resetWhenRead(req, res))
}
