import { describe, expect, it } from 'vitest'
import {
  isOffsetConflict,
  refusedBySupabase,
  toSupabaseUploadError,
} from '../../../../src/destinations/supabase/errors.ts'
import { UploadError } from '../../../../src/errors.ts'
import { noAnswer } from '../../../../src/http/time-errors.ts'
import { asPage, inJson, ofRest, ofTus, scene } from './answers.ts'

const outcome = ({ code, retryable, status }: UploadError) =>
  [code, ...(retryable ? ['retry'] : []), ...(status === undefined ? [] : [status])].join(' ')

const noBucket =
  'there is no bucket "audio" at abc.supabase.co; make it (Dashboard → Storage → New bucket, or SQL: ' +
  "insert into storage.buckets (id, name) values ('audio', 'audio')) or check its name"
const keyRefused = (words: string) =>
  `abc.supabase.co does not accept this key (${words}); set SUPABASE_SERVICE_ROLE_KEY to the project's service role or secret key`
const exp = 'the key has expired; set SUPABASE_SERVICE_ROLE_KEY to one that has not, and go on with --resume'

/** As a running server answers, in both protocols; one meaning for each. */
describe('what Supabase refuses', () => {
  it.each([
    [
      'an object that exists',
      ofRest(409, 'Duplicate', 'The resource already exists', 'KeyAlreadyExists'),
      ofTus(409, 'The resource already exists'),
      'ALREADY_EXISTS 409',
      'the object exists already',
    ],
    [
      'one over the limit',
      ofRest(413, 'Payload too large', 'The object exceeded the maximum allowed size', 'EntityTooLarge'),
      ofTus(413, 'Maximum size exceeded\n'),
      'TOO_LARGE 413',
      'larger than bucket "audio" (its file_size_limit) or the project (Dashboard → Storage → Settings) accepts; raise that limit',
    ],
    [
      'a type',
      ofRest(415, 'invalid_mime_type', 'mime type text/plain is not supported', 'InvalidMimeType'),
      ofTus(415, 'mime type text/plain is not supported'),
      'TYPE_NOT_ALLOWED 415',
      'bucket "audio" does not accept this content type (mime type text/plain is not supported); ' +
        "add it to the bucket's allowed_mime_types, or give --content-type",
    ],
    [
      'a key',
      ofRest(400, 'InvalidKey', 'Invalid key: Bucket not found#', 'InvalidKey'),
      ofTus(400, 'Invalid key: The resource already exists#'),
      'KEY_INVALID 400',
      'the server does not accept this key; rename the file, or give --key-fix',
    ],
    [
      'a bucket that is not there',
      ofRest(404, 'Bucket not found', 'Bucket not found', 'NoSuchBucket'),
      ofTus(404, 'Bucket not found'),
      'BUCKET_NOT_FOUND 404',
      noBucket,
    ],
    [
      'a token that is none',
      ofRest(403, 'Unauthorized', 'Invalid Compact JWS', 'AccessDenied'),
      ofRest(403, 'Unauthorized', 'Invalid Compact JWS'),
      'CREDENTIALS_INVALID 403',
      keyRefused('Invalid Compact JWS'),
    ],
    [
      'a token of another project',
      ofRest(403, 'Unauthorized', 'signature verification failed', 'AccessDenied'),
      ofRest(403, 'Unauthorized', 'signature verification failed'),
      'CREDENTIALS_INVALID 403',
      keyRefused('signature verification failed'),
    ],
    [
      'a token that has expired',
      ofRest(403, 'Unauthorized', '"exp" claim timestamp check failed', 'AccessDenied'),
      ofRest(403, 'Unauthorized', '"exp" claim timestamp check failed'),
      'CREDENTIALS_EXPIRED 403',
      exp,
    ],
    [
      'a request without its token',
      ofRest(400, 'Error', "headers must have required property 'authorization'"),
      inJson(400, {
        statusCode: '400',
        error: 'Error',
        message: "headers must have required property 'authorization'",
      }),
      'CREDENTIALS_INVALID 400',
      'the request came without its key; is it a proxy that takes out the header "authorization"?',
    ],
    [
      'by row-level security',
      ofRest(403, 'Unauthorized', 'new row violates row-level security policy', 'AccessDenied'),
      ofTus(403, 'new row violates row-level security policy'),
      'ACCESS_DENIED 403',
      'access denied: the policies of bucket "audio" do not allow it to this key ' +
        '(new row violates row-level security policy); use the service role key, or add a policy',
    ],
    [
      'trouble inside',
      ofRest(500, 'InternalError', 'Internal server error', 'InternalError'),
      ofRest(500, 'InternalError', 'Internal server error'),
      'SERVER_ERROR retry 500',
      'the server failed inside (Internal server error)',
    ],
  ])('%s', (_, rest, tus, expected, message) => {
    for (const answer of [rest, tus]) {
      const error = refusedBySupabase(answer, scene)
      expect([outcome(error), error.message]).toEqual([expected, message])
    }
  })

  it('names an apostrophe in SQL as SQL has it', () => {
    const { message } = refusedBySupabase(ofTus(404, 'Bucket not found'), { ...scene, bucket: "bob's" })
    expect(message).toContain("values ('bob''s', 'bob''s')")
  })
})

