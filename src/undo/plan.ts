import pLimit from 'p-limit'
import type { Versioning } from '../destinations/destination.ts'
import type { UploadStartedRecord } from '../observe/records.ts'
import type { RecordedObject, RecordedRun } from './read-run.ts'
import type { UndoRequests } from './requests.ts'

/** What an undo would do. Nothing of it is done where anything is refused. */
export interface UndoPlan {
  readonly versioning: Versioning
  readonly remove: readonly PlannedRemoval[]
  /** Not the run's any more, or not certainly. */
  readonly leave: readonly Named[]
  readonly refuse: readonly Named[]
  /** Objects of the run that are not there any more. */
  readonly gone: number
  /** Half-sent multipart uploads to be aborted. */
  readonly uploads: readonly UploadStartedRecord[]
}

export interface PlannedRemoval {
  readonly object: RecordedObject
  /** An earlier version is current again then. */
  readonly restores: boolean
}

export interface Named {
  readonly key: string
  readonly why: string
}

/**
 * Asks about each object of the run; changes nothing.
 *
 * @param concurrency requests at a time
 * @throws UploadError where the destination cannot be asked.
 */
export async function planUndo(run: RecordedRun, requests: UndoRequests, concurrency: number): Promise<UndoPlan> {
  const plan = {
    versioning: requests.versioning,
    remove: [] as PlannedRemoval[],
    leave: [] as Named[],
    refuse: refusedUnasked(run, requests.versioning),
    gone: 0,
    uploads: run.unfinished,
  }
  if (plan.refuse.length > 0) return plan
  const limit = pLimit(concurrency)
  await limit.map(run.objects.values(), async (object) => {
    const decision = await requests.decide(object).catch((error: unknown) => {
      // One that cannot be asked about is enough: there is no plan.
      limit.clearQueue()
      throw error
    })
    const { key } = object
    if (decision.action === 'remove') plan.remove.push({ object, restores: decision.restores })
    else if (decision.action === 'leave') plan.leave.push({ key, why: decision.why })
    else if (decision.action === 'refuse') plan.refuse.push({ key, why: decision.why })
    else if (object.uploaded !== undefined) plan.gone += 1
  })
  return plan
}

/** A run that never asked what it replaces needs no request for each of its objects to be refused. */
function refusedUnasked(run: RecordedRun, versioning: Versioning): Named[] {
  if (versioning !== 'off') return []
  const why =
    'the run did not ask what it replaced, and the destination keeps no versions; only a run with --if-exists skip or fail, or with --undo-on-failure, can be undone there'
  return [...run.objects.values()]
    .filter(({ uploaded, replaced }) => uploaded !== undefined && replaced === undefined)
    .map(({ key }) => ({ key, why }))
}
