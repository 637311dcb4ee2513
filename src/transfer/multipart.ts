import type {
  Call,
  MultipartUpload,
  MultipartUploads,
  ObjectInfo,
  ObjectToPut,
  Part,
} from '../destinations/destination.ts'
import { errorKinds, toUploadError, UploadError } from '../errors.ts'
import { refuseAborted } from '../http/abort.ts'
import type { UnfinishedFile } from './earlier.ts'
import { type SendPartsOptions, sendParts } from './send-parts.ts'
import { type TakeUpOptions, takeUp } from './take-up.ts'
import { type RetryOptions, retrying } from './trouble/retry.ts'

export interface MultipartOptions extends SendPartsOptions, TakeUpOptions {
  readonly uploads: MultipartUploads
  readonly object: ObjectToPut
  /** An upload of it that was begun before; undefined where there is none to go on with. */
  readonly unfinished: UnfinishedFile | undefined
  /** Keeps that an upload was begun; where it cannot, no part is sent. */
  readonly onBegun: (upload: MultipartUpload) => Promise<void>
  /** The upload is no more: completed, removed, or lost by the destination. */
  readonly onEnded: () => void
}

/** How long the removal of what was sent may take, in milliseconds: the run may be waiting for it to end. */
const removalLimitMs = 5000

/**
 * Sends one object part by part, going on with what an earlier upload has brought where there is one. An upload that
 * the destination has lost by the time its parts or its end come is begun once more.
 *
 * @throws UploadError of what failed first. Whether the half-sent upload is kept then, see {@link isKept}.
 */
export async function uploadInParts(options: MultipartOptions): Promise<ObjectInfo> {
  const taken = options.unfinished && (await takeUp(options.unfinished, options))
  if (taken?.info !== undefined) return taken.info
  let upload = taken?.upload ?? (await (options.unfinished === undefined ? begin(options) : beginAnew(options)))
  let arrived = taken?.parts.length ?? 0
  const onStored = (part: Part): Promise<void> => {
    arrived += 1
    return options.onStored(part)
  }
  try {
    return await finish(upload, taken?.parts ?? [], { ...options, onStored })
  } catch (error) {
    if (!(await isLost(upload, toUploadError(error), options))) return await giveUp(upload, arrived, error, options)
  }
  options.onEnded()
  await upload.release?.()
  const { key } = options.object
  options.say(`${key} is begun anew: the destination has lost the half-sent upload (has it expired?)`, 'warning')
  upload = await beginAnew(options)
  arrived = 0
  try {
    return await finish(upload, [], { ...options, onStored })
  } catch (error) {
    return await giveUp(upload, arrived, error, options)
  }
}

/** Hours may have passed since the object was asked for: it is not for nothing that all of it is sent once more. */
async function beginAnew(options: MultipartOptions): Promise<MultipartUpload> {
  const { object, head, retry } = options
  if (object.ifAbsent && (await retrying(() => head(callOf(options)), retry)) !== undefined) {
    throw new UploadError('ALREADY_EXISTS', 'an object of this key exists by now, and is left as it is')
  }
  return begin(options)
}

export interface BeginOptions
  extends Pick<MultipartOptions, 'uploads' | 'object' | 'meter' | 'onBegun' | 'onEnded' | 'retry' | 'timeouts'> {
  /** Bytes of the object; undefined where nobody knows them yet. */
  readonly size: number | undefined
}

/** Begins an upload, and keeps that it was; where that cannot be kept, it is removed. */
export async function begin(options: BeginOptions): Promise<MultipartUpload> {
  const { uploads, retry } = options
  const object: ObjectToPut = { ...options.object, size: options.size }
  const upload = await retrying(() => uploads.create(object, callOf(options)), retry)
  options.meter.restart(0)
  try {
    refuseAborted(retry.signal)
    await options.onBegun(upload)
  } catch (error) {
    await remove(upload, options)
    throw error
  }
  return upload
}

