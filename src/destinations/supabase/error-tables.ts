import { type ErrorRow, proxyWantsPassword, said } from '../../http/error-row.ts'

/** What a message may name. Nothing here is secret. */
export interface ErrorScene {
  readonly bucket: string
  /** Host (and port) of the project. */
  readonly host: string
  /** The proxy's host and port, where requests go through one. */
  readonly proxy?: string | undefined
  /** Takes the key to the project out of what a server says. */
  readonly withoutKey?: (text: string) => string
}

/** The same, with what the server said: ` (…)`, or nothing. */
export interface AnswerScene extends ErrorScene {
  readonly words: string
}

type Row = ErrorRow<AnswerScene>

/** A kind of failure that is known by how the server's own sentence begins. */
export interface WordsRow extends Omit<Row, 'names'> {
  readonly says: RegExp
}

const keyRefused: Row['message'] = ({ host, words }) =>
  `${host} does not accept this key${words}; set SUPABASE_SERVICE_ROLE_KEY to the project's service role or secret key`
const keyExpired = said(
  'the key has expired; set SUPABASE_SERVICE_ROLE_KEY to one that has not, and go on with --resume',
)
const denied: Row['message'] = ({ bucket, words }) =>
  `access denied: the policies of bucket "${bucket}" do not allow it to this key${words}; use the service role key, or add a policy`
const noBucket: Row['message'] = ({ bucket, host }) =>
  `there is no bucket "${bucket}" at ${host}; make it (Dashboard → Storage → New bucket, or SQL: ` +
  `insert into storage.buckets (id, name) values ('${bucket.replaceAll("'", "''")}', '${bucket.replaceAll("'", "''")}')) or check its name`
const exists = said('the object exists already')
const tooLarge: Row['message'] = ({ bucket }) =>
  `larger than bucket "${bucket}" (its file_size_limit) or the project (Dashboard → Storage → Settings) accepts; raise that limit`
const typeRefused: Row['message'] = ({ bucket, words }) =>
  `bucket "${bucket}" does not accept this content type${words}; add it to the bucket's allowed_mime_types, or give --content-type`
const keyInvalid = said('the server does not accept this key; rename the file, or give --key-fix')
const throttled = said('the server asks for fewer requests; lower --concurrency if this goes on')
const locked = said('another request still holds the upload; it is let go of in a while')
const quota: Row['message'] = ({ words }) =>
  `the project is restricted, since its quota is used up${words}; see Dashboard → Organization → Usage`
const lost = said('the server no longer knows the upload (has it expired?); it has to begin again')
const failed: Row['message'] = ({ words }) => `the server failed inside${words}`

/**
 * What the servers say, word for word: the resumable protocol says nothing else, and one code of the other may mean
 * several things. Each begins with the server's own words, since a key or a media type may hold any.
 */
