import { Readable } from 'node:stream'
import {
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { HttpRequest, HttpResponse } from '@smithy/core/protocols'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ChecksumAlgorithm } from '../../../../src/destinations/destination.ts'
import { mtimeText } from '../../../../src/destinations/mtime.ts'
import { answerHere } from '../../../../src/destinations/s3/answer-here.ts'
import { checksumField } from '../../../../src/destinations/s3/checksum.ts'
import { propertyFields } from '../../../../src/destinations/s3/object-fields.ts'
import { createStamper, type Stamp, type StampedRequest } from '../../../../src/destinations/s3/stamp.ts'
import {
  capturePart,
  capturePut,
  type ObjectProperties,
  type Template,
} from '../../../../src/destinations/s3/template.ts'
import { allProperties, askedFor, keys, moment, places, properties } from './stamp-cases.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: moment })
  return () => vi.useRealTimers()
})

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const bare: Credentials = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test secret/+key' }
const withToken: Credentials = { ...bare, sessionToken: 'a token+/= with=everything/' }

function clientFor(config: S3ClientConfig, credentials: Credentials, others: S3ClientConfig = {}): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    credentials,
    expectContinueHeader: false,
    maxAttempts: 1,
    logger: silent,
    ...config,
    ...others,
  })
}

/** The SDK tells some of its errors to the console, too. */
const silent = { debug() {}, info() {}, warn() {}, error() {} }

interface Wanted {
  readonly bucket: string
  readonly stamp: Stamp
  readonly properties: ObjectProperties
  /** Default: crc32. */
  readonly algorithm?: ChecksumAlgorithm
}

/** What the SDK itself would send. */
async function sentBySdk(
  client: S3Client,
  { bucket, stamp, properties, algorithm = 'crc32' }: Wanted,
): Promise<HttpRequest> {
  const body = {
    Bucket: bucket,
    Key: stamp.key,
    Body: Readable.from([]),
    ContentLength: stamp.size,
    ...(stamp.checksum === undefined ? {} : checksumField({ algorithm, value: stamp.checksum })),
  }
  const whole: PutObjectCommandInput = { ...properties, ...body, ContentType: stamp.contentType }
  const command =
    stamp.part === undefined
      ? new PutObjectCommand(whole)
      : new UploadPartCommand({ ...body, PartNumber: stamp.part.partNumber, UploadId: stamp.part.uploadId })
  let sent: HttpRequest | undefined
  await answerHere(client, command, (request) => {
    sent = request
    return new HttpResponse({ statusCode: 200, headers: { etag: '"e"' } })
  })
  if (sent === undefined) throw new Error('the SDK sent nothing')
  return sent
}

function headersOf({ headers }: StampedRequest): Record<string, string> {
  const found: Record<string, string> = {}
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    expect(found, name).not.toHaveProperty([name])
    found[name] = headers[at + 1] as string
  }
  return found
}

function queryOf(text: string): [string, string][] {
  return [...new URLSearchParams(text)].sort(([a], [b]) => (a < b ? -1 : 1))
}

type SignerOf = (scheme: object) => Promise<{ sign(request: HttpRequest, options: object): Promise<HttpRequest> }>

/** The authorization the SDK's own signer gives to these headers. */
async function signedBySdk(client: S3Client, template: Template, sdk: HttpRequest, headers: Record<string, string>) {
  if (template.scope === undefined) return undefined
  const { region, service } = template.scope
  const signer = await (client.config.signer as unknown as SignerOf)({
    name: 'sigv4',
    signingName: service,
    signingRegion: region,
    properties: {},
  })
  const { authorization: _, 'x-amz-security-token': __, ...rest } = headers
  const request = new HttpRequest({ ...sdk, headers: rest })
  const signed = await signer.sign(request, { signingRegion: region, signingService: service })
  return signed.headers.authorization
}

/** What differs from one request of the SDK to the next, or says which of the SDK's features it went through. */
const ofTheSdk = /^(amz-sdk-.*|authorization|user-agent)$/

