import { closed, type RequestLimits } from './connection.ts'
import type { Wire, WireAnswer, WireRequest } from './send.ts'

type Fetch = typeof globalThis.fetch

/** Headers that speak of one connection are the wire's own; nor could it read an answer that is compressed. */
const wiresOwn = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** https://fetch.spec.whatwg.org/#null-body-status */
const bodiless = new Set([204, 205, 304])

const nobodyCuts = new AbortController().signal

/**
 * A wire as a `fetch`, for libraries that take one: proxies, certificates, kept connections and time limits
 * come with it. What differs from others: a redirect is an answer like any other, since credentials must never follow
 * one; a stream needs a `content-length` header, gives pieces that nobody writes to afterwards, and is sent once; failures
 * are the wire's own errors.
 *
 * @param limits how long each request may take; absent: as long as bytes flow
 * @returns a function that throws TypeError where a body cannot be sent or has another length than it states, and what
 *   {@link Wire.send} throws
 */
export function wireFetch(wire: Pick<Wire, 'send'>, limits: RequestLimits = {}): Fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const url = new URL(request?.url ?? String(input))
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase()
    const headers = new Headers(init?.headers ?? request?.headers)
    const given: unknown = init?.body ?? request?.body ?? undefined
    const signal = init?.signal ?? request?.signal ?? nobodyCuts
    if (typeof given === 'string' && !headers.has('content-type')) {
      headers.set('content-type', 'text/plain;charset=UTF-8')
    }
    const { body, size } = bodyFor(given, headers.get('content-length'))
    const answer = await wire.send(
      {
        ...limits,
        method,
        origin: url.origin,
        path: url.pathname + url.search,
        headers: headersFor(url, headers, given === undefined && isBodiless(method) ? undefined : size),
        body,
      },
      signal,
    )
    return responseOf(answer)
  }
}

function isBodiless(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE'
}

/** @param size bytes of the body; undefined: nothing is said of one */
function headersFor(url: URL, headers: Headers, size: number | undefined): readonly string[] {
  const list = ['host', url.host]
  for (const [name, value] of headers) {
    if (!wiresOwn.has(name)) list.push(name, value)
  }
  if (size !== undefined) list.push('content-length', String(size))
  return list
}

interface SizedBody {
  readonly body: WireRequest['body']
  /** Bytes. */
  readonly size: number
}

function bodyFor(given: unknown, stated: string | null): SizedBody {
  if (given === undefined || given === null) return whole(Buffer.alloc(0))
  if (typeof given === 'string') return whole(Buffer.from(given))
  if (given instanceof Uint8Array) return whole(Buffer.from(given.buffer, given.byteOffset, given.byteLength))
  if (!isIterable(given)) throw new TypeError('a body of this kind cannot be sent: give bytes, or a stream of them')
  if (stated === null || !/^\d{1,15}$/.test(stated)) {
    throw new TypeError('a stream can only be sent with a content-length header')
  }
  const size = Number(stated)
  return { body: oncePieces(given, size), size }
}

function whole(body: Buffer): SizedBody {
  return { body, size: body.length }
}

function isIterable(given: unknown): given is AsyncIterable<unknown> {
  return typeof given === 'object' && given !== null && Symbol.asyncIterator in given
}

/** The wire begins a body again where a kept connection was dead; a stream has lost what was read of it by then. */
function oncePieces(stream: AsyncIterable<unknown>, size: number): () => AsyncIterable<Uint8Array> {
  let isBegun = false
  return () => {
    if (isBegun) throw closed()
    isBegun = true
    return exactly(stream, size)
  }
}

/**
 * The last piece waits until the stream has ended: a server that has all bytes answers at once, and a stream may find
 * only at its end that something is wrong with what it gave.
 */
async function* exactly(stream: AsyncIterable<unknown>, size: number): AsyncGenerator<Uint8Array> {
  let sent = 0
  let last: Uint8Array | undefined
  for await (const piece of stream) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('a stream can only be sent where it gives bytes')
    if (piece.length === 0) continue
    sent += piece.length
    if (sent > size) throw otherLength(size)
    if (sent === size) last = piece
    else yield piece
  }
  if (sent < size) throw otherLength(size)
  if (last !== undefined) yield last
}

function otherLength(stated: number): TypeError {
  return new TypeError(`the stream does not have the ${stated} bytes its content-length states`)
}

function responseOf({ status, headers, body }: WireAnswer): Response {
  return new Response(bodiless.has(status) || body.length === 0 ? null : body, { status, headers })
}
