import type { ErrorCode } from '../errors.ts'
import type { FileRecord, PartRecord, RunRecord, SummaryRecord, UploadStartedRecord } from './records.ts'

/**
 * What a run tells those who watch it. Watchers (bars, plain lines, NDJSON, a library's user) cannot slow or fail a
 * transfer: what they throw is dropped.
 */
export type UploadEvent =
  | RunStarted
  | Totals
  | FileStarted
  | FileProgress
  | FileRetry
  | FileDeferred
  | FileFallback
  | MultipartProgress
  | FileEnded
  | FileUndone
  | UploadsAborted
  | ConcurrencyChanged
  | Notice
  | Warning
  | RunEnded

/** The plan stands and the journal is open; nothing has been sent. */
export interface RunStarted {
  readonly type: 'run'
  readonly run: RunRecord
  /** Where the journal is, or `null` where the run keeps none. */
  readonly journal: string | null
  /** What the start line names beside the destination: the config file and a custom endpoint, where there are any. */
  readonly configFile?: string | undefined
  readonly endpoint?: string | undefined
  /** Those of routes and candidates, where they are others. */
  readonly otherEndpoints?: readonly string[] | undefined
}

/** What is to be done in all. May come again while sources are still being scanned. */
export interface Totals {
  readonly type: 'totals'
  readonly files: number
  readonly bytes: number
  /** False while scanning goes on: shown with `~`. */
  readonly complete: boolean
}

/** A slot took up a file. */
export interface FileStarted {
  readonly type: 'file-started'
  /** The file's number in scan order, from 1: names it in later events. */
  readonly index: number
  readonly path: string
  readonly key: string
  /** Undefined for standard input. */
  readonly size: number | undefined
  /** Parts it will be sent in; 1 where it goes as a whole; undefined where not known. */
  readonly parts: number | undefined
}

/** Bytes of a file that have left. Goes down where an attempt begins anew. */
export interface FileProgress {
  readonly type: 'file-progress'
  readonly index: number
  readonly sent: number
  /** Of `sent`, bytes that were there already when this invocation, or this pass, took the file up. */
  readonly before?: number | undefined
  readonly partsDone: number
}

/** An attempt failed and another will follow. */
export interface FileRetry {
  readonly type: 'file-retry'
  readonly index: number
  readonly path: string
  /** The attempt that failed, from 1. */
  readonly attempt: number
  readonly code: ErrorCode
  readonly message: string
  readonly delayMs: number
}

/** A file failed for now and will be tried again after all others; `file-started` comes again then. */
export interface FileDeferred {
  readonly type: 'file-deferred'
  readonly index: number
  readonly path: string
  readonly code: ErrorCode
  readonly message: string
}

/**
 * A file failed on the candidate of a rollout and takes the baseline now; `file-started` comes again. Where the candidate
 * was given up before it was this file's turn, only its record says so.
 */
export interface FileFallback {
  readonly type: 'file-fallback'
  readonly index: number
  readonly path: string
  /** How it failed on the candidate. */
  readonly code: ErrorCode
  readonly message: string
}

/** A multipart upload was begun, or has a part more; the line is in the journal. */
export interface MultipartProgress {
  readonly type: 'multipart'
  readonly line: UploadStartedRecord | PartRecord
}

/** A file's fate is settled; its line is in the journal. */
export interface FileEnded {
  readonly type: 'file'
  readonly index: number
  readonly file: FileRecord
  /** A half-sent multipart upload of it is kept, for a later invocation to go on with. */
  readonly keepsUpload?: boolean
  /** Its failure is everybody's and ends the run: `stoppedBecause` says it once, for all files. */
  readonly stopsRun?: boolean
}

/** A file that was uploaded is taken back, since the run failed; its new line is in the journal. */
export interface FileUndone {
  readonly type: 'undone'
  readonly file: FileRecord
  /** What this invocation counted it as. */
  readonly was: 'uploaded' | 'skipped'
}

/** Half-sent multipart uploads were taken back, too. */
export interface UploadsAborted {
  readonly type: 'uploads-aborted'
  readonly count: number
}

/** `--concurrency auto` decided how many requests to have in flight from now on. Worth a line under `-v` only. */
export interface ConcurrencyChanged {
  readonly type: 'concurrency'
  readonly from: number
  readonly to: number
  /** In words: `throughput grew 41 %`. */
  readonly reason: string
}

/** Worth a line under `-v` only. */
export interface Notice {
  readonly type: 'notice'
  readonly message: string
}

/** Worth a line always. */
export interface Warning {
  readonly type: 'warning'
  readonly message: string
}

/** The last event. */
export interface RunEnded {
  readonly type: 'summary'
  readonly summary: SummaryRecord
  /** Report files written, the journal first. */
  readonly reports: readonly string[]
  /** Up to ten failures of each code, for the closing lines; `byErrorCode` has the full counts. */
  readonly failures: readonly FailureSample[]
  /** Why the run was stopped as a whole (exit 3 or 4), in one line with its code; undefined where it was not. */
  readonly stoppedBecause?: string | undefined
  /** The command that goes on with the run; undefined where nothing is left to be done. */
  readonly again?: string | undefined
}

export interface FailureSample {
  readonly code: ErrorCode
  readonly path: string
  readonly message: string
}

export type Listener = (event: UploadEvent) => void