export const wordsRows: readonly WordsRow[] = [
  {
    says: /^("exp" claim timestamp check failed|jwt expired|the provided token has expired)/i,
    code: 'CREDENTIALS_EXPIRED',
    message: keyExpired,
  },
  {
    says: /^headers must have required property 'authorization'|^no api key found/i,
    code: 'CREDENTIALS_INVALID',
    message: said('the request came without its key; is it a proxy that takes out the header "authorization"?'),
  },
  {
    says: /^(invalid compact jws|signature verification failed|invalid signature|invalid api key|invalid jwt|invalid token|jwt malformed|jws |"\w+" (claim|\(algorithm\)))/i,
    code: 'CREDENTIALS_INVALID',
    message: keyRefused,
  },
  { says: /^new row violates row-level security policy/i, code: 'ACCESS_DENIED', message: denied },
  { says: /^(bucket not found|the related resource does not exist)/i, code: 'BUCKET_NOT_FOUND', message: noBucket },
  { says: /^the resource already exists/i, code: 'ALREADY_EXISTS', message: exists },
  { says: /^(maximum size exceeded|upload's size exceeded)/i, code: 'TOO_LARGE', message: tooLarge },
  { says: /^mime type .* is not supported/i, code: 'TYPE_NOT_ALLOWED', message: typeRefused },
  { says: /^invalid key\b/i, code: 'KEY_INVALID', message: keyInvalid },
  { says: /^service for this project is restricted/i, code: 'QUOTA_EXCEEDED', message: quota },
  {
    says: /^upload-offset conflict/i,
    code: 'BAD_RESPONSE',
    message: said('the server holds another number of bytes than was expected; does another process send this upload?'),
  },
  {
    says: /^(the file for this url (was not found|no longer exists)|upload not found)/i,
    code: 'BAD_RESPONSE',
    message: lost,
  },
  {
    says: /^(request aborted due to lock acquired|failed to acquire lock|acquiring lock timeout|the resource is locked)/i,
    code: 'SERVER_ERROR',
    message: locked,
  },
  {
    says: /^(route \w+:|no route matched)/i,
    code: 'BAD_RESPONSE',
    retryable: false,
    message: ({ host }) => `${host} offers no Supabase Storage at this address; check SUPABASE_URL`,
  },
]

/**
 * Codes of Supabase Storage, and the names that older servers give instead.
 * https://supabase.com/docs/guides/storage/debugging/error-codes
 */
export const providerRows: readonly Row[] = [
  { names: ['ExpiredToken'], code: 'CREDENTIALS_EXPIRED', message: keyExpired },
  {
    names: ['InvalidJWT', 'InvalidSignature', 'SignatureDoesNotMatch', 'InvalidAccessKeyId'],
    code: 'CREDENTIALS_INVALID',
    message: keyRefused,
  },
  { names: ['AccessDenied', 'Unauthorized'], code: 'ACCESS_DENIED', message: denied },
  { names: ['NoSuchBucket', 'InvalidBucketName', 'Bucket not found'], code: 'BUCKET_NOT_FOUND', message: noBucket },
  {
    names: ['TenantNotFound'],
    code: 'BUCKET_NOT_FOUND',
    message: ({ host }) => `${host} knows no such project; check SUPABASE_URL`,
  },
  { names: ['KeyAlreadyExists', 'ResourceAlreadyExists', 'Duplicate'], code: 'ALREADY_EXISTS', message: exists },
  { names: ['EntityTooLarge', 'Payload too large'], code: 'TOO_LARGE', message: tooLarge },
  { names: ['InvalidMimeType', 'invalid_mime_type'], code: 'TYPE_NOT_ALLOWED', message: typeRefused },
  { names: ['InvalidKey', 'FST_ERR_BAD_URL'], code: 'KEY_INVALID', message: keyInvalid },
  {
    names: ['InvalidChecksum'],
    code: 'CHECKSUM_MISMATCH',
    message: said('the server received other bytes than were sent'),
  },
  { names: ['NoSuchUpload'], code: 'BAD_RESPONSE', message: lost },
  {
    names: ['NoSuchKey', 'not_found'],
    code: 'BAD_RESPONSE',
    message: said('the server does not find the object, or what it was made of'),
  },
  { names: ['SlowDown', 'DatabaseConnectionLimit'], code: 'THROTTLED', message: throttled },
  { names: ['ResourceLocked', 'LockTimeout', 'acquiring_lock_timeout'], code: 'SERVER_ERROR', message: locked },
  {
    names: ['DatabaseTimeout'],
    code: 'SERVER_ERROR',
    message: said("the server's database did not answer in time; lower --concurrency if this goes on"),
  },
  {
    names: ['DatabaseReadOnly'],
    code: 'SERVER_ERROR',
    message: said("the project's database takes no writes for now; is its disk full?"),
  },
  {
    names: ['InternalError', 'DatabaseError', 'TransactionError', 'Aborted', 'AbortedTerminate'],
    code: 'SERVER_ERROR',
    message: failed,
  },
]

/** For web pages that a gateway before the server answers with, by HTTP status. */
export const pageRows: readonly Row[] = [
  {
    names: ['413'],
    code: 'TOO_LARGE',
    message: ({ host }) =>
      `larger than the gateway at ${host} lets through; raise its limit (client_max_body_size of nginx)`,
  },
]

/** For answers that say nothing that is known, by HTTP status. */
export const statusRows: readonly Row[] = [
  {
    names: ['301', '302', '303', '307', '308'],
    code: 'BAD_RESPONSE',
    retryable: false,
    message: ({ host }) =>
      `${host} sends requests to another address, where the key must not go; check SUPABASE_URL (is it https://?)`,
  },
  { names: ['401'], code: 'CREDENTIALS_INVALID', message: keyRefused },
  { names: ['402'], code: 'QUOTA_EXCEEDED', message: quota },
  { names: ['403'], code: 'ACCESS_DENIED', message: denied },
  proxyWantsPassword,
  {
    names: ['405', '501'],
    code: 'BAD_RESPONSE',
    retryable: false,
    message: ({ host }) => `${host} does not offer this operation; is it a Supabase project? Check SUPABASE_URL`,
  },
  { names: ['408'], code: 'TIMEOUT', message: said('the server waited too long for the request') },
  { names: ['410'], code: 'BAD_RESPONSE', message: lost },
  { names: ['413'], code: 'TOO_LARGE', message: tooLarge },
  { names: ['414'], code: 'KEY_INVALID', message: said('the server finds this key too long') },
  { names: ['415'], code: 'TYPE_NOT_ALLOWED', message: typeRefused },
  { names: ['423'], code: 'SERVER_ERROR', message: locked },
  { names: ['429'], code: 'THROTTLED', message: throttled },
  { names: ['507'], code: 'QUOTA_EXCEEDED', message: said("the server's storage is full") },
  {
    // https://supabase.com/docs/guides/troubleshooting/http-status-codes
    names: ['540'],
    code: 'BUCKET_NOT_FOUND',
    message: ({ host }) => `the project at ${host} is paused; restore it in the Dashboard`,
  },
]
