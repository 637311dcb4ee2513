import { createClient, type SupabaseClient, type SupabaseClientOptions } from '@supabase/supabase-js'
import { checksummerOf, type RunningChecksum } from '../../checksums/checksummer.ts'
import { UploadError } from '../../errors.ts'
import { refuseAborted } from '../../http/abort.ts'
import { wireFetch } from '../../http/fetch.ts'
import type { WireAnswer } from '../../http/send.ts'
import type { Call, ObjectInfo, ObjectToPut, PartBody } from '../destination.ts'
import { withMtime } from '../mtime.ts'
import { checksumAlgorithmOf, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { encodedKey } from './names.ts'
import { type SupabaseProject, userAgent } from './project.ts'

type Fetch = typeof globalThis.fetch
type RealtimeTransport = NonNullable<NonNullable<SupabaseClientOptions<'public'>['realtime']>['transport']>
type Upload = ReturnType<SupabaseClient['storage']['from']>['upload']
type FileOptions = NonNullable<Parameters<Upload>[2]>

/**
 * The conservative way to store an object as a whole: the vendor's `upload` over a Node stream, as it is.
 * https://supabase.com/docs/reference/javascript/storage-from-upload
 */
export function createStandardUpload(around: SupabaseSurroundings): SupabaseEngine['putObject'] {
  const { settings, bucket, project, wire } = around
  const algorithm = checksumAlgorithmOf(settings)
  /** The client knows nothing of calls, with their signals and limits: a request is told by the stream it sends. */
  const fetches = new WeakMap<object, Fetch>()
  let client: SupabaseClient | undefined

  const fetchFor: Fetch = (input, init) => {
    const body: unknown = init?.body
    const fetch = typeof body === 'object' && body !== null ? fetches.get(body) : undefined
    if (fetch === undefined) throw new UploadError('INTERNAL', 'supabase-js made a request nobody asked for')
    return fetch(input, init)
  }

  return async function putObject(object: ObjectToPut, body: PartBody, call: Call): Promise<ObjectInfo> {
    refuseAborted(call.signal)
    client ??= connect(project, fetchFor)
    const running = algorithm && checksummerOf(algorithm).begin()
    const stream = body.stream()
    // It may fail before, or after, anybody reads it: who does is told then.
    stream.on('error', () => {})
    let answer: WireAnswer | undefined
    const send: typeof wire.send = async (request, signal) => {
      answer = await wire.send(request, signal)
      // The library would drop the code and the headers of a refusal.
      if (answer.status >= 300) throw around.refusal(answer)
      return answer
    }
    const fetch = wireFetch({ send }, { size: body.size, timeouts: call.timeouts })
    fetches.set(stream, (input, init) =>
      fetch(input, { ...init, body: checked(stream, body.size, running), signal: call.signal }),
    )
    try {
      const { data, error } = await client.storage.from(encodedKey(bucket)).upload(encodedKey(object.key), stream, {
        contentType: object.contentType,
        upsert: object.ifAbsent !== true,
        duplex: 'half',
        ...propertiesOf(object, { 'content-length': String(body.size) }),
      })
      if (error !== null) throw 'originalError' in error ? error.originalError : error
      if (typeof data.fullPath !== 'string') throw new TypeError('the answer names no object')
      around.compareKey(object.key, data.fullPath)
    } catch (error) {
      // A web page with status 200, or some other program's answer.
      if (answer !== undefined && !(error instanceof UploadError)) throw around.refusal(answer)
      throw around.explain(error)
    } finally {
      stream.destroy()
    }
    call.onBytes?.(body.size)
    return {
      key: object.key,
      size: body.size,
      ...(algorithm === undefined || running === undefined
        ? {}
        : { checksum: { algorithm, value: await running.result() } }),
    }
  }
}

/** Made once, and only where something is sent: without a key there is none. */
function connect(project: SupabaseProject, fetch: Fetch): SupabaseClient {
  return createClient(project.url, project.key(), {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch, headers: { 'user-agent': userAgent } },
    // Node 20 has no WebSocket, without which no client can be made.
    realtime: { transport: NoRealtime as unknown as RealtimeTransport },
  })
}

function NoRealtime(): never {
  throw new UploadError('INTERNAL', 'supabase-js opened a connection nobody asked for')
}

/** The library writes `max-age=` and a number itself, an hour where nothing is said; anything else goes as a header. */
function propertiesOf(
  { properties: { cacheControl, metadata: own } = {}, mtimeNs }: Pick<ObjectToPut, 'properties' | 'mtimeNs'>,
  headers: Readonly<Record<string, string>>,
): Pick<FileOptions, 'cacheControl' | 'metadata' | 'headers'> {
  const metadata = withMtime(own, mtimeNs)
  const seconds = /^max-age=(\d+)$/.exec(cacheControl ?? '')?.[1]
  const isOther = cacheControl !== undefined && seconds === undefined
  return {
    ...(seconds === undefined ? {} : { cacheControl: seconds }),
    ...(metadata === undefined ? {} : { metadata }),
    headers: { ...headers, ...(isOther ? { 'cache-control': cacheControl } : {}) },
  }
}

/** @throws UploadError SOURCE_CHANGED where there are more bytes or fewer */
async function* checked(stream: AsyncIterable<Uint8Array>, size: number, running: RunningChecksum | undefined) {
  let read = 0
  for await (const piece of stream) {
    read += piece.length
    if (read > size) break
    running?.update(piece)
    yield piece
  }
  if (read !== size) throw new UploadError('SOURCE_CHANGED', `it was ${size} bytes and is of another size now`)
}