/** Says that a stamped request is the SDK's own. */
async function expectSame(
  client: S3Client,
  template: Template,
  wanted: Wanted,
  credentials: Credentials | undefined,
): Promise<void> {
  const stamped = createStamper(template)(wanted.stamp, Date.now(), credentials)
  const sdk = await sentBySdk(client, wanted)
  const headers = headersOf(stamped)
  const theirs = Object.entries(sdk.headers).map(([name, value]) => [name.toLowerCase(), value] as const)

  const [path, query = ''] = stamped.path.split('?')
  expect(path).toBe(sdk.path)
  expect(queryOf(query)).toEqual(
    Object.entries(sdk.query)
      .map(([name, value]) => [name, value ?? ''])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  )
  const port = sdk.port === undefined ? '' : `:${sdk.port}`
  expect(template.origin).toBe(`${sdk.protocol}//${sdk.hostname}${port}`)
  const compared = (entries: Iterable<readonly [string, string]>) =>
    Object.fromEntries([...entries].filter(([name]) => !ofTheSdk.test(name)))
  expect(compared(Object.entries(headers))).toEqual(compared(theirs))
  expect(headers['user-agent']).toMatch(/^aws-sdk-js\//)
  expect(headers.authorization).toBe(await signedBySdk(client, template, sdk, headers))
}

/** All keys where addresses are made in ways of their own, every fourth elsewhere. */
function keysFor(place: string): readonly string[] {
  const all = ['virtual host', 'an endpoint with a path, path style']
  return all.includes(place) ? keys : keys.filter((_, at) => at % 4 === place.length % 4)
}

const crcOf = (at: number): string | undefined => (at % 2 === 0 ? 'yZRlqg==' : undefined)
/** Some of each kind. */
const checksums: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: 'y/Q5Jg==',
  crc32c: '4waSgw==',
  crc64nvme: 'rosUhgp5mIg=',
  sha256: 'FeKw08M4kei7fSYJlfGrqJQqLJVW7RbSv/DmvhcsNyU=',
}
const sizes = [0, 1, 4096, 5 * 2 ** 30]
const part = (at: number) => ({
  partNumber: 1 + ((at * 997) % 10_000),
  uploadId: uploadIds[at % uploadIds.length] as string,
})
const uploadIds = ['2~Abc.def_-', 'a/b+c==', '../../etc', 'VXBsb2FkIElE', 'a b&partNumber=9', '{"id":"ü"}']

