import { headerLines, type WireRequest } from '../../http/send.ts'
import type { ObjectProperties, ObjectToPut } from '../destination.ts'
import { withMtime } from '../mtime.ts'
import { usualMaxAge } from './engine.ts'
import { hostOf, type SupabaseProject } from './project.ts'

type PutTarget = Pick<ObjectToPut, 'contentType' | 'properties' | 'mtimeNs' | 'ifAbsent'>

/**
 * Makes the headers of requests that store an object as a whole. What is the same for every file of a run is written once.
 *
 * @throws UploadError CREDENTIALS_INVALID where there is no key
 */
export function createPutHeaders(
  project: SupabaseProject,
): (object: PutTarget, size: number) => Pick<WireRequest, 'headers' | 'sharedLines'> {
  let last: string | undefined
  let lastProperties: ObjectProperties | undefined
  let lastIfAbsent: boolean | undefined
  let metadata: readonly string[] = []
  return ({ contentType, properties, mtimeNs, ifAbsent }, size) => {
    if (last === undefined || properties !== lastProperties || ifAbsent !== lastIfAbsent) {
      last = headerLines(commonHeaders(project, properties, ifAbsent))
      lastProperties = properties
      lastIfAbsent = ifAbsent
      metadata = metadataHeader(properties?.metadata)
    }
    const own = mtimeNs === undefined ? metadata : metadataHeader(withMtime(properties?.metadata, mtimeNs))
    return { sharedLines: last, headers: ['content-type', contentType, 'content-length', String(size), ...own] }
  }
}

function metadataHeader(metadata: ObjectProperties['metadata']): readonly string[] {
  return metadata === undefined ? [] : ['x-metadata', Buffer.from(JSON.stringify(metadata)).toString('base64')]
}

/** https://supabase.com/docs/guides/storage/uploads/standard-uploads */
function commonHeaders(
  project: SupabaseProject,
  { cacheControl = `max-age=${usualMaxAge}` }: ObjectProperties = {},
  ifAbsent = false,
): readonly string[] {
  return [
    ...['host', hostOf(project.rest)],
    ...project.authorization(),
    ...['x-upsert', String(!ifAbsent), 'cache-control', cacheControl],
  ]
}
