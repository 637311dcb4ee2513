/**
 * A stand-in for Supabase Storage in this process, on loopback, that needs nothing but Node.
 *
 *     const supabase = await startSupabaseFake()
 *     supabase.makeBucket('audio', { fileSizeLimit: 50 * 2 ** 20 })
 *     …                                                  // SUPABASE_URL=supabase.url, SUPABASE_KEY=supabase.key
 *     await supabase.objects.get('audio/a.wav')?.sha256()
 *     supabase.requests                                  // every request, in order of arrival
 *     supabase.uploads                                   // every resumable upload that was begun
 *     supabase.intercept = (request) => request.method === 'PATCH' ? { resetAfter: 1_000_000 } : undefined
 *     await supabase.close()
 *
 * The resumable protocol is spoken by `@tus/server`, on which Supabase builds too; the standard one is answered as
 * documented and observed; so is S3 (`supabase.s3`), with the path style only. Bytes lie on disk.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { PendingUpload } from './s3-fake-store.ts'
import { createRest } from './supabase-fake-rest.ts'
import { createS3, s3Region } from './supabase-fake-s3.ts'
import { type BucketSettings, createSupabaseStore, type StoredObject } from './supabase-fake-store.ts'
import { createTokens } from './supabase-fake-tokens.ts'
import { carryOut, type Fault, type SeenRequest, watchTraffic } from './supabase-fake-traffic.ts'
import { createTus, type SeenUpload } from './supabase-fake-tus.ts'
import { makeTempDir } from './temp-dir.ts'

export type { BucketSettings, StoredObject } from './supabase-fake-store.ts'
export type { Fault, SeenRequest } from './supabase-fake-traffic.ts'
export type { SeenUpload } from './supabase-fake-tus.ts'

export interface SupabaseFakeOptions {
  /** Where the project is below its host, such as `/proxied`. Default: at its root. */
  readonly pathPrefix?: string
  /** Bytes; the project's own limit for one object. Default: 50 GB. */
  readonly maxUploadSize?: number
  /** Leaves a connection open after a refusal and answers nothing more on it. Default: such a connection is closed. */
  readonly stallsAfterRefusal?: boolean
  /** Milliseconds a running PATCH may go on when another request wants its upload. Default: 3000, as Supabase. */
  readonly lockDrainMs?: number
  /** Changes the Location of a new upload, as a proxy on the way may. */
  readonly locate?: (url: string) => string
}

export interface SupabaseFake {
  /** SUPABASE_URL. */
  readonly url: string
  /** Of the service role. */
  readonly key: string
  /** As `key`, expired. */
  readonly expiredKey: string
  /** Of a role that row-level security lets write nothing. */
  readonly anonKey: string
  /** What a client of the S3 protocol needs. */
  readonly s3: {
    readonly endpointUrl: string
    readonly region: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
    /** Multipart uploads neither completed nor aborted, by uploadId. */
    readonly uploads: ReadonlyMap<string, PendingUpload>
  }
  makeBucket(name: string, settings?: BucketSettings): void
  /** By `bucket/key`. */
  readonly objects: ReadonlyMap<string, StoredObject>
  readonly requests: readonly SeenRequest[]
  /** Those begun, in order. */
  readonly uploads: readonly SeenUpload[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Asked before each request is answered. */
  intercept: ((request: SeenRequest) => Fault | undefined | Promise<Fault | undefined>) | undefined
  /** Bytes of a resumable upload that are on the disk. */
  keptOf(url: string): number
  /** Forgets an unfinished upload: its address is answered with 404; where it is `gone`, with 410. */
  expireUpload(url: string, options?: { readonly gone?: boolean }): void
  /** Until the function returned is called, PATCH, HEAD and DELETE of an upload are answered with 423. */
  lockUpload(url: string): () => void
  /** Whether the good keys count as expired. */
  setExpired(isExpired: boolean): void
  close(): Promise<void>
}

/** Starts a server on a free loopback port. */
export async function startSupabaseFake(options: SupabaseFakeOptions = {}): Promise<SupabaseFake> {
  const base = `${options.pathPrefix ?? ''}/storage/v1`
  const dir = await makeTempDir('supabase-fake')
  const [objectsDir, uploadsDir] = [join(dir.path, 'objects'), join(dir.path, 'uploads')]
  await Promise.all([mkdir(objectsDir), mkdir(uploadsDir)])
  const store = createSupabaseStore(objectsDir, options.maxUploadSize ?? 50_000_000_000)
  const tokens = createTokens()
  const rest = createRest(store, tokens.roleOf)
  const tus = createTus(store, {
    dir: uploadsDir,
    path: `${base}/upload/resumable`,
    lockDrainMs: options.lockDrainMs ?? 3000,
    locate: options.locate ?? ((url) => url),
    roleOf: tokens.roleOf,
  })
  const credentials = {
    accessKeyId: '625729a08b95bf1b7ff351a663f3a23c',
    secretAccessKey: randomBytes(32).toString('hex'),
  }
  const s3 = createS3(store, `${base}/s3`, credentials)
  const requests: SeenRequest[] = []
  const sockets = new Set<Socket>()
  const stalled = new WeakSet<Socket>()
  let connections = 0

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '').startsWith(`${base}/`) ? (req.url ?? '').slice(base.length) : undefined
    const protocol = protocolOf(path)
    const traffic = watchTraffic(req, res, protocol, () => {
      if (options.stallsAfterRefusal) stalled.add(req.socket)
      else res.setHeader('connection', 'close')
    })
    requests.push(traffic.seen)
    if (stalled.has(req.socket)) return
    const asked = fake.intercept?.(traffic.seen)
    const fault = asked instanceof Promise ? await asked : asked
    if (await carryOut(fault, traffic, req, res)) return
    if (protocol === 'tus') await tus.handle(req, res)
    else if (protocol === 's3') await s3.handle(req, res)
    else if (path !== undefined) await rest(req, res, path.replace(/\?.*$/s, ''))
    else
      res.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"no Route matched with those values"}')
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(500)
      res.end(String(error))
    })
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve))
  const { port } = server.address() as AddressInfo

  const origin = `http://127.0.0.1:${port}`
  const fake: SupabaseFake = {
    url: `${origin}${options.pathPrefix ?? ''}`,
    key: tokens.key,
    expiredKey: tokens.expiredKey,
    anonKey: tokens.anonKey,
    s3: { endpointUrl: `${origin}${base}/s3`, region: s3Region, ...credentials, uploads: s3.uploads },
    objects: store.objects,
    requests,
    intercept: undefined,
    get connections() {
      return connections
    },
    get uploads() {
      return [...tus.uploads.values()]
    },
    makeBucket: (name, settings = {}) => store.buckets.set(name, settings),
    expireUpload: (url, { gone = false } = {}) => tus.expire(url, gone),
    keptOf: tus.keptOf,
    lockUpload: tus.lock,
    setExpired: tokens.setExpired,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await dir.remove()
    },
  }
  return fake
}

function protocolOf(path: string | undefined): SeenRequest['protocol'] {
  if (path === undefined) return 'other'
  if (/^\/upload\/resumable(?:[/?]|$)/.test(path)) return 'tus'
  return /^\/s3(?:[/?]|$)/.test(path) ? 's3' : 'rest'
}