describe.each(Object.entries(places))(
  'a stamped request equals the SDK’s: %s',
  (place, { config, bucket = 'audio' }) => {
    for (const credentials of [bare, withToken]) {
      const token = credentials.sessionToken === undefined ? 'without' : 'with'

      it(`any key, ${token} a session token, whole objects`, async () => {
        const client = clientFor(config, credentials, { requestChecksumCalculation: 'WHEN_REQUIRED' })
        const template = await capturePut(client, bucket, 'crc32')
        for (const [at, key] of keysFor(place).entries()) {
          const size = sizes[at % sizes.length] as number
          const stamp = { key, size, contentType: 'audio/wav; x="ü"', checksum: crcOf(at) }
          await expectSame(client, template, { bucket, stamp, properties: {} }, credentials)
        }
      })

      it(`any key, ${token} a session token, parts`, async () => {
        const client = clientFor(config, credentials, { requestChecksumCalculation: 'WHEN_REQUIRED' })
        const template = await capturePart(client, bucket, 'crc32')
        for (const [at, key] of keysFor(place).entries()) {
          const size = sizes[at % sizes.length] as number
          const stamp = { key, size, checksum: crcOf(at), part: part(at) }
          await expectSame(client, template, { bucket, stamp, properties: {} }, credentials)
        }
      })
    }

    it('with any properties', async () => {
      const client = clientFor(config, withToken, { requestChecksumCalculation: 'WHEN_REQUIRED' })
      for (const [at, one] of [...Object.values(properties), allProperties].entries()) {
        const template = await capturePut(client, bucket, 'crc32', one)
        for (const checksum of [crcOf(0), crcOf(1)]) {
          const key = keys[(at * 7) % keys.length] as string
          const stamp = { key, size: 1000 + at, contentType: 'text/plain; charset=utf-8', checksum }
          await expectSame(client, template, { bucket, stamp, properties: one }, withToken)
        }
      }
    })

    it('with all that a user may ask for, and each file’s modification time', async () => {
      const client = clientFor(config, withToken, { requestChecksumCalculation: 'WHEN_REQUIRED' })
      for (const [at, asked] of askedFor.entries()) {
        const times = [undefined, 0n, 1_763_800_000_123_456_789n + BigInt(at), 1_763_800_000_000_000_000n]
        const templates = new Map<boolean, Template>()
        for (const [nth, mtimeNs] of times.entries()) {
          const isTimed = mtimeNs !== undefined
          // The first of them that is sent makes the template of all.
          const template =
            templates.get(isTimed) ??
            (await capturePut(client, bucket, 'crc32', propertyFields({ properties: asked, mtimeNs })))
          templates.set(isTimed, template)
          const mtime = mtimeNs === undefined ? undefined : mtimeText(mtimeNs)
          const key = keys[(at * 11 + nth) % keys.length] as string
          const stamp = { key, size: at, contentType: 'audio/wav', checksum: crcOf(at + nth), mtime }
          await expectSame(
            client,
            template,
            { bucket, stamp, properties: propertyFields({ properties: asked, mtimeNs }) },
            withToken,
          )
        }
      }
    })

    it.each(Object.entries(checksums).slice(1))('with a checksum of another kind: %s', async (name, value) => {
      const algorithm = name as ChecksumAlgorithm
      // Whatever the SDK does by itself: what it is given, it sends, and nothing beside.
      for (const requestChecksumCalculation of ['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const) {
        const client = clientFor(config, withToken, { requestChecksumCalculation })
        const put = await capturePut(client, bucket, algorithm, allProperties)
        const ofPart = await capturePart(client, bucket, algorithm)
        for (const [at, key] of keys.slice(0, 3).entries()) {
          const stamp = { key, size: at, contentType: 'audio/wav', checksum: value }
          await expectSame(client, put, { bucket, stamp, properties: allProperties, algorithm }, withToken)
          const ofOne = { key, size: at, checksum: value, part: part(at) }
          await expectSame(client, ofPart, { bucket, stamp: ofOne, properties: {}, algorithm }, withToken)
        }
        const without = createStamper(put)({ key: 'k', size: 3, checksum: undefined }, Date.now(), withToken)
        expect(without.headers.filter((header) => /checksum|trailer/.test(header))).toEqual([])
      }
    })

    it('unsigned', async () => {
      const client = clientFor(config, bare, {
        requestChecksumCalculation: 'WHEN_REQUIRED',
        signer: { sign: async (request: never) => request },
      } as S3ClientConfig)
      const [put, ofPart] = [
        await capturePut(client, bucket, 'crc32', allProperties),
        await capturePart(client, bucket, 'crc32'),
      ]
      expect(put.scope).toBeUndefined()
      for (const [at, key] of keys.slice(0, 60).entries()) {
        const stamp = { key, size: at, contentType: 'audio/wav', checksum: crcOf(at) }
        await expectSame(client, put, { bucket, stamp, properties: allProperties }, undefined)
        const ofOne = { key, size: at, checksum: crcOf(at), part: part(at) }
        await expectSame(client, ofPart, { bucket, stamp: ofOne, properties: {} }, undefined)
      }
    })
  },
)

describe('a template', () => {
  it('serves credentials with and without a session token, whichever it was made with', async () => {
    for (const [made, used] of [
      [bare, withToken],
      [withToken, bare],
    ] as const) {
      const template = await capturePut(clientFor({}, made), 'audio', 'crc32')
      const stamp = { key: 'a b', size: 3, contentType: 'audio/wav', checksum: 'yZRlqg==' }
      await expectSame(clientFor({}, used), template, { bucket: 'audio', stamp, properties: {} }, used)
    }
  })

  it('signs for each day, second and secret as they come', async () => {
    const client = clientFor({}, bare)
    const template = await capturePut(client, 'audio', 'crc32')
    const stamper = createStamper(template)
    const stamp = { key: 'k', size: 3, contentType: 'audio/wav', checksum: 'yZRlqg==' }
    for (const [afterMs, credentials] of [
      [0, bare],
      [100, bare],
      [1000, bare],
      [90_000_000, bare],
      [0, { ...bare, secretAccessKey: 'another' }],
      [0, bare],
    ] as const) {
      vi.setSystemTime(moment + afterMs)
      const own = clientFor({}, credentials)
      const sdk = await sentBySdk(own, { bucket: 'audio', stamp, properties: {} })
      const headers = headersOf(stamper(stamp, Date.now(), credentials))
      const { authorization: _, 'amz-sdk-request': __, 'amz-sdk-invocation-id': ___, ...rest } = sdk.headers
      expect(headers).toMatchObject({ 'x-amz-date': rest['x-amz-date'] })
      expect(headers.authorization).toContain(`/${rest['x-amz-date']?.slice(0, 8)}/`)
      expect(headers.authorization).toBe(await signedBySdk(own, template, sdk, headers))
    }
  })

  it('is not made where a bucket wants signatures that cannot be made here', async () => {
    const multiRegion = 'arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap'
    await expect(capturePut(clientFor({}, bare), multiRegion, 'crc32')).rejects.toThrow(/SigV4a/)
    // As where the vendor's package for it is installed.
    const client = clientFor({}, bare, {
      signer: {
        sign: async (request: HttpRequest) => {
          request.headers.authorization = 'AWS4-ECDSA-P256-SHA256 Credential=A/20261122/s3/aws4_request, Signature=0'
          return request
        },
      },
    } as unknown as S3ClientConfig)
    await expect(capturePut(client, 'audio', 'crc32')).rejects.toThrow(/--engine standard/)
  })
})
