import type {
  Call,
  MultipartUpload,
  MultipartUploads,
  ObjectInfo,
  ObjectToPut,
  Part,
} from '../destinations/destination.ts'
import { errorKinds, toUploadError } from '../errors.ts'
import { partCount } from '../plan/part-ranges.ts'
import type { UnfinishedFile } from './earlier.ts'
import { modifiedAt } from './file-record.ts'
import { checkParts, type PartCheck } from './part-check.ts'
import type { FileFacts } from './reading/file-facts.ts'
import type { LocalBytes } from './reading/local-bytes.ts'
import type { SendPartsOptions } from './send-parts.ts'
import { type RetryOptions, retrying } from './trouble/retry.ts'

export interface TakeUpOptions extends Pick<SendPartsOptions, 'meter' | 'onPart' | 'timeouts'> {
  readonly uploads: MultipartUploads
  readonly object: ObjectToPut
  /** The file as it is now. */
  readonly facts: FileFacts
  readonly bytes: LocalBytes
  readonly retry: RetryOptions
  /** The object under the key, where there is one; its checksum with it, where the destination has one. */
  readonly head: (call: Call) => Promise<ObjectInfo | undefined>
  /** An upload that was begun before is gone on with, with these parts. */
  readonly onTakenUp: (upload: MultipartUpload, parts: readonly Part[]) => Promise<void>
  readonly onEnded: () => void
  /** For what is worth knowing with `-v`, or else is a warning. */
  readonly say: (message: string, type?: 'notice' | 'warning') => void
}

/** What there is of an object: all of it, or some parts. */
export type Taken =
  | { readonly info: ObjectInfo; readonly upload?: undefined; readonly parts?: undefined }
  | { readonly info?: undefined; readonly upload: MultipartUpload; readonly parts: readonly Part[] }

/**
 * Goes on with an upload that was begun before, by this process or another: the destination says what it has of it, and
 * what it has is compared with the file.
 *
 * @returns undefined where the object has to be begun anew
 * @throws UploadError where that cannot be found out for now, or the file cannot be read
 */
export async function takeUp(unfinished: UnfinishedFile, options: TakeUpOptions): Promise<Taken | undefined> {
  const { uploads, object, facts, retry } = options
  const call = callOf(options)
  const partSize = unfinished.partSize
  let taken: MultipartUpload | undefined
  try {
    const begun = { ...object, partSize, size: facts.size }
    const upload = await retrying(() => uploads.resume(unfinished.uploadId, begun, call), retry)
    if (upload === undefined) return await takeCompleted(unfinished, options)
    taken = upload
    if (unfinished.size !== undefined && unfinished.size !== facts.size) {
      return await drop(upload, 'the file is of another size than when its upload was begun', options)
    }
    const listed = await retrying(() => upload.listParts(call), retry)
    if (listed.length === 0 && unfinished.parts.length > 0) {
      // Some servers list no parts of an upload that is gone, rather than saying so.
      await upload.release?.()
      return await takeCompleted(unfinished, options)
    }
    const check = await checkListed(upload, listed, unfinished, options)
    if (check.differing > 0 && (upload.isSequential === true || !isUnchanged(unfinished, facts))) {
      const why = 'the file holds other bytes than when its upload was begun'
      // Nobody knows whose it is, where it was only found at the destination.
      if (unfinished.size !== undefined) return await drop(upload, why, options)
      await upload.release?.()
      return anew(why, options)
    }
    return await proceed(upload, check.fitting, options)
  } catch (thrown) {
    const error = toUploadError(thrown)
    const isOwn = error.code.startsWith('SOURCE_')
    if (retry.signal.aborted || error.retryable || isOwn || errorKinds[error.code].runWide) {
      await taken?.release?.()
      throw error
    }
    const why = `what was sent of it cannot be gone on with (${error.message})`
    if (taken !== undefined && unfinished.size !== undefined) return await drop(taken, why, options)
    await taken?.release?.()
    return anew(`${why}; it is left for upload cleanup`, options)
  }
}

function checkListed(
  upload: MultipartUpload,
  listed: readonly Part[],
  unfinished: UnfinishedFile,
  options: TakeUpOptions,
): Promise<PartCheck> {
  const { facts, bytes, retry } = options
  return checkParts(listed, {
    facts,
    partSize: upload.partSize,
    recorded: unfinished.parts,
    isUnchanged: isUnchanged(unfinished, facts),
    isSequential: upload.isSequential,
    bytes,
    signal: retry.signal,
  })
}

async function proceed(upload: MultipartUpload, parts: readonly Part[], options: TakeUpOptions): Promise<Taken> {
  const { object, facts, meter, say } = options
  const all = partCount(facts.size, upload.partSize)
  say(`${object.key}: ${parts.length} of ${all} parts are at the destination already`)
  await options.onTakenUp(upload, parts)
  meter.restart(parts.reduce((sum, part) => sum + part.size, 0))
  options.onPart(parts.length)
  return { upload, parts }
}

/**
 * An upload all of whose parts had arrived, and that is gone: whoever sent them may have completed it and not heard the
 * answer. It did where the object there has the file's very bytes.
 */
async function takeCompleted(unfinished: UnfinishedFile, options: TakeUpOptions): Promise<Taken | undefined> {
  const { facts, bytes, retry, meter } = options
  const parts = partCount(facts.size, unfinished.partSize)
  const hadAll =
    unfinished.size === facts.size && new Set(unfinished.parts.map((part) => part.partNumber)).size === parts
  const info = hadAll ? await retrying(() => options.head(callOf(options)), retry) : undefined
  if (info?.size !== facts.size || !(await bytes.matchObject(info, facts, [unfinished.partSize], retry.signal))) {
    const why = 'the destination no longer knows its half-sent upload (has it expired?)'
    // What had arrived is lost, and paid for in time: worth a warning.
    return anew(why, options, unfinished.parts.length > 0 ? 'warning' : undefined)
  }
  meter.restart(facts.size)
  options.onPart(parts)
  options.onEnded()
  return { info }
}

async function drop(upload: MultipartUpload, why: string, options: TakeUpOptions): Promise<undefined> {
  // Where it cannot be removed, that is no reason not to send the file; cleanup finds it.
  await upload.abort(callOf(options)).catch(() => upload.release?.())
  return anew(why, options)
}

function anew(why: string, { object, onEnded, say }: TakeUpOptions, type?: 'warning'): undefined {
  say(`${object.key} is begun anew: ${why}`, type)
  onEnded()
}

function isUnchanged({ size, mtime }: UnfinishedFile, facts: FileFacts): boolean {
  return size === facts.size && mtime !== undefined && mtime === modifiedAt(facts)
}

function callOf({ retry, timeouts }: TakeUpOptions): Call {
  return { signal: retry.signal, requests: 1, timeouts }
}
