import type {
  Call,
  Destination,
  MultipartUpload,
  MultipartUploads,
  PartBody,
  SmallUploads,
} from '../../destinations/destination.ts'
import { toUploadError } from '../../errors.ts'

/** Bytes; the progress of a larger body is told before its end. */
const largeBody = 2 ** 20

/** What sees, and may hold back, each request of a destination. */
export interface RequestWatcher {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /**
   * Asked before each request; undefined where it may begin at once, which costs nothing. Rejects where the signal is
   * aborted before its turn.
   */
  turn(signal: AbortSignal): Promise<void> | undefined
  /** Bytes of a large request have left. */
  moved(bytes: number): void
  /** @param bytes of the body, without those told by {@link moved} */
  completed(beganMs: number, bytes: number): void
  throttled(beganMs: number): void
}

/** The same destination; its uploads are seen by the watcher. */
export function watchDestination(destination: Destination, watcher: RequestWatcher): Destination {
  const send = async <T>(call: Call, size: number, request: (call: Call) => Promise<T>): Promise<T> => {
    const turn = watcher.turn(call.signal)
    if (turn !== undefined) await turn
    const beganMs = watcher.now()
    // Most bodies are small, and what each request costs counts.
    const progress = size > largeBody ? tellProgress(call, watcher) : undefined
    try {
      const result = await request(progress?.call ?? call)
      watcher.completed(beganMs, size - (progress?.told() ?? 0))
      return result
    } catch (error) {
      if (toUploadError(error).code === 'THROTTLED') watcher.throttled(beganMs)
      throw error
    }
  }

  const watchUpload = (upload: MultipartUpload): MultipartUpload => ({
    ...upload,
    uploadPart: (partNumber: number, body: PartBody, call: Call) =>
      send(call, body.size, (watched) => upload.uploadPart(partNumber, body, watched)),
    complete: (parts, call) => send(call, 0, (watched) => upload.complete(parts, watched)),
  })
  const watchUploads = (uploads: MultipartUploads): MultipartUploads => ({
    ...uploads,
    create: async (object, call) => watchUpload(await send(call, 0, (watched) => uploads.create(object, watched))),
    resume: async (uploadId, object, call) => {
      const upload = await uploads.resume(uploadId, object, call)
      return upload && watchUpload(upload)
    },
  })

  return {
    ...destination,
    headObject: (key, call, wanted) => send(call, 0, (watched) => destination.headObject(key, watched, wanted)),
    putObject: (object, body, call) => send(call, body.size, (watched) => destination.putObject(object, body, watched)),
    small: destination.small && watchSmall(destination.small, watcher),
    ...(destination.multipart === undefined ? {} : { multipart: watchUploads(destination.multipart) }),
  }
}

/** With less ado: here it is about each of very many files. */
function watchSmall({ maxSize, put }: SmallUploads, watcher: RequestWatcher): SmallUploads {
  return {
    maxSize,
    async put(object, body, call) {
      const turn = watcher.turn(call.signal)
      if (turn !== undefined) await turn
      const beganMs = watcher.now()
      try {
        const info = await put(object, body, call)
        if (info !== undefined) watcher.completed(beganMs, body.size)
        return info
      } catch (error) {
        if (toUploadError(error).code === 'THROTTLED') watcher.throttled(beganMs)
        throw error
      }
    },
  }
}

function tellProgress(call: Call, watcher: RequestWatcher): { readonly call: Call; readonly told: () => number } {
  let told = 0
  const onBytes = (sent: number, there = 0): void => {
    watcher.moved(sent - told - there)
    told = sent
    call.onBytes?.(sent, there)
  }
  return { call: { ...call, onBytes }, told: () => told }
}
