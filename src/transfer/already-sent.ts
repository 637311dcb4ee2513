import { toUploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import { dropUnfinished } from './drop-unfinished.ts'
import type { DoneElsewhere, Earlier, EarlierFile } from './earlier.ts'
import { type FileWork, modifiedAt, type UploadedBefore } from './file-record.ts'
import type { FileFacts } from './reading/file-facts.ts'
import { currentFacts, retryOptions, type SendFileOptions } from './send-file.ts'
import { openEnded } from './stdin/send-stdin.ts'
import { retrying } from './trouble/retry.ts'

/**
 * What earlier invocations have done of a file. Where that is a half-sent upload, it is in `work` from then on.
 *
 * @returns what the line of its upload says where the file is still what was uploaded then; undefined where it has to be
 * sent
 * @throws UploadError where it cannot be found out, or the file cannot be looked at
 */
export async function lookBack(
  work: FileWork,
  earlier: Earlier,
  options: SendFileOptions,
): Promise<UploadedBefore | undefined> {
  const { signal, emit, destination } = options
  const { index, path } = work.file
  const found = await retrying(() => earlier.find(work.file, signal), {
    ...retryOptions(work, options),
    // What a journal says is no sign that the destination can be reached, and need not wait until it can.
    gate: earlier.asksDestination ? options.gate : undefined,
    // Nothing is being sent yet: it is no attempt at the file.
    onRetry: ({ code, message }, failures, delayMs) =>
      emit({ type: 'file-retry', index, path, attempt: failures, code, message, delayMs }),
  })
  if (found?.elsewhere !== undefined) {
    const { done } = found.elsewhere
    const stands = standing({ done }, options) !== undefined && (await isAsUploaded(work, done, options))
    if (stands) return takeFrom(work, found.elsewhere)
  }
  if (found === undefined || isOfOtherBytes(work.file, found)) return undefined
  keepKey(work, found)
  const { key, unfinished } = found
  const done = standing(found, options)
  if (done !== undefined && (await isAsUploaded(work, done, options))) return done
  if (work.file.path === '-' && openEnded(options) !== undefined) await dropStdin(work, unfinished, options)
  else if (destination.multipart !== undefined) work.unfinished = unfinished
  else if (unfinished !== undefined) {
    const message = `${key} is begun anew: engine ${destination.engine} cannot go on with a half-sent upload`
    emit({ type: 'notice', message })
  }
  return undefined
}

/** What was sent of standard input while it was read is of no use to another reading. */
async function dropStdin(
  work: FileWork,
  unfinished: EarlierFile['unfinished'],
  { destination, emit }: SendFileOptions,
): Promise<void> {
  work.unfinished = unfinished
  await dropUnfinished(work, destination)
  if (work.unfinished === undefined) return
  emit({ type: 'notice', message: `${work.file.key}: its half-sent upload is left for upload cleanup` })
  work.unfinished = undefined
}

/** What a run that was cut makes of a file it never came to. */
export type Recalled =
  /** It was uploaded before, as this line says, and is what it was then. */
  | { readonly done: UploadedBefore }
  /** It was uploaded before, and whether it is what it was then has not been found out: that line still stands. */
  | 'stands'
  | undefined

/** As {@link lookBack} after the run was cut: nothing is asked of the destination, and no file is read. */
export async function recall(work: FileWork, earlier: Earlier, options: SendFileOptions): Promise<Recalled> {
  if (earlier.asksDestination || work.attempts > 0) return undefined
  try {
    const found = await earlier.find(work.file)
    const elsewhere = found?.elsewhere
    const isElsewhere = elsewhere !== undefined && standing(elsewhere, options) !== undefined
    if (!isElsewhere && found !== undefined) {
      if (isOfOtherBytes(work.file, found)) return undefined
      keepKey(work, found)
      work.unfinished = options.destination.multipart && found.unfinished
    }
    const done = isElsewhere ? elsewhere.done : found && standing(found, options)
    if (done === undefined) return undefined
    if (work.file.path === '-') return 'stands'
    const facts = await currentFacts(work, options)
    if (facts.size !== done.size || done.mtime !== modifiedAt(facts)) return 'stands'
    work.facts = facts
    return { done: isElsewhere ? takeFrom(work, elsewhere) : done }
  } catch {
    // The run has ended for another reason.
    return undefined
  }
}

/** A key that was made of bytes is no longer the file's where it has others now. */
function isOfOtherBytes({ key, size, mtimeMs, pinned }: FileWork['file'], found: EarlierFile): boolean {
  if (!pinned || found.key === key || size === undefined || mtimeMs === undefined) return false
  const then = found.done ?? found.unfinished
  return then?.size !== size || then.mtime !== modifiedAt({ mtimeMs })
}

/** The file is where the other side of a rollout has put it: its line says so, and it counts for neither. */
function takeFrom(work: FileWork, { done, destination }: DoneElsewhere): UploadedBefore {
  const { key, originalKey } = done
  work.file = { ...work.file, key, originalKey, side: undefined, onBaseline: undefined }
  return { ...done, elsewhere: { url: destination, engine: done.engine } }
}

/** A file keeps the key it has, also where a template gives it another now. */
function keepKey(work: FileWork, { key, originalKey }: EarlierFile): void {
  const { file } = work
  if (key === file.key) return
  // A key that both sides of a rollout have stays that of both.
  const onBaseline = file.onBaseline?.key === file.key ? { ...file.onBaseline, key, originalKey } : file.onBaseline
  work.file = { ...file, key, originalKey, onBaseline }
}

/**
 * A file that was passed over for the object that was there is passed over again only where that is asked for still. One
 * that was not newer than that is looked at again, which costs no more.
 */
function standing({ done }: Pick<EarlierFile, 'done'>, { settings }: SendFileOptions): FileRecord | undefined {
  switch (done?.reason) {
    case 'exists':
      return settings.ifExists === 'skip' ? done : undefined
    case 'unchanged':
      return settings.ifExists === 'changed' ? done : undefined
    case 'not-newer':
      return undefined
    default:
      return done
  }
}

/** By size and time, as it was recorded; a file that only got another time, by its checksum. */
async function isAsUploaded(work: FileWork, done: FileRecord, options: SendFileOptions): Promise<boolean> {
  const facts = await currentFacts(work, options)
  work.facts = facts
  if (facts.size !== done.size) return false
  if (done.mtime !== null && done.mtime === modifiedAt(facts)) return true
  return done.checksum !== undefined && (await hasChecksum(facts, done, options))
}

async function hasChecksum(
  facts: FileFacts,
  { checksum }: FileRecord,
  { bytes, signal }: SendFileOptions,
): Promise<boolean> {
  try {
    return (await bytes.match({ checksum }, facts, { start: 0, size: facts.size }, signal)) === true
  } catch (error) {
    // Whoever is writing to it has made it another file.
    if (toUploadError(error).code === 'SOURCE_CHANGED') return false
    throw error
  }
}