describe('the resumable protocol alone', () => {
  it.each([
    ['an unknown upload', ofTus(404, 'The file for this url was not found\n'), 'BAD_RESPONSE retry 404'],
    ['an upload that has expired', ofTus(410, 'The file for this url no longer exists\n'), 'BAD_RESPONSE retry 404'],
    ['one that has expired, without a word', ofTus(410, ''), 'BAD_RESPONSE retry 404'],
    ['a wrong offset', ofTus(409, 'Upload-Offset conflict\n'), 'BAD_RESPONSE retry 409'],
    ['a lock', ofTus(423, 'The resource is locked'), 'SERVER_ERROR retry 423'],
    ['trouble', ofTus(500, 'Something went wrong with that request\n'), 'SERVER_ERROR retry 500'],
    ['concatenation', ofTus(501, 'Concatenation extension is not (yet) supported.'), 'BAD_RESPONSE 501'],
  ])('%s', (_, answer, expected) => {
    expect(outcome(refusedBySupabase(answer, scene))).toBe(expected)
  })

  it('tells a wrong offset from an object that exists', () => {
    expect(isOffsetConflict(ofTus(409, 'Upload-Offset conflict\n'))).toBe(true)
    expect(isOffsetConflict(ofTus(409, 'The resource already exists'))).toBe(false)
    expect(isOffsetConflict(ofTus(400, 'Invalid key: Upload-Offset conflict'))).toBe(false)
  })
})

