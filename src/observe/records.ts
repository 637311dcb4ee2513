import type { Checksum, EngineName } from '../destinations/destination.ts'
import type { ErrorCode } from '../errors.ts'
import type { Side } from '../rollout/side.ts'

/**
 * The lines of a journal, which is report and resume record in one: JSON objects told apart by `type`. Times are
 * ISO-8601 UTC, durations `…Ms`, sizes in bytes.
 */
export type JournalRecord = RunRecord | UploadStartedRecord | PartRecord | FileRecord | SummaryRecord

/** First line of an invocation: what was asked, by whom, where. */
export interface RunRecord {
  readonly type: 'run'
  readonly version: string
  readonly runId: string
  /** 1 for a run's first process, one more for each that continues it. */
  readonly invocation: number
  readonly startedAt: string
  readonly cwd: string
  readonly to: string
  /** Without secrets. */
  readonly argv: readonly string[]
  /** The effective settings, without secrets. */
  readonly config: Readonly<Record<string, unknown>>
  readonly host: string
  readonly node: string
  /** The process that wrote it. */
  readonly pid: number
  /** The rollout as it stood when the run began; undefined where there is none, or it is switched off. */
  readonly rollout?: RunRollout | undefined
}

/** What a run says of the rollout it takes part in. */
export interface RunRollout {
  readonly name: string
  /** When it was begun, or begun anew by a reset: figures of before then are not counted any more. */
  readonly begunAt: string
  /** The percentage that names its stage. */
  readonly stage: number
  /** The share that this run gives to the candidate, from 0 to 100. */
  readonly percentage: number
}

/** A multipart upload was begun. On the disk before its first part is sent. */
export interface UploadStartedRecord {
  readonly type: 'upload-started'
  readonly path: string
  readonly source: string
  readonly occurrence?: number | undefined
  readonly key: string
  /** The destination's URL, where it is not the run's own. */
  readonly destination?: string | undefined
  /** Null for standard input that is sent while it is read. */
  readonly size: number | null
  readonly mtime: string | null
  readonly uploadId: string
  readonly partSize: number
}

/** A part of it is at the destination. */
export interface PartRecord {
  readonly type: 'part'
  readonly path: string
  readonly uploadId: string
  readonly partNumber: number
  readonly size: number
  readonly etag?: string | undefined
  readonly checksum?: Checksum | undefined
}

/** `undone`: uploaded, and taken back since. */
export type FileStatus = 'uploaded' | 'skipped' | 'failed' | 'cancelled' | 'undone'

/** Why a file was passed over. */
export type SkipReason =
  | 'exists'
  | 'not-newer'
  | 'unchanged'
  | 'already-uploaded'
  | 'duplicate-content'
  | 'excluded-by-rule'

/** What became of one source. */
export interface FileRecord {
  readonly type: 'file'
  /** As the user named it. */
  readonly path: string
  /** Relative to its base, NFC, `/`. */
  readonly source: string
  /** Where one path is listed more than once: its which occurrence, from 2; the first has none. */
  readonly occurrence?: number | undefined
  readonly key: string
  /** The key it would have had, where `--key-fix` changed it. */
  readonly originalKey?: string | undefined
  /** The destination's URL. */
  readonly destination: string
  readonly size: number | null
  readonly mtime: string | null
  readonly status: FileStatus
  readonly reason?: SkipReason | undefined
  /** Requests for the whole file that were begun; 0 where it was never tried. */
  readonly attempts: number
  readonly startedAt: string | null
  /** From taken by a slot to confirmed, retries included, queue excluded. */
  readonly durationMs: number | null
  readonly bytesSent: number
  readonly bytesPerSecond: number | null
  readonly parts: number
  readonly engine: EngineName
  /** The stage of the rollout that the file is counted in, by its percentage; undefined where it counts for neither side. */
  readonly stage?: number | undefined
  /** The side it is counted for; undefined as `stage`. */
  readonly side?: Side | undefined
  /** The candidate's failed attempt, after which the file took the baseline. */
  readonly fallback?: FallbackRecord | undefined
  readonly etag?: string | undefined
  readonly versionId?: string | undefined
  /** What stood under the key before, where that was asked: null for nothing. */
  readonly replaced?: ReplacedObject | null | undefined
  readonly checksum?: Checksum | undefined
  readonly contentType: string
  readonly error?: FileError | undefined
}

/** How a file failed on the candidate. */
export interface FallbackRecord {
  readonly engine: EngineName
  /** The candidate's destination, which may hold something of it all the same. */
  readonly destination: string
  /** The key it has there, where that is another. */
  readonly key?: string | undefined
  /** 0 where the candidate had failed for all files before it was this one's turn. */
  readonly attempts: number
  readonly durationMs: number
  /** What stood under the key there, where that was asked: null for nothing. */
  readonly replaced?: ReplacedObject | null | undefined
  /** A half-sent upload of it that is left there. */
  readonly uploadId?: string | undefined
  readonly error: FileError
}

/** What an upload took the place of. */
export interface ReplacedObject {
  readonly size: number
  readonly etag?: string | undefined
  readonly versionId?: string | undefined
}

export interface FileError {
  readonly code: ErrorCode
  readonly message: string
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly retryable: boolean
}

/** Last line of an invocation that came to its end, or was stopped in good order. */
export interface SummaryRecord {
  readonly type: 'summary'
  readonly exitCode: number
  readonly outcome: 'success' | 'partial' | 'failure'
  readonly files: number
  readonly uploaded: number
  readonly skipped: number
  readonly failed: number
  readonly cancelled: number
  /** Of the files uploaded, those taken back since; they do not count as uploaded. */
  readonly undone?: number | undefined
  /** Multipart uploads left half-sent, for a later invocation to go on with. */
  readonly unfinishedUploads?: number | undefined
  /** Of uploaded + failed; null where nothing was attempted. */
  readonly successRate: number | null
  readonly errorRate: number | null
  /** Size of the files uploaded. */
  readonly bytes: number
  /** Bytes that went out, repeated ones included. */
  readonly bytesSent: number
  readonly durationMs: number
  /** Of `bytes`, which is what has arrived, over the whole run. */
  readonly bytesPerSecond: number
  readonly filesPerSecond: number
  readonly latencyMs: LatencySummary | null
  readonly retries: number
  readonly throttled: number
  readonly timeouts: number
  readonly timeoutRate: number | null
  /** Operating systems' junk (`.DS_Store`, `Thumbs.db`, `desktop.ini`) that was passed over. */
  readonly junkSkipped: number
  readonly byErrorCode: Readonly<Partial<Record<ErrorCode, number>>>
  readonly byDestination: Readonly<Record<string, StatusCounts>>
  readonly byEngine: Readonly<Partial<Record<EngineName, StatusCounts>>>
  /** Undefined where no file was counted for either side. */
  readonly rollout?: SummaryRollout | undefined
  readonly eventLoopDelayMs: { readonly p99: number; readonly max: number }
  readonly peakRssBytes: number
}

export interface StatusCounts {
  readonly uploaded: number
  readonly skipped: number
  readonly failed: number
  readonly cancelled: number
  readonly bytes: number
}

/** What a run's files came to on the two sides of a rollout. */
export interface SummaryRollout {
  readonly name: string
  readonly candidate: SideCounts
  readonly baseline: SideCounts
  /** Files that failed on the candidate and were sent again on the baseline. */
  readonly fellBack: number
}

/** By the rules that rollouts count by: files that fail before a request is made count for neither side. */
export interface SideCounts {
  readonly succeeded: number
  readonly failed: number
}

/** Of the files uploaded, each figure within 1 %. */
export interface LatencySummary {
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}
