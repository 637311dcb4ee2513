import { Readable } from 'node:stream'
import { PutObjectCommand, type PutObjectCommandInput, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { type HttpRequest, HttpResponse } from '@smithy/core/protocols'
import { UploadError } from '../../errors.ts'
import type { ChecksumAlgorithm } from '../destination.ts'
import { answerHere } from './answer-here.ts'
import { checksumField } from './checksum.ts'
import type { SigningScope } from './sign.ts'

/**
 * One upload request as the SDK makes it, to be copied for every file or part: its way of addressing a bucket, and of
 * writing down an object's properties, then holds for all of them and is paid for once.
 */
export interface Template {
  /** `https://host:port` */
  readonly origin: string
  /** What comes before the encoded key: `/` or `/bucket/`, or more where the endpoint has a path. */
  readonly pathPrefix: string
  /** Query parameters that are the same for all. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Headers sorted by name; those that differ from request to request are among them, with no value that counts. */
  readonly headers: readonly TemplateHeader[]
  /** What its signature holds for; undefined where requests go unsigned. */
  readonly scope: SigningScope | undefined
}

export interface TemplateHeader {
  /** In lower case. */
  readonly name: string
  readonly value: string
  readonly isSigned: boolean
}

/** What is asked of every object, beside its key and content type. */
export type ObjectProperties = Omit<PutObjectCommandInput, 'Bucket' | 'Key' | 'Body' | 'ContentLength' | 'ContentType'>

/** Stands for a key; nothing in it has to be encoded. */
const keyMark = 'key-of-the-object'
/** A body of which the SDK knows no byte, as of a large file: none is part of the signature. */
const unknownBody = () => Readable.from([])

/**
 * The request of `PutObject`, with a checksum: without, the SDK would send one of its own, in a trailer.
 *
 * @throws whatever the SDK throws: no credentials, a bucket's name that makes no address.
 */
export function capturePut(
  client: S3Client,
  bucket: string,
  algorithm: ChecksumAlgorithm,
  properties: ObjectProperties = {},
): Promise<Template> {
  const input = { ...properties, Bucket: bucket, Key: keyMark, ContentLength: 1, ContentType: 'x/x' }
  const command = new PutObjectCommand({ ...input, Body: unknownBody(), ...anyChecksum(algorithm) })
  return captured(client, command, [])
}

/** The request of `UploadPart`; throws as {@link capturePut}. */
export function capturePart(client: S3Client, bucket: string, algorithm: ChecksumAlgorithm): Promise<Template> {
  const input = { Bucket: bucket, Key: keyMark, ContentLength: 1, PartNumber: 1, UploadId: 'x' }
  const command = new UploadPartCommand({ ...input, Body: unknownBody(), ...anyChecksum(algorithm) })
  return captured(client, command, ['partNumber', 'uploadId'])
}

const anyChecksum = (algorithm: ChecksumAlgorithm) => checksumField({ algorithm, value: 'AAAAAA==' })

async function captured(
  client: S3Client,
  command: PutObjectCommand | UploadPartCommand,
  ownQuery: readonly string[],
): Promise<Template> {
  let request: HttpRequest | undefined
  await answerHere(client, command, (made) => {
    request = made
    return new HttpResponse({ statusCode: 200, headers: { etag: '"captured"' } })
  })
  if (request === undefined) throw new UploadError('INTERNAL', 'the SDK made no request to copy')
  return toTemplate(request, ownQuery)
}

/** What the SDK says of its own attempts; of no meaning to the server, and different each time. */
const sdkNotes = /^amz-sdk-/

function toTemplate(request: HttpRequest, ownQuery: readonly string[]): Template {
  const { protocol, hostname, port, path, query, headers } = request
  const { authorization } = headers
  const signed = authorization === undefined ? undefined : readAuthorization(authorization)
  return {
    origin: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`,
    pathPrefix: path.slice(0, path.lastIndexOf(keyMark)),
    query: Object.entries(query).flatMap(([name, value]) =>
      ownQuery.includes(name) ? [] : [[name, String(value ?? '')] as const],
    ),
    headers: Object.entries(headers)
      .map(([name, value]) => ({
        name: name.toLowerCase(),
        value,
        isSigned: signed?.names.has(name.toLowerCase()) ?? false,
      }))
      .filter(({ name }) => name !== 'authorization' && !sdkNotes.test(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    scope: signed?.scope,
  }
}

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=[^,]*\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request, SignedHeaders=([^,]+), /

function readAuthorization(text: string): { readonly scope: SigningScope; readonly names: ReadonlySet<string> } {
  const [, region, service, names] = authorizationForm.exec(text) ?? []
  if (region === undefined || service === undefined || names === undefined) {
    const message = "this bucket wants a kind of signature that only the vendor's library makes; use --engine standard"
    throw new UploadError('BAD_RESPONSE', message, { retryable: false })
  }
  return { scope: { region, service }, names: new Set(names.split(';')) }
}