async function finish(upload: MultipartUpload, there: readonly Part[], options: MultipartOptions): Promise<ObjectInfo> {
  const retry = unlessLost(options.retry)
  const parts = await sendParts(upload, there, { ...options, retry })
  return complete(upload, parts, options)
}

/** Makes the object out of its parts, with retries. */
export async function complete(
  upload: MultipartUpload,
  parts: readonly Part[],
  options: Pick<MultipartOptions, 'onEnded' | 'retry' | 'timeouts'>,
): Promise<ObjectInfo> {
  // Asked again, the destination would say the same of an object it makes of other bytes: the file is sent anew.
  const mayComplete: RetryOptions['mayRetry'] = (error, failures, elapsedMs) =>
    error.code !== 'CHECKSUM_MISMATCH' && mayRetry(options.retry, error, failures, elapsedMs)
  const info = await retrying(() => upload.complete(parts, callOf(options)), {
    ...options.retry,
    mayRetry: mayComplete,
  })
  options.onEnded()
  return info
}

/** What is lost does not come back by asking again. */
export function unlessLost(retry: RetryOptions): RetryOptions {
  return { ...retry, mayRetry: (...failure) => mayRetry(retry, ...failure) }
}

function mayRetry(retry: RetryOptions, error: UploadError, failures: number, elapsedMs: number): boolean {
  return !saysLost(error) && (retry.mayRetry?.(error, failures, elapsedMs) ?? true)
}

function saysLost({ code, status }: UploadError): boolean {
  return code === 'BAD_RESPONSE' && status === 404
}

/** Whether the destination no longer knows the upload; asked where the failure may mean that and does not say so. */
async function isLost(upload: MultipartUpload, error: UploadError, options: MultipartOptions): Promise<boolean> {
  if (options.retry.signal.aborted || saysLost(error)) return !options.retry.signal.aborted
  if (error.code !== 'SERVER_ERROR') return false
  try {
    const { uploads, object } = options
    const found = await uploads.resume(upload.uploadId, { ...object, partSize: upload.partSize }, callOf(options))
    await found?.release?.()
    return found === undefined
  } catch {
    // The failure that led here is the one to tell.
    return false
  }
}

/** @throws UploadError what went wrong */
async function giveUp(
  upload: MultipartUpload,
  arrived: number,
  thrown: unknown,
  options: MultipartOptions,
): Promise<never> {
  const error = toUploadError(thrown)
  // Without a part there is nothing to go on with, unless the destination keeps what it has of one.
  const hasSome = arrived > 0 || upload.isSequential === true
  if (hasSome && isKept(error, options.retry.signal)) await upload.release?.()
  else await remove(upload, options)
  throw error
}

/**
 * Whether a half-sent upload stays at the destination when its file fails. It does where going on with it may help:
 * the run was cut (by the user, a deadline, a journal that cannot be written), the failure passes by itself, or it is
 * everybody's, such as credentials that have expired. What a file fails with for good (it changed, it is gone, it is too
 * large, its key is refused) leaves nothing behind: nobody would come back for it, and its parts are paid for.
 */
export function isKept(error: UploadError, signal: AbortSignal): boolean {
  // An object of other bytes than were sent may stand there by now, and look complete to whoever goes on with it.
  if (error.code === 'CHECKSUM_MISMATCH') return false
  return signal.aborted || (error.retryable && error.code !== 'SOURCE_CHANGED') || errorKinds[error.code].runWide
}

/** Removes an upload with its parts. Where that fails, it counts as one that is kept. */
export async function remove(upload: MultipartUpload, { onEnded }: Pick<MultipartOptions, 'onEnded'>): Promise<void> {
  // The run's signal may be what ended it; the removal must not be cut by that too.
  await upload.abort({ signal: AbortSignal.timeout(removalLimitMs), requests: 1 }).then(onEnded, () => undefined)
}

function callOf({ retry, timeouts }: Pick<MultipartOptions, 'retry' | 'timeouts'>): Call {
  return { signal: retry.signal, requests: 1, timeouts }
}
