import type { RetrySettings } from '../config/settings.ts'
import type { Destination, ObjectInfo, Pacer, RequestTimeouts } from '../destinations/destination.ts'
import { toUploadError, UploadError } from '../errors.ts'
import type { Listener } from '../observe/events.ts'
import { sourceError } from '../plan/source-errors.ts'
import { statOf } from '../plan/sources/look.ts'
import { createByteMeter } from './byte-meter.ts'
import type { Clock } from './clock.ts'
import { dropUnfinished } from './drop-unfinished.ts'
import { noteDoubt, noteMismatch } from './existing/doubt.ts'
import type { FileWork } from './file-record.ts'
import { isKept } from './multipart.ts'
import type { Scheduler } from './pace/scheduler.ts'
import { createPartJournal, type KeepLine } from './part-journal.ts'
import { changeSince, type FileFacts } from './reading/file-facts.ts'
import type { LocalBytes } from './reading/local-bytes.ts'
import { preservedTime } from './reading/preserved-time.ts'
import type { SmallReader } from './reading/small-reader.ts'
import type { SendLimits } from './send-limits.ts'
import { beginStdin, openEnded, sendStdin } from './stdin/send-stdin.ts'
import type { StdinFile } from './stdin/stdin-file.ts'
import type { Breaker } from './trouble/breaker.ts'
import type { Gate } from './trouble/gate.ts'
import { type FailedBefore, type RetryOptions, retrying } from './trouble/retry.ts'
import { keepsExisting, type ObjectSettings, partsOf, uploadObject } from './upload-object.ts'
import { verifyUpload } from './verify-upload.ts'

export interface SendFileOptions {
  readonly destination: Destination
  readonly settings: ObjectSettings & {
    readonly retry: RetrySettings
    /** What to do about a file that changes while it is read. */
    readonly onChange: 'fail' | 'retry'
    /** Keep each file's modification time with its object. */
    readonly preserve?: 'mtime' | undefined
  }
  readonly stdin: StdinFile
  /** All of standard input is kept before it is sent: it may have to be sent again in another way. */
  readonly keepsStdin?: boolean | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly emit: Listener
  readonly scheduler: Scheduler
  readonly breaker: Breaker
  readonly gate: Gate
  /** Undefined where there is no limit to the rate. */
  readonly pacer: Pacer | undefined
  readonly timeouts: RequestTimeouts
  readonly smallReader: SmallReader
  readonly bytes: LocalBytes
  readonly keepLine: KeepLine
  /** What may be uploaded; undefined where anything may. */
  readonly limits?: SendLimits | undefined
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
    if (work.file.path === '-' && openEnded(options) !== undefined) {
      const head = await beginStdin(options)
      if (head !== undefined) return await sendStdin(work, head, retryOptions(work, options), options)
    }
    const facts = work.attempts === 1 ? asScanned(work, options) : undefined
    return await (facts === undefined ? sendCurrent(work, options) : sendSmall(work, facts, begun, options))
  } catch (thrown) {
    const error = toUploadError(thrown)
    noteMismatch(work, error)
    if (work.unfinished !== undefined && !isKept(error, options.signal)) {
      await dropUnfinished(work, options.destination)
    }
    throw error
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
  const { destination, emit, gate, settings, signal } = options
  const { index, path, key, contentType, properties } = work.file
  const { size } = facts
  work.facts = facts
  work.parts = 1
  options.limits?.heedSize(work.file, facts)
  emit({ type: 'file-started', index, path, key, size, parts: 1 })
  const body = { size, readAll: (into: Buffer) => options.smallReader.read(facts, into) }
  let failedBefore: FailedBefore | undefined
  let requestedMs = beganMs
  try {
    const turn = gate.turn(signal)
    if (turn !== undefined) {
      await turn
      requestedMs = options.clock.elapsed()
    }
    const mtimeNs = settings.preserve === undefined ? undefined : await preservedTime(work.file, facts)
    const object = { key, contentType, properties, mtimeNs, ifAbsent: keepsExisting(settings) }
    const info = await destination.small?.put(object, body, { signal, timeouts: options.timeouts })
    if (info !== undefined) {
      gate.succeeded()
      work.bytesSent = size
      if (settings.verify) await verifyUpload(destination, info, { signal, requests: 1, timeouts: options.timeouts })
      return info
    }
  } catch (error) {
    const failure = toUploadError(error)
    if (signal.aborted) throw failure
    noteDoubt(work, failure)
    // What was answered had been sent.
    if (failure.status !== undefined) work.bytesSent = size
    if (failure.code !== 'SOURCE_CHANGED') failedBefore = { error: failure, beganMs: requestedMs }
  }
  return sendCurrent(work, options, failedBefore)
}

