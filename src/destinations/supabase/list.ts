import type { UploadError } from '../../errors.ts'
import type { WireAnswer } from '../../http/send.ts'
import type { Call, ObjectInfo } from '../destination.ts'
import { jsonIn, textOf, timeOf } from './answer.ts'
import type { Ask } from './ask.ts'
import { readRefusal } from './errors.ts'

/** Objects asked for at a time: with all that is said of each, an answer stays below what the wire takes. */
const pageSize = 100

/** An object, or a folder, in a listing. */
interface Entry {
  readonly name: string
  /** Of a folder there is none. */
  readonly id?: unknown
  readonly updated_at?: unknown
  readonly metadata?: { readonly size?: unknown; readonly eTag?: unknown; readonly lastModified?: unknown } | null
}

/**
 * Lists the objects whose key begins with a prefix.
 *
 * @param bucket as it stands in a path
 */
export function createListing(bucket: string, ask: Ask, refusal: (answer: WireAnswer) => UploadError) {
  /**
   * All keys in the order of their bytes. Servers that can do this have a listing by folders that takes "Audio/" and
   * "audio/" for one.
   */
  async function* listed(prefix: string, call: Call): AsyncGenerator<ObjectInfo> {
    for (let cursor: string | undefined; ; ) {
      const input = { prefix, limit: pageSize, with_delimiter: false, ...(cursor === undefined ? {} : { cursor }) }
      const answer = await ask('POST', `list-v2/${bucket}`, call, input)
      if (cursor === undefined && isUnknownRoute(answer)) return yield* listedByFolder(prefix, call)
      const page = jsonIn(answer) as { objects?: unknown; hasNext?: unknown; nextCursor?: unknown } | undefined
      if (answer.status !== 200 || !isEntries(page?.objects)) throw refusal(answer)
      // "_" in the prefix may stand for any character.
      for (const entry of page.objects) if (entry.name.startsWith(prefix)) yield infoOf(entry.name, entry)
      const next = textOf(page.nextCursor)
      // A server that repeats its cursor would be asked for ever.
      if (page.hasNext !== true || next === undefined || next === cursor) return
      cursor = next
    }
  }

  /** The same from older servers, folder by folder. */
  async function* listedByFolder(
    prefix: string,
    call: Call,
    folder = prefix.slice(0, prefix.lastIndexOf('/') + 1),
  ): AsyncGenerator<ObjectInfo> {
    for await (const entry of entriesOf(folder, call)) {
      const key = folder + entry.name
      if (!key.startsWith(prefix)) continue
      if (typeof entry.id === 'string') yield infoOf(key, entry)
      else yield* listedByFolder(prefix, call, `${key}/`)
    }
  }

  async function* entriesOf(folder: string, call: Call): AsyncGenerator<Entry> {
    const sortBy = { column: 'name', order: 'asc' }
    let first: string | undefined
    for (let offset = 0; ; offset += pageSize) {
      const input = { prefix: folder.slice(0, -1), limit: pageSize, offset, sortBy }
      const answer = await ask('POST', `list/${bucket}`, call, input)
      const page = jsonIn(answer)
      if (answer.status !== 200 || !isEntries(page)) throw refusal(answer)
      // A server that repeats itself would be asked for ever.
      if (page.length === 0 || page[0]?.name === first) return
      first = page[0]?.name
      yield* page
      if (page.length < pageSize) return
    }
  }

  return listed
}

/**
 * A project whose database has not been brought up to date, or an older server: there, the route stands for a bucket of
 * that name.
 */
function isUnknownRoute(answer: WireAnswer): boolean {
  if (answer.status < 400) return false
  const { words } = readRefusal(answer)
  return /^(route \w+:|this feature is not available|bucket not found)/i.test(words)
}

function infoOf(key: string, { metadata, updated_at: updated }: Entry): ObjectInfo {
  const size = typeof metadata?.size === 'number' ? metadata.size : 0
  const lastModified = timeOf(textOf(metadata?.lastModified) ?? updated)
  return { key, size, etag: textOf(metadata?.eTag), lastModified }
}

function isEntries(value: unknown): value is readonly Entry[] {
  return Array.isArray(value) && value.every((entry) => typeof entry?.name === 'string')
}
