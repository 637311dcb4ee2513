import { describe, expect, it } from 'vitest'
import { providerRows, statusRows } from '../../../../src/destinations/s3/error-tables.ts'
import { toS3UploadError } from '../../../../src/destinations/s3/errors.ts'
import { networkRows } from '../../../../src/destinations/s3/network-errors.ts'
import { answered, failed, outcome, scene } from './sdk-errors.ts'

/** Every name of every table, and the code it is to have: what a report holds must not change by accident. */
const expectedCodes: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'CREDENTIALS_INVALID',
  NotSignedUp: 'CREDENTIALS_INVALID',
  UnrecognizedClientException: 'CREDENTIALS_INVALID',
  XAdminUserNotFound: 'CREDENTIALS_INVALID',
  SignatureDoesNotMatch: 'CREDENTIALS_INVALID',
  InvalidToken: 'CREDENTIALS_INVALID',
  InvalidSecurityToken: 'CREDENTIALS_INVALID',
  InvalidClientTokenId: 'CREDENTIALS_INVALID',
  MissingSecurityHeader: 'CREDENTIALS_INVALID',
  InvalidSecurity: 'CREDENTIALS_INVALID',
  CredentialsNotSupported: 'CREDENTIALS_INVALID',
  MissingAuthenticationToken: 'CREDENTIALS_INVALID',
  AuthorizationHeaderMalformed: 'CREDENTIALS_INVALID',
  AuthorizationQueryParametersError: 'CREDENTIALS_INVALID',
  ExpiredToken: 'CREDENTIALS_EXPIRED',
  ExpiredTokenException: 'CREDENTIALS_EXPIRED',
  TokenRefreshRequired: 'CREDENTIALS_EXPIRED',
  RequestExpired: 'CREDENTIALS_EXPIRED',
  RequestTimeTooSkewed: 'CLOCK_SKEW retry',
  RequestInTheFuture: 'CLOCK_SKEW retry',
  AccessDenied: 'ACCESS_DENIED',
  AllAccessDisabled: 'ACCESS_DENIED',
  AccountProblem: 'ACCESS_DENIED',
  Forbidden: 'ACCESS_DENIED',
  InvalidPayer: 'ACCESS_DENIED',
  NoSuchBucket: 'BUCKET_NOT_FOUND',
  InvalidBucketName: 'BUCKET_NOT_FOUND',
  PermanentRedirect: 'BUCKET_NOT_FOUND',
  IllegalLocationConstraintException: 'BUCKET_NOT_FOUND',
  TemporaryRedirect: 'SERVER_ERROR retry',
  Redirect: 'SERVER_ERROR retry',
  SlowDown: 'THROTTLED retry',
  SlowDownWrite: 'THROTTLED retry',
  Throttling: 'THROTTLED retry',
  ThrottlingException: 'THROTTLED retry',
  TooManyRequests: 'THROTTLED retry',
  RequestLimitExceeded: 'THROTTLED retry',
  BandwidthLimitExceeded: 'THROTTLED retry',
  ServiceUnavailable: 'THROTTLED retry',
  Busy: 'THROTTLED retry',
  EntityTooLarge: 'TOO_LARGE',
  MaxMessageLengthExceeded: 'TOO_LARGE',
  EntityTooSmall: 'BAD_RESPONSE',
  KeyTooLongError: 'KEY_INVALID',
  KeyTooLong: 'KEY_INVALID',
  InvalidURI: 'KEY_INVALID',
  InvalidKey: 'KEY_INVALID',
  InvalidObjectName: 'KEY_INVALID',
  XMinioInvalidObjectName: 'KEY_INVALID',
  ObjectParentIsFile: 'KEY_INVALID',
  ExistingObjectIsDirectory: 'KEY_INVALID',
  ExistingObjectIsFile: 'KEY_INVALID',
  ObjectExistsAsDirectory: 'KEY_INVALID',
  XMinioParentIsObject: 'KEY_INVALID',
  BadDigest: 'CHECKSUM_MISMATCH retry',
  XAmzContentSHA256Mismatch: 'CHECKSUM_MISMATCH retry',
  XAmzContentChecksumMismatch: 'CHECKSUM_MISMATCH retry',
  ChecksumMismatch: 'CHECKSUM_MISMATCH retry',
  IncompleteBody: 'CHECKSUM_MISMATCH retry',
  InvalidDigest: 'CHECKSUM_MISMATCH',
  PreconditionFailed: 'ALREADY_EXISTS',
  OperationAborted: 'SERVER_ERROR retry',
  ConditionalRequestConflict: 'SERVER_ERROR retry',
  QuotaExceeded: 'QUOTA_EXCEEDED',
  ServiceQuotaExceededException: 'QUOTA_EXCEEDED',
  StorageFull: 'QUOTA_EXCEEDED',
  XMinioStorageFull: 'QUOTA_EXCEEDED',
  XMinioAdminBucketQuotaExceeded: 'QUOTA_EXCEEDED',
  InsufficientStorage: 'QUOTA_EXCEEDED',
  StorageQuotaExceeded: 'QUOTA_EXCEEDED',
  InvalidMimeType: 'TYPE_NOT_ALLOWED',
  RequestTimeout: 'TIMEOUT retry',
  NoSuchUpload: 'BAD_RESPONSE retry',
  InvalidPart: 'BAD_RESPONSE retry',
  InvalidPartOrder: 'BAD_RESPONSE retry',
  InternalError: 'SERVER_ERROR retry',
  InternalFailure: 'SERVER_ERROR retry',
  NotImplemented: 'BAD_RESPONSE',
  MethodNotAllowed: 'BAD_RESPONSE',
  301: 'BUCKET_NOT_FOUND',
  302: 'BUCKET_NOT_FOUND',
  303: 'BUCKET_NOT_FOUND',
  308: 'BUCKET_NOT_FOUND',
  307: 'SERVER_ERROR retry',
  401: 'CREDENTIALS_INVALID',
  403: 'ACCESS_DENIED',
  407: 'CONNECTION',
  408: 'TIMEOUT retry',
  412: 'ALREADY_EXISTS',
  413: 'TOO_LARGE',
  414: 'KEY_INVALID',
  415: 'TYPE_NOT_ALLOWED',
  429: 'THROTTLED retry',
  501: 'BAD_RESPONSE',
  503: 'THROTTLED retry',
  507: 'QUOTA_EXCEEDED',
  ECONNREFUSED: 'CONNECTION retry',
  ENOTFOUND: 'CONNECTION retry',
  EAI_AGAIN: 'CONNECTION retry',
  ECONNRESET: 'CONNECTION retry',
  EPIPE: 'CONNECTION retry',
  ECONNABORTED: 'CONNECTION retry',
  ETIMEDOUT: 'CONNECTION retry',
  ESOCKETTIMEDOUT: 'CONNECTION retry',
  EHOSTUNREACH: 'CONNECTION retry',
  ENETUNREACH: 'CONNECTION retry',
  EHOSTDOWN: 'CONNECTION retry',
  ENETDOWN: 'CONNECTION retry',
  EADDRNOTAVAIL: 'CONNECTION retry',
  EMFILE: 'THROTTLED retry',
  ENFILE: 'THROTTLED retry',
  ENOBUFS: 'THROTTLED retry',
  EPERM: 'CONNECTION retry',
  EACCES: 'CONNECTION retry',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'CONNECTION',
  SELF_SIGNED_CERT_IN_CHAIN: 'CONNECTION',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'CONNECTION',
  UNABLE_TO_GET_ISSUER_CERT: 'CONNECTION',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'CONNECTION',
  CERT_UNTRUSTED: 'CONNECTION',
  CERT_HAS_EXPIRED: 'CONNECTION',
  CERT_NOT_YET_VALID: 'CONNECTION',
  ERR_TLS_CERT_ALTNAME_INVALID: 'CONNECTION',
  CERT_REVOKED: 'CONNECTION',
  CERT_REJECTED: 'CONNECTION',
  CERT_SIGNATURE_FAILURE: 'CONNECTION',
  INVALID_CA: 'CONNECTION',
  INVALID_PURPOSE: 'CONNECTION',
  EPROTO: 'CONNECTION',
  ERR_SSL_WRONG_VERSION_NUMBER: 'CONNECTION',
}

describe('the tables', () => {
  const names = [...providerRows, ...statusRows, ...networkRows].flatMap((row) => row.names)

  it('name each cause once, and the test names them all', () => {
    expect(new Set(names).size).toBe(names.length)
    expect(names.toSorted()).toEqual(Object.keys(expectedCodes).toSorted())
  })

  it.each(providerRows.flatMap((row) => row.names))('%s', (name) => {
    const error = toS3UploadError(answered(name, 400), scene)
    expect(outcome(error)).toBe(expectedCodes[name])
    expect(error).toMatchObject({ status: 400, requestId: 'R1' })
    expect(error.message).toMatch(/^[^\n]{10,200}$/)
  })

  it.each(statusRows.flatMap((row) => row.names))('status %s without a code', (status) => {
    expect(outcome(toS3UploadError(answered('UnknownError', Number(status)), scene))).toBe(expectedCodes[status])
  })

  it.each(networkRows.flatMap((row) => row.names))('%s', (code) => {
    const error = toS3UploadError(failed({ code }), scene)
    expect(outcome(error)).toBe(expectedCodes[code])
    expect(error.status).toBeUndefined()
  })
})
