import { type ErrorRow, proxyWantsPassword, said } from '../../http/error-row.ts'

/** What a message may name. Nothing here is secret. */
export interface ErrorScene {
  readonly bucket: string
  /** Host (and port) the requests go to, without the bucket. */
  readonly host: string
  /** The proxy's host and port, where requests go through one. */
  readonly proxy?: string | undefined
  /** Requests go without credentials. */
  readonly unsigned?: boolean | undefined
  /** The permission the operation needs: `s3:PutObject`. */
  readonly permission: string
}

type Row = ErrorRow<ErrorScene>

const denied: Row['message'] = ({ bucket, permission, unsigned }) =>
  unsigned
    ? `access denied: bucket "${bucket}" does not allow ${permission} without credentials; leave out --no-sign-request`
    : `access denied: the credentials need ${permission} on bucket "${bucket}"; check its policy and the key's permissions`
const throttled = said('the server asks for fewer requests; lower --concurrency if this goes on')
const tooLarge = said('larger than the server accepts for one object or request')
const badDigest = said('the server received other bytes than were sent')
const elsewhere: Row['message'] = ({ bucket, host }) =>
  `bucket "${bucket}" is not served by ${host}; set its region with --region, or its address with --endpoint-url`

/**
 * Error codes of S3 and of servers that speak its protocol.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const providerRows: readonly Row[] = [
  {
    names: [
      'InvalidAccessKeyId',
      'InvalidAccessKey',
      'NotSignedUp',
      'UnrecognizedClientException',
      'XAdminUserNotFound',
    ],
    code: 'CREDENTIALS_INVALID',
    message: ({ host }) => `${host} does not know this access key; check AWS_ACCESS_KEY_ID or the profile`,
  },
  {
    names: ['SignatureDoesNotMatch'],
    code: 'CREDENTIALS_INVALID',
    message: said('the signature does not match: check the secret key (AWS_SECRET_ACCESS_KEY or the profile)'),
  },
  {
    names: ['InvalidToken', 'InvalidTokenId', 'InvalidSecurityToken', 'InvalidClientTokenId'],
    code: 'CREDENTIALS_INVALID',
    message: said('the session token is not valid; check AWS_SESSION_TOKEN, or unset it with permanent keys'),
  },
  {
    names: ['MissingSecurityHeader', 'InvalidSecurity', 'CredentialsNotSupported', 'MissingAuthenticationToken'],
    code: 'CREDENTIALS_INVALID',
    message: ({ host }) => `${host} does not accept these credentials; check the access key and the secret key`,
  },
  {
    names: ['AuthorizationHeaderMalformed', 'AuthorizationQueryParametersError'],
    code: 'CREDENTIALS_INVALID',
    message: ({ host }) => `${host} does not accept a signature for this region; set the right one with --region`,
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'],
    code: 'CREDENTIALS_EXPIRED',
    message: said('the credentials have expired, and no new ones were found; get some and go on with --resume'),
  },
  {
    names: ['RequestTimeTooSkewed', 'RequestInTheFuture'],
    code: 'CLOCK_SKEW',
    message: said("this machine's clock differs too much from the server's; set the clock"),
  },
  {
    names: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'Forbidden', 'InvalidPayer'],
    code: 'ACCESS_DENIED',
    message: denied,
  },
  {
    names: ['NoSuchBucket', 'InvalidBucketName'],
    code: 'BUCKET_NOT_FOUND',
    message: ({ bucket, host }) =>
      `there is no bucket "${bucket}" at ${host}; make it (aws s3 mb s3://${bucket}) or check its name`,
  },
  {
    names: ['PermanentRedirect', 'IllegalLocationConstraintException', 'EndpointNotFound'],
    code: 'BUCKET_NOT_FOUND',
    message: elsewhere,
  },
  {
    names: ['TemporaryRedirect', 'Redirect'],
    code: 'SERVER_ERROR',
    message: said('the bucket is being moved or was just made; it answers under its own name in a while'),
  },
  {
    names: [
      'SlowDown',
      'SlowDownRead',
      'SlowDownWrite',
      'Throttling',
      'ThrottlingException',
      'ThrottledException',
      'RequestThrottled',
      'RequestThrottledException',
      'TooManyRequests',
      'TooManyRequestsException',
      'RequestLimitExceeded',
      'BandwidthLimitExceeded',
      'ServiceUnavailable',
      'Busy',
    ],
    code: 'THROTTLED',
    message: throttled,
  },
  { names: ['EntityTooLarge', 'MaxMessageLengthExceeded'], code: 'TOO_LARGE', message: tooLarge },
  {
    names: ['EntityTooSmall'],
    code: 'BAD_RESPONSE',
    retryable: false,
    message: said('the server wants larger parts; raise --part-size'),
  },
  {
    names: [
      'KeyTooLongError',
      'KeyTooLong',
      'InvalidURI',
      'InvalidKey',
      'InvalidObjectName',
      'XMinioInvalidObjectName',
    ],
    code: 'KEY_INVALID',
    message: said('the server does not accept this key; rename the file, or give a key with --key'),
  },
  {
    names: [
      'ObjectParentIsFile',
      'ExistingObjectIsDirectory',
      'ExistingObjectIsFile',
      'ObjectExistsAsDirectory',
      'XMinioParentIsObject',
    ],
    code: 'KEY_INVALID',
    message: said(
      'the server cannot hold both an object and others below its name ("a" and "a/b"); choose another key',
    ),
  },
  {
    names: [
      'BadDigest',
      'XAmzContentSHA256Mismatch',
      'XAmzContentChecksumMismatch',
      'ChecksumMismatch',
      'IncompleteBody',
    ],
    code: 'CHECKSUM_MISMATCH',
    message: badDigest,
  },
  {
    names: ['InvalidDigest'],
    code: 'CHECKSUM_MISMATCH',
    retryable: false,
    message: said('the server does not accept the checksum that was sent with the bytes'),
  },
  { names: ['PreconditionFailed'], code: 'ALREADY_EXISTS', message: said('the object exists already') },
  {
    names: ['OperationAborted', 'ConditionalRequestConflict'],
    code: 'SERVER_ERROR',
    message: said('another request for the same object or bucket was in the way'),
  },
  {
    names: [
      'QuotaExceeded',
      'ServiceQuotaExceededException',
      'StorageFull',
      'XMinioStorageFull',
      'XMinioAdminBucketQuotaExceeded',
      'InsufficientStorage',
      'StorageQuotaExceeded',
    ],
    code: 'QUOTA_EXCEEDED',
    message: said("the server's storage or quota is used up; free some or ask for more"),
  },
  {
    names: ['InvalidMimeType'],
    code: 'TYPE_NOT_ALLOWED',
    message: said('the bucket does not accept this content type'),
  },
  {
    names: ['RequestTimeout', 'RequestTimeoutException'],
    code: 'TIMEOUT',
    message: said('the server waited too long for the bytes'),
  },
  {
    names: ['NoSuchUpload'],
    code: 'BAD_RESPONSE',
    message: said('the server no longer knows the multipart upload; it has to begin again'),
  },
  {
    names: ['InvalidPart', 'InvalidPartOrder'],
    code: 'BAD_RESPONSE',
    message: said('the server lost a part of the upload'),
  },
  {
    names: ['ClientDisconnected'],
    code: 'CONNECTION',
    message: ({ host }) => `the connection to ${host} was closed in the middle; check the network and the server`,
  },
  { names: ['InternalError', 'InternalFailure'], code: 'SERVER_ERROR', message: said('the server failed inside') },
  {
    names: ['NotImplemented', 'MethodNotAllowed'],
    code: 'BAD_RESPONSE',
    retryable: false,
    message: ({ host }) => `${host} does not offer this operation; is it an S3 endpoint?`,
  },
]

/**
 * What Supabase calls `AccessDenied`, as it does a lack of permission, and what others call it: known by how the server's
 * own sentence begins. https://github.com/supabase/storage/blob/master/src/storage/protocols/s3/signature-v4.ts
 */
