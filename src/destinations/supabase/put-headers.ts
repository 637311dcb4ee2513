import { headerLines, type WireRequest } from '../../http/send.ts'
import type { ObjectProperties, ObjectToPut } from '../destination.ts'
import { usualMaxAge } from './engine.ts'
import { hostOf, type SupabaseProject } from './project.ts'

type PutTarget = Pick<ObjectToPut, 'contentType' | 'properties' | 'ifAbsent'>

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
  return ({ contentType, properties, ifAbsent }, size) => {
    if (last === undefined || properties !== lastProperties || ifAbsent !== lastIfAbsent) {
      last = headerLines(commonHeaders(project, properties, ifAbsent))
      lastProperties = properties
      lastIfAbsent = ifAbsent
    }
    return { sharedLines: last, headers: ['content-type', contentType, 'content-length', String(size)] }
  }
}

/** https://supabase.com/docs/guides/storage/uploads/standard-uploads */
function commonHeaders(
  project: SupabaseProject,
  { cacheControl = `max-age=${usualMaxAge}`, metadata }: ObjectProperties = {},
  ifAbsent = false,
): readonly string[] {
  const custom = metadata && ['x-metadata', Buffer.from(JSON.stringify(metadata)).toString('base64')]
  return [
    ...['host', hostOf(project.rest)],
    ...project.authorization(),
    ...['x-upsert', String(!ifAbsent), 'cache-control', cacheControl],
    ...(custom ?? []),
  ]
}
