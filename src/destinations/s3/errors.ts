import { UploadError, type UploadErrorDetails } from '../../errors.ts'
import { byName, fromRow } from '../../http/error-row.ts'
import { networkProblem } from '../../http/network-problem.ts'
import { quotedWords } from '../../http/quoted-words.ts'
import { retryAfterMs } from '../../http/retry-after.ts'
import { isTimeError } from '../../http/time-errors.ts'
import { timeProblem } from '../../http/time-problem.ts'
import { wantsTls } from '../../http/wants-tls.ts'
import { deniedNames, type ErrorScene, providerRows, statusRows } from './error-tables.ts'
import { refusedWords } from './refused-words.ts'

export type { ErrorScene } from './error-tables.ts'

const byProviderCode = byName(providerRows)
const byStatus = byName(statusRows)
/** The bucket's name may be part of the host's. */
const naming = { namedBy: 'the endpoint', shapedBy: '--path-style' }

/** What the SDK's errors, and those of Node below them, may carry. */
interface SdkError extends Error {
  readonly code?: unknown
  readonly Code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
  /** The answer's body, where it was no XML. */
  readonly $responseBodyText?: unknown
}

/**
 * What a failed request means. An {@link UploadError} (a body's own failure) passes through unchanged.
 *
 * @param scene what the message may name
 * @param now milliseconds since the epoch, for a `Retry-After` that is a date
 */
export function toS3UploadError(thrown: unknown, scene: ErrorScene, now: number = Date.now()): UploadError {
  if (thrown instanceof UploadError) return thrown
  if (!(thrown instanceof Error)) return new UploadError('INTERNAL', quotedWords(String(thrown)), { cause: thrown })
  const error: SdkError = thrown
  return (
    localProblem(error) ??
    (isTimeError(error) ? timeProblem(error, { ...scene, ...naming }) : undefined) ??
    (error.$response?.statusCode === undefined ? networkProblem(error, { ...scene, ...naming }) : undefined) ??
    answeredProblem(error, scene, now) ??
    new UploadError('INTERNAL', quotedWords(error.message), { cause: error })
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
      return new UploadError('BUCKET_NOT_FOUND', `the bucket's address cannot be made: ${quotedWords(error.message)}`, {
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
    return new UploadError('CREDENTIALS_EXPIRED', `the credentials have expired: ${quotedWords(cause.message)}`, {
      cause,
    })
  }
  const why = /could not load credentials from any providers/i.test(cause.message)
    ? ''
    : ` (${quotedWords(cause.message)})`
  const message =
    `no credentials were found${why}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with ` +
    '--profile or AWS_PROFILE, or use --no-sign-request for a public bucket'
  return new UploadError('CREDENTIALS_INVALID', message, { cause })
}

/** How a server that does not know conditional writes names the header it was sent. */
const namesCondition = /if-?none-?match/i

/** The name of a failure; of one that has a vague name, the name that its words speak of. */
function nameOf({ name, message }: SdkError): string {
  return (name === 'AccessDenied' ? deniedNames.find(({ says }) => says.test(message))?.name : undefined) ?? name
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
  if (namesCondition.test(refusedWords(error) ?? '')) {
    const message = `${scene.host} does not know If-None-Match, which keeps what is there; leave out --if-exists to overwrite`
    return new UploadError('BAD_RESPONSE', message, { ...details, retryable: false })
  }
  const known = byProviderCode.get(nameOf(error)) ?? byProviderCode.get(String(error.Code))
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
  return telling.length === 0 ? '' : ` (${quotedWords(telling.join(': '))})`
}
