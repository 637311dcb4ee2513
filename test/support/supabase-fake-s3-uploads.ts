import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { element, s3Error, type WireAnswer, xml } from './s3-fake-answers.ts'
import { listParts, listUploads } from './s3-fake-lists.ts'
import type { FakeRequest } from './s3-fake-request.ts'
import type { PendingUpload } from './s3-fake-store.ts'
import type { ReceivedBody } from './supabase-fake-body.ts'
import type { Problem } from './supabase-fake-problems.ts'
import { partsEtag, type StoredObject, type SupabaseStore } from './supabase-fake-store.ts'

export interface S3UploadsRequest {
  readonly request: FakeRequest
  /** Writes the body to a file, or says what is wrong with it; undefined where it never came to its end. */
  readonly receive: (path: string) => Promise<ReceivedBody | WireAnswer | undefined>
  readonly refusal: (problem: Problem) => WireAnswer
}

interface Part {
  readonly size: number
  readonly etag: string
  readonly md5: Buffer
  /** Where its bytes lie. */
  readonly path: string
}

type Pending = Omit<PendingUpload, 'parts'> & { readonly parts: Map<number, Part> }

const minPartSize = 5 * 2 ** 20
const noSuchUpload = s3Error(404, 'NoSuchUpload', 'The specified upload does not exist.')
const invalidPart = s3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.')

/** Multipart uploads by the S3 protocol, their parts on disk. Parts are listed without their sizes. */
export function createS3Uploads(store: SupabaseStore) {
  const pending = new Map<string, Pending>()

  function create({ bucket, key, headers }: FakeRequest, refusal: S3UploadsRequest['refusal']): WireAnswer {
    const problem = store.typeProblem(bucket, headers['content-type'] ?? 'application/octet-stream')
    if (problem !== undefined) return refusal(problem)
    const uploadId = store.newVersion()
    pending.set(uploadId, { uploadId, bucket, key, headers, initiated: new Date(), parts: new Map() })
    return xml(200, 'InitiateMultipartUploadResult', element({ Bucket: bucket, Key: key, UploadId: uploadId }))
  }

  async function addPart(
    upload: Pending,
    { request, receive, refusal }: S3UploadsRequest,
  ): Promise<WireAnswer | undefined> {
    const { partNumber, headers } = request
    if (partNumber < 1 || partNumber > 10_000) return invalidPart
    const others = [...upload.parts].reduce((sum, [number, { size }]) => (number === partNumber ? sum : sum + size), 0)
    const problem = store.sizeProblem(upload.bucket, others + Number(headers['content-length']))
    if (problem !== undefined) return refusal(problem)
    const path = store.pathOf(store.newVersion())
    const body = await receive(path)
    if (body === undefined || 'status' in body) return body
    const former = upload.parts.get(partNumber)
    const etag = `"${body.md5.toString('hex')}"`
    upload.parts.set(partNumber, { size: body.size, etag, md5: body.md5, path })
    if (former !== undefined) await rm(former.path, { force: true })
    return { status: 200, headers: { etag } }
  }

  async function complete(upload: Pending, receive: S3UploadsRequest['receive']): Promise<WireAnswer | undefined> {
    const document = store.pathOf(store.newVersion())
    const body = await receive(document)
    if (body === undefined || 'status' in body) return body
    const wanted = [...(await readFile(document, 'utf8')).matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, inner = '']) => ({
      number: Number(/<PartNumber>(\d+)</.exec(inner)?.[1]),
      etag: (/<ETag>(.*?)</.exec(inner)?.[1] ?? '').replaceAll('&quot;', '"'),
    }))
    await rm(document)
    if (wanted.length === 0) return s3Error(400, 'MalformedXML', 'The XML you provided was not well-formed')
    const parts: Part[] = []
    for (const { number, etag } of wanted) {
      const part = upload.parts.get(number)
      if (part === undefined || part.etag.replaceAll('"', '') !== etag.replaceAll('"', '')) return invalidPart
      parts.push(part)
    }
    if (wanted.some(({ number }, at) => number <= (wanted[at - 1]?.number ?? 0))) {
      return s3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
    }
    if (parts.slice(0, -1).some(({ size }) => size < minPartSize)) {
      return s3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
    }
    return join(upload, parts)
  }

  async function join(upload: Pending, parts: readonly Part[]): Promise<WireAnswer> {
    const { bucket, key, headers, uploadId } = upload
    // No longer there for another completion at the same time.
    pending.delete(uploadId)
    const [first, ...rest] = parts.map(({ path }) => path)
    const path = store.pathOf(uploadId)
    if (first !== undefined) await rename(first, path)
    for (const part of rest) {
      await pipeline(createReadStream(part), createWriteStream(path, { flags: 'a' }))
      await rm(part)
    }
    const object = await store.keep({
      bucket,
      key,
      version: uploadId,
      size: parts.reduce((sum, { size }) => sum + size, 0),
      etag: partsEtag(Buffer.concat(parts.map(({ md5 }) => md5)), parts.length),
      protocol: 's3',
      contentType: headers['content-type'],
      cacheControl: headers['cache-control'],
      metadata: metadataOf(headers),
    })
    return xml(200, 'CompleteMultipartUploadResult', element({ Bucket: bucket, Key: key, ETag: object.etag }))
  }

  return {
    pending: pending as ReadonlyMap<string, PendingUpload>,
    async perform(asked: S3UploadsRequest): Promise<WireAnswer | undefined> {
      const { request, receive, refusal } = asked
      if (request.operation === 'CreateMultipartUpload') return create(request, refusal)
      if (request.operation === 'ListMultipartUploads') return listUploads(pending, request)
      const upload = pending.get(request.query.uploadId ?? '')
      if (upload === undefined || upload.key !== request.key || upload.bucket !== request.bucket) return noSuchUpload
      if (request.operation === 'UploadPart') return addPart(upload, asked)
      if (request.operation === 'CompleteMultipartUpload') return complete(upload, receive)
      if (request.operation === 'ListParts') {
        const answer = listParts(upload, request, undefined)
        return { ...answer, body: String(answer.body).replace(/<Size>\d+<\/Size>/g, '') }
      }
      pending.delete(upload.uploadId)
      for (const { path } of upload.parts.values()) await rm(path, { force: true })
      return { status: 204 }
    },
  }
}

/** What a request says in `x-amz-meta-…`; undefined where it says nothing. */
export function metadataOf(headers: IncomingHttpHeaders): StoredObject['metadata'] {
  const prefix = 'x-amz-meta-'
  const pairs = Object.entries(headers).filter(([name]) => name.startsWith(prefix))
  if (pairs.length === 0) return undefined
  return Object.fromEntries(pairs.map(([name, value]) => [name.slice(prefix.length), value]))
}
