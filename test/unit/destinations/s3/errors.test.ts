import { describe, expect, it } from 'vitest'
import { providerRows, statusRows } from '../../../../src/destinations/s3/error-tables.ts'
import { toS3UploadError } from '../../../../src/destinations/s3/errors.ts'
import { errorKinds, UploadError } from '../../../../src/errors.ts'
import { networkRows } from '../../../../src/http/network-errors.ts'
import { retryAfterMs } from '../../../../src/http/retry-after.ts'
import { noAnswer, notDone, silent } from '../../../../src/http/time-errors.ts'
import { answered, failed, outcome, scene } from './sdk-errors.ts'

const now = Date.parse('2026-11-22T08:00:00Z')

describe('what is in no table', () => {
  it.each([
    [
      'a code of 400 nobody knows',
      answered('Strange', 400),
      'BAD_RESPONSE',
      's3.example.test refused the request with status 400 (Strange: Words.)',
    ],
    [
      'a code of 500 nobody knows',
      answered('Strange', 599),
      'SERVER_ERROR retry',
      'the server failed with status 599 (Strange: Words.)',
    ],
    [
      'an answer without words',
      answered('UnknownError', 418, {}, 'UnknownError'),
      'BAD_RESPONSE',
      's3.example.test refused the request with status 418',
    ],
    [
      'an access key that Supabase does not know',
      answered('AccessDenied', 403, {}, 'Invalid Access Key'),
      'CREDENTIALS_INVALID',
      's3.example.test does not know this access key; check AWS_ACCESS_KEY_ID or the profile',
    ],
    [
      'a region that Supabase wants to be its own',
      answered('AccessDenied', 403, {}, 'Invalid Region'),
      'CREDENTIALS_INVALID',
      's3.example.test does not accept a signature for this region; set the right one with --region',
    ],
    [
      'a session token of Supabase that has expired',
      answered('AccessDenied', 403, {}, '"exp" claim timestamp check failed'),
      'CREDENTIALS_EXPIRED',
      'the credentials have expired, and no new ones were found; get some and go on with --resume',
    ],
    [
      'a session token that is none of the project',
      answered('AccessDenied', 403, {}, 'signature verification failed'),
      'CREDENTIALS_INVALID',
      'the session token is not valid; check AWS_SESSION_TOKEN, or unset it with permanent keys',
    ],
    [
      'row-level security of Supabase',
      answered('AccessDenied', 403, {}, 'new row violates row-level security policy'),
      'ACCESS_DENIED',
      'access denied: the credentials need s3:PutObject on bucket "audio"; check its policy and the key\'s permissions',
    ],
    [
      'a success that cannot be read',
      answered('Error', 200),
      'BAD_RESPONSE retry',
      'the answer of s3.example.test cannot be understood or broke off',
    ],
    [
      'a web page',
      answered('Unknown', 404, { 'content-type': 'text/html' }),
      'BAD_RESPONSE',
      's3.example.test answered 404 with a web page; is it an S3 endpoint? Check --endpoint-url and the proxy',
    ],
    [
      'a web page of a failed server',
      answered('Unknown', 502, { 'content-type': 'text/html' }),
      'SERVER_ERROR retry',
      'the server failed with status 502',
    ],
    [
      'bytes that are no HTTP',
      failed({ code: 'HPE_INVALID_CONSTANT' }),
      'BAD_RESPONSE retry',
      's3.example.test does not answer in HTTP; check the endpoint, and http:// or https://',
    ],
    [
      'another fault of TLS',
      failed({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' }),
      'CONNECTION',
      'no TLS connection to s3.example.test could be made (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)',
    ],
    [
      'several addresses',
      Object.assign(new AggregateError([failed({ code: 'ECONNREFUSED' })]), {}),
      'CONNECTION retry',
      's3.example.test refuses connections; check the endpoint and that the server runs',
    ],
    [
      'a connection too slow',
      failed({ name: 'TimeoutError' }, 'did not establish a connection with the server'),
      'CONNECTION retry',
      's3.example.test does not answer; check the endpoint and the network',
    ],
    [
      'silence',
      failed({ name: 'TimeoutError' }, 'timed out after 30000 ms of inactivity'),
      'STALLED retry',
      'no bytes went to or came from s3.example.test for 30 s; check the network, or raise --stall-timeout',
    ],
    [
      'silence of which nobody knows how long',
      failed({ name: 'TimeoutError' }, 'timed out'),
      'STALLED retry',
      'no bytes went to or came from s3.example.test for too long; check the network, or raise --stall-timeout',
    ],
    [
      'silence on the wire',
      silent(300),
      'STALLED retry',
      'no bytes went to or came from s3.example.test for 0.3 s; check the network, or raise --stall-timeout',
    ],
    [
      'no answer',
      noAnswer(34_003),
      'TIMEOUT retry',
      's3.example.test gave no answer within 34 s of the whole body being sent; raise --stall-timeout to wait longer',
    ],
    [
      'a request that takes too long',
      notDone(64_400),
      'TIMEOUT retry',
      'the request to s3.example.test was not done within 64 s; raise --timeout, or lower --concurrency on a slow line',
    ],
    [
      'an answer that takes too long once it has begun',
      Object.assign(notDone(5000), { $response: { statusCode: 200 }, $metadata: { httpStatusCode: 200 } }),
      'TIMEOUT retry',
      'the request to s3.example.test was not done within 5 s; raise --timeout, or lower --concurrency on a slow line',
    ],
    [
      "a reset under the SDK's name for it",
      failed({ name: 'TimeoutError', code: 'ECONNRESET' }),
      'CONNECTION retry',
      'the connection to s3.example.test was closed in the middle; check the network and the server',
    ],
    ['a cut', failed({ name: 'AbortError' }), 'CANCELLED retry', 'the request was cut because the run was stopped'],
    [
      'an address that cannot be made',
      failed({ name: 'EndpointError' }, 'Invalid ARN'),
      'BUCKET_NOT_FOUND',
      "the bucket's address cannot be made: Invalid ARN",
    ],
    ['a bug', failed({}, 'x is not a function'), 'INTERNAL', 'x is not a function'],
  ])('%s', (_, thrown, code, message) => {
    const error = toS3UploadError(thrown, scene)
    expect([outcome(error), error.message]).toEqual([code, message])
    expect(error.cause).toBe(thrown)
  })

  it('is passed on where it is understood already', () => {
    const error = new UploadError('SOURCE_CHANGED', 'changed')
    expect(toS3UploadError(error, scene)).toBe(error)
  })

  it('need not be an error', () => {
    expect(toS3UploadError('boo', scene)).toMatchObject({ code: 'INTERNAL', message: 'boo' })
  })
})

describe('credentials', () => {
  it.each([
    [
      'CredentialsProviderError',
      'Could not load credentials from any providers',
      'CREDENTIALS_INVALID',
      /^no credentials were found; set AWS_ACCESS_KEY_ID/,
    ],
    [
      'CredentialsProviderError',
      'Profile x could not be found',
      'CREDENTIALS_INVALID',
      /\(Profile x could not be found\)/,
    ],
    [
      'CredentialsProviderError',
      'The SSO session associated with this profile has expired',
      'CREDENTIALS_EXPIRED',
      /has expired/,
    ],
    ['TokenProviderError', 'Token is missing', 'CREDENTIALS_INVALID', /Token is missing/],
    ['Error', 'Resolved credential object is not valid', 'CREDENTIALS_INVALID', /AWS_ACCESS_KEY_ID/],
  ])('%s: %s', (name, message, code, words) => {
    const error = toS3UploadError(failed({ name }, message), scene)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
  })
})

describe('messages', () => {
  it('hold no signed URL, no password, no control character, and are short', () => {
    const words = `see https://user:pw@h/k?X-Amz-Signature=abc \u001b[31m\nor ${'x'.repeat(1000)}`
    const { message } = toS3UploadError(answered('Strange', 400, {}, words), scene)
    expect(message).toContain('https://h/k')
    expect(message).not.toMatch(/abc|pw|\p{Cc}/u)
    expect(message.length).toBeLessThan(300)
  })

  it('name the proxy on the way', () => {
    const { message } = toS3UploadError(failed({ code: 'ECONNREFUSED' }), { ...scene, proxy: 'proxy:3128' })
    expect(message).toContain('through the proxy proxy:3128')
    expect(toS3UploadError(answered('x', 407), { ...scene, proxy: 'proxy:3128' }).message).toContain(
      'the proxy proxy:3128',
    )
    expect(toS3UploadError(answered('x', 407), scene).message).toContain('the proxy wants')
  })

  it('name the bucket, the host and the permission', () => {
    expect(toS3UploadError(answered('NoSuchBucket', 404), scene).message).toContain('aws s3 mb s3://audio')
    expect(toS3UploadError(answered('AccessDenied', 403), scene).message).toContain('s3:PutObject on bucket "audio"')
    expect(toS3UploadError(failed({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), scene).message).toContain('--ca-bundle')
  })

  it('know that requests go unsigned', () => {
    const { message } = toS3UploadError(answered('AccessDenied', 403), { ...scene, unsigned: true })
    expect(message).toContain('--no-sign-request')
  })

  it('have known codes', () => {
    for (const row of [...providerRows, ...statusRows, ...networkRows]) expect(errorKinds).toHaveProperty(row.code)
  })
})

it.each([
  [undefined, undefined],
  ['3', 3000],
  [' 0 ', 0],
  ['1.5', 1500],
  ['Sun, 22 Nov 2026 08:00:10 GMT', 10_000],
  ['Sun, 22 Nov 2026 07:00:00 GMT', 0],
  ['soon', undefined],
  ['-3', undefined],
])('Retry-After %j is %j ms', (value, expected) => {
  expect(retryAfterMs(value, now)).toBe(expected)
})

it('names a request once', () => {
  const error = Object.assign(answered('AccessDenied', 403), {
    $metadata: { httpStatusCode: 403, requestId: 'R1, R1' },
  })
  expect(toS3UploadError(error, scene).requestId).toBe('R1')
})

it('carries Retry-After', () => {
  const error = toS3UploadError(
    answered('SlowDown', 503, { 'retry-after': 'Sun, 22 Nov 2026 08:00:10 GMT' }),
    scene,
    now,
  )
  expect(error.retryAfterMs).toBe(10_000)
})
