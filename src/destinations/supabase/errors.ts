import { redactText } from '../../config/redact.ts'
import { UploadError, type UploadErrorDetails } from '../../errors.ts'
import { byName, type ErrorRow, fromRow } from '../../http/error-row.ts'
import { networkProblem } from '../../http/network-problem.ts'
import { quotedWords } from '../../http/quoted-words.ts'
import { retryAfterMs } from '../../http/retry-after.ts'
import type { WireAnswer } from '../../http/send.ts'
import { wantsTls } from '../../http/wants-tls.ts'
import { type AnswerScene, type ErrorScene, pageRows, providerRows, statusRows, wordsRows } from './error-tables.ts'

const byProviderCode = byName(providerRows)
const byStatus = byName(statusRows)
const byPageStatus = byName(pageRows)

/** What an answer that is no success says of itself. */
interface Refusal {
  /** The true one: Supabase hides it in the body of an HTTP 400. */
  readonly status: number
  /** The names it gives to the failure, the more exact one first. */
  readonly names: readonly string[]
  /** The server's sentence, as it came. */
  readonly words: string
  /** A web page: not from the storage server, but from what stands before it. */
  readonly isPage: boolean
}

/** What was thrown where there was no answer. An {@link UploadError} (a body's own failure) passes through unchanged. */
export function toSupabaseUploadError(thrown: unknown, scene: ErrorScene): UploadError {
  if (thrown instanceof UploadError) return thrown
  if (!(thrown instanceof Error)) return new UploadError('INTERNAL', shown(String(thrown)), { cause: thrown })
  // Large objects may go to a host of their own.
  const host = 'hostname' in thrown && typeof thrown.hostname === 'string' ? thrown.hostname : scene.host
  const problem = networkProblem(thrown, { ...scene, host, namedBy: 'SUPABASE_URL' })
  return problem ?? new UploadError('INTERNAL', shown(thrown.message), { cause: thrown })
}

/**
 * What an answer that was no success means: of the storage server in JSON or, by the resumable protocol, in plain text;
 * of a gateway; or of a proxy.
 *
 * @param now milliseconds since the epoch, for a `Retry-After` that is a date
 */
export function refusedBySupabase(answer: WireAnswer, scene: ErrorScene, now: number = Date.now()): UploadError {
  const { headers } = answer
  const refusal = readRefusal(answer)
  const { status, isPage, names, words } = refusal
  const reason = isPage ? '' : wordsOf(refusal, scene)
  const row = rowFor(refusal)
  const details: UploadErrorDetails = {
    // Of an upload that is gone for good and of one that was never there, the same has to be done.
    status: status === 410 ? 404 : status,
    // A server, or what stands before it, may send the header twice.
    requestId: (headers['sb-request-id'] ?? headers['x-request-id'])?.split(',')[0],
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  }
  const answerScene: AnswerScene = { ...scene, words: reason }
  if (row !== undefined) return fromRow(row, answerScene, details)
  if (status === 400 && wantsTls.test(names.join(' ') + words)) {
    const message = `${scene.host} does not speak plain HTTP here (is it https?); check SUPABASE_URL`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  if (status >= 500) return new UploadError('SERVER_ERROR', `the server failed with status ${status}${reason}`, details)
  if (isPage) {
    const message = `${scene.host} answered ${status} with a web page; is it a Supabase project? Check SUPABASE_URL and the proxy`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  if (status >= 400) {
    const message = `${scene.host} refused the request with status ${status}${reason}`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  const message = `the answer of ${scene.host} (status ${status}) cannot be understood; check SUPABASE_URL if this goes on`
  return new UploadError('BAD_RESPONSE', message, details)
}

/**
 * Whether a part of a resumable upload was refused because it does not begin where the server's bytes end. The same
 * status may mean that the object exists.
 */
export function isOffsetConflict(answer: WireAnswer): boolean {
  return answer.status === 409 && /^upload-offset conflict/i.test(readRefusal(answer).words)
}

/** What an answer says of itself, whichever of its many forms it has. */
export function readRefusal({ status, headers, body }: WireAnswer): Refusal {
  const text = body.toString('utf8').trim()
  const isPage = /^text\/html/i.test(headers['content-type'] ?? '') || /^<(!doctype|html)/i.test(text)
  if (isPage) return { status, names: [], words: text, isPage }
  const fields = fieldsOf(text)
  if (fields === undefined) return { status, names: [], words: text, isPage }
  const stated = Number(fields.statusCode)
  return {
    status: Number.isInteger(stated) && stated >= 300 && stated <= 599 ? stated : status,
    names: [fields.code, fields.error].filter((name) => typeof name === 'string'),
    words: [fields.message, fields.msg, fields.error].find((words) => typeof words === 'string') ?? '',
    isPage,
  }
}

/** An answer's body, where it is an object in JSON. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function rowFor({ status, names, words, isPage }: Refusal): ErrorRow<AnswerScene> | undefined {
  if (isPage) {
    // Supabase refuses a key in no web page: that is somebody else's wall.
    return (
      byPageStatus.get(String(status)) ?? (status === 401 || status === 403 ? undefined : byStatus.get(`${status}`))
    )
  }
  const said = wordsRows.find(({ says }) => says.test(words))
  if (said !== undefined) return { ...said, names: [] }
  for (const name of names) {
    const row = byProviderCode.get(name)
    if (row !== undefined) return row
  }
  return byStatus.get(String(status))
}

/** What the server itself said, to put behind a message. */
function wordsOf({ names, words }: Refusal, { withoutKey = (text) => text }: ErrorScene): string {
  const text = shown(withoutKey(words === '' ? (names[0] ?? '') : words))
  return text === '' ? '' : ` (${text})`
}

/** Without secrets, which a cut in the middle would hide from {@link redactText}. */
function shown(text: string): string {
  return quotedWords(redactText(text))
}