/** What the scan knows of a file that the destination takes in one go; undefined where it has to go another way. */
function asScanned(work: FileWork, { destination, settings, pacer }: SendFileOptions): FileFacts | undefined {
  if (work.unfinished !== undefined) return undefined
  const { file } = work
  const { absolute, size, mtimeMs } = file
  const most = pacer === undefined ? destination.small?.maxSize : undefined
  if (most === undefined || size === undefined || mtimeMs === undefined) return undefined
  if (size > most || size > settings.multipartThreshold) return undefined
  return { absolute, size, mtimeMs }
}

/** @param failedBefore how a first attempt in another way ended */
async function sendCurrent(work: FileWork, options: SendFileOptions, failedBefore?: FailedBefore): Promise<ObjectInfo> {
  const send = async (failed?: FailedBefore) => sendFacts(work, await currentFacts(work, options), options, failed)
  // What it is by then has another key.
  if (options.settings.onChange === 'fail' || work.file.pinned) return send(failedBefore)
  let first = failedBefore
  const attempt = (): Promise<ObjectInfo> => {
    const failed = first
    first = undefined
    return send(failed).catch(asRetryable)
  }
  // Whatever else goes wrong has had attempts of its own, which went through the gate.
  const mayRetry = ({ code }: UploadError): boolean => code === 'SOURCE_CHANGED'
  return retrying(attempt, { ...retryOptions(work, options), gate: undefined, mayRetry })
}

/** A file that changed while it was read may be at rest the next time: then it is sent whole, as it is by then. */
function asRetryable(thrown: unknown): never {
  const error = toUploadError(thrown)
  if (error.code !== 'SOURCE_CHANGED') throw error
  throw new UploadError(error.code, error.message, { retryable: true, cause: error })
}

/** The file as it is now: it may have waited for its turn for hours since it was scanned. */
export function currentFacts(work: FileWork, { stdin }: SendFileOptions): Promise<FileFacts> {
  return work.file.path === '-' ? stdin.facts() : lookAt(work)
}

async function sendFacts(
  work: FileWork,
  facts: FileFacts,
  options: SendFileOptions,
  failedBefore: FailedBefore | undefined,
): Promise<ObjectInfo> {
  const { destination, settings, emit } = options
  const { index, path, key, contentType, properties } = work.file
  const { parts, inParts } = partsOf(facts.size, destination, settings, work.unfinished)
  work.facts = facts
  work.parts = parts
  refuseTooLarge(facts, destination)
  await options.limits?.heed(work.file, facts)
  if (work.unfinished !== undefined && !inParts) await dropUnfinished(work, destination)
  const mtimeNs = settings.preserve === undefined ? undefined : await preservedTime(work.file, facts)
  let partsDone = 0
  const sentBefore = work.bytesSent
  const meter = createByteMeter((sent) => {
    work.bytesSent = sentBefore + meter.total
    emit({ type: 'file-progress', index, sent, before: meter.before || undefined, partsDone })
  })
  emit({ type: 'file-started', index, path, key, size: facts.size, parts })
  return uploadObject({
    destination,
    settings,
    scheduler: options.scheduler,
    key,
    contentType,
    properties,
    mtimeNs,
    facts,
    meter,
    pacer: options.pacer,
    timeouts: options.timeouts,
    journal: createPartJournal(work, facts, options.keepLine),
    bytes: options.bytes,
    say: (message, type = 'notice') => emit({ type, message }),
    onFailed: (error) => noteDoubt(work, toUploadError(error)),
    // Each part has retries of its own: what grew so much since is begun anew.
    retry: { ...retryOptions(work, options), failedBefore: inParts ? undefined : failedBefore },
    onPart: (done) => {
      if (done > partsDone) options.gate.succeeded()
      partsDone = done
      emit({ type: 'file-progress', index, sent: meter.current, before: meter.before || undefined, partsDone })
    },
  })
}

/** How what is done for a file is tried again; each time counts as an attempt at it. */
export function retryOptions(work: FileWork, options: SendFileOptions): RetryOptions {
  const { settings, clock, signal, emit, breaker, gate } = options
  return {
    policy: settings.retry,
    clock,
    signal,
    mayRetry: breaker.mayRetry,
    gate,
    onRetry: (error, _failures, delayMs) => {
      const { code, message } = error
      noteMismatch(work, error)
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

async function lookAt(work: FileWork): Promise<FileFacts> {
  const { absolute, size, mtimeMs, pinned } = work.file
  const stats = await statOf(absolute).catch((error) => {
    throw sourceError(error)
  })
  if (!stats.isFile()) throw new UploadError('SOURCE_UNREADABLE', 'it is no longer a regular file')
  const change =
    pinned && size !== undefined && mtimeMs !== undefined && changeSince({ absolute, size, mtimeMs }, stats)
  if (change) throw change
  return { absolute, size: stats.size, mtimeMs: stats.mtimeMs }
}
