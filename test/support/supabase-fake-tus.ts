import { linkSync, statSync, unlinkSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { FileStore, MemoryConfigstore } from '@tus/file-store'
import { Server, type Upload } from '@tus/server'
import { answerJson, answerProblem, authorizationMissing, locked, type Problem } from './supabase-fake-problems.ts'
import { metadataIn, partsEtag, type SupabaseStore } from './supabase-fake-store.ts'
import type { Role } from './supabase-fake-tokens.ts'

const partSize = 6 * 2 ** 20
const dayMs = 24 * 60 * 60 * 1000

/** One upload begun by the resumable protocol. */
export interface SeenUpload {
  readonly url: string
  readonly bucket: string
  readonly key: string
  readonly size: number
  /** PATCH requests that were let through to it. */
  readonly patches: number
  readonly isFinished: boolean
}

interface TusOptions {
  readonly dir: string
  /** Of the uploads' addresses, such as `/storage/v1/upload/resumable`. */
  readonly path: string
  readonly lockDrainMs: number
  readonly locate: (url: string) => string
  readonly roleOf: (authorization: string) => Role | Problem
}

/** What an upload's address names. */
interface UploadName {
  readonly bucket: string
  readonly key: string
  readonly version: string
}

/** The resumable protocol: the server Supabase builds on, with hooks that check what its server checks, in its order. */
export function createTus(store: SupabaseStore, { dir, path, lockDrainMs, locate, roleOf }: TusOptions) {
  const uploads = new Map<string, { -readonly [name in keyof SeenUpload]: SeenUpload[name] }>()
  const locks = new Set<string>()
  const configstore = new MemoryConfigstore()
  const datastore = new FileStore({ directory: dir, configstore, expirationPeriodInMilliseconds: dayMs })
  /** Of the upload a POST begins: its name is known before it has an address. */
  const begun = new WeakMap<IncomingMessage, UploadName>()
  const nameOf = (req: IncomingMessage) => begun.get(req) ?? nameIn(req.url ?? '')

  const server = new Server({
    path,
    datastore,
    lockDrainTimeout: lockDrainMs,
    disableTerminationForFinishedUploads: true,
    namingFunction(req, metadata) {
      const name = { bucket: metadata?.bucketName ?? '', key: metadata?.objectName ?? '', version: store.newVersion() }
      refuse(store.bucketProblem(name.bucket) ?? store.keyProblem(name.key))
      begun.set(req, name)
      return name.version
    },
    generateUrl(req, { proto, host, id }) {
      const url = locate(`${proto}://${host}${path}/${addressOf(nameOf(req))}`)
      const name = nameOf(req)
      const size = Number(req.headers['upload-length'])
      if (name !== undefined) {
        uploads.set(id, { url, bucket: name.bucket, key: name.key, size, patches: 0, isFinished: false })
      }
      return url
    },
    getFileIdFromRequest: (req) => nameIn(req.url ?? '')?.version,
    async onIncomingRequest(req, _res, version) {
      if (locks.has(version)) refuse(locked)
      if (req.method === 'HEAD') return
      const name = nameOf(req)
      const role = roleOf(req.headers.authorization ?? '')
      if (typeof role !== 'string') refuse(role)
      else if (name !== undefined) {
        const { bucket, key } = name
        refuse(store.bucketProblem(bucket) ?? store.writeProblem(bucket, key, role, req.headers['x-upsert'] === 'true'))
        if (req.method === 'PATCH') countPatch(req, version, bucket)
      }
    },
    maxSize: (req) => {
      const bucket = nameOf(req)?.bucket
      return bucket === undefined ? 0 : store.sizeLimit(bucket)
    },
    async onUploadCreate(req, res, upload) {
      const { bucket = '' } = nameOf(req) ?? {}
      const { contentType, cacheControl = '' } = upload.metadata ?? {}
      if (contentType) refuse(store.typeProblem(bucket, contentType))
      const seconds = /^-?\d+$/.test(cacheControl ?? '')
      return {
        res,
        metadata: { ...upload.metadata, cacheControl: seconds ? `max-age=${cacheControl}` : 'no-cache' },
      }
    },
    async onUploadFinish(req, res, upload) {
      await keep(nameOf(req), upload)
      return { res, headers: { 'Tus-Complete': '1' } }
    },
    onResponseError(_req, res) {
      if (!res.headersSent) res.setHeader('content-type', 'text/plain; charset=utf-8')
      return undefined
    },
  })

  function countPatch(req: IncomingMessage, version: string, bucket: string): void {
    const upload = uploads.get(version)
    if (upload === undefined) return
    const from = Number(req.headers['upload-offset'])
    const to = from + Number(req.headers['content-length'])
    const end = Math.min(upload.size, (Math.floor(from / partSize) + 1) * partSize)
    if (store.buckets.get(bucket)?.wantsWholeParts && to !== end) {
      throw tusError(400, `a part ends at ${end}, not at ${to}`)
    }
    upload.patches++
  }

  async function keep(name: UploadName | undefined, upload: Upload): Promise<void> {
    if (name === undefined) throw tusError(500, 'no name')
    const size = upload.size ?? 0
    // As where S3 keeps the bytes: an upload that had no part has left nothing there.
    if (size === 0) throw tusError(404, 'Object not found')
    // A second name for the bytes: the finished upload goes on answering HEAD.
    linkSync(join(dir, upload.id), store.pathOf(name.version))
    await store.keep({
      ...name,
      size,
      etag: partsEtag(name.version, Math.ceil(size / partSize)),
      protocol: 'tus',
      contentType: upload.metadata?.contentType,
      cacheControl: upload.metadata?.cacheControl,
      metadata: metadataIn(upload.metadata?.metadata),
    })
    const seen = uploads.get(name.version)
    if (seen !== undefined) seen.isFinished = true
  }

  function versionIn(url: string): string {
    const version = nameIn(url)?.version
    if (version === undefined) throw new Error(`no address of an upload: ${url}`)
    return version
  }

  return {
    uploads: uploads as ReadonlyMap<string, SeenUpload>,
    async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
      if (req.method !== 'HEAD' && req.method !== 'OPTIONS') {
        const { authorization } = req.headers
        if (authorization === undefined) return answerJson(res, 400, authorizationMissing)
        const role = roleOf(authorization)
        if (typeof role !== 'string') return answerProblem(res, role)
      }
      await server.handle(req, res)
    },
    expire(url: string, isGone: boolean): void {
      const version = versionIn(url)
      unlinkSync(join(dir, version))
      // The file store answers 410 while it knows of an upload whose bytes are no more.
      if (!isGone) configstore.data.delete(version)
    },
    keptOf: (url: string): number => statSync(join(dir, versionIn(url))).size,
    lock(url: string): () => void {
      const version = versionIn(url)
      locks.add(version)
      return () => locks.delete(version)
    },
  }
}

/** `bucket/key/version`, as the address of an upload has it. */
function addressOf(name: UploadName | undefined): string {
  return Buffer.from(`${name?.bucket}/${name?.key}/${name?.version}`).toString('base64url')
}

function nameIn(url: string): UploadName | undefined {
  const last = /([^/?]+)\/?(?:\?.*)?$/.exec(url)?.[1] ?? ''
  const found = /^([^/]+)\/(.+)\/([^/]+)$/s.exec(Buffer.from(last, 'base64url').toString())
  if (found === null) return undefined
  const [, bucket = '', key = '', version = ''] = found
  return { bucket, key, version }
}

function refuse(problem: Problem | undefined): void {
  if (problem !== undefined) throw tusError(problem.status, problem.message)
}

function tusError(status: number, body: string): Error {
  return Object.assign(new Error(body), { status_code: status, body })
}