export const deniedNames: readonly { readonly says: RegExp; readonly name: string }[] = [
  { says: /^invalid access key\b/i, name: 'InvalidAccessKeyId' },
  { says: /^invalid region\b/i, name: 'AuthorizationHeaderMalformed' },
  { says: /^("exp" claim timestamp check failed|jwt expired)/i, name: 'ExpiredToken' },
  { says: /^(invalid compact jws|signature verification failed)/i, name: 'InvalidToken' },
]

/** For answers without a code that is known, by HTTP status. */
export const statusRows: readonly Row[] = [
  { names: ['301', '302', '303', '308'], code: 'BUCKET_NOT_FOUND', message: elsewhere },
  { names: ['307'], code: 'SERVER_ERROR', message: said('the server sends this request elsewhere for now') },
  {
    names: ['401'],
    code: 'CREDENTIALS_INVALID',
    message: ({ host }) => `${host} does not accept these credentials; check the access key and the secret key`,
  },
  { names: ['403'], code: 'ACCESS_DENIED', message: denied },
  proxyWantsPassword,
  { names: ['408'], code: 'TIMEOUT', message: said('the server waited too long for the request') },
  { names: ['412'], code: 'ALREADY_EXISTS', message: said('the object exists already') },
  { names: ['413'], code: 'TOO_LARGE', message: tooLarge },
  { names: ['414'], code: 'KEY_INVALID', message: said('the server finds this key too long') },
  { names: ['415'], code: 'TYPE_NOT_ALLOWED', message: said('the server does not accept this content type') },
  { names: ['429', '503'], code: 'THROTTLED', message: throttled },
  {
    names: ['501'],
    code: 'BAD_RESPONSE',
    retryable: false,
    message: said('the endpoint does not implement this request: is it an S3 server?'),
  },
  { names: ['507'], code: 'QUOTA_EXCEEDED', message: said("the server's storage is full") },
]
