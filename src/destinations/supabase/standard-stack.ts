import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client'
import { refuseAborted } from '../../http/abort.ts'
import type { WireAnswer } from '../../http/send.ts'
import type { Call } from '../destination.ts'
import type { SupabaseSurroundings } from './engine.ts'
import { fixedLimits, limitsWhileMaking } from './limits.ts'
import { hostOf } from './project.ts'
import { uploadNameIn } from './tus-requests.ts'

const nothing = Buffer.alloc(0)

/**
 * What tus-js-client sends its requests by, with the proxies, certificates, kept connections and limits that come with it
 * (the library's own waits for ever where a connection dies in the middle of an answer). Requests go to the project's own
 * address, whichever host an answer names: they carry the key.
 *
 * @param objectSize bytes
 */
export function tusStack(
  { project, patience, wire, refusal }: SupabaseSurroundings,
  { signal, timeouts, pacer }: Call,
  objectSize: number,
): HttpStack {
  const { origin, path } = project.resumable
  const host = hostOf(project.resumable)
  const bodiless = fixedLimits(patience)
  const making = limitsWhileMaking(timeouts, patience)

  async function send(
    method: string,
    url: string,
    fields: ReadonlyMap<string, string>,
    body: unknown,
  ): Promise<HttpResponse> {
    refuseAborted(signal)
    const bytes = body instanceof Buffer ? body : nothing
    const isLast = Number(fields.get('upload-offset')) + bytes.length === objectSize
    const answer = await wire.send(
      {
        method,
        origin,
        path: method === 'POST' ? path : `${path}/${uploadNameIn(url)}`,
        headers: [
          'host',
          host,
          ...[...fields].flat(),
          ...(method === 'HEAD' ? [] : ['content-length', String(bytes.length)]),
        ],
        body: bytes.length === 0 ? bytes : () => paced(bytes),
        size: bytes.length,
        timeouts: bytes.length === 0 ? bodiless : isLast ? making : timeouts,
      },
      signal,
    )
    // The library would drop what the server says of it.
    if (answer.status >= 300 && !mayBeginAnew(method, answer)) throw refusal(answer)
    return responseOf(answer)
  }

  async function* paced(bytes: Buffer): AsyncGenerator<Uint8Array> {
    const step = pacer?.pieceSize ?? bytes.length
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step)
      await pacer?.take(piece.length, signal)
      yield piece
    }
  }

  return {
    getName: () => 'wire',
    createRequest(method, url) {
      const fields = new Map<string, string>()
      const request: HttpRequest = {
        getMethod: () => method,
        getURL: () => url,
        setHeader: (name, value) => void fields.set(name.toLowerCase(), value),
        getHeader: (name) => fields.get(name.toLowerCase()),
        // Bytes count once the server has them.
        setProgressHandler: () => {},
        send: (body) => send(method, url, fields, body),
        // The call's signal cuts what is under way.
        abort: async () => {},
        getUnderlyingObject: () => undefined,
      }
      return request
    },
  }
}

/** An upload that the server does not know, or does not want to speak of, is begun anew by the library. */
function mayBeginAnew(method: string, { status }: WireAnswer): boolean {
  return method === 'HEAD' && [400, 401, 403, 404, 410].includes(status)
}

function responseOf(answer: WireAnswer): HttpResponse {
  return {
    getStatus: () => answer.status,
    getHeader: (name) => answer.headers[name.toLowerCase()],
    getBody: () => answer.body.toString(),
    getUnderlyingObject: () => answer,
  }
}
