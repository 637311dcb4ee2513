import type { Call, ObjectInfo } from '../../destinations/destination.ts'
import { UploadError } from '../../errors.ts'
import { clockSlackMs } from '../clock.ts'
import type { FileWork } from '../file-record.ts'
import { currentFacts, retryOptions, type SendFileOptions } from '../send-file.ts'
import { type RetryOptions, retrying } from '../trouble/retry.ts'
import { compareBytes } from './compare-file.ts'

/**
 * What came of a file that failed for an object that is in its way, where an attempt at the file may have stored that:
 * it is the file's own where it has its bytes. Where nothing can be compared but the size, it has to be no older than
 * the file's first attempt.
 *
 * @throws UploadError the failure where it is another, or the object somebody else's; CHECKSUM_MISMATCH where an attempt
 * has stored other bytes than it sent; what requests throw.
 */
export async function ownObject(work: FileWork, failure: UploadError, options: SendFileOptions): Promise<ObjectInfo> {
  if (failure.code !== 'ALREADY_EXISTS' || work.doubt === undefined) throw failure
  const info = await askFor(work, options, true)
  // Removed in the meantime: it can be sent again.
  if (info === undefined) throw new UploadError('BAD_RESPONSE', 'the object that was in its way is gone')
  const facts = await currentFacts(work, options)
  work.facts = facts
  const { destination, bytes, signal, settings } = options
  const comparing = { destination, bytes, signal, partSize: settings.partSize, askAll: async () => info }
  const { same } = await compareBytes(facts, { info, isAll: true }, comparing)
  const isMismatch = work.doubt.code === 'CHECKSUM_MISMATCH'
  if (same ?? (!isMismatch && isSince(info, work.startedAtMs ?? 0))) return info
  throw isMismatch ? new UploadError('CHECKSUM_MISMATCH', work.doubt.message, { retryable: false }) : failure
}

/**
 * Asks for a file's object, with retries.
 *
 * @param checksum whether its checksum is wanted, too
 */
export function askFor(work: FileWork, options: SendFileOptions, checksum: boolean): Promise<ObjectInfo | undefined> {
  const { destination, signal, timeouts } = options
  const call: Call = { signal, requests: 1, timeouts }
  return retrying(() => destination.headObject(work.file.key, call, { checksum }), askingOptions(work, options))
}

/** How a question is asked again: nothing is being sent, so it is no attempt at the file. */
export function askingOptions(work: FileWork, options: SendFileOptions): RetryOptions {
  const { index, path } = work.file
  return {
    ...retryOptions(work, options),
    onRetry: ({ code, message }, failures, delayMs) =>
      options.emit({ type: 'file-retry', index, path, attempt: failures, code, message, delayMs }),
  }
}

/** Whether an object was stored at this time (milliseconds since the epoch) or later, by a clock that may differ. */
export function isSince({ lastModified }: ObjectInfo, ms: number): boolean {
  return lastModified !== undefined && lastModified.getTime() >= ms - clockSlackMs
}