describe('gateways and proxies', () => {
  it.each([
    [
      'a key the gateway does not know',
      inJson(401, { message: 'Invalid API key', hint: 'Double check your key.' }),
      'CREDENTIALS_INVALID 401',
      keyRefused('Invalid API key'),
    ],
    [
      'a refusal in words of its own',
      inJson(401, { message: 'Legacy API keys are disabled' }),
      'CREDENTIALS_INVALID 401',
      keyRefused('Legacy API keys are disabled'),
    ],
    [
      'a project out of its quota',
      inJson(402, { message: 'Service for this project is restricted due to: exceed_storage_size_quota.' }),
      'QUOTA_EXCEEDED 402',
      'the project is restricted, since its quota is used up (Service for this project is restricted due to: ' +
        'exceed_storage_size_quota.); see Dashboard → Organization → Usage',
    ],
    [
      'a body nginx does not let through',
      asPage(413),
      'TOO_LARGE 413',
      'larger than the gateway at abc.supabase.co lets through; raise its limit (client_max_body_size of nginx)',
    ],
    [
      'TLS on plain HTTP',
      asPage(400, '<html>The plain HTTP request was sent to HTTPS port</html>'),
      'BAD_RESPONSE 400',
      'abc.supabase.co does not speak plain HTTP here (is it https?); check SUPABASE_URL',
    ],
    [
      'a web page',
      asPage(404),
      'BAD_RESPONSE 404',
      'abc.supabase.co answered 404 with a web page; is it a Supabase project? Check SUPABASE_URL and the proxy',
    ],
    [
      'a web page that says it is none',
      { status: 200, headers: {}, body: Buffer.from('<!DOCTYPE html><p>Hi') },
      'BAD_RESPONSE 200',
      'abc.supabase.co answered 200 with a web page; is it a Supabase project? Check SUPABASE_URL and the proxy',
    ],
    ['a failure without words', ofTus(502, ''), 'SERVER_ERROR retry 502', 'the server failed with status 502'],
    [
      'a database that does not answer',
      inJson(544, { statusCode: '544', code: 'DatabaseTimeout', error: 'Error', message: 'timed out' }),
      'SERVER_ERROR retry 544',
      "the server's database did not answer in time; lower --concurrency if this goes on",
    ],
    [
      'something new',
      ofRest(422, 'Odd', 'Not today', 'Odd'),
      'BAD_RESPONSE 422',
      'abc.supabase.co refused the request with status 422 (Not today)',
    ],
    [
      'only a name',
      inJson(422, { error: 'Odd' }),
      'BAD_RESPONSE 422',
      'abc.supabase.co refused the request with status 422 (Odd)',
    ],
    [
      'a success that is none',
      inJson(200, { hello: 'world' }),
      'BAD_RESPONSE retry 200',
      'the answer of abc.supabase.co (status 200) cannot be understood; check SUPABASE_URL if this goes on',
    ],
    [
      'a refusal under status 200',
      inJson(200, { statusCode: '409', error: 'Duplicate' }),
      'ALREADY_EXISTS 409',
      'the object exists already',
    ],
    [
      'JSON that breaks off',
      ofTus(400, '{"statusCode":"409"'),
      'BAD_RESPONSE 400',
      'abc.supabase.co refused the request with status 400 ({"statusCode":"409")',
    ],
    [
      'a status that is none',
      inJson(400, { statusCode: 'abc', code: 7, message: { a: 1 }, error: 'Odd' }),
      'BAD_RESPONSE 400',
      'abc.supabase.co refused the request with status 400 (Odd)',
    ],
  ])('%s', (_, answer, expected, message) => {
    const error = refusedBySupabase(answer, scene)
    expect([outcome(error), error.message]).toEqual([expected, message])
  })

  it('keeps what the server asks for, and the id of the request', () => {
    const now = Date.parse('2026-11-22T08:00:00Z')
    const date = { 'retry-after': 'Sun, 22 Nov 2026 08:00:07 GMT', 'sb-request-id': 'r1, r1', 'x-request-id': 'r2' }
    const dated = refusedBySupabase(ofTus(429, '', date), scene, now)
    expect([dated.code, dated.retryAfterMs, dated.requestId]).toEqual(['THROTTLED', 7000, 'r1'])
    const stated = refusedBySupabase(ofTus(503, '', { 'retry-after': '3', 'x-request-id': 'r2' }), scene, now)
    expect([stated.code, stated.retryAfterMs, stated.requestId]).toEqual(['SERVER_ERROR', 3000, 'r2'])
  })

  it('never repeats a key, wherever a message is cut', () => {
    const token = `eyJ${'a'.repeat(150)}.eyJ${'b'.repeat(150)}.${'c'.repeat(40)}`
    for (const secret of [token, `sb_secret_${'d'.repeat(250)}`]) {
      for (const padding of [0, 100, 190]) {
        const words = `${'x '.repeat(padding / 2)}${secret} is no good`
        for (const answer of [ofTus(418, words), ofRest(422, 'Odd', words), inJson(401, { message: words })]) {
          expect(refusedBySupabase(answer, scene).message).not.toMatch(/eyJa|sb_secret_d|bbbb/)
        }
      }
    }
  })
})

describe('where there was no answer', () => {
  it('leaves what is understood already', () => {
    const error = new UploadError('SOURCE_CHANGED', 'it changed')
    expect(toSupabaseUploadError(error, scene)).toBe(error)
  })

  it.each([
    [
      Object.assign(new Error('no'), { code: 'ENOTFOUND' }),
      'CONNECTION retry',
      'there is no host of the name abc.supabase.co; check SUPABASE_URL',
    ],
    [
      Object.assign(new Error('no'), { code: 'ENOTFOUND', hostname: 'abc.storage.supabase.co' }),
      'CONNECTION retry',
      'there is no host of the name abc.storage.supabase.co; check SUPABASE_URL',
    ],
    [
      noAnswer(30_000),
      'TIMEOUT retry',
      'abc.supabase.co gave no answer within 30 s of the whole body being sent; raise --stall-timeout to wait longer',
    ],
    [new Error('odd'), 'INTERNAL', 'odd'],
    ['text', 'INTERNAL', 'text'],
  ])('%s', (thrown, expected, message) => {
    const error = toSupabaseUploadError(thrown, scene)
    expect([outcome(error), error.message]).toEqual([expected, message])
  })
})
