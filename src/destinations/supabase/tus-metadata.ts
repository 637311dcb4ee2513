import type { ObjectProperties, ObjectToPut } from '../destination.ts'
import { usualMaxAge } from './engine.ts'

/**
 * What Supabase is told of an object when its upload begins, by name.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
export function resumableMetadata(
  bucket: string,
  { key, contentType, properties }: Pick<ObjectToPut, 'key' | 'contentType' | 'properties'>,
): Readonly<Record<string, string>> {
  const maxAge = maxAgeOf(properties)
  return {
    bucketName: bucket,
    objectName: key,
    contentType,
    ...(maxAge === undefined ? {} : { cacheControl: maxAge }),
    ...(properties?.metadata === undefined ? {} : { metadata: JSON.stringify(properties.metadata) }),
  }
}

/**
 * Why `--cache-control` does not reach objects that are sent in parts as it was given: the protocol takes a number of
 * seconds, or nothing, which becomes `no-cache`.
 */
export function cacheControlProblem(properties: ObjectProperties | undefined): string | undefined {
  const wanted = properties?.cacheControl
  const maxAge = maxAgeOf(properties)
  const kept = maxAge === undefined ? 'no-cache' : `max-age=${maxAge}`
  if (wanted === undefined || wanted.trim().toLowerCase() === kept) return undefined
  return `Supabase cannot keep the cache control "${wanted}" with objects over 6 MiB; they get "${kept}"`
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
