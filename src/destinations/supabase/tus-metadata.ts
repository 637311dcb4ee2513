import type { ObjectProperties, ObjectToPut } from '../destination.ts'
import { withMtime } from '../mtime.ts'
import { usualMaxAge } from './engine.ts'

/**
 * What Supabase is told of an object when its upload begins, by name.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
export function resumableMetadata(
  bucket: string,
  { key, contentType, properties, mtimeNs }: Pick<ObjectToPut, 'key' | 'contentType' | 'properties' | 'mtimeNs'>,
): Readonly<Record<string, string>> {
  const maxAge = maxAgeOf(properties)
  const metadata = withMtime(properties?.metadata, mtimeNs)
  return {
    bucketName: bucket,
    objectName: key,
    contentType,
    ...(maxAge === undefined ? {} : { cacheControl: maxAge }),
    ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
  }
}

/**
 * Why `--cache-control` does not reach objects that are sent in parts as it was given: the protocol takes a number of
 * seconds, or nothing, which becomes `no-cache`.
 */
function cacheControlProblem(properties: ObjectProperties | undefined): string | undefined {
  const wanted = properties?.cacheControl
  const maxAge = maxAgeOf(properties)
  const kept = maxAge === undefined ? 'no-cache' : `max-age=${maxAge}`
  if (wanted === undefined || wanted.trim().toLowerCase() === kept) return undefined
  return `Supabase cannot keep the cache control "${wanted}" with objects over 6 MiB; they get "${kept}"`
}

/** A list of files may give each its own; by then a few say it. */
const mostNotes = 5

/** Tells of each cache control that objects do not get as it was given, once. */
export function createCacheControlNotes(
  warn: (message: string) => void,
): (properties: ObjectProperties | undefined) => void {
  const told = new Set<string>()
  return (properties) => {
    const problem = cacheControlProblem(properties)
    if (problem === undefined || told.has(problem) || told.size === mostNotes) return
    told.add(problem)
    warn(problem)
  }
}

function maxAgeOf(properties: ObjectProperties | undefined): string | undefined {
  if (properties?.cacheControl === undefined) return String(usualMaxAge)
  return /(?:^|[,\s])max-age=(\d{1,10})(?!\d)/i.exec(properties.cacheControl)?.[1]
}

/** As the header `upload-metadata` has it. https://tus.io/protocols/resumable-upload#upload-metadata */
export function metadataHeader(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

/** What the header says, by name. */
export function readMetadata(header: string): ReadonlyMap<string, string> {
  const pairs = header.split(',').map((pair): [string, string] => {
    const [name = '', value = ''] = pair.trim().split(' ')
    return [name, Buffer.from(value, 'base64').toString()]
  })
  return new Map(pairs)
}
