import pLimit from 'p-limit'
import type { Versioning } from '../destinations/destination.ts'
import type { RunPart } from './by-destination.ts'
import type { RecordedObject, StartedUpload } from './read-run.ts'
import type { UndoRequests } from './requests.ts'

/** What an undo would do. Nothing of it is done where anything is refused. */
export interface UndoPlan {
  readonly remove: readonly PlannedRemoval[]
  /** Not the run's any more, or not certainly. */
  readonly leave: readonly Named[]
  readonly refuse: readonly Named[]
  /** Objects of the run that are not there any more. */
  readonly gone: number
  /** Half-sent multipart uploads to be aborted. */
  readonly uploads: readonly StartedUpload[]
}

export interface PlannedRemoval {
  readonly object: RecordedObject
  /** An earlier version is current again then. */
  readonly restores: boolean
}

export interface Named {
  readonly destination: string
  readonly key: string
  readonly why: string
}

/**
 * Asks about each object of the run; changes nothing.
 *
 * @param concurrency requests at a time
 * @throws UploadError where the destination cannot be asked.
 */
export async function planUndo(run: RunPart, requests: UndoRequests, concurrency: number): Promise<UndoPlan> {
  const plan = {
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
    const { destination, key } = object
    if (decision.action === 'remove') plan.remove.push({ object, restores: decision.restores })
    else if (decision.action === 'leave') plan.leave.push({ destination, key, why: decision.why })
    else if (decision.action === 'refuse') plan.refuse.push({ destination, key, why: decision.why })
    else if (object.uploaded !== undefined) plan.gone += 1
  })
  return plan
}

/** A run that never asked what it replaces needs no request for each of its objects to be refused. */
function refusedUnasked(run: RunPart, versioning: Versioning): Named[] {
  if (versioning !== 'off') return []
  const why =
    'the run did not ask what it replaced, and the destination keeps no versions; only a run with --if-exists skip, fail, newer or changed, or with --undo-on-failure, can be undone there'
  return [...run.objects.values()]
    .filter(({ uploaded, replaced }) => uploaded !== undefined && replaced === undefined)
    .map(({ destination, key }) => ({ destination, key, why }))
}
