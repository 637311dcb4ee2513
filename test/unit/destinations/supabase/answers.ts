import type { WireAnswer } from '../../../../src/http/send.ts'

/** What an error's message may name. */
export const scene = { bucket: 'audio', host: 'abc.supabase.co', proxy: undefined }

type Headers = Readonly<Record<string, string>>

/** An answer in JSON, as REST and the gateway give it. */
export function inJson(status: number, body: unknown, headers: Headers = {}): WireAnswer {
  const text = JSON.stringify(body)
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body: Buffer.from(text) }
}

/** A refusal of REST: HTTP 400, the true status inside. */
export function ofRest(status: number, error: string, message: string, code?: string, headers?: Headers): WireAnswer {
  return inJson(status >= 500 ? status : 400, { statusCode: String(status), error, message, code }, headers)
}

/** A refusal of the resumable protocol. */
export function ofTus(status: number, text: string, headers: Headers = {}): WireAnswer {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body: Buffer.from(text) }
}

/** A web page. */
export function asPage(
  status: number,
  text = '<html><body><h1>Oh</h1></body></html>',
  headers: Headers = {},
): WireAnswer {
  return { status, headers: { 'content-type': 'text/html', ...headers }, body: Buffer.from(text) }
}
