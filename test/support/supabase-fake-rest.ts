import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { receiveBody, receiveJson } from './supabase-fake-body.ts'
import { listByKey, listFolder } from './supabase-fake-list.ts'
import {
  alreadyExists,
  answerJson,
  answerProblem,
  authorizationMissing,
  bucketMissing,
  bucketNotEmpty,
  objectMissing,
  type Problem,
  violatesRowLevelSecurity,
} from './supabase-fake-problems.ts'
import { etagOf, metadataIn, type StoredObject, type SupabaseStore } from './supabase-fake-store.ts'
import type { Role } from './supabase-fake-tokens.ts'

type Handle = (request: RestRequest) => Promise<void>

interface RestRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly role: Role
  readonly bucket: string
  readonly key: string
}

/** The standard protocol. @returns what answers a request; the path begins after `/storage/v1` */
export function createRest(store: SupabaseStore, roleOf: (authorization: string) => Role | Problem) {
  const routes: readonly (readonly [RegExp, Handle])[] = [
    [/^POST \/object\/list\/(?<bucket>[^/]+)$/, list],
    [/^POST \/object\/list-v2\/(?<bucket>[^/]+)$/, listAll],
    [/^GET \/object\/info\/(?:authenticated\/)?(?<bucket>[^/]+)\/(?<key>.*)$/s, info],
    [/^(?:GET|HEAD) \/object\/(?:authenticated\/)?(?<bucket>[^/]+)\/(?<key>.*)$/s, download],
    [/^POST \/object\/(?<bucket>[^/]+)\/(?<key>.*)$/s, upload],
    [/^DELETE \/object\/(?<bucket>[^/]+)\/(?<key>.*)$/s, removeOne],
    [/^DELETE \/object\/(?<bucket>[^/]+)$/, removeSeveral],
    [/^POST \/bucket$/, createBucket],
    [/^GET \/bucket\/(?<bucket>[^/]+)$/, describeBucket],
    [/^DELETE \/bucket\/(?<bucket>[^/]+)$/, removeBucket],
  ]

  async function upload({ req, res, role, bucket, key }: RestRequest): Promise<void> {
    const length = req.headers['content-length']
    const contentType = req.headers['content-type']
    if (contentType?.startsWith('multipart/form-data')) {
      return answerJson(res, 501, { message: 'The stand-in takes an object as the body itself, not within a form' })
    }
    const problem =
      store.bucketProblem(bucket) ??
      store.keyProblem(key) ??
      store.writeProblem(bucket, key, role, req.headers['x-upsert'] === 'true') ??
      // Without a length the limit is not looked at.
      (length === undefined ? undefined : store.sizeProblem(bucket, Number(length))) ??
      store.typeProblem(bucket, contentType ?? 'application/octet-stream')
    if (problem !== undefined) return answerProblem(res, problem)
    const version = store.newVersion()
    const body = await receiveBody(req, store.pathOf(version))
    if (body === undefined) return
    const sent = req.headers['x-metadata']
    await store.keep({
      bucket,
      key,
      version,
      size: body.size,
      etag: etagOf(body.size, body.md5),
      protocol: 'rest',
      contentType,
      cacheControl: req.headers['cache-control'],
      metadata: metadataIn(typeof sent === 'string' ? Buffer.from(sent, 'base64').toString() : undefined),
    })
    answerJson(res, 200, { Id: version, Key: `${bucket}/${key}` })
  }

  async function info({ res, bucket, key }: RestRequest): Promise<void> {
    const object = store.object(bucket, key)
    if (object === undefined) return answerProblem(res, store.bucketProblem(bucket) ?? objectMissing)
    answerJson(res, 200, {
      id: object.version,
      name: key,
      version: object.version,
      bucket_id: bucket,
      size: object.size,
      content_type: object.contentType,
      cache_control: object.cacheControl,
      etag: object.etag,
      metadata: object.metadata ?? {},
      last_modified: object.createdAt.toISOString(),
      created_at: object.createdAt.toISOString(),
    })
  }

  async function download({ req, res, bucket, key }: RestRequest): Promise<void> {
    const object = store.object(bucket, key)
    if (object === undefined) return answerProblem(res, store.bucketProblem(bucket) ?? objectMissing)
    res.writeHead(200, objectHeaders(object))
    if (req.method === 'HEAD') res.end()
    else await pipeline(createReadStream(object.path), res).catch(() => {})
  }

  async function removeOne({ res, role, bucket, key }: RestRequest): Promise<void> {
    const isGone = role === 'service_role' && (await store.remove(bucket, key))
    if (isGone) return answerJson(res, 200, { message: 'Successfully deleted' })
    answerProblem(res, store.bucketProblem(bucket) ?? objectMissing)
  }

  async function removeSeveral({ req, res, role, bucket }: RestRequest): Promise<void> {
    const { prefixes } = (await receiveJson(req)) as { prefixes: readonly string[] }
    const removed: { name: string; bucket_id: string }[] = []
    for (const name of role === 'service_role' ? prefixes : []) {
      if (await store.remove(bucket, name)) removed.push({ name, bucket_id: bucket })
    }
    answerJson(res, 200, removed)
  }

  async function list({ req, res, bucket }: RestRequest): Promise<void> {
    const query = await receiveJson(req)
    // As the server does: of a bucket that is not there, nothing is listed.
    answerJson(res, 200, listFolder(store.objectsOf(bucket), query as Parameters<typeof listFolder>[1]))
  }

  async function listAll({ req, res, bucket }: RestRequest): Promise<void> {
    const query = await receiveJson(req)
    answerJson(res, 200, listByKey(store.objectsOf(bucket), query as Parameters<typeof listByKey>[1]))
  }

  async function createBucket({ req, res, role }: RestRequest): Promise<void> {
    const { name } = (await receiveJson(req)) as { name: string }
    if (role !== 'service_role') return answerProblem(res, violatesRowLevelSecurity)
    if (store.buckets.has(name)) return answerProblem(res, alreadyExists)
    store.buckets.set(name, {})
    answerJson(res, 200, { name })
  }

  async function removeBucket({ res, role, bucket }: RestRequest): Promise<void> {
    if (role !== 'service_role' || !store.buckets.has(bucket)) return answerProblem(res, bucketMissing)
    if (store.objectsOf(bucket).length > 0) return answerProblem(res, bucketNotEmpty)
    store.buckets.delete(bucket)
    answerJson(res, 200, { message: 'Successfully deleted' })
  }

  async function describeBucket({ res, role, bucket }: RestRequest): Promise<void> {
    const settings = store.buckets.get(bucket)
    if (settings === undefined || role !== 'service_role') return answerProblem(res, bucketMissing)
    answerJson(res, 200, {
      id: bucket,
      name: bucket,
      public: false,
      file_size_limit: settings.fileSizeLimit ?? null,
      allowed_mime_types: settings.allowedMimeTypes ?? null,
    })
  }

  return async (req: IncomingMessage, res: ServerResponse, rawPath: string): Promise<void> => {
    const path = decoded(rawPath)
    if (path === undefined) {
      const message = `'${rawPath}' is not a valid url component`
      return answerJson(res, 400, { error: 'Bad Request', code: 'FST_ERR_BAD_URL', message, statusCode: 400 })
    }
    const { authorization } = req.headers
    if (authorization === undefined) return answerJson(res, 400, authorizationMissing)
    const role = roleOf(authorization)
    if (typeof role !== 'string') return answerProblem(res, role)
    for (const [pattern, handle] of routes) {
      const found = pattern.exec(`${req.method} ${path}`)
      if (found === null) continue
      return handle({ req, res, role, bucket: found.groups?.bucket ?? '', key: found.groups?.key ?? '' })
    }
    const message = `Route ${req.method}:${rawPath} not found`
    answerJson(res, 404, { message, error: 'Not Found', statusCode: 404 })
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function objectHeaders(object: StoredObject): Record<string, string> {
  return {
    'content-type': object.contentType,
    'content-length': String(object.size),
    'cache-control': object.cacheControl,
    'last-modified': object.createdAt.toUTCString(),
    etag: object.etag,
  }
}
