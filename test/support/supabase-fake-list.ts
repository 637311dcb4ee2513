import type { StoredObject } from './supabase-fake-store.ts'

interface FolderQuery {
  readonly prefix?: string
  readonly limit?: number
  readonly offset?: number
  readonly search?: string
  readonly sortBy?: { readonly column?: string; readonly order?: string }
}

interface Entry {
  readonly name: string
  /** Null for a folder, as all that follows. */
  readonly id: string | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly metadata: Readonly<Record<string, unknown>> | null
}

/** What `POST /object/list` answers: one level of folders. @param objects of one bucket, by key */
export function listFolder(objects: readonly StoredObject[], query: FolderQuery | undefined): Entry[] {
  const { prefix = '', limit = 100, offset = 0, search = '', sortBy } = query ?? {}
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
  const entries = new Map<string, Entry>()
  for (const object of objects) {
    if (!object.key.startsWith(folder + search)) continue
    const [name = '', ...below] = object.key.slice(folder.length).split('/')
    if (!entries.has(name)) entries.set(name, below.length > 0 ? folderEntry(name) : objectEntry(name, object))
  }
  const sorted = [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  if (sortBy?.order === 'desc') sorted.reverse()
  return sorted.slice(offset, offset + limit)
}

interface KeyQuery {
  readonly prefix?: string
  readonly limit?: number
  readonly cursor?: string
}

/** What `POST /object/list-v2` answers without a delimiter: all keys. @param objects of one bucket, by key */
export function listByKey(objects: readonly StoredObject[], query: KeyQuery | undefined) {
  const { prefix = '', limit = 1000, cursor } = query ?? {}
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64')
  const found = objects
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    .filter(({ key }) => after === undefined || Buffer.compare(Buffer.from(key), after) > 0)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const hasNext = found.length > page.length
  return {
    hasNext,
    ...(hasNext && last !== undefined ? { nextCursor: Buffer.from(last.key).toString('base64') } : {}),
    folders: [],
    objects: page.map((object) => objectEntry(object.key, object)),
  }
}

function folderEntry(name: string): Entry {
  return { name, id: null, created_at: null, updated_at: null, metadata: null }
}

function objectEntry(name: string, object: StoredObject): Entry {
  const at = object.createdAt.toISOString()
  const metadata = {
    eTag: object.etag,
    size: object.size,
    mimetype: object.contentType,
    cacheControl: object.cacheControl,
    lastModified: at,
    contentLength: object.size,
    httpStatusCode: 200,
  }
  return { name, id: object.version, created_at: at, updated_at: at, metadata }
}
