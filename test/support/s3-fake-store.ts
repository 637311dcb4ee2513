import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { element, s3Error, type WireAnswer, xml } from './s3-fake-answers.ts'
import type { FakeBody } from './s3-fake-body.ts'
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
  readonly lastModified: Date
}

export interface PendingUpload {
  readonly uploadId: string
  readonly bucket: string
  readonly key: string
  readonly headers: IncomingHttpHeaders
  readonly parts: ReadonlyMap<
    number,
    { readonly size: number; readonly etag: string; readonly crc32?: string | undefined }
  >
}

interface StoreOptions {
  readonly buckets: readonly string[]
  readonly minPartSize: number
  readonly keepsPartChecksums: boolean
}

interface Pending {
  readonly uploadId: string
  readonly bucket: string
  readonly key: string
  readonly headers: IncomingHttpHeaders
  readonly parts: Map<number, { size: number; etag: string; crc32: string | undefined; body: FakeBody }>
}

/** The buckets of the scripted S3 server and what each operation does to them. */
export function createStore(options: StoreOptions) {
  const buckets = new Map(options.buckets.map((name) => [name, new Map<string, StoredObject>()]))
  const uploads = new Map<string, Pending>()

  function store(
    bucket: Map<string, StoredObject>,
    key: string,
    body: FakeBody,
    headers: IncomingHttpHeaders,
    etag: string,
  ) {
    const object = { key, size: body.size, etag, bytes: body.bytes, headers, lastModified: new Date() }
    bucket.set(key, object)
    return object
  }

  /** What a multipart upload was begun with; of all there are, only this one is known here. */
  function keptAlgorithm(headers: IncomingHttpHeaders): string | undefined {
    return options.keepsPartChecksums && headers[algorithmHeader] === 'CRC32' ? 'CRC32' : undefined
  }

  function perform(request: FakeRequest, body: FakeBody): WireAnswer {
    const bucket = buckets.get(request.bucket)
    if (bucket === undefined) return s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
    if (Buffer.byteLength(request.key) > 1024) return s3Error(400, 'KeyTooLongError', 'Your key is too long')
    return bodyProblem(request, body) ?? act(request, body, bucket)
  }

  function act(request: FakeRequest, body: FakeBody, bucket: Map<string, StoredObject>): WireAnswer {
    const { key, query } = request
    switch (request.operation) {
      case 'PutObject': {
        if (request.headers['if-none-match'] === '*' && bucket.has(key)) return preconditionFailed
        const { etag } = store(bucket, key, body, request.headers, `"${body.md5.toString('hex')}"`)
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
        return xml(200, 'ListMultipartUploadsResult', [...uploads.values()].map(uploadElement).join(''))
      case 'CreateMultipartUpload': {
        const uploadId = `upload-${uploads.size + 1}-${createHash('md5').update(`${key}${Math.random()}`).digest('hex')}`
        uploads.set(uploadId, { uploadId, bucket: request.bucket, key, headers: request.headers, parts: new Map() })
        const answer = xml(
          200,
          'InitiateMultipartUploadResult',
          element({ Bucket: request.bucket, Key: key, UploadId: uploadId }),
        )
        const kept = keptAlgorithm(request.headers)
        return kept === undefined ? answer : { ...answer, headers: { ...answer.headers, [algorithmHeader]: kept } }
      }
    }
    const upload = uploads.get(query.uploadId ?? '')
    if (upload === undefined || upload.key !== key) {
      return s3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.')
    }
    switch (request.operation) {
      case 'UploadPart': {
        const etag = `"${body.md5.toString('hex')}"`
        if (request.partNumber < 1 || request.partNumber > 10_000) return invalidPart
        const keeps = keptAlgorithm(upload.headers) !== undefined
        const crc32 = keeps ? crc32Header(body.crc32) : undefined
        upload.parts.set(request.partNumber, { size: body.size, etag, crc32, body })
        return { status: 200, headers: { etag, ...echoChecksum(request) } }
      }
      case 'ListParts':
        return listParts(upload, request, keptAlgorithm(upload.headers))
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

  function complete(
    upload: Pending,
    request: FakeRequest,
    body: FakeBody,
    bucket: Map<string, StoredObject>,
  ): WireAnswer {
    if (request.headers['if-none-match'] === '*' && bucket.has(upload.key)) return preconditionFailed
    const wanted = [...body.bytes.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, inner = '']) => ({
      partNumber: Number(/<PartNumber>(\d+)</.exec(inner)?.[1]),
      etag: (/<ETag>(.*?)</.exec(inner)?.[1] ?? '').replaceAll('&quot;', '"'),
      crc32: /<ChecksumCRC32>(.*?)</.exec(inner)?.[1],
    }))
    if (wanted.length === 0) return s3Error(400, 'MalformedXML', 'The XML you provided was not well-formed')
    if (wanted.some((part, at) => at > 0 && part.partNumber <= (wanted[at - 1]?.partNumber ?? 0))) {
      return s3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
    }
    const bodies: FakeBody[] = []
    for (const { partNumber, etag, crc32 } of wanted) {
      const held = upload.parts.get(partNumber)
      if (held === undefined || held.etag.replaceAll('"', '') !== etag.replaceAll('"', '')) return invalidPart
      if (held.crc32 !== crc32) return crc32 === undefined ? checksumMissing : invalidPart
      bodies.push(held.body)
    }
    if (bodies.slice(0, -1).some((part) => part.size < options.minPartSize)) {
      return s3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
    }
    const md5 = createHash('md5')
      .update(Buffer.concat(bodies.map((part) => part.md5)))
      .digest()
    const size = bodies.reduce((sum, part) => sum + part.size, 0)
    const whole = { size, bytes: Buffer.concat(bodies.map((part) => part.bytes)), md5, sha256: undefined, crc32: 0 }
    const { etag } = store(bucket, upload.key, whole, upload.headers, `"${md5.toString('hex')}-${bodies.length}"`)
    uploads.delete(upload.uploadId)
    return xml(200, 'CompleteMultipartUploadResult', element({ Bucket: upload.bucket, Key: upload.key, ETag: etag }))
  }

  return {
    uploads: uploads as ReadonlyMap<string, PendingUpload>,
    perform,
    object: (bucket: string, key: string) => buckets.get(bucket)?.get(key),
    keys: (bucket: string) => [...(buckets.get(bucket)?.keys() ?? [])].sort(),
    put(bucket: string, key: string, bytes: Uint8Array) {
      const md5 = createHash('md5').update(bytes).digest()
      const body = { size: bytes.length, bytes: Buffer.from(bytes), md5, sha256: undefined, crc32: 0 }
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
const invalidPart = s3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.')

function bodyProblem({ headers }: FakeRequest, body: FakeBody): WireAnswer | undefined {
  if (String(headers['content-encoding']).includes('aws-chunked') || 'x-amz-trailer' in headers) {
    return s3Error(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented.')
  }
  const crc = headers['x-amz-checksum-crc32']
  if (crc !== undefined && crc !== crc32Header(body.crc32))
    return s3Error(400, 'BadDigest', 'The CRC32 you specified did not match')
  const md5 = headers['content-md5']
  if (md5 !== undefined && md5 !== body.md5.toString('base64'))
    return s3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match')
  if (body.sha256 !== undefined && body.sha256.toString('hex') !== headers['x-amz-content-sha256']) {
    return s3Error(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match")
  }
  return undefined
}

const algorithmHeader = 'x-amz-checksum-algorithm'

function crc32Header(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes.toString('base64')
}

function echoChecksum({ headers }: FakeRequest): Record<string, string> {
  const sent = headers['x-amz-checksum-crc32']
  return typeof sent === 'string' ? { 'x-amz-checksum-crc32': sent } : {}
}

function listObjects(bucket: ReadonlyMap<string, StoredObject>, { query, bucket: name }: FakeRequest): WireAnswer {
  const prefix = query.prefix ?? ''
  const after = query['continuation-token'] ?? query['start-after'] ?? ''
  const limit = Number(query['max-keys'] ?? 1000)
  const encode = query['encoding-type'] === 'url' ? encodeURIComponent : (key: string) => key
  const matching = [...bucket.values()]
    .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  const page = matching.slice(0, limit)
  const truncated = matching.length > page.length
  const contents = page.map(({ key, size, etag, lastModified }) => {
    const fields = { Key: encode(key), LastModified: lastModified.toISOString(), ETag: etag, Size: size }
    return `<Contents>${element(fields)}</Contents>`
  })
  const head = element({
    Name: name,
    Prefix: encode(prefix),
    MaxKeys: limit,
    KeyCount: page.length,
    IsTruncated: truncated,
    EncodingType: query['encoding-type'],
    NextContinuationToken: truncated ? page.at(-1)?.key : undefined,
  })
  return xml(200, 'ListBucketResult', head + contents.join(''))
}

function listParts(upload: PendingUpload, { query }: FakeRequest, algorithm: string | undefined): WireAnswer {
  const after = Number(query['part-number-marker'] ?? 0)
  const limit = Number(query['max-parts'] ?? 1000)
  const held = [...upload.parts].filter(([partNumber]) => partNumber > after).sort(([a], [b]) => a - b)
  const page = held.slice(0, limit)
  const truncated = held.length > page.length
  const parts = page.map(([PartNumber, { size, etag, crc32 }]) => {
    const LastModified = new Date(0).toISOString()
    return `<Part>${element({ PartNumber, ETag: etag, Size: size, LastModified, ChecksumCRC32: crc32 })}</Part>`
  })
  const head = element({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    MaxParts: limit,
    ChecksumAlgorithm: algorithm,
    IsTruncated: truncated,
    NextPartNumberMarker: truncated ? page.at(-1)?.[0] : undefined,
  })
  return xml(200, 'ListPartsResult', head + parts.join(''))
}

function uploadElement({ key, uploadId }: PendingUpload): string {
  return `<Upload>${element({ Key: key, UploadId: uploadId, Initiated: new Date(0).toISOString() })}</Upload>`
}
