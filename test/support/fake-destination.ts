import { crc32 } from 'node:zlib'
import { base64OfCrc32 } from '../../src/checksums/checksummer.ts'
import type {
  Call,
  Checksum,
  Destination,
  DestinationLimits,
  IfAbsent,
  MultipartUpload,
  MultipartUploads,
  ObjectInfo,
  ObjectProperties,
  ObjectToPut,
  Pacer,
  Part,
  PartBody,
  SmallBody,
  SmallUploads,
} from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'

/** A call as it came. */
export interface FakeCall {
  readonly what:
    | 'put'
    | 'small'
    | 'create'
    | 'resume'
    | 'list'
    | 'part'
    | 'complete'
    | 'abort'
    | 'head'
    | 'list-objects'
  readonly key: string
  readonly partNumber: number | undefined
  /** How often the same was asked for, from 1. */
  readonly attempt: number
  readonly size: number | undefined
  /** Where the part says that it begins. */
  readonly start: number | undefined
  /** Slots the caller held for it. */
  readonly requests: number
  readonly signal: AbortSignal
  readonly pacer: Pacer | undefined
  /** Only of what begins an object. */
  readonly properties: ObjectProperties | undefined
  readonly mtimeNs: bigint | undefined
  readonly ifAbsent: boolean | undefined
}

/**
 * What becomes of a call: a failure, success (undefined), `hang` until it is cut, `deaf`: not even then, `decline`: a
 * small file has to go another way. A promise of any of these holds the call until it is fulfilled.
 */
export type Fate = Error | 'hang' | 'deaf' | 'decline' | undefined

export interface FakeDestinationOptions {
  readonly url?: string
  readonly script?: (call: FakeCall) => Fate | Promise<Fate>
  /** Undefined: this destination takes objects as a whole only. */
  readonly multipart?:
    | { readonly maxConcurrentParts?: number; readonly isSequential?: boolean; readonly isOpenEnded?: boolean }
    | undefined
  /** Undefined: there is no other way for small files. */
  readonly small?: Pick<SmallUploads, 'maxSize'>
  readonly limits?: Partial<DestinationLimits>
  /** Whether bodies are read, and how. */
  readonly reads?: 'open' | 'stream'
  readonly endpoint?: string | undefined
  /** Off where there are too many calls to keep. */
  readonly remembers?: boolean
  readonly ifAbsent?: IfAbsent
  /** Objects to an answer; undefined: it cannot list them. */
  readonly listsBy?: number
  readonly headIsFree?: boolean
}

/** A destination in memory that fails as it is told, and notices what no destination should see. */
export interface FakeDestination extends Destination {
  readonly calls: readonly FakeCall[]
  /** What was stored, by key; bytes only where bodies are read. */
  readonly objects: ReadonlyMap<string, FakeObject>
  /** Requests under way, by the slots held for them; and the most there ever were. */
  readonly requests: number
  readonly mostRequests: number
  /** Rules of the port that were broken. */
  readonly breaches: readonly string[]
  /** Multipart uploads that were neither completed nor aborted. */
  readonly openUploads: number
  /** Loses an upload, as servers do when it is too old. */
  lose(uploadId: string): void
  /** Stores an object without a call, as somebody else does. */
  place(key: string, object: FakeObject): void
  /** Replaces what it holds of a part. */
  spoil(uploadId: string, partNumber: number, bytes: Buffer): void
  readonly isClosed: boolean
}

interface FakeObject {
  readonly size: number
  /** Where there are not as many, there is nothing to compare. */
  readonly bytes: Buffer
  readonly lastModified?: Date | undefined
  readonly etag?: string | undefined
}

const noBytes = Buffer.alloc(0)
const declined = Symbol('declined')
const unlimited: DestinationLimits = {
  maxObjectSize: Number.MAX_SAFE_INTEGER,
  minPartSize: 1,
  maxPartSize: Number.MAX_SAFE_INTEGER,
  maxParts: 10_000,
  keyProblem: () => undefined,
}

