import { describe, expect, it } from 'vitest'
import { pageRows, providerRows, statusRows, wordsRows } from '../../../../src/destinations/supabase/error-tables.ts'
import { refusedBySupabase } from '../../../../src/destinations/supabase/errors.ts'
import { errorKinds, type UploadError } from '../../../../src/errors.ts'
import { asPage, inJson, ofRest, ofTus, scene } from './answers.ts'

/** A code, whether trying again may help, and whether it is everybody's. */
const meaning = ({ code, retryable }: UploadError) =>
  code + (retryable ? ' retry' : '') + (errorKinds[code].runWide ? ' stop' : '')

/** Every sentence that is known, and what comes of it, whichever protocol says it. */
const sentences: readonly (readonly [number, string, string])[] = [
  [403, '"exp" claim timestamp check failed', 'CREDENTIALS_EXPIRED stop'],
  [401, 'jwt expired', 'CREDENTIALS_EXPIRED stop'],
  [400, 'The provided token has expired.', 'CREDENTIALS_EXPIRED stop'],
  [400, "headers must have required property 'authorization'", 'CREDENTIALS_INVALID stop'],
  [401, 'No API key found in request', 'CREDENTIALS_INVALID stop'],
  [403, 'Invalid Compact JWS', 'CREDENTIALS_INVALID stop'],
  [403, 'signature verification failed', 'CREDENTIALS_INVALID stop'],
  [403, 'invalid signature', 'CREDENTIALS_INVALID stop'],
  [401, 'Invalid API key', 'CREDENTIALS_INVALID stop'],
  [400, 'Invalid JWT', 'CREDENTIALS_INVALID stop'],
  [400, 'Invalid token', 'CREDENTIALS_INVALID stop'],
  [403, 'jwt malformed', 'CREDENTIALS_INVALID stop'],
  [403, 'JWS Protected Header is invalid', 'CREDENTIALS_INVALID stop'],
  [403, '"nbf" claim timestamp check failed', 'CREDENTIALS_INVALID stop'],
  [403, '"alg" (Algorithm) Header Parameter value not allowed', 'CREDENTIALS_INVALID stop'],
  [403, 'new row violates row-level security policy', 'ACCESS_DENIED'],
  [403, 'new row violates row-level security policy for table "objects"', 'ACCESS_DENIED'],
  [404, 'Bucket not found', 'BUCKET_NOT_FOUND stop'],
  [404, 'The related resource does not exist', 'BUCKET_NOT_FOUND stop'],
  [409, 'The resource already exists', 'ALREADY_EXISTS'],
  [413, 'Maximum size exceeded\n', 'TOO_LARGE'],
  [413, "upload's size exceeded\n", 'TOO_LARGE'],
  [415, 'mime type text/plain is not supported', 'TYPE_NOT_ALLOWED'],
  [400, 'Invalid key: a#b', 'KEY_INVALID'],
  [402, 'Service for this project is restricted due to: exceed_storage_size_quota.', 'QUOTA_EXCEEDED'],
  [409, 'Upload-Offset conflict\n', 'BAD_RESPONSE retry'],
  [404, 'The file for this url was not found\n', 'BAD_RESPONSE retry'],
  [410, 'The file for this url no longer exists\n', 'BAD_RESPONSE retry'],
  [404, 'Upload not found', 'BAD_RESPONSE retry'],
  [400, 'Request aborted due to lock acquired', 'SERVER_ERROR retry'],
  [500, 'failed to acquire lock before timeout', 'SERVER_ERROR retry'],
  [503, 'acquiring lock timeout', 'SERVER_ERROR retry'],
  [423, 'The resource is locked', 'SERVER_ERROR retry'],
  [404, 'Route POST:/object/audio/a not found', 'BAD_RESPONSE'],
  [404, 'no Route matched with those values', 'BAD_RESPONSE'],
]

