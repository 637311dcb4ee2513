import type { Settings } from '../config/settings.ts'
import type {
  Call,
  Destination,
  ObjectInfo,
  ObjectProperties,
  ObjectToPut,
  Pacer,
  RequestTimeouts,
} from '../destinations/destination.ts'
import { partCount, partSizeFor } from '../plan/part-ranges.ts'
import type { ByteMeter } from './byte-meter.ts'
import type { UnfinishedFile } from './earlier.ts'
import { uploadInParts } from './multipart.ts'
import type { Scheduler } from './pace/scheduler.ts'
import type { PartJournal } from './part-journal.ts'
import { fileBody } from './reading/file-body.ts'
import type { FileFacts } from './reading/file-facts.ts'
import type { LocalBytes } from './reading/local-bytes.ts'
import { type RetryOptions, retrying } from './trouble/retry.ts'
import { sendVerified } from './verify-upload.ts'

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
  /** Ask the destination for each object after it was sent. */
  readonly verify: boolean
  /** What becomes of a file whose object is there already. */
  readonly ifExists: Settings['ifExists']
}

export interface UploadObjectOptions {
  readonly destination: Destination
  readonly key: string
  readonly contentType: string
  readonly properties: ObjectProperties
  /** To be kept with the object; nanoseconds since the epoch. */
  readonly mtimeNs?: bigint | undefined
  readonly facts: FileFacts
  readonly settings: ObjectSettings
  readonly scheduler: Scheduler
  readonly meter: ByteMeter
  /** Undefined where there is no limit to the rate. */
  readonly pacer: Pacer | undefined
  readonly timeouts: RequestTimeouts
  readonly retry: RetryOptions
  /** An attempt at the whole object failed; it may be stored all the same. */
  readonly onFailed: (error: unknown) => void
  readonly onPart: (done: number) => void
  readonly journal: PartJournal
  readonly bytes: LocalBytes
  /** For what is worth knowing with `-v`, or else is a warning. */
  readonly say: (message: string, type?: 'notice' | 'warning') => void
}

/** Whether an object that is there already stays, whatever it is. */
export function keepsExisting({ ifExists }: Pick<Settings, 'ifExists'>): boolean {
  return ifExists === 'skip' || ifExists === 'fail'
}

/** How an object of this size will be sent. One that is half there goes on as it was begun, whatever the settings say. */
export function partsOf(
  size: number,
  destination: Destination,
  settings: Pick<ObjectSettings, 'partSize' | 'multipartThreshold'>,
  unfinished?: UnfinishedFile,
): { partSize: number; parts: number; inParts: boolean } {
  const { limits, multipart } = destination
  const partSize = partSizeFor(size, settings.partSize, limits)
  const parts = size > settings.multipartThreshold ? partCount(size, partSize) : 1
  if (multipart !== undefined && unfinished !== undefined && (unfinished.size ?? size) === size) {
    const begun = partCount(size, unfinished.partSize)
    if (begun <= limits.maxParts) return { partSize, parts: begun, inParts: true }
  }
  return { partSize, parts, inParts: multipart !== undefined && parts > 1 }
}

/** Sends one file, as a whole or in parts, with retries; where that is asked for, looks whether it has arrived. */
export async function uploadObject(options: UploadObjectOptions): Promise<ObjectInfo> {
  const { destination, settings, retry } = options
  if (!settings.verify) return sendObject(options)
  return sendVerified(destination, retry, (sending) => sendObject({ ...options, retry: sending }))
}

async function sendObject(options: UploadObjectOptions): Promise<ObjectInfo> {
  const { destination, facts, settings } = options
  const unfinished = options.journal.unfinished()
  const { partSize, parts, inParts } = partsOf(facts.size, destination, settings, unfinished)
  const { key, contentType, properties, mtimeNs } = options
  const object: ObjectToPut = { key, contentType, properties, mtimeNs, ifAbsent: keepsExisting(settings), partSize }
  if (!inParts || destination.multipart === undefined) return putWhole(object, parts, options)
  return uploadInParts({
    ...options,
    ...options.journal,
    unfinished,
    head: (call: Call) => destination.headObject(object.key, call, { checksum: true }),
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
        timeouts: options.timeouts,
      })
    } catch (error) {
      meter.discard()
      options.onFailed(error)
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
