import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import type { SupabaseFake } from '../support/supabase-fake.ts'

interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Undefined as a value leaves a header out. */
type PlainHeaders = Readonly<Record<string, string | undefined>>

/**
 * Begins a request by Node's own client, on a connection of its own, as the service role unless said otherwise.
 *
 * @param target a path after `/storage/v1`, sent as it is; or a whole address
 */
export function begin(
  supabase: SupabaseFake,
  method: string,
  target: string,
  headers: PlainHeaders = {},
): ClientRequest {
  const { hostname, port, origin } = new URL(supabase.url)
  const path = (target.startsWith('/') ? `${supabase.url}/storage/v1${target}` : target).slice(origin.length)
  const sent: PlainHeaders = { authorization: `Bearer ${supabase.key}`, ...headers }
  const given = Object.entries(sent).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return request({ agent: false, hostname, port, method, path, headers: Object.fromEntries(given) })
}

/** What a request is answered with. @throws Error where the connection is cut */
export async function answerOf(asked: ClientRequest): Promise<PlainAnswer> {
  return await new Promise((resolve, reject) => {
    asked.on('error', reject).on('response', (response) => {
      const pieces: Buffer[] = []
      response
        .on('error', reject)
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', () => {
          const body = Buffer.concat(pieces).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
    })
  })
}

/** A whole request and its answer. @throws Error where the connection is cut */
export async function ask(
  supabase: SupabaseFake,
  method: string,
  target: string,
  headers: PlainHeaders = {},
  body: string | Uint8Array = '',
): Promise<PlainAnswer> {
  const length = method === 'GET' || method === 'HEAD' ? undefined : String(Buffer.byteLength(body))
  const asked = begin(supabase, method, target, { 'content-length': length, ...headers })
  const answer = answerOf(asked)
  asked.end(body)
  return await answer
}
