import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { element, s3Error, type WireAnswer, xml } from './s3-fake-answers.ts'
import { bodyProblem, type FakeBody } from './s3-fake-body.ts'
import {
  algorithmHeader,
  checksumElements,
  compositeOf,
  type FakeChecksum,
  type FakeKept,
  fullObjectOf,
  headerOf,
  keptOf,
  keptProblem,
  partProblem,
  sentChecksum,
  typeHeader,
} from './s3-fake-checksum.ts'
import { listObjects, listParts, listUploads } from './s3-fake-lists.ts'
import { etagOf, propertyHeaders } from './s3-fake-properties.ts'
import type { FakeRequest } from './s3-fake-request.ts'

export interface StoredObject {
  readonly key: string
  readonly size: number
  /** With its quotes. */
  readonly etag: string
  /** Empty where the server discards bytes. */
  readonly bytes: Buffer
  /** Of the request that made it: content-type, x-amz-meta-…. */
  readonly headers: IncomingHttpHeaders
  readonly checksum: FakeChecksum | undefined
  readonly lastModified: Date
}

export interface PendingUpload {
  readonly uploadId: string
  readonly bucket: string
  readonly key: string
  readonly headers: IncomingHttpHeaders
  readonly initiated: Date
  readonly parts: ReadonlyMap<
    number,
    { readonly size: number; readonly etag: string; readonly checksum?: FakeChecksum | undefined }
  >
}

interface StoreOptions {
  readonly buckets: readonly string[]
  readonly minPartSize: number
  readonly keepsPartChecksums: boolean
  readonly knowsChecksumTypes: boolean
  /** When a multipart upload was begun, as listings say it. */
  readonly initiated: () => Date
}

interface Pending {
  readonly uploadId: string
  readonly bucket: string
  readonly key: string
  readonly headers: IncomingHttpHeaders
  readonly initiated: Date
  readonly parts: Map<number, { size: number; etag: string; checksum: FakeChecksum | undefined; body: FakeBody }>
}

