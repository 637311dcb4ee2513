import { isDeepStrictEqual } from 'node:util'
import type { Destination } from '../destinations/destination.ts'
import type { ErrorCode, UploadError } from '../errors.ts'
import type { OnBaseline } from '../plan/planned-file.ts'
import { dropUnfinished } from './drop-unfinished.ts'
import { type Fallback, type FileWork, fallbackRecord } from './file-record.ts'
import type { OpenLane } from './lane.ts'

/** What the giving of a file to the other side goes by. */
export type FallbackLane = Pick<
  OpenLane,
  'destination' | 'settings' | 'signal' | 'givenUp' | 'skipsExisting' | 'replaced'
>

/** What a file is, or the user allows: the same on either side, unless it is a destination that says so. */
const codesOfFile: ReadonlySet<ErrorCode> = new Set(['TOO_LARGE', 'TOO_SMALL', 'TYPE_NOT_ALLOWED', 'KEY_INVALID'])

/**
 * Why a file of the candidate's is to be sent again on the baseline: what it failed with, or what the candidate was given
 * up for; undefined where it would fail there just so, or nothing is to be sent any more.
 */
export function causeToFallBack(
  work: FileWork,
  thrown: UploadError,
  candidate: FallbackLane,
  baseline: FallbackLane,
): UploadError | undefined {
  if (baseline.signal.aborted || thrown.code === 'HALTED') return undefined
  const givenUp = candidate.givenUp()
  // What was cut for that has nothing to say of its own.
  if (givenUp !== undefined) return thrown.code === 'CANCELLED' ? givenUp : thrown
  return endsThere(work, thrown, candidate, baseline) ? undefined : thrown
}

function endsThere(work: FileWork, error: UploadError, candidate: FallbackLane, baseline: FallbackLane): boolean {
  const { code, status } = error
  if (code === 'CANCELLED' || code.startsWith('SOURCE_')) return true
  const isElsewhere = !isSamePlace(candidate.destination, baseline.destination)
  if (codesOfFile.has(code)) {
    // Keys that no destination can hold are not sent at all: a directory, too, refuses one for what lies there.
    const isRefusedThere = code === 'KEY_INVALID' || status !== undefined || isTooLargeFor(candidate.destination, work)
    return !(isElsewhere && isRefusedThere)
  }
  if (code !== 'ALREADY_EXISTS') return false
  return candidate.skipsExisting || (!isElsewhere && work.file.key === work.file.onBaseline?.key)
}

function isTooLargeFor({ limits }: Destination, { facts }: FileWork): boolean {
  return facts !== undefined && facts.size > limits.maxObjectSize
}

/**
 * Gives a file to the baseline, with all that is known of it: nothing has to be found out again.
 *
 * @param error how it failed on the candidate; undefined where it was not tried there, and counts for neither side
 */
export async function giveToBaseline(
  work: FileWork,
  onBaseline: OnBaseline,
  candidate: FallbackLane,
  baseline: FallbackLane,
  error: UploadError | undefined,
): Promise<void> {
  const { file } = work
  if (error === undefined) {
    work.file = { ...file, ...onBaseline, onBaseline: undefined, side: undefined }
    return
  }
  const isSame = isSamePlace(candidate.destination, baseline.destination) && file.key === onBaseline.key
  const isGoneOnWith =
    isSame && goesOn(candidate, baseline) && isDeepStrictEqual(file.properties, onBaseline.properties)
  const uploadId = isGoneOnWith ? undefined : await leaveUpload(work, candidate)
  // What the candidate may have stored can be undone only where it is known what was there before.
  const replaced = work.replaced === undefined ? candidate.replaced : work.replaced
  const isAskedFor = work.doubt !== undefined || candidate.settings.ifExists === baseline.settings.ifExists
  const fallback: Fallback = {
    line: {
      ...fallbackRecord(work, candidate.destination, error, onBaseline.key),
      replaced: isSame || work.attempts === 0 ? undefined : replaced,
      uploadId,
    },
    attemptsElsewhere: isSame && isAskedFor ? 0 : work.attempts,
  }
  work.fallback = fallback
  work.file = { ...file, ...onBaseline, onBaseline: undefined }
  if (isSame) return
  // What the candidate may have stored, or taken the place of, is in another place.
  work.doubt = undefined
  work.replaced = undefined
}

function isSamePlace(one: Destination, other: Destination): boolean {
  return one.url === other.url && one.endpoint === other.endpoint
}

/** Whether parts that one side has sent are of use to the other. */
function goesOn(candidate: FallbackLane, baseline: FallbackLane): boolean {
  return (
    candidate.destination.engine === baseline.destination.engine &&
    baseline.destination.multipart !== undefined &&
    candidate.settings.partSize === baseline.settings.partSize
  )
}

/**
 * Removes what was sent of a half-sent upload. A candidate that was given up is not asked for anything more.
 *
 * @returns the id of what is left of it; undefined where nothing is
 */
async function leaveUpload(work: FileWork, { destination, givenUp }: FallbackLane): Promise<string | undefined> {
  if (work.unfinished !== undefined && givenUp() === undefined) await dropUnfinished(work, destination)
  const left = work.unfinished?.uploadId
  work.unfinished = undefined
  return left
}
