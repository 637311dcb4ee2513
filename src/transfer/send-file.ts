import type { RetrySettings } from '../config/settings.ts'
import type { Destination, ObjectInfo, Pacer } from '../destinations/destination.ts'
import { toUploadError, UploadError } from '../errors.ts'
import type { Listener } from '../observe/events.ts'
import { statOf } from '../plan/look.ts'
import { sourceError } from '../plan/source-errors.ts'
import type { Breaker } from './breaker.ts'
import { createByteMeter } from './byte-meter.ts'
import type { Clock } from './clock.ts'
import type { FileFacts } from './file-facts.ts'
import type { FileWork } from './file-record.ts'
import type { FailedBefore, RetryOptions } from './retry.ts'
import type { Scheduler } from './scheduler.ts'
import type { SmallReader } from './small-reader.ts'
import type { StdinFile } from './stdin-file.ts'
import { type ObjectSettings, partsOf, uploadObject } from './upload-object.ts'

export interface SendFileOptions {
  readonly destination: Destination
  readonly settings: ObjectSettings & { readonly retry: RetrySettings }
  readonly stdin: StdinFile
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly emit: Listener
  readonly scheduler: Scheduler
  readonly breaker: Breaker
  /** Undefined where there is no limit to the rate. */
  readonly pacer: Pacer | undefined
  readonly smallReader: SmallReader
}

/**
 * Sends one file with all its retries, and keeps account of it in `work`.
 *
 * @throws UploadError of the last attempt.
 */
export async function sendFile(work: FileWork, options: SendFileOptions): Promise<ObjectInfo> {
  const { clock } = options
  const begun = clock.elapsed()
  work.startedAtMs ??= clock.now()
  work.attempts += 1
  try {
    const facts = work.attempts === 1 ? asScanned(work, options) : undefined
    return await (facts === undefined ? sendCurrent(work, options) : sendSmall(work, facts, begun, options))
  } finally {
    work.durationMs += clock.elapsed() - begun
  }
}

/**
 * The first attempt at a small file. It is taken to be what the scan saw, which spares a look at each of a million
 * files: where it turns out to be another by then, or anything else goes wrong, it goes the way of all files.
 */
async function sendSmall(
  work: FileWork,
  facts: FileFacts,
  beganMs: number,
  options: SendFileOptions,
): Promise<ObjectInfo> {
  const { destination, emit, signal } = options
  const { index, path, key } = work.file
  const { size } = facts
  work.facts = facts
  work.parts = 1
  emit({ type: 'file-started', index, path, key, size, parts: 1 })
  const body = { size, readAll: (into: Buffer) => options.smallReader.read(facts, into) }
  let failedBefore: FailedBefore | undefined
  try {
    const info = await destination.small?.put(work.file, body, { signal })
    if (info !== undefined) {
      work.bytesSent = size
      return info
    }
  } catch (error) {
    const failure = toUploadError(error)
    if (signal.aborted) throw failure
    // What was answered had been sent.
    if (failure.status !== undefined) work.bytesSent = size
    if (failure.code !== 'SOURCE_CHANGED') failedBefore = { error: failure, beganMs }
  }
  return sendCurrent(work, options, failedBefore)
}

/** What the scan knows of a file that the destination takes in one go; undefined where it has to go another way. */
function asScanned({ file }: FileWork, { destination, settings, pacer }: SendFileOptions): FileFacts | undefined {
  const { absolute, size, mtimeMs } = file
  const most = pacer === undefined ? destination.small?.maxSize : undefined
  if (most === undefined || size === undefined || mtimeMs === undefined) return undefined
  if (size > most || size > settings.multipartThreshold) return undefined
  return { absolute, size, mtimeMs }
}

/** @param failedBefore how a first attempt in another way ended */
async function sendCurrent(work: FileWork, options: SendFileOptions, failedBefore?: FailedBefore): Promise<ObjectInfo> {
  const facts = work.file.path === '-' ? await options.stdin.facts() : await lookAt(work)
  return sendFacts(work, facts, options, failedBefore)
}

async function sendFacts(
  work: FileWork,
  facts: FileFacts,
  options: SendFileOptions,
  failedBefore: FailedBefore | undefined,
): Promise<ObjectInfo> {
  const { destination, settings, emit, breaker } = options
  const { index, path, key, contentType } = work.file
  const { parts, inParts } = partsOf(facts.size, destination, settings)
  work.facts = facts
  work.parts = parts
  refuseTooLarge(facts, destination)
  let partsDone = 0
  const sentBefore = work.bytesSent
  const meter = createByteMeter((sent) => {
    work.bytesSent = sentBefore + meter.total
    emit({ type: 'file-progress', index, sent, partsDone })
  })
  emit({ type: 'file-started', index, path, key, size: facts.size, parts })
  return uploadObject({
    destination,
    settings,
    scheduler: options.scheduler,
    key,
    contentType,
    facts,
    meter,
    pacer: options.pacer,
    // Each part has retries of its own: what grew so much since is begun anew.
    retry: { ...retryOptions(work, options), failedBefore: inParts ? undefined : failedBefore },
    onPart: (done) => {
      breaker.answered()
      partsDone = done
      emit({ type: 'file-progress', index, sent: meter.current, partsDone })
    },
  })
}

function retryOptions(work: FileWork, options: SendFileOptions): RetryOptions {
  const { settings, clock, signal, emit, breaker } = options
  return {
    policy: settings.retry,
    clock,
    signal,
    mayRetry: breaker.mayRetry,
    onRetry: ({ code, message }, _failures, delayMs) => {
      emit({
        type: 'file-retry',
        index: work.file.index,
        path: work.file.path,
        attempt: work.attempts,
        code,
        message,
        delayMs,
      })
      work.attempts += 1
    },
  }
}

function refuseTooLarge({ size }: FileFacts, { limits }: Destination): void {
  if (size <= limits.maxObjectSize) return
  throw new UploadError(
    'TOO_LARGE',
    `it has ${size} bytes; the destination takes ${limits.maxObjectSize} in one object at most`,
  )
}

/** The file as it is now: it may have waited for its turn for hours since it was scanned. */
async function lookAt(work: FileWork): Promise<FileFacts> {
  const { absolute } = work.file
  const stats = await statOf(absolute).catch((error) => {
    throw sourceError(error)
  })
  if (!stats.isFile()) throw new UploadError('SOURCE_UNREADABLE', 'it is no longer a regular file')
  return { absolute, size: stats.size, mtimeMs: stats.mtimeMs }
}
