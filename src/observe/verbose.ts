import { printable } from '../printable.ts'
import type { ConcurrencyChanged, FileDeferred, FileRetry } from './events.ts'
import { formatDuration, oneLine } from './format.ts'
import type { FileRecord } from './records.ts'

/** What is said of a single file or decision, in one line without colour. */

/** `a.wav: permission denied (SOURCE_UNREADABLE)`. */
export function failureText(file: FileRecord): string {
  const { code, message } = file.error ?? { code: 'INTERNAL', message: 'failed for a reason that was not recorded' }
  return `${printable(file.path)}: ${oneLine(message)} (${code})`
}

/** `uploaded a.wav → s3://b/a.wav`, `skipped a.wav (exists)`. */
export function outcomeLine(file: FileRecord): string {
  const path = printable(file.path)
  switch (file.status) {
    case 'uploaded':
      return `uploaded ${path} → ${printable(objectUrl(file.destination, file.key))}`
    case 'failed':
      return `failed ${failureText(file)}`
    case 'skipped':
    case 'cancelled':
    case 'undone':
      return file.reason === undefined ? `${file.status} ${path}` : `${file.status} ${path} (${file.reason})`
  }
}

/** `retrying a.wav in 1.4 s, attempt 1 failed: the server is busy (THROTTLED)`. */
export function retryLine({ path, attempt, code, message, delayMs }: FileRetry): string {
  const when = `in ${formatDuration(delayMs)}, attempt ${attempt} failed`
  return `retrying ${printable(path)} ${when}: ${oneLine(message)} (${code})`
}

/** `putting off a.wav to the end of the run: the server is busy (THROTTLED)`. */
export function deferredLine({ path, code, message }: FileDeferred): string {
  return `putting off ${printable(path)} to the end of the run: ${oneLine(message)} (${code})`
}

/** `concurrency 32 → 64 (throughput grew 41 %)`. */
export function concurrencyLine({ from, to, reason }: ConcurrencyChanged): string {
  return `concurrency ${from} → ${to} (${reason})`
}

/** `s3://b/ is given up, and its files are cancelled: there is no such bucket (BUCKET_NOT_FOUND)`. */
export function givenUpText(destination: string, { code, message }: { code: string; message: string }): string {
  return `${printable(destination)} is given up, and its files are cancelled: ${oneLine(message)} (${code})`
}

/** A destination's URL ends in its prefix, and a key begins with it: here it stands once. */
export function objectUrl(destination: string, key: string): string {
  const bucket = /^[a-z][a-z0-9+.-]*:\/\/[^/]+\//.exec(destination)
  return (bucket?.[0] ?? destination) + key
}
