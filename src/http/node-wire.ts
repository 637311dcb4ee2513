import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { HttpRequest } from '@smithy/core/protocols'
import type { TlsSettings } from '../config/settings.ts'
import { cancelled, onAbort, refuseAborted } from './abort.ts'
import { outOfTurn } from './connection.ts'
import type { Patience } from './patience.ts'
import { createRequestHandler } from './request-handler.ts'
import type { Wire, WireAnswer, WireRequest } from './send.ts'
import { inSmallPieces } from './small-writes.ts'
import { isTimeError } from './time-errors.ts'

/** Bytes of an answer's body: one to an upload is empty or a short document. */
const longestBody = 256 * 1024

/**
 * The same as the program's wire, but by Node's own HTTP client, for engines that are to share no code with the other: a
 * fault of the one must not be the other's too. It never sends anything twice by itself.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function createNodeWire(tls: TlsSettings, patience: Patience): Wire {
  const handler = createRequestHandler(tls, patience)
  return {
    async send(request, signal) {
      refuseAborted(signal)
      const { size = 0, timeouts } = request
      const beganMs = performance.now()
      const cut = new AbortController()
      const stopWatching = onAbort(signal, () => cut.abort())
      const body = bodyOf(request.body)
      let failure: { readonly reason: unknown } | undefined
      // A request would wait for the rest of its body, whatever has become of that.
      if (body instanceof Readable) {
        body.on('error', (reason) => {
          failure ??= { reason }
          cut.abort()
        })
      }
      try {
        const limits = timeouts && {
          requestTimeout: timeouts.limitMs(size),
          isCompleting: timeouts.answerLimitMs(size) >= patience.idleWhileCompleting,
        }
        const made = toHttpRequest(request, body)
        const { response } = await handler.handle(made, { abortSignal: cut.signal, ...limits })
        const answer = await readAnswer(response)
        if (answer.status < 300 && body instanceof Readable && !(await hasLeft(body))) {
          response.body.socket.destroy()
          throw outOfTurn()
        }
        if (answer.status < 300) timeouts?.succeeded(size, performance.now() - beganMs)
        return answer
      } catch (error) {
        if (signal.aborted) throw cancelled()
        if (failure !== undefined) throw failure.reason
        if (error instanceof Error && isTimeError(error)) timeouts?.overdue(size, performance.now() - beganMs)
        throw error
      } finally {
        stopWatching()
        if (body instanceof Readable) body.destroy()
      }
    },
    close: () => handler.destroy(),
  }
}

function bodyOf(body: WireRequest['body']): Buffer | Readable | undefined {
  if (typeof body === 'function') return Readable.from(inSmallPieces(body()), { objectMode: false })
  return body.length > 0 ? body : undefined
}

function toHttpRequest(
  { method, origin, path, headers }: WireRequest,
  body: Buffer | Readable | undefined,
): HttpRequest {
  const { protocol, hostname, port } = new URL(origin)
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < headers.length; at += 2) fields[headers[at] as string] = headers[at + 1] as string
  return new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path,
    headers: fields,
    body,
  })
}

type HandledResponse = Awaited<ReturnType<ReturnType<typeof createRequestHandler>['handle']>>['response']

async function readAnswer({ statusCode: status, headers, body }: HandledResponse): Promise<WireAnswer> {
  // A server that refuses a body may have left the rest of it unread: nothing else may be sent after that.
  const socket: Socket = body.socket
  if (status >= 300) body.once('end', () => socket.destroy())
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > longestBody) throw tooLong()
    pieces.push(piece)
  }
  return { status, headers, body: Buffer.concat(pieces) }
}

/** Whether all of a body has left; of its end, Node tells a turn of its loop later. */
async function hasLeft(body: Readable): Promise<boolean> {
  if (!body.readableEnded) await setImmediate()
  return body.readableEnded
}

/** Named as Node's own parser names its errors. */
function tooLong(): Error {
  return Object.assign(new Error('the answer is too long for one to an upload'), { code: 'HPE_INVALID_ANSWER' })
}
