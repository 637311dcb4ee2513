import type { Settings } from '../config/settings.ts'
import type { Call, Destination, ObjectInfo } from '../destinations/destination.ts'
import { toUploadError, UploadError } from '../errors.ts'
import { partSizeFor } from '../plan/part-ranges.ts'
import { clockSlackMs } from './clock.ts'
import type { FileWork } from './file-record.ts'
import { retrying } from './retry.ts'
import { currentFacts, retryOptions, type SendFileOptions } from './send-file.ts'

/** Whether a file's key is to be asked for: what is half there is gone on with, and what was tried was asked for before. */
export function asksFirst({ attempts, unfinished }: FileWork): boolean {
  return attempts === 0 && unfinished === undefined
}

/**
 * Asks for a file's object before anything of it is sent.
 *
 * @param begunAtMs when the run began, where it is one that is continued: an object that has come since, and has the
 * file's bytes, is its own
 * @returns that object; undefined where there is none
 * @throws UploadError ALREADY_EXISTS where there is another; what the request throws where that cannot be found out.
 */
export async function lookAhead(
  work: FileWork,
  begunAtMs: number | undefined,
  options: SendFileOptions,
): Promise<ObjectInfo | undefined> {
  const found = await ask(work, options, begunAtMs !== undefined).catch((thrown: unknown) => {
    // Who may only write can leave the answer to a destination that decides it anyway when the object is sent.
    const isDenied = toUploadError(thrown).code === 'ACCESS_DENIED'
    if (isDenied && options.destination.ifAbsent === 'atomic') return undefined
    throw thrown
  })
  if (found === undefined) return undefined
  if (begunAtMs !== undefined && isSince(found, begunAtMs) && (await hasBytesOf(work, found, options))) return found
  throw new UploadError('ALREADY_EXISTS', 'an object of this key exists already, and is left as it is')
}

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
  const found = await ask(work, options, true)
  // Removed in the meantime: it can be sent again.
  if (found === undefined) throw new UploadError('BAD_RESPONSE', 'the object that was in its way is gone')
  const same = await hasBytesOf(work, found, options)
  const isMismatch = work.doubt.code === 'CHECKSUM_MISMATCH'
  if (same ?? (!isMismatch && isSince(found, work.startedAtMs ?? 0))) return found
  throw isMismatch ? new UploadError('CHECKSUM_MISMATCH', work.doubt.message, { retryable: false }) : failure
}

function ask(work: FileWork, options: SendFileOptions, checksum: boolean): Promise<ObjectInfo | undefined> {
  const { destination, signal, timeouts, emit } = options
  const { index, path, key } = work.file
  const call: Call = { signal, requests: 1, timeouts }
  return retrying(() => destination.headObject(key, call, { checksum }), {
    ...retryOptions(work, options),
    // Nothing is being sent: it is no attempt at the file.
    onRetry: ({ code, message }, failures, delayMs) =>
      emit({ type: 'file-retry', index, path, attempt: failures, code, message, delayMs }),
  })
}

/** Undefined where nothing is told that could be compared, but the size is the same. */
async function hasBytesOf(work: FileWork, found: ObjectInfo, options: SendFileOptions): Promise<boolean | undefined> {
  const { destination, settings, bytes, signal } = options
  const facts = await currentFacts(work, options)
  work.facts = facts
  if (found.size !== facts.size) return false
  const partSize = partSizeFor(facts.size, settings.partSize, destination.limits)
  return bytes.matchObject(found, facts, [partSize], signal)
}

function isSince({ lastModified }: ObjectInfo, ms: number): boolean {
  return lastModified !== undefined && lastModified.getTime() >= ms - clockSlackMs
}

/** What a run has to say at its end of a destination that may not keep others' objects; undefined where it does. */
export function notAtomic({ ifAbsent, url }: Destination, ifExists: Settings['ifExists']): string | undefined {
  if (ifExists === 'overwrite' || ifAbsent === 'atomic') return undefined
  const why =
    ifAbsent === 'checked'
      ? `${url} looks for an object first and stores then`
      : `each object was asked for first and sent with If-None-Match, and whether ${url} enforces that is not known`
  return `--if-exists ${ifExists}: ${why}; one that somebody else stored there at the same moment may have been overwritten`
}
