import { printable } from '../printable.ts'
import type { ConcurrencyChanged, FileDeferred, FileFallback, FileRetry } from './events.ts'
import { formatDuration, oneLine } from './format.ts'
import type { FileRecord } from './records.ts'

/** What is said of a single file or decision, in one line without colour. */

/** `a.wav: permission denied (SOURCE_UNREADABLE)`; of one that had been sent twice, with how it failed before. */
export function failureText(file: FileRecord): string {
  const { code, message } = file.error ?? { code: 'INTERNAL', message: 'failed for a reason that was not recorded' }
  return `${printable(file.path)}: ${oneLine(message)} (${code})${fellBack(file)}`
}

/** `uploaded a.wav → s3://b/a.wav`, `skipped a.wav (exists)`; and where the candidate of a rollout failed at it. */
export function outcomeLine(file: FileRecord): string {
  const path = printable(file.path)
  switch (file.status) {
    case 'uploaded':
      return `uploaded ${path} → ${printable(objectUrl(file.destination, file.key))}${fellBack(file)}`
    case 'failed':
      return `failed ${failureText(file)}`
    case 'skipped':
    case 'cancelled':
    case 'undone': {
      const why = file.reason === undefined ? '' : ` (${file.reason})`
      return `${file.status} ${path}${why}${fellBack(file)}`
    }
  }
}

function fellBack({ fallback }: FileRecord): string {
  return fallback === undefined ? '' : ` (fell back: ${fallback.error.code} at ${printable(fallback.destination)})`
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

/** `sending a.wav by the baseline, the candidate failed: the server is busy (THROTTLED)`. */
export function fallbackLine({ path, code, message }: FileFallback): string {
  return `sending ${printable(path)} by the baseline, the candidate failed: ${oneLine(message)} (${code})`
}

/** `concurrency 32 → 64 (throughput grew 41 %)`. */
export function concurrencyLine({ from, to, reason }: ConcurrencyChanged): string {
  return `concurrency ${from} → ${to} (${reason})`
}

/**
 * `the candidate is given up for this run: there is no such bucket (BUCKET_NOT_FOUND); its files go by the baseline`.
 *
 * @param destination where there are several of the candidate's
 */
export function candidateGivenUpText(
  { code, message }: { code: string; message: string },
  destination?: string,
): string {
  const where = destination === undefined ? '' : ` at ${printable(destination)}`
  return `the candidate is given up for this run${where}: ${oneLine(message)} (${code}); its files go by the baseline`
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
