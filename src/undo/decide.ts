import type { ObjectInfo, ObjectVersion } from '../destinations/destination.ts'
import type { FileRecord, ReplacedObject } from '../observe/records.ts'
import { clockSlackMs } from '../transfer/clock.ts'
import { compareObject } from '../transfer/compare-object.ts'
import type { RecordedObject } from './read-run.ts'

/**
 * What is to be done about one object: a table of cases, without a request. Whatever cannot be told for certain to be
 * the run's own is left where it is.
 */
export type Decision =
  /** Nothing of the run's is there. */
  | { readonly action: 'none' }
  | {
      readonly action: 'remove'
      /** To be deleted in this order; undefined: the object itself. */
      readonly versionIds: readonly (string | undefined)[]
      /** An earlier version is current again then. */
      readonly restores: boolean
    }
  | { readonly action: 'leave'; readonly why: string }
  /** It cannot be as it was before: a reason to touch none of the run's objects. */
  | { readonly action: 'refuse'; readonly why: string }

/** The destination's name for the one version that an object has while no versions are kept. */
const nullVersion = 'null'
const nothing: Decision = { action: 'none' }
const changed: Decision = { action: 'leave', why: 'changed since by somebody else' }
const unasked =
  'the run overwrote without asking what was there, and the destination keeps no versions; what it replaced, if anything, cannot be brought back'
const lost = 'it replaced an object that the destination has not kept'

/** Where every version is kept: the run's own, on top of all others, are deleted one by one. */
export function decideVersioned(object: RecordedObject, versions: readonly ObjectVersion[]): Decision {
  const [top] = versions
  if (top === undefined || top.isDeleteMarker) return nothing
  const records = uploadsOf(object)
  const isOurs = (version: ObjectVersion): boolean =>
    !version.isDeleteMarker &&
    version.versionId !== object.replaced?.versionId &&
    (records.some((record) => isVersionOf(record, version, versions)) || isOfUnsure(object, version))
  const others = versions.findIndex((version) => !isOurs(version))
  const ours = others < 0 ? versions : versions.slice(0, others)
  if (ours.length === 0) {
    const mayBeThere = versions.some((version) => records.some((record) => mayBeVersionOf(record, version)))
    return mayBeThere ? changed : nothing
  }
  // It was written while no versions were kept, and has taken the place of what was there then.
  const isInPlace = ours.some(({ versionId }) => versionId === nullVersion)
  if (isInPlace && object.replaced !== null) return { action: 'refuse', why: object.replaced ? lost : unasked }
  const beneath = versions[ours.length]
  // A rule of the bucket may have removed by now what was replaced.
  if (object.replaced && beneath === undefined) return { action: 'refuse', why: lost }
  return {
    action: 'remove',
    versionIds: ours.map(({ versionId }) => versionId),
    restores: beneath !== undefined && !beneath.isDeleteMarker,
  }
}

/**
 * Where versions were kept once: an object that is written takes the place of the last one written since then, but not
 * of older versions. https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
 */
export function decideSuspended(object: RecordedObject, versions: readonly ObjectVersion[]): Decision {
  const [top, beneath] = versions
  if (top === undefined || top.isDeleteMarker) return nothing
  const asObject = decideUnversioned({ ...object, replaced: null }, { key: object.key, ...top })
  if (asObject.action !== 'remove') return asObject
  if (top.versionId !== nullVersion) return decideVersioned(object, versions)
  if (object.replaced === undefined) return { action: 'refuse', why: unasked }
  const remove: Decision = { action: 'remove', versionIds: [nullVersion], restores: false }
  if (object.replaced === null) {
    // To delete the version would bring an older one back that had been deleted before the run.
    return beneath === undefined || beneath.isDeleteMarker ? remove : { ...remove, versionIds: [undefined] }
  }
  return isKept(object.replaced, beneath) ? { ...remove, restores: true } : { action: 'refuse', why: lost }
}

/** A listing tells no version: what is there instead is as good where it has the same bytes. */
function isKept(replaced: ReplacedObject, beneath: ObjectVersion | undefined): boolean {
  if (beneath === undefined || beneath.isDeleteMarker) return false
  if (replaced.versionId !== undefined) return replaced.versionId === beneath.versionId
  const { compared, difference } = compareObject(replaced, { key: '', ...beneath })
  return difference === undefined && compared === 'etag'
}

/** Where no versions are kept. */
export function decideUnversioned(object: RecordedObject, found: ObjectInfo | undefined): Decision {
  if (found === undefined) return nothing
  const { uploaded, replaced, unsure, endedAtMs = Number.POSITIVE_INFINITY } = object
  const isOurs = uploadsOf(object).some((record) => isSame(record, found, endedAtMs))
  if (!isOurs && uploaded === undefined && replaced && isSame(replaced, found)) return nothing
  const mayBeOurs = isOurs || (unsure !== undefined && unsure.size === found.size && !isAfter(found, endedAtMs))
  if (!mayBeOurs) return uploaded === undefined && replaced === undefined ? nothing : changed
  if (replaced === null) return { action: 'remove', versionIds: [undefined], restores: false }
  if (isOurs) return { action: 'refuse', why: replaced === undefined ? unasked : lost }
  if (unsure !== undefined && isBefore(found, unsure)) return nothing
  return { action: 'leave', why: 'it may be of an attempt that failed, or have been there before' }
}

