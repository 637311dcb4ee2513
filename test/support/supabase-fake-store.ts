import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  alreadyExists,
  bucketMissing,
  invalidKey,
  type Problem,
  tooLarge,
  typeNotAllowed,
  violatesRowLevelSecurity,
} from './supabase-fake-problems.ts'
import type { Role } from './supabase-fake-tokens.ts'

export interface BucketSettings {
  /** Bytes. */
  readonly fileSizeLimit?: number
  /** Such as `audio/wav` or `audio/*`. */
  readonly allowedMimeTypes?: readonly string[]
  /**
   * Refuse a PATCH that does not end at the next multiple of 6 MiB, nor at the upload's end: hosted servers keep whole
   * parts only.
   */
  readonly wantsWholeParts?: boolean
}

export interface StoredObject {
  readonly bucket: string
  readonly key: string
  /** Of this content; another one after each upload. */
  readonly version: string
  /** Where its bytes lie. */
  readonly path: string
  readonly size: number
  readonly contentType: string
  readonly cacheControl: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** With its quotes. */
  readonly etag: string
  readonly protocol: 'rest' | 'tus' | 's3'
  readonly createdAt: Date
  /** In hex. */
  sha256(): Promise<string>
}

interface Arrival extends Pick<StoredObject, 'bucket' | 'key' | 'version' | 'size' | 'etag' | 'protocol'> {
  readonly contentType: string | null | undefined
  readonly cacheControl: string | null | undefined
  readonly metadata: StoredObject['metadata']
}

/** https://github.com/supabase/storage/blob/master/src/storage/limits.ts */
const keyRule = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]*$/

/** Objects from which on the storage behind the server keeps them in parts. */
const partsFrom = 5 * 2 ** 20

export type SupabaseStore = ReturnType<typeof createSupabaseStore>

/** The buckets of the stand-in, what lies in them, and the rules for what may come in. @param dir for the bytes */
export function createSupabaseStore(dir: string, maxUploadSize: number) {
  const buckets = new Map<string, BucketSettings>()
  const objects = new Map<string, StoredObject>()
  const pathOf = (version: string) => join(dir, version)

  return {
    buckets,
    objects: objects as ReadonlyMap<string, StoredObject>,
    newVersion: () => randomUUID() as string,
    /** Where the bytes of a version lie, or will. */
    pathOf,
    object: (bucket: string, key: string) => objects.get(`${bucket}/${key}`),
    /** Sorted by key. */
    objectsOf: (bucket: string) =>
      [...objects.values()]
        .filter((object) => object.bucket === bucket)
        .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))),

    keyProblem(key: string): Problem | undefined {
      return key === '' || !keyRule.test(key) ? invalidKey(key) : undefined
    },
    bucketProblem(bucket: string): Problem | undefined {
      return buckets.has(bucket) ? undefined : bucketMissing
    },
    /** What stands against writing a key. */
    writeProblem(bucket: string, key: string, role: Role, isUpsert: boolean): Problem | undefined {
      if (role !== 'service_role') return violatesRowLevelSecurity
      return !isUpsert && objects.has(`${bucket}/${key}`) ? alreadyExists : undefined
    },
    /** Bytes. */
    sizeLimit: (bucket: string) => Math.min(buckets.get(bucket)?.fileSizeLimit ?? maxUploadSize, maxUploadSize),
    sizeProblem(bucket: string, size: number): Problem | undefined {
      return size > this.sizeLimit(bucket) ? tooLarge : undefined
    },
    typeProblem(bucket: string, contentType: string): Problem | undefined {
      const allowed = buckets.get(bucket)?.allowedMimeTypes
      const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
      const fits = (one: string) => one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1)))
      return allowed === undefined || allowed.some(fits) ? undefined : typeNotAllowed(type)
    },

    /** Makes the bytes that lie at its version's path the object of its key. */
    async keep({ contentType, cacheControl, ...arrival }: Arrival): Promise<StoredObject> {
      const path = pathOf(arrival.version)
      const object: StoredObject = {
        ...arrival,
        path,
        contentType: contentType || 'application/octet-stream',
        cacheControl: cacheControl || 'no-cache',
        createdAt: new Date(),
        sha256: () => sha256Of(path),
      }
      const name = `${arrival.bucket}/${arrival.key}`
      const former = objects.get(name)
      objects.set(name, object)
      if (former !== undefined) await rm(former.path, { force: true })
      return object
    },
    /** False where there is none. */
    async remove(bucket: string, key: string): Promise<boolean> {
      const object = objects.get(`${bucket}/${key}`)
      if (object === undefined) return false
      objects.delete(`${bucket}/${key}`)
      await rm(object.path, { force: true })
      return true
    },
  }
}

/** The ETag of bytes put at once: of large ones it is not the MD5. */
export function etagOf(size: number, md5: Buffer): string {
  if (size <= partsFrom) return `"${md5.toString('hex')}"`
  return partsEtag(md5, Math.ceil(size / partsFrom))
}

export function partsEtag(seed: string | Buffer, parts: number): string {
  return `"${createHash('md5').update(seed).digest('hex')}-${parts}"`
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** An object's own metadata, from JSON; undefined where it is none. */
export function metadataIn(json: string | null | undefined): StoredObject['metadata'] {
  if (!json) return undefined
  try {
    return JSON.parse(json) as Record<string, unknown>
  } catch {
    return undefined
  }
}
