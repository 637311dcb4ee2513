import { DetailedError, type HttpResponse, Upload, type UploadOptions } from 'tus-js-client'
import { UploadError } from '../../errors.ts'
import { refuseAborted, unlessAborted } from '../../http/abort.ts'
import { createBufferPool } from '../../http/buffers.ts'
import type { WireAnswer } from '../../http/send.ts'
import type { Call, Checksum, ObjectToPut, PartBody } from '../destination.ts'
import { partSize, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { createReadChecksum, partSource, type ReadChecksum } from './standard-source.ts'
import { tusStack } from './standard-stack.ts'
import { createCacheControlNotes, resumableMetadata } from './tus-metadata.ts'
import { createTusRequests, notUnderstood, uploadNameIn } from './tus-requests.ts'

/** Memory of the parts of all uploads together, in bytes. */
const memoryBudget = 256 * 2 ** 20

/** How long what has to be tidied up may take once an upload has failed, in milliseconds. */
const tidyLimitMs = 3000

/** An upload that failed for the time being: the next attempt goes on with it. */
interface Unfinished {
  /** The very one the upload was begun with: another may be of other bytes. */
  readonly body: PartBody
  readonly checksum: ReadChecksum
  /** At the project's own address; undefined while the server has not named it. */
  url: string | undefined
  /** Whether its last bytes may have left: then it may have become the object. */
  mayBeMade: boolean
}

/**
 * The conservative way to store a large object: the vendor's `Upload`, as it is.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
export function createStandardResumable(around: SupabaseSurroundings): SupabaseEngine['putObject'] {
  const { settings, project, warn, explain } = around
  const requests = createTusRequests(around)
  const buffers = createBufferPool(partSize, 1, memoryBudget)
  const unfinished = new Map<string, Unfinished>()
  const noteCacheControl = createCacheControlNotes(warn)
  noteCacheControl(settings.properties)

  async function remove({ url }: Unfinished, call: Call): Promise<void> {
    if (url === undefined) return
    // The failure that led here is the one to tell; the server forgets it by itself in time.
    await requests.remove(url, { ...call, signal: AbortSignal.timeout(tidyLimitMs) }).catch(() => {})
  }

  async function takeUp({ key }: ObjectToPut, body: PartBody, call: Call): Promise<Unfinished> {
    const before = unfinished.get(key)
    unfinished.delete(key)
    if (before?.body === body) return before
    if (before !== undefined && !before.mayBeMade) await remove(before, call)
    return { body, checksum: createReadChecksum(settings), url: undefined, mayBeMade: false }
  }

  async function send(upload: Unfinished, object: ObjectToPut, call: Call): Promise<void> {
    const buffer = await buffers.take()
    try {
      refuseAborted(call.signal)
      const reader = await upload.body.openReader()
      try {
        const { body, checksum } = upload
        const onLast = () => {
          upload.mayBeMade = true
        }
        const { size } = body
        const source = partSource({ reader, size, buffer, checksum, signal: call.signal, onLast })
        await run(upload, object, call, { ...optionsFor(object, size), fileReader: source })
      } finally {
        await reader.close()
      }
    } finally {
      buffers.give(buffer)
    }
  }

  function optionsFor(object: ObjectToPut, size: number): UploadOptions {
    const { origin, path } = project.resumable
    const authorization = project.authorization()
    noteCacheControl(object.properties)
    return {
      endpoint: origin + path,
      uploadSize: size,
      chunkSize: partSize,
      // The transfer is the one that tries again.
      retryDelays: null,
      storeFingerprintForResuming: false,
      headers: { ...Object.fromEntries(pairsOf(authorization)), 'x-upsert': String(object.ifAbsent !== true) },
      metadata: { ...resumableMetadata(around.bucket, object) },
    }
  }

  async function run(upload: Unfinished, object: ObjectToPut, call: Call, options: UploadOptions): Promise<void> {
    const { size } = upload.body
    let confirmed = 0
    let isHeadLast = false
    const last = await new Promise<HttpResponse>((resolve, reject) => {
      const vendor: Upload = new Upload(upload.body as never, {
        ...options,
        uploadUrl: upload.url ?? null,
        httpStack: tusStack(around, call, size),
        onUploadUrlAvailable: () => {
          // The server may take itself for another host.
          upload.url = `${options.endpoint}/${uploadNameIn(vendor.url)}`
        },
        onAfterResponse: (request, response) => {
          isHeadLast = request.getMethod() === 'HEAD'
          const offset = Number(response.getHeader('upload-offset') ?? 0)
          if (offset > confirmed && offset <= size) call.onBytes?.(offset)
          confirmed = Math.max(confirmed, offset)
        },
        // The library would send the same bytes for ever.
        onChunkComplete: (accepted) => {
          if (accepted <= 0) throw notUnderstood()
        },
        onSuccess: ({ lastResponse }) => resolve(lastResponse),
        onError: (error) => reject(reasonOf(error)),
      })
      vendor.start()
    })
    const isWhole = Number(last.getHeader('upload-offset')) === size && upload.checksum.end === size
    if (!isWhole) throw notUnderstood()
    // The server has all bytes; whether it could make the object of them when the last came, only the object tells.
    if (isHeadLast && !(await requests.wasMade(upload.url ?? '', object, call))) {
      upload.url = undefined
      throw new UploadError('BAD_RESPONSE', 'the server has all bytes of the upload, but made no object of them')
    }
  }

  /** What the library's error is about: a failure of the wire or the body, or an answer it could not read. */
  function reasonOf(error: Error | DetailedError): unknown {
    if (!(error instanceof DetailedError)) return error
    const answer = error.originalResponse?.getUnderlyingObject() as WireAnswer | undefined
    return error.causingError ?? (answer === undefined ? error : around.refusal(answer))
  }

  return async (object, body, call) => {
    refuseAborted(call.signal)
    const upload = await takeUp(object, body, call)
    let checksum: Checksum | undefined
    try {
      // A read from a dead network drive never ends: a stopped run does not wait for it.
      await unlessAborted(send(upload, object, call), call.signal)
      checksum = await upload.checksum.result()
    } catch (thrown) {
      const error = explain(thrown)
      // A run that was stopped does not come back to it: the journal knows nothing of what a library does by itself.
      if (error.retryable && !call.signal.aborted) unfinished.set(object.key, upload)
      else if (!upload.mayBeMade || error.status !== undefined) await remove(upload, call)
      throw error
    }
    return { key: object.key, size: body.size, ...(checksum === undefined ? {} : { checksum }) }
  }
}

function pairsOf(list: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let at = 0; at + 1 < list.length; at += 2) pairs.push([list[at] as string, list[at + 1] as string])
  return pairs
}
