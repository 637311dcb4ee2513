/**
 * What can go wrong, as one table. A failure anywhere in the program becomes an {@link UploadError} at the place that
 * understands it (a destination maps its provider's answers, the plan maps `fs` errors); everybody else goes by `code`.
 */

interface ErrorKind {
  /** Whether sending the same file again may help. A single error may say otherwise. */
  readonly retryable: boolean
  /**
   * Whether the cause lies with the destination or the credentials rather than with one file: then it is said once
   * and the run stops, instead of failing every file with the same words.
   */
  readonly runWide: boolean
}

const file: ErrorKind = { retryable: false, runWide: false }
const passing: ErrorKind = { retryable: true, runWide: false }
const runWide: ErrorKind = { retryable: false, runWide: true }

/** Every code a report may hold. */
export const errorKinds = {
  SOURCE_NOT_FOUND: file,
  SOURCE_UNREADABLE: file,
  SOURCE_CHANGED: file,
  TOO_LARGE: file,
  TOO_SMALL: file,
  TYPE_NOT_ALLOWED: file,
  KEY_INVALID: file,
  ALREADY_EXISTS: file,
  BUCKET_NOT_FOUND: runWide,
  // Stops the run only while nothing has succeeded at that destination: a policy may well allow some keys alone.
  ACCESS_DENIED: file,
  CREDENTIALS_INVALID: runWide,
  CREDENTIALS_EXPIRED: runWide,
  CLOCK_SKEW: { retryable: true, runWide: true },
  THROTTLED: passing,
  TIMEOUT: passing,
  STALLED: passing,
  CONNECTION: passing,
  CHECKSUM_MISMATCH: passing,
  QUOTA_EXCEEDED: file,
  SERVER_ERROR: passing,
  BAD_RESPONSE: passing,
  CANCELLED: passing,
  HALTED: passing,
  INTERNAL: file,
} as const satisfies Record<string, ErrorKind>

/** A failure's name in messages, the report and `byErrorCode`. */
export type ErrorCode = keyof typeof errorKinds

/** Facts about a failure beyond its code and message. */
export interface UploadErrorDetails {
  /** Overrides the code's own entry in {@link errorKinds}. */
  readonly retryable?: boolean | undefined
  /** HTTP status of the answer, where there was one. */
  readonly status?: number | undefined
  /** The provider's id of the request, for its support. */
  readonly requestId?: string | undefined
  /** How long the server asked to be left alone (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** The destination could not be reached at all, as opposed to a connection that broke. */
  readonly unreachable?: boolean | undefined
  readonly cause?: unknown
}

/**
 * One failure: `message` says why and what to do next, without the file's name (who prints it puts that before) and
 * without secrets.
 */
export class UploadError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined
  readonly unreachable: boolean

  constructor(code: ErrorCode, message: string, details: UploadErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'UploadError'
    this.code = code
    this.retryable = details.retryable ?? errorKinds[code].retryable
    this.status = details.status
    this.requestId = details.requestId
    this.retryAfterMs = details.retryAfterMs
    this.unreachable = details.unreachable ?? false
  }
}

/**
 * A command line, configuration or plan that cannot be carried out; nothing has been sent. Holds every fault found,
 * one line each. Exit code 2.
 */
export class UsageError extends Error {
  readonly faults: readonly string[]

  constructor(faults: string | readonly string[]) {
    const list = typeof faults === 'string' ? [faults] : faults
    super(list.join('\n'))
    this.name = 'UsageError'
    this.faults = list
  }
}

/** Turns whatever was thrown into an {@link UploadError}; what nobody foresaw is `INTERNAL`. */
export function toUploadError(thrown: unknown): UploadError {
  if (thrown instanceof UploadError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new UploadError('INTERNAL', message, { cause: thrown })
}
