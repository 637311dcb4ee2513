import type { ErrorCode, UploadError } from '../../errors.ts'
import type { FileWork } from '../file-record.ts'

/** Failures that leave open whether the destination did what it was asked to. */
const openCodes: ReadonlySet<ErrorCode> = new Set(['CONNECTION', 'TIMEOUT', 'STALLED', 'SERVER_ERROR', 'BAD_RESPONSE'])

/** An attempt at a whole object failed: keeps in mind where it may have been stored, and only its answer been lost. */
export function noteDoubt(work: FileWork, error: UploadError): void {
  const { code, status, unreachable } = error
  const isRefused = status !== undefined && status >= 400 && status < 500
  if (openCodes.has(code) && !unreachable && !isRefused) work.doubt ??= error
  else noteMismatch(work, error)
}

/** The same for a failure that says that the object was stored, but not as it was sent. */
export function noteMismatch(work: FileWork, error: UploadError): void {
  // With a status, the destination has refused the bytes.
  if (error.code === 'CHECKSUM_MISMATCH' && error.status === undefined) work.doubt = error
}
