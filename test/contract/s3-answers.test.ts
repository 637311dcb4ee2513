import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Destination, EngineName } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import type { UploadError } from '../../src/errors.ts'
import { type Fault, type Operation, type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf } from './s3-fast.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'
import { storeObject } from './store-object.ts'

/** Milliseconds without a byte: for what is answered in the end, and for what never is. */
const [patient, impatient] = [20_000, 800]
const xmlError = (code: string, message = 'Said by the server.') =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>R1</RequestId></Error>`
const page = '<!DOCTYPE html><html><head><title>502</title></head><body><br>Bad & broken</body></html>'
const html = { 'content-type': 'text/html; charset=utf-8' }

interface Case {
  readonly what: string
  readonly fault: Fault
  /** The request it happens to; a PutObject where not said. */
  readonly to?: Operation
  readonly expected: Partial<UploadError>
  /** Where the engines differ. */
  readonly only?: EngineName
}

const cases: readonly Case[] = [
  {
    what: '403 AccessDenied',
    fault: { status: 403, body: xmlError('AccessDenied') },
    expected: { code: 'ACCESS_DENIED', retryable: false, status: 403, requestId: 'FAKE00000001' },
  },
  {
    what: '503 SlowDown with Retry-After',
    fault: { status: 503, headers: { 'retry-after': '7' }, body: xmlError('SlowDown') },
    expected: { code: 'THROTTLED', retryable: true, retryAfterMs: 7000 },
  },
  {
    what: '429 without a body',
    fault: { status: 429, headers: { 'retry-after': '1' } },
    expected: { code: 'THROTTLED', retryable: true, retryAfterMs: 1000 },
  },
  {
    what: '500 InternalError',
    fault: { status: 500, body: xmlError('InternalError') },
    expected: { code: 'SERVER_ERROR', retryable: true, status: 500 },
  },
  { what: '500 without a body', fault: { status: 500 }, expected: { code: 'SERVER_ERROR', retryable: true } },
  {
    what: '502 with a web page',
    fault: { status: 502, headers: html, body: page },
    expected: { code: 'SERVER_ERROR', retryable: true, status: 502 },
  },
  {
    what: '503 with a web page',
    fault: { status: 503, headers: html, body: page },
    expected: { code: 'THROTTLED', retryable: true },
  },
  {
    what: '404 with a web page',
    fault: { status: 404, headers: html, body: page },
    expected: { code: 'BAD_RESPONSE', retryable: false, status: 404 },
  },
  {
    what: '200 with a web page',
    fault: { status: 200, headers: html, body: page },
    expected: { code: 'BAD_RESPONSE', retryable: false },
  },
  {
    what: '200 with a web page for a new multipart upload',
    to: 'CreateMultipartUpload',
    fault: { status: 200, headers: html, body: page },
    expected: { code: 'BAD_RESPONSE', retryable: false },
  },
  {
    what: '500 with a body that is no XML',
    fault: { status: 500, body: 'upstream <timed> out & gone' },
    expected: { code: 'SERVER_ERROR', retryable: true },
  },
  {
    what: '400 with a code nobody knows',
    fault: { status: 400, body: xmlError('Whatever', 'It will not do: https://h/k?X-Amz-Signature=abc') },
    expected: { code: 'BAD_RESPONSE', retryable: false, status: 400 },
  },
  {
    what: '400 RequestTimeout',
    fault: { status: 400, body: xmlError('RequestTimeout') },
    expected: { code: 'TIMEOUT', retryable: true },
  },
  {
    what: '403 RequestTimeTooSkewed',
    fault: { status: 403, body: xmlError('RequestTimeTooSkewed') },
    expected: { code: 'CLOCK_SKEW', retryable: true },
  },
  {
    what: '403 ExpiredToken',
    fault: { status: 400, body: xmlError('ExpiredToken') },
    expected: { code: 'CREDENTIALS_EXPIRED', retryable: false },
  },
  {
    what: '307 to another host',
    fault: { status: 307, headers: { location: 'http://elsewhere.example.test/' } },
    expected: { code: 'SERVER_ERROR', retryable: true, status: 307 },
  },
  {
    what: '301 that names no region',
    fault: { status: 301, body: xmlError('PermanentRedirect') },
    expected: { code: 'BUCKET_NOT_FOUND', retryable: false, status: 301 },
  },
  {
    what: 'an answer before the body is read',
    fault: { status: 403, early: true, body: xmlError('AccessDenied') },
    expected: { code: 'ACCESS_DENIED' },
  },
  {
    what: '200 with an error inside, for complete',
    to: 'CompleteMultipartUpload',
    fault: { status: 200, body: `   ${xmlError('InternalError')}` },
    expected: { code: 'SERVER_ERROR', retryable: true },
  },
  {
    what: '200 with SlowDown inside, for complete',
    to: 'CompleteMultipartUpload',
    fault: { status: 200, body: xmlError('SlowDown') },
    expected: { code: 'THROTTLED', retryable: true },
  },
  {
    what: '200 with nothing inside, for complete',
    to: 'CompleteMultipartUpload',
    fault: { status: 200 },
    expected: { code: 'SERVER_ERROR', retryable: true },
  },
  {
    // The other engine asks whether the object is there.
    only: 'standard',
    what: 'an answer to complete that breaks off',
    to: 'CompleteMultipartUpload',
    fault: { truncateAnswer: 60 },
    expected: { code: 'CONNECTION', retryable: true },
  },
  {
    what: 'an answer to create that breaks off',
    to: 'CreateMultipartUpload',
    fault: { truncateAnswer: 60 },
    expected: { code: 'CONNECTION', retryable: true },
  },
  {
    what: '404 NoSuchUpload for a part',
    to: 'UploadPart',
    fault: { status: 404, body: xmlError('NoSuchUpload') },
    expected: { code: 'BAD_RESPONSE', retryable: true },
  },
  {
    what: '501 without a word',
    fault: { status: 501 },
    expected: { code: 'BAD_RESPONSE', retryable: false, message: expect.stringContaining('is it an S3 server?') },
  },
  {
    what: "400 of nginx' TLS port for plain HTTP",
    fault: {
      status: 400,
      headers: { 'content-type': 'text/html' },
      body:
        '<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n' +
        '<center><h1>400 Bad Request</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
    },
    expected: { code: 'BAD_RESPONSE', retryable: false, message: expect.stringContaining('(is it https?)') },
  },
  {
    what: '400 of a TLS port written in Go for plain HTTP',
    fault: { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' },
    expected: { code: 'BAD_RESPONSE', retryable: false, message: expect.stringContaining('(is it https?)') },
  },
  { what: 'a connection reset at once', fault: 'reset', expected: { code: 'CONNECTION', retryable: true } },
  {
    what: 'a connection reset in the middle of a body',
    to: 'UploadPart',
    fault: { resetAfterBytes: 100_000 },
    expected: { code: 'CONNECTION', retryable: true },
  },
  {
    what: 'a connection reset once the object is stored',
    fault: 'reset-after-storing',
    expected: { code: 'CONNECTION', retryable: true },
  },
  { what: 'no answer at all', fault: 'hang', expected: { code: 'STALLED', retryable: true } },
  {
    what: 'a server that stops reading',
    to: 'UploadPart',
    fault: { hangAfterBytes: 100_000 },
    expected: { code: 'STALLED', retryable: true },
  },
]

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

describe.each(engines)('what an S3 server answers (%s)', (engine) => {
  let s3: S3Fake
  let destination: Destination
  beforeEach(async () => {
    s3 = await startS3Fake({ buckets: ['audio'], credentials: fakeCredentials })
    destination = await open('audio')
  })
  afterEach(async () => {
    await destination.close()
    await s3.close()
  })

  const open = (bucket: string, idle = patient) => {
    const silence = { idle, idleWhileAnswering: idle, idleWhileCompleting: idle }
    const patience = { connect: 5000, connectThroughProxy: 5000, ...silence }
    return openS3Destination({ ...s3Settings(s3.url), engine }, { url: `s3://${bucket}/`, bucket }, () => {}, patience)
  }
  const put = (size: number) => storeObject(destination, anObject('k'), someBytes(size))
  it.each(cases.filter(({ only = engine }) => only === engine))(
    '$what',
    async ({ fault, to = 'PutObject', expected }) => {
      if (expected.code === 'STALLED') {
        await destination.close()
        destination = await open('audio', impatient)
      }
      s3.script = (request) => (request.operation === to ? fault : undefined)
      const error = await failureOf(put(to === 'PutObject' ? 1000 : 12_000_000))
      expect(error).toMatchObject(expected)
      expect(error.message).not.toMatch(/Signature=|\n|<|test secret|TESTACCESSKEY/)
      expect(error.message.length).toBeLessThan(300)
    },
  )

  it.each([
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'CREDENTIALS_INVALID', 'secret key'],
    ['a wrong access key', { AWS_ACCESS_KEY_ID: 'NOSUCHKEY' }, 'CREDENTIALS_INVALID', 'access key'],
    ['a session token that is none', { AWS_SESSION_TOKEN: 'invented' }, 'CREDENTIALS_INVALID', 'session token'],
    [
      'no credentials',
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      'CREDENTIALS_INVALID',
      'AWS_ACCESS_KEY_ID',
    ],
  ])('%s', async (_, environment, code, word) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const error = await failureOf(put(1000))
    expect(error).toMatchObject({ code, retryable: false })
    expect(error.message).toContain(word)
    expect(error.message).not.toMatch(/test secret|wrong|invented/)
  })

  it('a bucket that does not exist', async () => {
    const other = await open('missing')
    const error = await failureOf(other.putObject(anObject('k'), bodyOf(someBytes(10)), aCall()))
    expect(error).toMatchObject({ code: 'BUCKET_NOT_FOUND', retryable: false, status: 404 })
    expect(error.message).toContain('aws s3 mb s3://missing')
  })

  it('a port that refuses connections', async () => {
    await s3.close()
    const error = await failureOf(put(10))
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: true })
    expect(error.message).toContain(`127.0.0.1:${s3.port}`)
  })

  it.each(['headObject', 'deleteObject', 'listObjects'] as const)('%s that is denied, or cut', async (operation) => {
    const act = async (call = aCall()) => {
      if (operation === 'headObject') return destination.headObject('k', call)
      if (operation === 'deleteObject') return destination.deleteObject('k', undefined, call)
      for await (const _ of destination.listObjects?.('', call) ?? []);
    }
    s3.script = () => ({ status: 403 })
    expect(await failureOf(act())).toMatchObject({ code: 'ACCESS_DENIED' })
    const controller = new AbortController()
    s3.script = () => {
      setImmediate(() => controller.abort())
      return 'hang'
    }
    expect(await failureOf(act(aCall({ signal: controller.signal })))).toMatchObject({ code: 'CANCELLED' })
  })

  it.each([
    ['does not say where it goes on', ''],
    ['goes on where it was', '<NextContinuationToken>same</NextContinuationToken>'],
  ])('a listing that %s is not taken for all there is', async (_how, token) => {
    const body = `<ListBucketResult><IsTruncated>true</IsTruncated>${token}</ListBucketResult>`
    s3.script = () => ({ status: 200, body })
    const list = async () => {
      for await (const _ of destination.listObjects?.('', aCall()) ?? []);
    }
    expect(await failureOf(list())).toMatchObject({ code: 'BAD_RESPONSE', retryable: false })
  })
})
