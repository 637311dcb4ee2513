import type { IncomingMessage } from 'node:http'

export type Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'GetBucketVersioning'
  | 'HeadBucket'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
  | 'ListMultipartUploads'
  | 'Unknown'

/** A request as scripts and assertions see it. */
export interface FakeRequest {
  readonly operation: Operation
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
  /** Path and query as they came over the wire. */
  readonly target: string
  /** How often this operation came for this key (and part), from 1. */
  readonly attempt: number
  /** 0 where the query has none. */
  readonly partNumber: number
}

/** Takes a request apart. @param attempts counts of what came before */
export function parseRequest(req: IncomingMessage, domain: string, attempts: Map<string, number>): FakeRequest {
  const method = req.method ?? ''
  const target = req.url ?? '/'
  const mark = target.indexOf('?')
  const path = decodeURIComponent(mark < 0 ? target : target.slice(0, mark)).slice(1)
  const query = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)))
  const host = (req.headers.host ?? '').replace(/:\d+$/, '')
  const virtual = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : undefined
  const slash = path.indexOf('/')
  const bucket = virtual ?? (slash < 0 ? path : path.slice(0, slash))
  const key = virtual === undefined ? (slash < 0 ? '' : path.slice(slash + 1)) : path
  const operation = operationOf(method, key, query)
  const counted = JSON.stringify([operation, bucket, key, query.partNumber])
  const attempt = (attempts.get(counted) ?? 0) + 1
  attempts.set(counted, attempt)
  const partNumber = Number(query.partNumber ?? 0)
  return { operation, method, bucket, key, query, headers: req.headers, target, attempt, partNumber }
}

function operationOf(method: string, key: string, query: Record<string, string>): Operation {
  if (key === '') {
    if (method === 'HEAD') return 'HeadBucket'
    if (method === 'GET' && 'uploads' in query) return 'ListMultipartUploads'
    if (method === 'GET' && 'versions' in query) return 'ListObjectVersions'
    if (method === 'GET' && 'versioning' in query) return 'GetBucketVersioning'
    return method === 'GET' ? 'ListObjectsV2' : 'Unknown'
  }
  const part = 'uploadId' in query
  if (method === 'PUT') return part ? 'UploadPart' : 'PutObject'
  if (method === 'POST')
    return part ? 'CompleteMultipartUpload' : 'uploads' in query ? 'CreateMultipartUpload' : 'Unknown'
  if (method === 'DELETE') return part ? 'AbortMultipartUpload' : 'DeleteObject'
  if (method === 'GET') return part ? 'ListParts' : 'GetObject'
  return method === 'HEAD' ? 'HeadObject' : 'Unknown'
}
