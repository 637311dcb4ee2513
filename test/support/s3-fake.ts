/**
 * A scripted S3 server in this process, on loopback.
 *
 *     const s3 = await startS3Fake({ buckets: ['audio'] })
 *     …                                     // point a client at s3.url (path style); any credentials unless given
 *     s3.read('audio', 'a.wav')             // the bytes stored, or undefined
 *     s3.object('audio', 'a.wav')           // size, etag, headers, checksum
 *     s3.uploads                            // multipart uploads neither completed nor aborted, by uploadId
 *     s3.requests                           // every request, in order of arrival
 *     s3.counters                           // requests, connections, maxConcurrent, bytesReceived
 *     s3.script = (request) => request.operation === 'UploadPart' && request.attempt === 1 ? 'reset' : undefined
 *     s3.hold(9)                            // no answer before nine requests are in
 *     await s3.close()
 *
 * Understands PutObject, GetObject, HeadObject, DeleteObject, ListObjectsV2, HeadBucket, the multipart operations
 * (create, part, complete, abort, ListParts, ListMultipartUploads), path style and virtual host (by the Host header),
 * `If-None-Match: *`, Content-MD5, x-amz-checksum-* and x-amz-content-sha256 (all verified),
 * a multipart upload's checksums, of its parts or of the whole, and x-amz-checksum-mode. Refuses `aws-chunked`. Keeps an
 * object's properties (the headers of the request that made it) and tells them with HeadObject and GetObject.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { s3Error, type WireAnswer } from './s3-fake-answers.ts'
import { readBody } from './s3-fake-body.ts'
import { type FakeRequest, parseRequest } from './s3-fake-request.ts'
import { type FakeCredentials, signatureProblem } from './s3-fake-signature.ts'
import { createStore, type PendingUpload, type StoredObject } from './s3-fake-store.ts'
import { type FakeVersioning, keepVersions } from './s3-fake-versions.ts'

export type { FakeRequest, Operation } from './s3-fake-request.ts'
export type { FakeCredentials } from './s3-fake-signature.ts'
export type { PendingUpload, StoredObject } from './s3-fake-store.ts'

export interface S3FakeOptions {
  /** Buckets that exist. Default: `['bucket']`. */
  readonly buckets?: readonly string[]
  /** Where a bucket lives; a request signed for another region gets a 301. Without credentials too. */
  readonly regions?: Readonly<Record<string, string>>
  /** Checked, signature and all, when given. */
  readonly credentials?: FakeCredentials | undefined
  /** `Host: <bucket>.<domain>` is virtual-host style. Default: `s3.example.test`. */
  readonly domain?: string
  /** PEM; makes the server an HTTPS one. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Keep sizes and digests but no bytes, for memory measurements. */
  readonly discard?: boolean
  /** Smallest part but the last. Default: 5 MiB, as AWS. */
  readonly minPartSize?: number
  /** Whether the checksums of a multipart upload's parts are kept, where it asks for it. Default: true, as AWS. */
  readonly keepsPartChecksums?: boolean
  /** Whether it knows checksums of a whole multipart object beside those of its parts. Default: true, as AWS. */
  readonly knowsChecksumTypes?: boolean
  /** When a multipart upload was begun, as listings say it. Default: now. */
  readonly initiated?: () => Date
  /** Milliseconds its clock is ahead of this machine's; where given, a request that differs by more than 15 minutes is refused. */
  readonly clockAheadMs?: number
  /** Whether buckets keep their objects' versions. */
  readonly versioning?: FakeVersioning
  readonly script?: Script
}

/** What a script may make happen instead of the proper answer. */
export type Fault =
  /** The connection is reset before the body is read. */
  | 'reset'
  /** The body is read, nothing is stored, no answer ever comes. */
  | 'hang'
  /** The operation takes effect, then the connection is reset or no answer comes. */
  | 'reset-after-storing'
  | 'hang-after-storing'
  /** After so many bytes of the body the connection is reset, or no more is read. */
  | { readonly resetAfterBytes: number }
  | { readonly hangAfterBytes: number }
  /** The operation takes effect; the answer breaks off after so many bytes of its body. */
  | { readonly truncateAnswer: number }
  /** Goes on as usual once this settles (the body has been read by then). */
  | { readonly until: Promise<unknown> }
  /** This answer, nothing stored; `early`: without reading the body. */
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly early?: boolean
    }

export type Script = (request: FakeRequest) => Fault | undefined

export interface S3Fake {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  readonly requests: readonly FakeRequest[]
  readonly counters: Readonly<Counters>
  readonly uploads: ReadonlyMap<string, PendingUpload>
  script: Script | undefined
  versioning: FakeVersioning
  object(bucket: string, key: string): StoredObject | undefined
  /** The bytes stored; undefined where there is no such object. */
  read(bucket: string, key: string): Buffer | undefined
  /** Keys in a bucket, sorted. */
  keys(bucket: string): string[]
  /** Stores an object without a request. */
  put(bucket: string, key: string, bytes: Uint8Array): void
  /** How many versions there are in a bucket, marks of deletion included. */
  countVersions(bucket: string): number
  /** Holds every answer until `requests` requests (held ones included) are in, then lets all go. */
  hold(requests: number): void
  /** Requests whose headers have come and whose answer has not gone. */
  inFlight(): number
  close(): Promise<void>
}

interface Counters {
  requests: number
  connections: number
  maxConcurrent: number
  /** Of bodies. */
  bytesReceived: number
}

