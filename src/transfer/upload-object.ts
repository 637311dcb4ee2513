import type { Destination, ObjectInfo, ObjectToPut, Pacer } from '../destinations/destination.ts'
import { partCount, partSizeFor } from '../plan/part-ranges.ts'
import type { ByteMeter } from './byte-meter.ts'
import { fileBody } from './file-body.ts'
import type { FileFacts } from './file-facts.ts'
import { uploadInParts } from './multipart.ts'
import { type RetryOptions, retrying } from './retry.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * Requests that one `putObject` of a large object may have in flight, unless `--part-concurrency` says otherwise. A
 * library that cuts its own parts keeps its slots to the end, so it must not take all that happen to be free.
 */
const wholeObjectRequests = 4

export interface ObjectSettings {
  /** Bytes. */
  readonly partSize: number
  /** Bytes; a larger object goes in parts. */
  readonly multipartThreshold: number
  /** Parts of one file at a time; undefined: as many as slots are free. */
  readonly partConcurrency: number | undefined
  /** Bytes. */
  readonly bufferSize: number
}

export interface UploadObjectOptions {
  readonly destination: Destination
  readonly key: string
  readonly contentType: string
  readonly facts: FileFacts
  readonly settings: ObjectSettings
  readonly scheduler: Scheduler
  readonly meter: ByteMeter
  /** Undefined where there is no limit to the rate. */
  readonly pacer: Pacer | undefined
  readonly retry: RetryOptions
  readonly onPart: (done: number) => void
}

/** How an object of this size will be sent. */
export function partsOf(
  size: number,
  destination: Destination,
  settings: ObjectSettings,
): { partSize: number; parts: number; inParts: boolean } {
  const partSize = partSizeFor(size, settings.partSize, destination.limits)
  const parts = size > settings.multipartThreshold ? partCount(size, partSize) : 1
  return { partSize, parts, inParts: destination.multipart !== undefined && parts > 1 }
}

/** Sends one file, as a whole or in parts, with retries. */
export async function uploadObject(options: UploadObjectOptions): Promise<ObjectInfo> {
  const { destination, facts, settings } = options
  const { partSize, parts, inParts } = partsOf(facts.size, destination, settings)
  const object: ObjectToPut = { key: options.key, contentType: options.contentType, partSize }
  if (!inParts || destination.multipart === undefined) return putWhole(object, parts, options)
  return uploadInParts({
    ...options,
    uploads: destination.multipart,
    object,
    size: facts.size,
    rangeBody: (start, size) => fileBody(facts, { start, size }, settings.bufferSize, options.pacer),
    partConcurrency: settings.partConcurrency ?? Number.POSITIVE_INFINITY,
  })
}

async function putWhole(object: ObjectToPut, parts: number, options: UploadObjectOptions): Promise<ObjectInfo> {
  const { destination, facts, settings, scheduler, retry, pacer } = options
  const body = fileBody(facts, { start: 0, size: facts.size }, settings.bufferSize, pacer)
  const most = Math.min(settings.partConcurrency ?? wholeObjectRequests, parts)
  return retrying(async () => {
    const meter = options.meter.begin()
    const slots = holdSpareSlots(scheduler, most - 1)
    try {
      return await destination.putObject(object, body, {
        signal: retry.signal,
        requests: 1 + slots.held,
        onBytes: (sent) => {
          if (parts > 1) options.onPart(sent < facts.size ? Math.floor(sent / object.partSize) : parts)
          meter.onBytes(sent)
        },
        pacer,
      })
    } catch (error) {
      meter.discard()
      throw error
    } finally {
      slots.release()
    }
  }, retry)
}

/** Takes up to `most` slots that nobody waits for, until they are released. */
function holdSpareSlots(scheduler: Scheduler, most: number): { readonly held: number; readonly release: () => void } {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let held = 0
  while (held < most && scheduler.spare(() => released) !== undefined) held += 1
  return { held, release }
}