const codes: Readonly<Record<string, string>> = {
  ExpiredToken: 'CREDENTIALS_EXPIRED stop',
  InvalidJWT: 'CREDENTIALS_INVALID stop',
  InvalidSignature: 'CREDENTIALS_INVALID stop',
  SignatureDoesNotMatch: 'CREDENTIALS_INVALID stop',
  InvalidAccessKeyId: 'CREDENTIALS_INVALID stop',
  AccessDenied: 'ACCESS_DENIED',
  Unauthorized: 'ACCESS_DENIED',
  NoSuchBucket: 'BUCKET_NOT_FOUND stop',
  InvalidBucketName: 'BUCKET_NOT_FOUND stop',
  'Bucket not found': 'BUCKET_NOT_FOUND stop',
  TenantNotFound: 'BUCKET_NOT_FOUND stop',
  KeyAlreadyExists: 'ALREADY_EXISTS',
  ResourceAlreadyExists: 'ALREADY_EXISTS',
  Duplicate: 'ALREADY_EXISTS',
  EntityTooLarge: 'TOO_LARGE',
  'Payload too large': 'TOO_LARGE',
  InvalidMimeType: 'TYPE_NOT_ALLOWED',
  invalid_mime_type: 'TYPE_NOT_ALLOWED',
  InvalidKey: 'KEY_INVALID',
  FST_ERR_BAD_URL: 'KEY_INVALID',
  InvalidChecksum: 'CHECKSUM_MISMATCH retry',
  NoSuchUpload: 'BAD_RESPONSE retry',
  NoSuchKey: 'BAD_RESPONSE retry',
  not_found: 'BAD_RESPONSE retry',
  SlowDown: 'THROTTLED retry',
  DatabaseConnectionLimit: 'THROTTLED retry',
  ResourceLocked: 'SERVER_ERROR retry',
  LockTimeout: 'SERVER_ERROR retry',
  acquiring_lock_timeout: 'SERVER_ERROR retry',
  DatabaseTimeout: 'SERVER_ERROR retry',
  DatabaseReadOnly: 'SERVER_ERROR retry',
  InternalError: 'SERVER_ERROR retry',
  DatabaseError: 'SERVER_ERROR retry',
  TransactionError: 'SERVER_ERROR retry',
  Aborted: 'SERVER_ERROR retry',
  AbortedTerminate: 'SERVER_ERROR retry',
}

const statuses: Readonly<Record<string, string>> = {
  '301': 'BAD_RESPONSE',
  '302': 'BAD_RESPONSE',
  '303': 'BAD_RESPONSE',
  '307': 'BAD_RESPONSE',
  '308': 'BAD_RESPONSE',
  '401': 'CREDENTIALS_INVALID stop',
  '402': 'QUOTA_EXCEEDED',
  '403': 'ACCESS_DENIED',
  '405': 'BAD_RESPONSE',
  '407': 'CONNECTION',
  '408': 'TIMEOUT retry',
  '410': 'BAD_RESPONSE retry',
  '413': 'TOO_LARGE',
  '414': 'KEY_INVALID',
  '415': 'TYPE_NOT_ALLOWED',
  '423': 'SERVER_ERROR retry',
  '429': 'THROTTLED retry',
  '501': 'BAD_RESPONSE',
  '507': 'QUOTA_EXCEEDED',
  '540': 'BUCKET_NOT_FOUND stop',
}

const namesOf = (rows: readonly { readonly names: readonly string[] }[]) => rows.flatMap(({ names }) => names)

describe('every sentence that is known', () => {
  it.each(sentences)('%i %s', (status, words, expected) => {
    expect(meaning(refusedBySupabase(ofTus(status, words), scene))).toBe(expected)
    expect(meaning(refusedBySupabase(ofRest(status, 'Error', words.trim()), scene))).toBe(expected)
  })

  it('is in the table once', () => {
    for (const { says } of wordsRows) {
      expect(sentences.filter(([, words]) => says.test(words))).not.toEqual([])
    }
  })
})

describe('every code that is known', () => {
  it.each(Object.entries(codes))('%s', (name, expected) => {
    expect(meaning(refusedBySupabase(ofRest(400, 'Error', 'Words.', name), scene))).toBe(expected)
    expect(meaning(refusedBySupabase(ofRest(400, name, 'Words.'), scene))).toBe(expected)
  })

  it('is in the table, and once', () => {
    expect(namesOf(providerRows).toSorted()).toEqual(Object.keys(codes).toSorted())
  })
})

describe('every status that is known', () => {
  it.each(Object.entries(statuses))('%s', (status, expected) => {
    expect(meaning(refusedBySupabase(inJson(Number(status), { message: 'Words.' }), scene))).toBe(expected)
    expect(meaning(refusedBySupabase(ofRest(Number(status), 'Error', 'Words.'), scene))).toBe(expected)
    expect(meaning(refusedBySupabase(ofTus(Number(status), 'Words.'), scene))).toBe(expected)
  })

  it('is in the table, and once', () => {
    expect(namesOf(statusRows).toSorted()).toEqual(Object.keys(statuses).toSorted())
    expect(namesOf(pageRows)).toEqual(['413'])
  })
})

it.each([
  [asPage(413), 'TOO_LARGE'],
  [asPage(429), 'THROTTLED retry'],
  [asPage(407), 'CONNECTION'],
  [asPage(403), 'BAD_RESPONSE'],
  [asPage(401), 'BAD_RESPONSE'],
  [asPage(404), 'BAD_RESPONSE'],
  [asPage(200), 'BAD_RESPONSE'],
  [asPage(502), 'SERVER_ERROR retry'],
])('a web page of a gateway or proxy: %#', (answer, expected) => {
  expect(meaning(refusedBySupabase(answer, scene))).toBe(expected)
})

it('says in every message what to do, or that it passes, in a line or two', () => {
  const rows = [...wordsRows, ...providerRows, ...statusRows, ...pageRows]
  for (const row of rows) {
    const message = row.message({ ...scene, words: ' (words)' })
    expect(message.length).toBeLessThan(290)
    expect(message).not.toMatch(/\n|undefined|\.$/)
  }
})
