import { UploadError, type UploadErrorDetails } from '../../errors.ts'
import { isTimeError } from '../../http/time-errors.ts'
import { type ErrorRow, type ErrorScene, providerRows, statusRows } from './error-tables.ts'
import { networkRows } from './network-errors.ts'
import { timeProblem } from './time-problem.ts'

export type { ErrorScene } from './error-tables.ts'

const byProviderCode = index(providerRows)
const byStatus = index(statusRows)
const byErrno = index(networkRows)

function index(rows: readonly ErrorRow[]): ReadonlyMap<string, ErrorRow> {
  return new Map(rows.flatMap((row) => row.names.map((name) => [name, row])))
}

/** What the SDK's errors, and those of Node below them, may carry. */
interface SdkError extends Error {
  readonly code?: unknown
  /** Of an error of the operating system: what was tried. */
  readonly syscall?: unknown
  readonly Code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
  /** The answer's body, where it was no XML. */
  readonly $responseBodyText?: unknown
}

/** What servers say on their TLS port to a request in plain HTTP: nginx, Go's, Apache. */
const wantsTls =
  /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP to an SSL/i

/**
 * What a failed request means. An {@link UploadError} (a body's own failure) passes through unchanged.
 *
 * @param scene what the message may name
 * @param now milliseconds since the epoch, for a `Retry-After` that is a date
 */
export function toS3UploadError(thrown: unknown, scene: ErrorScene, now: number = Date.now()): UploadError {
  if (thrown instanceof UploadError) return thrown
  if (!(thrown instanceof Error)) return new UploadError('INTERNAL', clean(String(thrown)), { cause: thrown })
  const error: SdkError = thrown
  return (
    localProblem(error) ??
    (isTimeError(error) ? timeProblem(error, scene) : undefined) ??
    networkProblem(error, scene) ??
    answeredProblem(error, scene, now) ??
    new UploadError('INTERNAL', clean(error.message), { cause: error })
  )
}

/** What went wrong before a request was made. */
function localProblem(error: SdkError): UploadError | undefined {
  const cause = error
  switch (error.name) {
    case 'AbortError':
      return new UploadError('CANCELLED', 'the request was cut because the run was stopped', { cause })
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return credentialsProblem(error)
    case 'EndpointError':
      return new UploadError('BUCKET_NOT_FOUND', `the bucket's address cannot be made: ${clean(error.message)}`, {
        cause,
      })
  }
  if (/credential object is not valid/i.test(error.message)) return credentialsProblem(error)
  if (/\bSigV4a\b/.test(error.message)) {
    const message = 'a multi-region access point wants signatures that cannot be made here; name one of its buckets'
    return new UploadError('BUCKET_NOT_FOUND', message, { cause })
  }
  return undefined
}

function credentialsProblem(cause: SdkError): UploadError {
  if (/expired/i.test(cause.message)) {
    return new UploadError('CREDENTIALS_EXPIRED', `the credentials have expired: ${clean(cause.message)}`, { cause })
  }
  const why = /could not load credentials from any providers/i.test(cause.message) ? '' : ` (${clean(cause.message)})`
  const message =
    `no credentials were found${why}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with ` +
    '--profile or AWS_PROFILE, or use --no-sign-request for a public bucket'
  return new UploadError('CREDENTIALS_INVALID', message, { cause })
}

/** What went wrong on the way to the answer. */
function networkProblem(error: SdkError, scene: ErrorScene): UploadError | undefined {
  if (error.$response?.statusCode !== undefined) return undefined
  // Several addresses of one host, each with a failure of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  const code = error.code ?? (first instanceof Error && 'code' in first ? first.code : undefined)
  const row = byErrno.get(String(code))
  const through = scene.proxy === undefined ? '' : ` (through the proxy ${scene.proxy})`
  if (row !== undefined) {
    const unreachable = row.unreachable && !(error.syscall === 'read' || error.syscall === 'write')
    return fromRow(row, scene, { cause: error, unreachable }, through)
  }
  if (typeof code === 'string' && code.startsWith('HPE_')) {
    const message = `${scene.host} does not answer in HTTP${through}; check the endpoint, and http:// or https://`
    return new UploadError('BAD_RESPONSE', message, { cause: error })
  }
  if (typeof code === 'string' && code.startsWith('ERR_SSL_')) {
    const message = `no TLS connection to ${scene.host} could be made${through} (${code})`
    return new UploadError('CONNECTION', message, { retryable: false, cause: error })
  }
  return timeProblem(error, scene)
}

/** What an answer that was no success, or could not be read, means. */
function answeredProblem(error: SdkError, scene: ErrorScene, now: number): UploadError | undefined {
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode
  if (status === undefined) return undefined
  const headers = error.$response?.headers ?? {}
  const details: UploadErrorDetails = {
    status,
    // A server, or what stands before it, may send the header twice.
    requestId: (error.$metadata?.requestId ?? headers['x-amz-request-id'])?.split(',')[0],
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
    cause: error,
  }
  const known = byProviderCode.get(error.name) ?? byProviderCode.get(String(error.Code))
  if (known !== undefined) return fromRow(known, scene, details)
  if (status === 400 && wantsTls.test(String(error.$responseBodyText))) {
    const message = `${scene.host} does not speak plain HTTP here (is it https?); check the endpoint`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  const isPage = /^text\/html/i.test(headers['content-type'] ?? '')
  if (isPage && status < 500) {
    const message = `${scene.host} answered ${status} with a web page; is it an S3 endpoint? Check --endpoint-url and the proxy`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  const row = byStatus.get(String(status))
  if (row !== undefined) return fromRow(row, scene, details)
  const reason = isPage ? '' : serversWords(error)
  if (status >= 500) return new UploadError('SERVER_ERROR', `the server failed with status ${status}${reason}`, details)
  if (status >= 400) {
    const message = `${scene.host} refused the request with status ${status}${reason}`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  return new UploadError('BAD_RESPONSE', `the answer of ${scene.host} cannot be understood or broke off`, details)
}

/** What the server itself said, to put behind a message; the SDK's words about an answer without any say nothing. */
function serversWords({ name, message }: SdkError): string {
  const words = [name, /XML parse error|Deserialization error/.test(message) ? '' : message]
  const telling = words.filter((word) => !/^(Unknown|UnknownError|Error|SyntaxError|\d+)?$/.test(word))
  return telling.length === 0 ? '' : ` (${clean(telling.join(': '))})`
}

function fromRow(row: ErrorRow, scene: ErrorScene, details: UploadErrorDetails, suffix = ''): UploadError {
  return new UploadError(row.code, row.message(scene) + suffix, { ...details, retryable: row.retryable })
}

/**
 * Milliseconds a `Retry-After` header asks for: a number of seconds or a date.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  // Date.parse() takes "-3" for a date, too.
  const date = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** One short line of a provider's own words: a signed URL or a control character must not get through. */
function clean(text: string): string {
  const oneLine = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/(\bhttps?:\/\/)[^\s"'<>]*@/gi, '$1')
    .replace(/(\bhttps?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, '$1')
    .trim()
  return oneLine.length > 200 ? `${oneLine.slice(0, 199)}…` : oneLine
}
