import { stat } from 'node:fs'
import { promisify } from 'node:util'
import type { RetrySettings } from '../config/settings.ts'
import type { Destination, ObjectInfo } from '../destinations/destination.ts'
import { UploadError } from '../errors.ts'
import type { Listener } from '../observe/events.ts'
import { sourceError } from '../plan/source-errors.ts'
import type { Breaker } from './breaker.ts'
import { createByteMeter } from './byte-meter.ts'
import type { Clock } from './clock.ts'
import type { FileFacts } from './file-body.ts'
import type { FileWork } from './file-record.ts'
import type { RetryOptions } from './retry.ts'
import type { Scheduler } from './scheduler.ts'
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
}

/** Cheaper than `fs/promises`' own, which counts where there are many small files. */
const statOf = promisify(stat)

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
    const facts = work.file.path === '-' ? await options.stdin.facts() : await lookAt(work)
    return await sendFacts(work, facts, options)
  } finally {
    work.durationMs += clock.elapsed() - begun
  }
}

async function sendFacts(work: FileWork, facts: FileFacts, options: SendFileOptions): Promise<ObjectInfo> {
  const { destination, settings, emit, breaker } = options
  const { index, path, key, contentType } = work.file
  const { parts } = partsOf(facts.size, destination, settings)
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
    retry: retryOptions(work, options),
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