/** Starts a server on a free loopback port. */
export async function startS3Fake(options: S3FakeOptions = {}): Promise<S3Fake> {
  const store = createStore({
    buckets: options.buckets ?? ['bucket'],
    minPartSize: options.minPartSize ?? 5 * 1024 * 1024,
    keepsPartChecksums: options.keepsPartChecksums ?? true,
    knowsChecksumTypes: options.knowsChecksumTypes ?? true,
    initiated: options.initiated ?? (() => new Date()),
  })
  const versions = keepVersions(store, () => fake.versioning)
  const counters: Counters = { requests: 0, connections: 0, maxConcurrent: 0, bytesReceived: 0 }
  const requests: FakeRequest[] = []
  const attempts = new Map<string, number>()
  const sockets = new Set<Socket>()
  const { clockAheadMs = 0 } = options
  let inFlight = 0
  let requestNumber = 0
  let holding:
    | { readonly needed: number; arrived: number; readonly open: () => void; readonly gate: Promise<void> }
    | undefined

  const fake: S3Fake = {
    url: '',
    port: 0,
    requests,
    counters,
    uploads: store.uploads,
    script: options.script,
    versioning: options.versioning,
    object: store.object,
    read: (bucket, key) => store.object(bucket, key)?.bytes,
    keys: store.keys,
    put: versions.put,
    countVersions: versions.countVersions,
    hold(needed) {
      const { promise: gate, resolve: open } = deferred()
      holding = { needed, arrived: 0, open, gate }
    },
    inFlight: () => inFlight,
    async close() {
      holding?.open()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    counters.requests++
    inFlight++
    counters.maxConcurrent = Math.max(counters.maxConcurrent, inFlight)
    res.once('close', () => inFlight--)
    req.on('error', () => {})
    if (clockAheadMs !== 0) res.setHeader('date', new Date(Date.now() + clockAheadMs).toUTCString())
    if (holding !== undefined && ++holding.arrived >= holding.needed) {
      holding.open()
      holding = undefined
    }
    handle(req, res, holding?.gate).catch((error) => {
      if (!res.headersSent) res.writeHead(500).end(String(error))
    })
  }

  async function handle(req: IncomingMessage, res: ServerResponse, gate: Promise<void> | undefined): Promise<void> {
    const requestId = `FAKE${String(++requestNumber).padStart(8, '0')}`
    const request = parseRequest(req, options.domain ?? 's3.example.test', attempts)
    requests.push(request)
    const fault = fake.script?.(request)
    if (fault === 'reset') return reset(req)
    const cut = typeof fault === 'object'
    if (cut && 'status' in fault && fault.early) return answer(res, requestId, fault)

    const body = await readBody(req, {
      keep: !options.discard || request.operation === 'CompleteMultipartUpload',
      onBytes: (count) => {
        counters.bytesReceived += count
      },
      resetAfter: cut && 'resetAfterBytes' in fault ? fault.resetAfterBytes : undefined,
      hangAfter: cut && 'hangAfterBytes' in fault ? fault.hangAfterBytes : undefined,
    })
    if (body === undefined || fault === 'hang') return
    await gate
    if (cut && 'until' in fault) await fault.until
    if (cut && 'status' in fault) return answer(res, requestId, fault)

    const reply = refusal(request, options) ?? (await versions.perform(request, body))
    if (fault === 'reset-after-storing') return reset(req)
    if (fault === 'hang-after-storing') return
    answer(res, requestId, reply, cut && 'truncateAnswer' in fault ? fault.truncateAnswer : undefined)
  }

  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener)
  server.on('connection', (socket: Socket) => {
    counters.connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(fake, { port, url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}` })
}

function refusal(request: FakeRequest, options: S3FakeOptions): WireAnswer | undefined {
  const region = options.regions?.[request.bucket]
  const signedFor = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1]
  if (region !== undefined && signedFor !== undefined && signedFor !== region) {
    const moved = s3Error(
      301,
      'PermanentRedirect',
      'The bucket you are attempting to access must be addressed using the specified endpoint.',
    )
    return { ...moved, headers: { ...moved.headers, 'x-amz-bucket-region': region } }
  }
  if (options.clockAheadMs !== undefined && skewMs(request, options.clockAheadMs) > 15 * 60_000) {
    const message = 'The difference between the request time and the current time is too large.'
    return s3Error(403, 'RequestTimeTooSkewed', message)
  }
  if (options.credentials === undefined) return undefined
  const problem = signatureProblem(request, options.credentials)
  return problem && s3Error(problem.status, problem.code, problem.message)
}

/** How far a request's own time is from the server's, in milliseconds; 0 where it has none. */
function skewMs({ headers }: FakeRequest, clockAheadMs: number): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
  if (y === undefined) return 0
  return Math.abs(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - (Date.now() + clockAheadMs))
}

function answer(res: ServerResponse, requestId: string, reply: WireAnswer, truncateAt?: number): void {
  const body = Buffer.from(
    typeof reply.body === 'string' ? reply.body.replace('{requestId}', requestId) : (reply.body ?? ''),
  )
  res.writeHead(reply.status, {
    'x-amz-request-id': requestId,
    'content-length': String(body.length),
    ...('early' in reply && reply.early ? { connection: 'close' } : {}),
    ...reply.headers,
  })
  if (truncateAt === undefined) {
    res.end(body)
    return
  }
  res.write(body.subarray(0, truncateAt), () => res.destroy())
}

function reset(req: IncomingMessage): void {
  req.socket.resetAndDestroy()
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
