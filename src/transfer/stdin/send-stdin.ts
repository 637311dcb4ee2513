import type {
  MultipartUpload,
  MultipartUploads,
  ObjectInfo,
  ObjectToPut,
  Part,
} from '../../destinations/destination.ts'
import { errorKinds, toUploadError, UploadError } from '../../errors.ts'
import { mostInGrowingParts } from '../../plan/growing-parts.ts'
import { partSizeFor } from '../../plan/part-ranges.ts'
import { type ByteMeter, createByteMeter } from '../byte-meter.ts'
import type { FileWork } from '../file-record.ts'
import { begin, complete, remove, unlessLost } from '../multipart.ts'
import type { SendFileOptions } from '../send-file.ts'
import type { StdinLimit } from '../size-limits.ts'
import { type RetryOptions, retrying } from '../trouble/retry.ts'
import { keepsExisting } from '../upload-object.ts'
import { verifyUpload } from '../verify-upload.ts'
import type { StdinSizes } from './held-parts.ts'
import { sendStream } from './send-stream.ts'
import { notTwice } from './stdin-file.ts'
import type { StdinHead } from './stdin-head.ts'

/** The parts of a destination that takes them while standard input is read; undefined where that is read to its end first. */
export function openEnded({
  destination,
  keepsStdin,
}: Pick<SendFileOptions, 'destination' | 'keepsStdin'>): MultipartUploads | undefined {
  return destination.multipart?.isOpenEnded && !keepsStdin ? destination.multipart : undefined
}

/** Begins to read standard input; undefined where it is kept, and goes as a file does. */
export async function beginStdin({
  stdin,
  destination,
  settings,
  signal,
}: SendFileOptions): Promise<StdinHead | undefined> {
  const { limits } = destination
  const partSize = partSizeFor(0, settings.partSize, limits)
  const sizes: StdinSizes = { partSize, multipartThreshold: settings.multipartThreshold, limits }
  return stdin.begin(sizes, mostOf(sizes, limits.maxObjectSize), signal)
}

/**
 * Sends standard input part by part while it is read. There is no second attempt at the whole: a part that fails for good
 * ends it, and what was sent is removed.
 *
 * @throws UploadError of what failed first; another attempt at the file never helps then.
 */
export async function sendStdin(
  work: FileWork,
  head: StdinHead,
  retry: RetryOptions,
  options: SendFileOptions,
): Promise<ObjectInfo> {
  try {
    const info = await sendAll(work, head, retry, options)
    if (options.settings.verify) await verify(info, retry, options)
    return info
  } catch (thrown) {
    // Whatever is there can be compared with nothing any more.
    work.doubt = undefined
    throw asLast(toUploadError(thrown), retry.signal)
  } finally {
    head.close()
  }
}

async function sendAll(
  work: FileWork,
  head: StdinHead,
  retry: RetryOptions,
  options: SendFileOptions,
): Promise<ObjectInfo> {
  const { settings, destination, emit, timeouts } = options
  const { index, path, key, contentType, properties } = work.file
  const uploads = openEnded(options)
  if (uploads === undefined) throw new UploadError('INTERNAL', `${destination.url} takes no parts of unknown size`)
  const partSize = partSizeFor(0, settings.partSize, destination.limits)
  const object: ObjectToPut = { key, contentType, properties, ifAbsent: keepsExisting(settings), partSize }
  await options.limits?.heedType(work.file, head.beginning)
  const onEnded = (): void => {
    work.unfinished = undefined
  }
  const meter: ByteMeter = createByteMeter((sent) => {
    work.bytesSent = meter.total
    emit({ type: 'file-progress', index, sent, partsDone: work.parts })
  })
  emit({ type: 'file-started', index, path, key, size: undefined, parts: undefined })
  const common = { uploads, object, size: undefined, meter, retry, timeouts, onEnded }
  const upload = await begin({ ...common, onBegun: (begun) => keepBeginning(work, begun, options) })
  try {
    const parts = await sendStream(upload, (signal) => head.parts(signal), {
      scheduler: options.scheduler,
      pacer: options.pacer,
      timeouts,
      meter,
      retry: unlessLost(retry),
      bufferSize: settings.bufferSize,
      partConcurrency: settings.partConcurrency ?? Number.POSITIVE_INFINITY,
      onPart(done) {
        work.parts = done
        emit({ type: 'file-progress', index, sent: meter.current, partsDone: done })
      },
    })
    const size = sizeOf(parts)
    work.facts = { size, mtimeMs: 0 }
    const refused = options.limits?.sizes.begins(work.file, { size })
    if (refused !== undefined) throw refused
    return await complete(upload, parts, common)
  } catch (error) {
    await remove(upload, common)
    throw error
  }
}

/** Its line is on the disk before the first part is sent, so that a process that is killed leaves nothing unknown. */
async function keepBeginning(
  work: FileWork,
  { uploadId, partSize }: MultipartUpload,
  { keepLine }: SendFileOptions,
): Promise<void> {
  const { path, source, occurrence, key } = work.file
  work.unfinished = { uploadId, partSize, size: undefined, mtime: undefined, parts: [] }
  await keepLine(
    { type: 'upload-started', path, source, occurrence, key, size: null, mtime: null, uploadId, partSize },
    { sync: true },
  )
}

async function verify(
  info: ObjectInfo,
  retry: RetryOptions,
  { destination, timeouts }: SendFileOptions,
): Promise<void> {
  const call = { signal: retry.signal, requests: 1, timeouts }
  // Some servers take a moment until they tell of what they have stored.
  await retrying(() => verifyUpload(destination, info, call), retry)
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { size }) => sum + size, 0)
}

/** What a destination takes in one object, and its parts hold. */
function mostOf({ partSize, limits }: StdinSizes, maxObjectSize: number): StdinLimit {
  const inParts = mostInGrowingParts(partSize, limits)
  if (maxObjectSize <= inParts) {
    const message = `it has more than the ${maxObjectSize} bytes that the destination takes in one object`
    return { bytes: maxObjectSize, error: () => new UploadError('TOO_LARGE', message) }
  }
  const message = `it has more than the ${inParts} bytes that ${limits.maxParts} parts hold; give a larger --part-size`
  return { bytes: inParts, error: () => new UploadError('TOO_LARGE', message) }
}

/** A failure that may pass does so without standard input, which is gone by then. */
function asLast(error: UploadError, signal: AbortSignal): UploadError {
  const { code, message, status, requestId, unreachable } = error
  if (signal.aborted || !error.retryable || errorKinds[code].runWide || code === 'HALTED') return error
  return new UploadError(code, `${message}; ${notTwice}`, {
    retryable: false,
    status,
    requestId,
    unreachable,
    cause: error,
  })
}
