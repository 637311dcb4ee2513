import { describe, expect, it } from 'vitest'
import { providerRows, statusRows } from '../../../../src/destinations/s3/error-tables.ts'
import { toS3UploadError } from '../../../../src/destinations/s3/errors.ts'
import { errorKinds, type UploadError } from '../../../../src/errors.ts'
import { networkRows } from '../../../../src/http/network-errors.ts'
import { answered, failed, outcome, scene } from './sdk-errors.ts'

/** {@link outcome}, and whether it is everybody's. */
const meaning = (error: UploadError) => outcome(error) + (errorKinds[error.code].runWide ? ' stop' : '')

/**
 * Every name of every table, and what comes of it: its code, whether it is tried again, whether it stops the run. What a
 * report holds must not change by accident.
 */
const expectedCodes: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'CREDENTIALS_INVALID stop',
  InvalidAccessKey: 'CREDENTIALS_INVALID stop',
  NotSignedUp: 'CREDENTIALS_INVALID stop',
  UnrecognizedClientException: 'CREDENTIALS_INVALID stop',
  XAdminUserNotFound: 'CREDENTIALS_INVALID stop',
  SignatureDoesNotMatch: 'CREDENTIALS_INVALID stop',
  InvalidToken: 'CREDENTIALS_INVALID stop',
  InvalidTokenId: 'CREDENTIALS_INVALID stop',
  InvalidSecurityToken: 'CREDENTIALS_INVALID stop',
  InvalidClientTokenId: 'CREDENTIALS_INVALID stop',
  MissingSecurityHeader: 'CREDENTIALS_INVALID stop',
  InvalidSecurity: 'CREDENTIALS_INVALID stop',
  CredentialsNotSupported: 'CREDENTIALS_INVALID stop',
  MissingAuthenticationToken: 'CREDENTIALS_INVALID stop',
  AuthorizationHeaderMalformed: 'CREDENTIALS_INVALID stop',
  AuthorizationQueryParametersError: 'CREDENTIALS_INVALID stop',
  ExpiredToken: 'CREDENTIALS_EXPIRED stop',
  ExpiredTokenException: 'CREDENTIALS_EXPIRED stop',
  TokenRefreshRequired: 'CREDENTIALS_EXPIRED stop',
  RequestExpired: 'CREDENTIALS_EXPIRED stop',
  RequestTimeTooSkewed: 'CLOCK_SKEW retry stop',
  RequestInTheFuture: 'CLOCK_SKEW retry stop',
  AccessDenied: 'ACCESS_DENIED',
  AllAccessDisabled: 'ACCESS_DENIED',
  AccountProblem: 'ACCESS_DENIED',
  Forbidden: 'ACCESS_DENIED',
  InvalidPayer: 'ACCESS_DENIED',
  NoSuchBucket: 'BUCKET_NOT_FOUND stop',
  InvalidBucketName: 'BUCKET_NOT_FOUND stop',
  PermanentRedirect: 'BUCKET_NOT_FOUND stop',
  IllegalLocationConstraintException: 'BUCKET_NOT_FOUND stop',
  EndpointNotFound: 'BUCKET_NOT_FOUND stop',
  TemporaryRedirect: 'SERVER_ERROR retry',
  Redirect: 'SERVER_ERROR retry',
  SlowDown: 'THROTTLED retry',
  SlowDownRead: 'THROTTLED retry',
  SlowDownWrite: 'THROTTLED retry',
  Throttling: 'THROTTLED retry',
  ThrottlingException: 'THROTTLED retry',
  ThrottledException: 'THROTTLED retry',
  RequestThrottled: 'THROTTLED retry',
  RequestThrottledException: 'THROTTLED retry',
  TooManyRequests: 'THROTTLED retry',
  TooManyRequestsException: 'THROTTLED retry',
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
  RequestTimeoutException: 'TIMEOUT retry',
  NoSuchUpload: 'BAD_RESPONSE retry',
  InvalidPart: 'BAD_RESPONSE retry',
  InvalidPartOrder: 'BAD_RESPONSE retry',
  ClientDisconnected: 'CONNECTION retry',
  InternalError: 'SERVER_ERROR retry',
  InternalFailure: 'SERVER_ERROR retry',
  NotImplemented: 'BAD_RESPONSE',
  MethodNotAllowed: 'BAD_RESPONSE',
  301: 'BUCKET_NOT_FOUND stop',
  302: 'BUCKET_NOT_FOUND stop',
  303: 'BUCKET_NOT_FOUND stop',
  308: 'BUCKET_NOT_FOUND stop',
  307: 'SERVER_ERROR retry',
  401: 'CREDENTIALS_INVALID stop',
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
  EMFILE: 'INTERNAL retry',
  ENFILE: 'INTERNAL retry',
  ENOBUFS: 'INTERNAL retry',
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
    expect(meaning(error)).toBe(expectedCodes[name])
    expect(error).toMatchObject({ status: 400, requestId: 'R1' })
    expect(error.message).toMatch(/^[^\n]{10,200}$/)
  })

  it.each(statusRows.flatMap((row) => row.names))('status %s without a code', (status) => {
    expect(meaning(toS3UploadError(answered('UnknownError', Number(status)), scene))).toBe(expectedCodes[status])
  })

  it('tell a host that cannot be reached from a connection that broke', () => {
    const unreachable = networkRows.flatMap((row) => row.names.filter((code) => isUnreachable(code)))
    expect(unreachable).toEqual([
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'ETIMEDOUT',
      'ESOCKETTIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EHOSTDOWN',
      'ENETDOWN',
      'EADDRNOTAVAIL',
    ])
    // Nothing came of what had been sent: the connection stood once.
    expect([isUnreachable('ETIMEDOUT', 'read'), isUnreachable('ETIMEDOUT', 'connect')]).toEqual([false, true])
  })

  it.each(networkRows.flatMap((row) => row.names))('%s', (code) => {
    const error = toS3UploadError(failed({ code }), scene)
    expect(meaning(error)).toBe(expectedCodes[code])
    expect(error.status).toBeUndefined()
  })
})

function isUnreachable(code: string, syscall?: string): boolean {
  return toS3UploadError(failed({ code, syscall }), scene).unreachable
}
