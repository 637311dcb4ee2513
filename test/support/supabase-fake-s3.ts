import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { element, s3Error, type WireAnswer, xml } from './s3-fake-answers.ts'
import { runningChecksum, sentChecksum } from './s3-fake-checksum.ts'
import { listObjects } from './s3-fake-lists.ts'
import { type FakeRequest, type Operation, parseRequest } from './s3-fake-request.ts'
import { type FakeCredentials, signatureProblem } from './s3-fake-signature.ts'
import { type ReceivedBody, receiveBody } from './supabase-fake-body.ts'
import { objectMissing, type Problem } from './supabase-fake-problems.ts'
import { createS3Uploads, metadataOf, type S3UploadsRequest } from './supabase-fake-s3-uploads.ts'
import { etagOf, type StoredObject, type SupabaseStore } from './supabase-fake-store.ts'

/** The server's own, and what stands for it. Anything else is signed for another server. */
export const s3Region = 'eu-central-1'
const knownRegions = [s3Region, 'us-east-1', 'auto']

const uploadOperations: readonly Operation[] = [
  'CreateMultipartUpload',
  'UploadPart',
  'ListParts',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListMultipartUploads',
]

/**
 * The S3 protocol as Supabase speaks it: path style, its rule for keys, its buckets' limits; conditions are ignored,
 * checksums and versions are not kept.
 *
 * @param base what comes before the bucket in a path
 */
export function createS3(store: SupabaseStore, base: string, credentials: FakeCredentials) {
  const attempts = new Map<string, number>()
  const uploads = createS3Uploads(store)

  async function perform(
    req: IncomingMessage,
    res: ServerResponse,
    request: FakeRequest,
  ): Promise<WireAnswer | undefined> {
    const problem = requestProblem(request, credentials)
    if (problem !== undefined) return problem
    // Says so of every bucket, though it keeps no versions.
    if (request.operation === 'GetBucketVersioning') {
      return xml(200, 'VersioningConfiguration', element({ Status: 'Suspended', MfaDelete: 'Disabled' }))
    }
    const refused =
      store.bucketProblem(request.bucket) ?? (request.key === '' ? undefined : store.keyProblem(request.key))
    if (refused !== undefined) return refusal(refused)
    if (uploadOperations.includes(request.operation))
      return uploads.perform({ request, receive: receiver(req), refusal })
    return onObject(req, res, request)
  }

  async function onObject(
    req: IncomingMessage,
    res: ServerResponse,
    request: FakeRequest,
  ): Promise<WireAnswer | undefined> {
    const { bucket, key } = request
    switch (request.operation) {
      case 'PutObject':
        return put(req, request)
      case 'HeadObject':
      case 'GetObject': {
        const object = store.object(bucket, key)
        if (object === undefined) return refusal(objectMissing)
        const answer = { status: 200, headers: headersOf(object) }
        if (request.operation === 'HeadObject') return answer
        res.writeHead(answer.status, answer.headers)
        await pipeline(createReadStream(object.path), res).catch(() => {})
        return undefined
      }
      case 'DeleteObject':
        await store.remove(bucket, key)
        return { status: 204 }
      case 'HeadBucket':
        return { status: 200 }
      case 'ListObjectsV2':
        return listObjects(new Map(store.objectsOf(bucket).map((object) => [object.key, listed(object)])), request)
      default:
        return s3Error(
          501,
          'NotImplemented',
          'A header or query you provided implies functionality that is not implemented.',
        )
    }
  }

  async function put(req: IncomingMessage, { bucket, key, headers }: FakeRequest): Promise<WireAnswer | undefined> {
    const contentType = headers['content-type']
    const problem =
      store.sizeProblem(bucket, Number(headers['content-length'])) ??
      store.typeProblem(bucket, contentType ?? 'application/octet-stream')
    if (problem !== undefined) return refusal(problem)
    const version = store.newVersion()
    const body = await receiver(req)(store.pathOf(version))
    if (body === undefined || 'status' in body) return body
    const { size } = body
    const etag = etagOf(size, body.md5)
    const cacheControl = headers['cache-control']
    const metadata = metadataOf(headers)
    await store.keep({ bucket, key, version, size, etag, protocol: 's3', contentType, cacheControl, metadata })
    return { status: 200, headers: { etag } }
  }

  return {
    /** Multipart uploads neither completed nor aborted, by uploadId. */
    uploads: uploads.pending,
    async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
      const target = req.url ?? ''
      req.url = target.slice(base.length) || '/'
      // The signature is of the whole path.
      const request = { ...parseRequest(req, 'none.invalid', attempts), target }
      const answer = await perform(req, res, request)
      if (answer === undefined) return
      const body = typeof answer.body === 'string' ? answer.body.replace('{requestId}', 'FAKE') : answer.body
      const length = req.method === 'HEAD' ? {} : { 'content-length': String(Buffer.byteLength(body ?? '')) }
      res.writeHead(answer.status, { 'x-amz-request-id': 'FAKE', ...length, ...answer.headers })
      res.end(req.method === 'HEAD' ? undefined : body)
    },
  }
}