/** The buckets of the scripted S3 server and what each operation does to them. */
export function createStore(options: StoreOptions) {
  const buckets = new Map(options.buckets.map((name) => [name, new Map<string, StoredObject>()]))
  const uploads = new Map<string, Pending>()

  function store(
    bucket: Map<string, StoredObject>,
    key: string,
    body: Pick<FakeBody, 'size' | 'bytes'>,
    headers: IncomingHttpHeaders,
    etag: string,
    checksum?: FakeChecksum,
  ) {
    const object = { key, size: body.size, etag, bytes: body.bytes, headers, checksum, lastModified: new Date() }
    bucket.set(key, object)
    return object
  }

  /** What a multipart upload was begun with. */
  function kept(headers: IncomingHttpHeaders): FakeKept | undefined {
    return options.keepsPartChecksums ? keptOf(headers, options.knowsChecksumTypes) : undefined
  }

  async function perform(request: FakeRequest, body: FakeBody): Promise<WireAnswer> {
    const bucket = buckets.get(request.bucket)
    if (bucket === undefined) return s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
    if (Buffer.byteLength(request.key) > 1024) return s3Error(400, 'KeyTooLongError', 'Your key is too long')
    return bodyProblem(request, body) ?? act(request, body, bucket)
  }

  function act(
    request: FakeRequest,
    body: FakeBody,
    bucket: Map<string, StoredObject>,
  ): WireAnswer | Promise<WireAnswer> {
    const { key, query } = request
    switch (request.operation) {
      case 'PutObject': {
        if (request.headers['if-none-match'] === '*' && bucket.has(key)) return preconditionFailed
        const sent = sentChecksum(request.headers)
        const { etag } = store(bucket, key, body, request.headers, etagOf(body.md5, request.headers), sent)
        return { status: 200, headers: { etag, ...echoChecksum(request) } }
      }
      case 'HeadObject':
      case 'GetObject': {
        const object = bucket.get(key)
        if (object === undefined) return s3Error(404, 'NoSuchKey', 'The specified key does not exist.')
        const headers = {
          etag: object.etag,
          'content-length': String(object.size),
          'content-type': object.headers['content-type'] ?? 'binary/octet-stream',
          'last-modified': object.lastModified.toUTCString(),
          ...propertyHeaders(object.headers),
          ...('x-amz-checksum-mode' in request.headers ? checksumHeaders(object.checksum) : {}),
        }
        return request.operation === 'HeadObject'
          ? { status: 200, headers }
          : { status: 200, headers, body: object.bytes }
      }
      case 'DeleteObject':
        bucket.delete(key)
        return { status: 204 }
      case 'HeadBucket':
        return { status: 200 }
      case 'ListObjectsV2':
        return listObjects(bucket, request)
      case 'ListMultipartUploads':
        return listUploads(uploads, request)
      case 'CreateMultipartUpload': {
        const problem = keptProblem(kept(request.headers))
        if (problem !== undefined) return problem
        const uploadId = `upload-${uploads.size + 1}-${createHash('md5').update(`${key}${Math.random()}`).digest('hex')}`
        uploads.set(uploadId, {
          uploadId,
          bucket: request.bucket,
          key,
          headers: request.headers,
          initiated: options.initiated(),
          parts: new Map(),
        })
        const answer = xml(
          200,
          'InitiateMultipartUploadResult',
          element({ Bucket: request.bucket, Key: key, UploadId: uploadId }),
        )
        const { algorithm, type } = kept(request.headers) ?? {}
        return {
          ...answer,
          headers: {
            ...answer.headers,
            ...(algorithm && { [algorithmHeader]: algorithm }),
            ...(type && { [typeHeader]: type }),
          },
        }
      }
    }
    const upload = uploads.get(query.uploadId ?? '')
    if (upload === undefined || upload.key !== key) {
      return s3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.')
    }
    switch (request.operation) {
      case 'UploadPart': {
        const etag = etagOf(body.md5, upload.headers)
        if (request.partNumber < 1 || request.partNumber > 10_000) return invalidPart
        const keeps = kept(upload.headers)
        const problem = partProblem(keeps, sentChecksum(request.headers))
        if (problem !== undefined) return problem
        const checksum = body.checksum.algorithm === keeps?.algorithm ? body.checksum : undefined
        upload.parts.set(request.partNumber, { size: body.size, etag, checksum, body })
        return { status: 200, headers: { etag, ...echoChecksum(request) } }
      }
      case 'ListParts':
        return listParts(upload, request, kept(upload.headers))
      case 'AbortMultipartUpload':
        uploads.delete(upload.uploadId)
        return { status: 204 }
      case 'CompleteMultipartUpload':
        return complete(upload, request, body, bucket)
      default:
        return s3Error(
          501,
          'NotImplemented',
          'A header or query you provided implies functionality that is not implemented.',
        )
    }
  }

  async function complete(
    upload: Pending,
    request: FakeRequest,
    body: FakeBody,
    bucket: Map<string, StoredObject>,
  ): Promise<WireAnswer> {
    const wanted = [...body.bytes.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, inner = '']) => ({
      partNumber: Number(/<PartNumber>(\d+)</.exec(inner)?.[1]),
      etag: (/<ETag>(.*?)</.exec(inner)?.[1] ?? '').replaceAll('&quot;', '"'),
      checksum: /<Checksum\w+>(.*?)</.exec(inner)?.[1],
    }))
    if (wanted.length === 0) return s3Error(400, 'MalformedXML', 'The XML you provided was not well-formed')
    if (wanted.some((part, at) => at > 0 && part.partNumber <= (wanted[at - 1]?.partNumber ?? 0))) {
      return s3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
    }
    const bodies: FakeBody[] = []
    const keeps = kept(upload.headers)
    for (const { partNumber, etag, checksum } of wanted) {
      const held = upload.parts.get(partNumber)
      if (held === undefined || held.etag.replaceAll('"', '') !== etag.replaceAll('"', '')) return invalidPart
      const isOptional = keeps?.type === 'FULL_OBJECT' && checksum === undefined
      if (held.checksum?.value !== checksum && !isOptional)
        return checksum === undefined ? checksumMissing : invalidPart
      bodies.push(held.body)
    }
    if (bodies.slice(0, -1).some((part) => part.size < options.minPartSize)) {
      return s3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
    }
    const md5 = createHash('md5')
      .update(Buffer.concat(bodies.map((part) => part.md5)))
      .digest()
    const size = bodies.reduce((sum, part) => sum + part.size, 0)
    const whole = { size, bytes: Buffer.concat(bodies.map((part) => part.bytes)), md5 }
    const checksum = keeps && (await wholeOf(keeps, bodies, whole.bytes))
    const sent = sentChecksum(request.headers)
    // Without its bytes nothing can be said of them.
    if (sent !== undefined && sent.value !== checksum?.value && whole.bytes.length === size) return wholeDiffers
    const named = request.headers[typeHeader]
    if (named !== undefined && named !== keeps?.type) return wholeDiffers
    if (request.headers['if-none-match'] === '*' && bucket.has(upload.key)) return preconditionFailed
    const { etag } = store(
      bucket,
      upload.key,
      whole,
      upload.headers,
      `"${md5.toString('hex')}-${bodies.length}"`,
      checksum,
    )
    uploads.delete(upload.uploadId)
    const told = checksumElements(checksum, keeps?.type !== undefined)
    const fields = { Bucket: upload.bucket, Key: upload.key, ETag: etag, ...told }
    return xml(200, 'CompleteMultipartUploadResult', element(fields))
  }

  return {
    uploads: uploads as ReadonlyMap<string, PendingUpload>,
    perform,
    object: (bucket: string, key: string) => buckets.get(bucket)?.get(key),
    keys: (bucket: string) => [...(buckets.get(bucket)?.keys() ?? [])].sort(),
    has: (bucket: string) => buckets.has(bucket),
    /** Puts this object in the place of what is there; undefined: nothing. */
    replace(bucket: string, key: string, object: StoredObject | undefined) {
      if (object === undefined) buckets.get(bucket)?.delete(key)
      else buckets.get(bucket)?.set(key, object)
    },
    put(bucket: string, key: string, bytes: Uint8Array) {
      const md5 = createHash('md5').update(bytes).digest()
      const body = { size: bytes.length, bytes: Buffer.from(bytes), md5 }
      const target = buckets.get(bucket)
      if (target === undefined) throw new Error(`no bucket ${bucket}`)
      store(target, key, body, {}, `"${md5.toString('hex')}"`)
    },
  }
}