export function createFakeDestination(options: FakeDestinationOptions = {}): FakeDestination {
  const { script = () => undefined, reads, remembers = true } = options
  const calls: FakeCall[] = []
  const attempts = new Map<string, number>()
  const objects = new Map<string, FakeObject>()
  const breaches: string[] = []
  let requests = 0
  let mostRequests = 0
  /** By upload id; those completed or aborted are gone. */
  const uploads = new Map<string, { readonly key: string; readonly parts: Map<number, StoredPart> }>()
  let begun = 0
  let isClosed = false

  async function asked(
    what: FakeCall['what'],
    key: string,
    call: Call,
    partNumber?: number,
    body?: PartBody | SmallBody,
    { properties, mtimeNs, ifAbsent }: Partial<ObjectToPut> = {},
  ): Promise<Buffer> {
    const name = `${what} ${key} ${partNumber ?? ''}`
    const attempt = remembers ? (attempts.get(name) ?? 0) + 1 : 1
    const seen: FakeCall = {
      what,
      key,
      partNumber,
      attempt,
      size: body?.size,
      start: body !== undefined && 'start' in body ? body.start : undefined,
      requests: call.requests,
      signal: call.signal,
      pacer: call.pacer,
      properties,
      mtimeNs,
      ifAbsent,
    }
    if (remembers) {
      attempts.set(name, attempt)
      calls.push(seen)
    }
    if (isClosed) breaches.push(`${name} after close`)
    if (call.signal.aborted) breaches.push(`${name} after the stop`)
    requests += call.requests
    mostRequests = Math.max(mostRequests, requests)
    try {
      const bytes = body === undefined ? noBytes : await read(body, call)
      const fate = await script(seen)
      if (fate === 'deaf') await new Promise(() => {})
      if (fate === 'hang') await cut(call.signal)
      if (fate === 'decline') throw declined
      if (fate instanceof Error) throw fate
      return bytes
    } finally {
      requests -= call.requests
    }
  }

  async function read(body: PartBody | SmallBody, call: Call): Promise<Buffer> {
    const pieces: Buffer[] = []
    if (reads !== undefined) {
      if (!('open' in body)) return readSmall(body)
      let sent = 0
      for await (const piece of reads === 'open' ? body.open() : body.stream()) {
        pieces.push(Buffer.from(piece as Uint8Array))
        sent += (piece as Uint8Array).length
        call.onBytes?.(sent)
      }
    }
    call.onBytes?.(body.size)
    return Buffer.concat(pieces)
  }

  /** At the moment at which it would be stored. */
  function refuseTaken({ key, ifAbsent }: Pick<ObjectToPut, 'key' | 'ifAbsent'>): void {
    if (ifAbsent && objects.has(key)) throw new UploadError('ALREADY_EXISTS', 'it exists', { status: 412 })
  }

  const small = (maxSize: number): SmallUploads => ({
    maxSize,
    async put(object, body, call) {
      const { key } = object
      try {
        const bytes = await asked('small', key, { ...call, requests: 1 }, undefined, body, object)
        refuseTaken(object)
        if (remembers) objects.set(key, { size: body.size, bytes })
        return { key, size: body.size, etag: '"small"' }
      } catch (error) {
        if (error === declined) return undefined
        throw error
      }
    },
  })

  const multipart: MultipartUploads = {
    ...(options.multipart?.isOpenEnded ? { isOpenEnded: true } : {}),
    async resume(uploadId, object, call) {
      await asked('resume', object.key, call)
      const held = uploads.get(uploadId)
      return held?.key === object.key ? uploadOf(uploadId, object, held.parts) : undefined
    },
    async create(object, call) {
      await asked('create', object.key, call, undefined, undefined, object)
      begun += 1
      const uploadId = begun === 1 ? `upload of ${object.key}` : `upload ${begun} of ${object.key}`
      const parts = new Map<number, StoredPart>()
      uploads.set(uploadId, { key: object.key, parts })
      return uploadOf(uploadId, object, parts)
    },
  }

  function uploadOf(
    uploadId: string,
    { key, partSize, ifAbsent }: ObjectToPut,
    stored: Map<number, StoredPart>,
  ): MultipartUpload {
    const refuseGone = (): void => {
      if (!uploads.has(uploadId)) throw new UploadError('BAD_RESPONSE', 'no such upload', { status: 404 })
    }
    const inFlight = new Set<number>()
    let isEnded = false
    return {
      uploadId,
      partSize,
      maxConcurrentParts: options.multipart?.maxConcurrentParts ?? 1000,
      isSequential: options.multipart?.isSequential ?? false,
      async listParts(call: Call): Promise<readonly Part[]> {
        await asked('list', key, call)
        refuseGone()
        return [...stored].map(([partNumber, part]) => toPart(partNumber, part))
      },
      async uploadPart(partNumber: number, body: PartBody, call: Call): Promise<Part> {
        if (inFlight.has(partNumber)) breaches.push(`part ${partNumber} of ${key} twice at once`)
        if (isEnded) breaches.push(`part ${partNumber} of ${key} after its end`)
        inFlight.add(partNumber)
        try {
          const bytes = await asked('part', key, call, partNumber, body)
          refuseGone()
          stored.set(partNumber, { size: body.size, bytes })
          return toPart(partNumber, { size: body.size, bytes })
        } finally {
          inFlight.delete(partNumber)
        }
      },
      async complete(parts: readonly Part[], call: Call): Promise<ObjectInfo> {
        if (inFlight.size > 0) breaches.push(`${key} completed while parts are under way`)
        await asked('complete', key, call)
        refuseGone()
        refuseTaken({ key, ifAbsent })
        isEnded = true
        uploads.delete(uploadId)
        const size = parts.reduce((sum, part) => sum + part.size, 0)
        objects.set(key, {
          size,
          bytes: Buffer.concat(parts.map(({ partNumber }) => stored.get(partNumber)?.bytes ?? noBytes)),
        })
        return { key, size, etag: `"parts-${parts.map((part) => part.partNumber).join('-')}"` }
      },
      async abort(call: Call): Promise<void> {
        if (inFlight.size > 0) breaches.push(`${key} aborted while parts are under way`)
        isEnded = true
        await asked('abort', key, call)
        uploads.delete(uploadId)
      },
    }
  }

  const listing = (pageSize: number) =>
    async function* listObjects(prefix: string, call: Call): AsyncGenerator<ObjectInfo> {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()
      for (let start = 0; start === 0 || start < keys.length; start += pageSize) {
        await asked('list-objects', prefix, call, start / pageSize + 1)
        for (const key of keys.slice(start, start + pageSize)) yield infoOf(key, objects.get(key) as FakeObject)
      }
    }

  return {
    url: options.url ?? 'fake://bucket/',
    endpoint: options.endpoint,
    engine: 'standard',
    ifAbsent: options.ifAbsent ?? 'atomic',
    limits: { ...unlimited, ...options.limits },
    calls,
    objects,
    breaches,
    get requests() {
      return requests
    },
    get mostRequests() {
      return mostRequests
    },
    get openUploads() {
      return uploads.size
    },
    place: (key, object) => void objects.set(key, object),
    lose: (uploadId) => void uploads.delete(uploadId),
    spoil: (uploadId, partNumber, bytes) =>
      void uploads.get(uploadId)?.parts.set(partNumber, { size: bytes.length, bytes }),
    get isClosed() {
      return isClosed
    },
    ...(options.multipart === undefined ? {} : { multipart }),
    ...(options.small === undefined ? {} : { small: small(options.small.maxSize) }),
    async headObject(key, call, wanted) {
      await asked('head', key, call)
      const object = objects.get(key)
      return object && { ...infoOf(key, object), ...(wanted?.checksum ? checksumOf(object) : {}) }
    },
    ...(options.headIsFree === undefined ? {} : { headIsFree: options.headIsFree }),
    ...(options.listsBy === undefined ? {} : { listObjects: listing(options.listsBy) }),
    deleteObject: async () => {},

    async putObject(object, body, call) {
      const { key } = object
      const bytes = await asked('put', key, call, undefined, body, object)
      refuseTaken(object)
      if (remembers) objects.set(key, { size: body.size, bytes })
      return { key, size: body.size, etag: '"whole"' }
    },

    async close() {
      isClosed = true
    },
  }
}

function infoOf(key: string, { size, lastModified, etag }: FakeObject): ObjectInfo {
  return { key, size, ...(lastModified && { lastModified }), ...(etag === undefined ? {} : { etag }) }
}

interface StoredPart {
  readonly size: number
  readonly bytes: Buffer
}

function toPart(partNumber: number, part: StoredPart): Part {
  return { partNumber, size: part.size, ...checksumOf(part) }
}

/** Where bodies are not read, there is nothing to make a checksum of. */
function checksumOf({ size, bytes }: StoredPart): { readonly checksum?: Checksum } {
  if (bytes.length !== size) return {}
  return { checksum: { algorithm: 'crc32', value: base64OfCrc32(crc32(bytes)) } }
}

async function readSmall(body: SmallBody): Promise<Buffer> {
  const into = Buffer.alloc(body.size + 1)
  await body.readAll(into)
  return into.subarray(0, body.size)
}

/** Rejects once the signal is aborted. */
function cut(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancelled = () => reject(new UploadError('CANCELLED', 'cut'))
    if (signal.aborted) cancelled()
    signal.addEventListener('abort', cancelled, { once: true })
  })
}