function refusal({ status, code, message }: Problem): WireAnswer {
  return s3Error(status, code, message)
}

/** What is wrong with who asks, or with the way a body comes. */
function requestProblem(request: FakeRequest, credentials: FakeCredentials): WireAnswer | undefined {
  const { headers } = request
  const problem = signatureProblem(request, credentials)
  if (problem?.code === 'InvalidAccessKeyId') return s3Error(403, 'AccessDenied', 'Invalid Access Key')
  if (problem?.code === 'AccessDenied') return s3Error(403, 'AccessDenied', 'Missing signature')
  if (problem !== undefined) return s3Error(problem.status, problem.code, problem.message)
  const region = /Credential=[^/]+\/\d+\/([^/]*)\//.exec(headers.authorization ?? '')?.[1] ?? ''
  if (!knownRegions.includes(region)) {
    return s3Error(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    )
  }
  if (String(headers['x-amz-content-sha256']).startsWith('STREAMING-')) {
    return s3Error(501, 'NotImplemented', 'The stand-in reads no body in aws-chunked framing.')
  }
  return undefined
}

/** Receives bodies whose digests are what their headers say. */
function receiver(req: IncomingMessage): S3UploadsRequest['receive'] {
  return async (path): Promise<ReceivedBody | WireAnswer | undefined> => {
    const sha256 = createHash('sha256')
    const sent = sentChecksum(req.headers)
    const checksum = sent && runningChecksum(sent.algorithm)
    const body = await receiveBody(req, path, (piece) => {
      sha256.update(piece)
      checksum?.update(piece)
    })
    if (body === undefined) return undefined
    const md5 = req.headers['content-md5']
    if (md5 !== undefined && md5 !== body.md5.toString('base64')) {
      return s3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match')
    }
    if (sent !== undefined && sent.value !== (await checksum?.result())) {
      return s3Error(400, 'BadDigest', `The ${sent.algorithm} you specified did not match`)
    }
    const named = String(req.headers['x-amz-content-sha256'])
    if (/^[0-9a-f]{64}$/.test(named) && named !== sha256.digest('hex')) {
      return s3Error(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match")
    }
    return body
  }
}

function headersOf(object: StoredObject): Record<string, string> {
  const metadata = Object.entries(object.metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, String(value)])
  return {
    etag: object.etag,
    'content-length': String(object.size),
    'content-type': object.contentType,
    'cache-control': object.cacheControl,
    'last-modified': object.createdAt.toUTCString(),
    ...Object.fromEntries(metadata),
  }
}

/** As the lists of the scripted S3 server want it. */
function listed({ key, size, etag, createdAt }: StoredObject) {
  return { key, size, etag, bytes: Buffer.alloc(0), headers: {}, checksum: undefined, lastModified: createdAt }
}