function uploadsOf({ uploaded, before }: RecordedObject): readonly FileRecord[] {
  return uploaded === undefined ? before : [uploaded, ...before]
}

function mayBeVersionOf(record: FileRecord, version: ObjectVersion): boolean {
  if (version.isDeleteMarker) return false
  return hasVersion(record) ? record.versionId === version.versionId : isSame(record, version)
}

/**
 * Whether an upload made this version: the one it was answered with, or that of an earlier attempt which was stored,
 * too, but whose answer was lost.
 */
function isVersionOf(record: FileRecord, version: ObjectVersion, versions: readonly ObjectVersion[]): boolean {
  if (hasVersion(record)) {
    if (record.versionId === version.versionId) return true
    if (record.attempts < 2 && !wasSentTwice(record)) return false
  }
  const answered = versions.find(({ versionId }) => hasVersion(record) && versionId === record.versionId)
  const isSent = isSame(record, version) || isOfCandidate(record, version, answered)
  return isSent && isSince(version, record, answered?.lastModified)
}

/**
 * Whether it may be of the candidate of a rollout, which sent the file to the same place before the baseline did: in
 * other parts or under another checksum, it may, so that only its size is the same.
 */
function isOfCandidate(record: FileRecord, version: ObjectVersion, answered: ObjectVersion | undefined): boolean {
  if (!wasSentTwice(record) || answered?.lastModified === undefined || version.lastModified === undefined) return false
  return version.size === record.size && version.lastModified <= answered.lastModified
}

function wasSentTwice({ fallback, destination, key }: FileRecord): boolean {
  return fallback !== undefined && fallback.destination === destination && (fallback.key ?? key) === key
}

function isOfUnsure({ unsure }: RecordedObject, version: ObjectVersion): boolean {
  return unsure !== undefined && unsure.size === version.size && isSince(version, unsure)
}

export function hasVersion({ versionId }: Pick<FileRecord, 'versionId'>): boolean {
  return versionId !== undefined && versionId !== nullVersion
}

/**
 * Whether a version is no older than the file's first attempt.
 *
 * @param answeredAt the server's time of the attempt that succeeded: its clock may be another than the run's
 */
function isSince(
  { lastModified }: ObjectVersion,
  { startedAt, durationMs }: Pick<FileRecord, 'startedAt'> & Partial<Pick<FileRecord, 'durationMs'>>,
  answeredAt?: Date,
): boolean {
  if (lastModified === undefined || startedAt === null) return false
  const began = Date.parse(startedAt)
  const beganThere = answeredAt === undefined ? began : Math.min(began, answeredAt.getTime() - (durationMs ?? 0))
  // Servers tell whole seconds.
  return lastModified.getTime() >= Math.floor(beganThere / 1000) * 1000
}

type Stored = Pick<ObjectInfo, 'size' | 'etag' | 'checksum' | 'lastModified'>
type Sent = Pick<FileRecord, 'size' | 'etag' | 'checksum'> &
  Partial<Pick<FileRecord, 'startedAt' | 'durationMs' | 'attempts'>>

/** @param endedAtMs when the run had ended */
function isSame(sent: Sent, stored: Stored, endedAtMs?: number): boolean {
  const { size, etag, checksum } = sent
  if (size === null) return false
  const { compared, difference } = compareObject({ size, etag, checksum }, { key: '', ...stored })
  return difference === undefined && (compared !== 'size' || isUntouched(sent, stored, endedAtMs))
}

/** Slack in milliseconds for a clock and a file system that do not agree to the last digit. */
const slackMs = 2000

/** Where there is nothing else to compare: written when the run wrote it, and not after. */
function isUntouched(
  { startedAt, durationMs, attempts }: Sent,
  stored: Stored,
  endedAtMs = Number.POSITIVE_INFINITY,
): boolean {
  const { lastModified } = stored
  if (startedAt === undefined || startedAt === null || lastModified === undefined) return false
  const began = Date.parse(startedAt)
  if (lastModified.getTime() < began - slackMs || isAfter(stored, endedAtMs)) return false
  // Of several attempts, nobody knows what lay between them.
  return attempts !== 1 || lastModified.getTime() <= began + (durationMs ?? 0) + slackMs
}

/** Whether it was there before the first attempt; what nobody knows the time of was not. */
function isBefore({ lastModified }: Stored, { startedAt }: Pick<FileRecord, 'startedAt'>): boolean {
  if (lastModified === undefined || startedAt === null) return false
  return lastModified.getTime() < Date.parse(startedAt) - clockSlackMs
}

/** Whether it was written only when the run had ended; what nobody knows the time of was not. */
function isAfter({ lastModified }: Stored, endedAtMs: number): boolean {
  return lastModified !== undefined && lastModified.getTime() > endedAtMs + clockSlackMs
}
