import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client'
import type { WireAnswer } from '../../http/send.ts'
import { refuseAborted } from '../abort.ts'
import type { Call } from '../destination.ts'
import { fixedLimits } from './ask.ts'
import type { SupabaseSurroundings } from './engine.ts'
import { notUnderstood } from './tus-requests.ts'

const nothing = Buffer.alloc(0)

/**
 * What tus-js-client sends its requests by, with the proxies, certificates, kept connections and limits that come with it
 * (the library's own waits for ever where a connection dies in the middle of an answer). Requests go to the project's own
 * address, whichever host an answer names: they carry the key.
 */
export function tusStack(
  { project, patience, wire, refusal }: SupabaseSurroundings,
  { signal, timeouts, pacer }: Call,
): HttpStack {
  const { origin, path } = project.resumable
  const { host } = new URL(origin)
  const bodiless = fixedLimits(patience)

  async function send(method: string, url: string, fields: readonly string[], body: unknown): Promise<HttpResponse> {
    refuseAborted(signal)
    const bytes = body instanceof Buffer ? body : nothing
    const answer = await wire.send(
      {
        method,
        origin,
        path: method === 'POST' ? path : `${path}/${uploadName(url)}`,
        headers: ['host', host, ...fields, ...(method === 'HEAD' ? [] : ['content-length', String(bytes.length)])],
        body: bytes.length === 0 ? bytes : () => paced(bytes),
        size: bytes.length,
        timeouts: bytes.length === 0 ? bodiless : timeouts,
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
        send: (body) => send(method, url, [...fields].flat(), body),
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

/**
 * The last segment of an upload's address.
 *
 * @throws UploadError BAD_RESPONSE where it has none
 */
export function uploadName(url: string): string {
  const [, name] = /([\w.~=%+-]+)\/?(?:[?#].*)?$/.exec(url) ?? []
  if (name === undefined) throw notUnderstood()
  return name
}

function responseOf(answer: WireAnswer): HttpResponse {
  return {
    getStatus: () => answer.status,
    getHeader: (name) => answer.headers[name.toLowerCase()],
    getBody: () => answer.body.toString(),
    getUnderlyingObject: () => answer,
  }
}
