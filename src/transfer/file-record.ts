import type { Destination, ObjectInfo } from '../destinations/destination.ts'
import type { UploadError } from '../errors.ts'
import { isoTime } from '../observe/iso-time.ts'
import type { FallbackRecord, FileError, FileRecord, ReplacedObject, SkipReason } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { UnfinishedFile } from './earlier.ts'
import type { FileFacts } from './reading/file-facts.ts'

/** What was done for a file so far, over all passes. */
export interface FileWork {
  /** As planned, but for the key it already has at the destination, where it has one. */
  file: PlannedFile
  /** As it was when it was last begun. */
  facts: Pick<FileFacts, 'size' | 'mtimeMs'> | undefined
  attempts: number
  /** Wall clock at its first beginning, milliseconds since the epoch; undefined where it was never begun. */
  startedAtMs: number | undefined
  /** Time in slots. */
  durationMs: number
  bytesSent: number
  parts: number
  /** A half-sent multipart upload of it that is kept, to be gone on with. */
  unfinished: UnfinishedFile | undefined
  /** How an attempt failed after which it may be at the destination all the same; undefined where none did. */
  doubt: UploadError | undefined
  /** What was under its key before: null for nothing, undefined where nobody asked. */
  replaced: ReplacedObject | null | undefined
  /** Why it was put off to another pass; undefined where it was not. */
  putOffFor: UploadError | undefined
  /** How it failed on the candidate, where it takes the baseline since. */
  fallback: Fallback | undefined
  /** The stage of the rollout that its record counts in; undefined where it counts in none. */
  stage: number | undefined
}

/** What the candidate leaves to the baseline of a file. */
export interface Fallback {
  readonly line: FallbackRecord
  /** Attempts that say nothing of what is under the baseline's key. */
  readonly attemptsElsewhere: number
}

/** Whether nothing has been tried yet where it goes now: what is under its key is still to be found out. */
export function isUntried({ attempts, fallback }: FileWork): boolean {
  return attempts === (fallback === undefined ? 0 : fallback.attemptsElsewhere)
}

export function newWork(file: PlannedFile): FileWork {
  return {
    file,
    facts: file.size === undefined ? undefined : { size: file.size, mtimeMs: file.mtimeMs ?? 0 },
    attempts: 0,
    startedAtMs: undefined,
    durationMs: 0,
    bytesSent: 0,
    parts: 0,
    unfinished: undefined,
    doubt: undefined,
    replaced: undefined,
    putOffFor: undefined,
    fallback: undefined,
    stage: undefined,
  }
}

export function uploadedRecord(work: FileWork, destination: Destination, info: ObjectInfo): FileRecord {
  return fileRecord(work, destination, 'uploaded', info, undefined)
}

/** What is known of a file's upload by an earlier invocation. */
export interface UploadedBefore extends Pick<FileRecord, 'reason' | 'etag' | 'versionId' | 'replaced' | 'checksum'> {
  /** Where it is, if not where it would go now. */
  readonly elsewhere?: Place | undefined
}

type Place = Pick<Destination, 'url' | 'engine'>

/** @param before of the line of the invocation that uploaded it, or of the destination */
export function alreadyUploadedRecord(work: FileWork, lane: Place, before: UploadedBefore): FileRecord {
  const destination = before.elsewhere ?? lane
  // What was passed over then for the object that was there still is: nobody has looked into that.
  if (before.reason === 'exists' || before.reason === 'unchanged') {
    return skippedRecord(work, destination, before.reason)
  }
  const { etag, versionId, checksum, replaced } = before
  const record = fileRecord(work, destination, 'skipped', undefined, undefined)
  return { ...record, reason: 'already-uploaded', etag, versionId, replaced, checksum }
}

/** It is passed over, for this reason: says nothing of an object under its key. */
export function skippedRecord(work: FileWork, destination: Place, reason: SkipReason): FileRecord {
  return { ...fileRecord(work, destination, 'skipped', undefined, undefined), reason }
}

export function failedRecord(
  work: FileWork,
  destination: Destination,
  status: 'failed' | 'cancelled',
  error: UploadError,
): FileRecord {
  return fileRecord(work, destination, status, undefined, error)
}

/** How a file failed on the candidate, whose destination this is. @param keyThen the key it has on the baseline */
export function fallbackRecord(
  { file, attempts, durationMs }: FileWork,
  { engine, url }: Destination,
  error: UploadError,
  keyThen: string,
): FallbackRecord {
  return {
    engine,
    destination: url,
    key: file.key === keyThen ? undefined : file.key,
    attempts,
    durationMs: round(durationMs),
    error: fileError(error),
  }
}

/** As records have it; undefined for a time beyond the calendar's end. */
export function modifiedAt({ mtimeMs }: Pick<FileFacts, 'mtimeMs'>): string | undefined {
  return isoTime(mtimeMs) ?? undefined
}

/** Made in one piece, since this runs once for every file. */
function fileRecord(
  work: FileWork,
  destination: Place,
  status: FileRecord['status'],
  info: ObjectInfo | undefined,
  error: UploadError | undefined,
): FileRecord {
  const { file, facts, startedAtMs, stage } = work
  const begun = startedAtMs !== undefined
  const seconds = work.durationMs / 1000
  return {
    type: 'file',
    path: file.path,
    source: file.source,
    occurrence: file.occurrence,
    key: file.key,
    originalKey: file.originalKey,
    destination: destination.url,
    size: facts?.size ?? null,
    mtime: facts && file.path !== '-' ? isoTime(facts.mtimeMs) : null,
    status,
    attempts: work.attempts,
    startedAt: begun ? isoTime(startedAtMs) : null,
    durationMs: begun ? round(work.durationMs) : null,
    bytesSent: work.bytesSent,
    bytesPerSecond: begun && seconds > 0 ? Math.round(work.bytesSent / seconds) : null,
    parts: work.parts,
    engine: destination.engine,
    stage,
    side: stage === undefined ? undefined : file.side,
    fallback: work.fallback?.line,
    etag: info?.etag,
    versionId: info?.versionId,
    checksum: info?.checksum,
    contentType: file.contentType,
    error: error && fileError(error),
  }
}

function fileError(error: UploadError): FileError {
  return {
    code: error.code,
    message: error.message,
    status: error.status,
    requestId: error.requestId,
    retryable: error.retryable,
  }
}

/** Microseconds are as fine as a report needs. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