const preconditionFailed = s3Error(
  412,
  'PreconditionFailed',
  'At least one of the pre-conditions you specified did not hold',
)
const checksumMissing = s3Error(
  400,
  'InvalidRequest',
  'The upload was created using a crc32 checksum. The complete request must include the checksum for each part.',
)
const wholeDiffers = s3Error(400, 'BadDigest', 'The checksum you specified did not match the object')
const invalidPart = s3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.')

function echoChecksum({ headers }: FakeRequest): Record<string, string> {
  const sent = sentChecksum(headers)
  return sent === undefined ? {} : { [headerOf(sent.algorithm)]: sent.value }
}

function checksumHeaders(checksum: FakeChecksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [headerOf(checksum.algorithm)]: checksum.value, [typeHeader]: checksum.type }
}

/** The checksum an object of these parts has; undefined where not all of them had one. */
async function wholeOf(
  { algorithm, type }: FakeKept,
  parts: readonly FakeBody[],
  bytes: Buffer,
): Promise<FakeChecksum | undefined> {
  if (type === 'FULL_OBJECT') return fullObjectOf(algorithm, bytes)
  if (parts.some(({ checksum }) => checksum.algorithm !== algorithm)) return undefined
  return compositeOf(
    algorithm,
    parts.map(({ checksum }) => checksum.value),
  )
}
