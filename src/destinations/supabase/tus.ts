import { checksummerOf } from '../../checksums/checksummer.ts'
import { wholeChecksum } from '../../checksums/whole-checksum.ts'
import { UploadError } from '../../errors.ts'
import { unlessAborted } from '../../http/abort.ts'
import type { BufferPool } from '../../http/buffers.ts'
import type { Call, MultipartUpload, MultipartUploads, ObjectToPut, Part, PartBody } from '../destination.ts'
import { checksumAlgorithmOf, partSize, type SupabaseSurroundings } from './engine.ts'
import { isOffsetConflict } from './errors.ts'
import { readChecksum, sendRest } from './tus-body.ts'
import { createCacheControlNotes } from './tus-metadata.ts'
import { createTusRequests, notUnderstood, offsetIn, type TusRequests, type UploadState } from './tus-requests.ts'

export interface TusOptions extends SupabaseSurroundings {
  /** What parts are read into. */
  readonly buffers: BufferPool
}

/**
 * Resumable uploads, part by part: each is one request, and goes on in its middle where the server has some of it.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
export function createTusUploads(options: TusOptions): MultipartUploads {
  const requests = createTusRequests(options)
  const noteCacheControl = createCacheControlNotes(options.warn)
  noteCacheControl(options.settings.properties)
  const resume: MultipartUploads['resume'] = async (uploadId, object, call) => {
    const { size } = object
    const state = await requests.head(uploadId, object, call)
    if (state !== undefined) return uploadOf(uploadId, object, state, requests, options)
    // Servers forget an upload in time, also one that has become the object.
    if (size === undefined || !(await requests.wasMade(uploadId, object, call))) return undefined
    return uploadOf(uploadId, object, { offset: size, length: size }, requests, options)
  }
  return {
    async create(object, call) {
      if (object.size === undefined) throw new UploadError('INTERNAL', 'a resumable upload begins with its size')
      noteCacheControl(object.properties)
      const uploadId = await requests.create(object, object.size, call)
      return uploadOf(uploadId, object, { offset: 0, length: object.size }, requests, options)
    },
    resume,
    async remove({ key, uploadId }, call) {
      // A journal names the key of each; one that has become an object meanwhile is left.
      const upload = key === undefined ? undefined : await resume(uploadId, { key, contentType: '', partSize }, call)
      await upload?.abort(call)
    },
  }
}

function uploadOf(
  uploadId: string,
  object: ObjectToPut,
  { offset, length }: UploadState,
  requests: TusRequests,
  { settings, buffers, refusal, explain }: TusOptions,
): MultipartUpload {
  const algorithm = checksumAlgorithmOf(settings)
  const checksummer = algorithm && checksummerOf(algorithm)
  /** Bytes the server has; undefined while nobody knows. */
  let there: number | undefined = offset
  /** The part this process has begun to send last. */
  let begun = 0
  /** Whether the server said that it has all bytes, and made the object of them. */
  let isMade = false

  /** All bytes may be there, and what is there may be the object by now. */
  const mayBeMade = (): boolean => there === length || (there === undefined && begun * partSize >= length)

  async function find(call: Call): Promise<number> {
    const state = await requests.head(uploadId, object, call)
    if (state === undefined) {
      isMade = mayBeMade() && (await requests.wasMade(uploadId, object, call))
      if (!isMade) throw lost('the half-sent upload is no longer there; it may have expired')
    }
    there = state?.offset ?? length
    return there
  }

  /** @throws what keeps the part from following what the server has */
  async function refuseGap(partNumber: number, start: number, end: number, at: number, call: Call): Promise<void> {
    if (at < start || (at >= end && begun !== partNumber)) {
      // What is there cannot be replaced, only begun once more.
      await abort(call).catch(() => {})
      throw lost('what the server has of the upload is not what is to follow')
    }
    if (at > end) {
      const message = 'another process sends the same upload; let one of them end, then run the upload again'
      throw new UploadError('BAD_RESPONSE', message)
    }
  }

  async function abort(call: Call): Promise<void> {
    if (mayBeMade()) {
      // What became an object is no upload any more.
      const state = isMade ? undefined : await requests.head(uploadId, object, call)
      if (state === undefined || state.offset === state.length) return
    }
    await requests.remove(uploadId, call)
  }

  const partOf = (partNumber: number, body: PartBody, value: string | undefined): Part => ({
    partNumber,
    size: body.size,
    checksum:
      value === undefined || checksummer === undefined ? undefined : { algorithm: checksummer.algorithm, value },
  })

  async function send(partNumber: number, body: PartBody, call: Call): Promise<Part> {
    const start = (partNumber - 1) * partSize
    const end = start + body.size
    let at = there ?? (await find(call))
    let mayConflict = true
    let checksum: string | undefined
    await refuseGap(partNumber, start, end, at, call)
    if (at === end) checksum = await readChecksum({ body, buffers, call, checksummer })
    if (at > start) call.onBytes?.(at - start, at - start)
    while (at < end) {
      begun = partNumber
      there = undefined
      const from = at - start
      const size = body.size - from
      const patch = { uploadId, object, offset: at, size, isLast: at + size === length }
      const sent = await sendRest({ body, from, buffers, call, checksummer }, (bytes) =>
        requests.patch(patch, bytes, call),
      )
      if (mayConflict && isOffsetConflict(sent.answer)) {
        mayConflict = false
        at = await find(call)
        await refuseGap(partNumber, start, end, at, call)
        if (at === end) checksum = await readChecksum({ body, buffers, call, checksummer })
        continue
      }
      const { status } = sent.answer
      if (status < 200 || status >= 300) throw refusal(sent.answer)
      const reached = offsetIn(sent.answer)
      // A server may take less than it is sent, but something.
      if (reached === undefined || reached <= at) throw notUnderstood()
      await refuseGap(partNumber, start, end, reached, call)
      at = reached
      there = at
      isMade = at === length
      checksum = sent.checksum
    }
    return partOf(partNumber, body, checksum)
  }

  return {
    uploadId,
    partSize,
    maxConcurrentParts: 1,
    isSequential: true,

    async listParts(call) {
      const bytes = there ?? (await find(call))
      const parts: Part[] = []
      for (let at = 0; at < bytes; at += partSize) {
        parts.push({ partNumber: parts.length + 1, size: Math.min(partSize, bytes - at) })
      }
      return parts
    },

    async uploadPart(partNumber, body, call) {
      try {
        // A read from a dead network drive never ends: a stopped run does not wait for it.
        return await unlessAborted(send(partNumber, body, call), call.signal)
      } catch (error) {
        throw explain(error)
      }
    },

    async complete(parts, call) {
      const size = parts.reduce((sum, part) => sum + part.size, 0)
      if (!isMade) {
        const bytes = await find(call)
        if (bytes !== length || size !== length) {
          throw new UploadError('BAD_RESPONSE', `the server has ${bytes} of ${length} bytes of the upload`)
        }
        // It has all bytes. Whether it could make the object of them, only the object tells.
        isMade ||= await requests.wasMade(uploadId, object, call)
        if (!isMade) throw lost('the server has all bytes of the upload, but made no object of them')
      }
      return { key: object.key, size, checksum: wholeChecksum(parts) }
    },

    abort,
  }
}

/** As the transfer understands that an upload is no more: it is begun again. */
function lost(message: string): UploadError {
  return new UploadError('BAD_RESPONSE', message, { status: 404 })
}
