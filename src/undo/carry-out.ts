import pLimit from 'p-limit'
import { toUploadError, type UploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import type { Named, UndoPlan } from './plan.ts'
import type { UndoRequests } from './requests.ts'

export interface CarryOutOptions {
  readonly requests: UndoRequests
  /** Requests at a time. */
  readonly concurrency: number
  readonly signal: AbortSignal
  /** Each object that was taken back, with its new line where it had been reported as uploaded. */
  readonly onUndone: (object: Spot, line: FileRecord | undefined, restored: boolean) => Promise<void>
}

/** Where an object is. */
export type Spot = Pick<Named, 'destination' | 'key'>

/** A half-sent multipart upload. */
export type UnfinishedUpload = Spot & { readonly uploadId: string }

/** What came of an undo. */
export interface UndoOutcome {
  /** Objects taken back, restored ones included. */
  readonly undone: number
  readonly restored: number
  /** Half-sent multipart uploads aborted. */
  readonly aborted: number
  /** Objects that changed before their turn came. */
  readonly left: readonly Named[]
  /** Objects and half-sent uploads that could not be taken back, and why. */
  readonly failed: readonly Named[]
  /** Why it ended early; undefined where it did not. */
  readonly stopped: UploadError | undefined
}

/**
 * Takes back what `plan` says, each object on its own: one that fails stops no other. Each is looked at once more just
 * before: a plan may have waited for its yes.
 */
export async function carryOut(
  plan: Pick<UndoPlan, 'remove'> & { readonly uploads: readonly UnfinishedUpload[] },
  options: CarryOutOptions,
): Promise<UndoOutcome> {
  const { requests, signal } = options
  const outcome = { undone: 0, restored: 0, aborted: 0, left: [] as Named[], failed: [] as Named[] }
  let stopped: UploadError | undefined
  const limit = pLimit(options.concurrency)

  const isolated = async (spot: Spot, act: () => Promise<void>): Promise<void> => {
    if (stopped !== undefined) return
    try {
      await act()
    } catch (thrown) {
      const error = toUploadError(thrown)
      if (signal.aborted || requests.isHopeless(error)) stopped ??= error
      else outcome.failed.push({ ...spot, why: error.message })
    }
  }

  // First of all: one that is completed meanwhile would become an object.
  await limit.map(plan.uploads, ({ destination, key, uploadId }) =>
    isolated({ destination, key }, async () => {
      if (await requests.removeUpload({ key, uploadId, initiatedAt: new Date(0) })) outcome.aborted += 1
    }),
  )
  await limit.map(plan.remove, ({ object }) =>
    isolated(spotOf(object), async () => {
      const { destination, key, uploaded } = object
      const decision = await requests.decide(object)
      if (decision.action === 'leave' || decision.action === 'refuse')
        outcome.left.push({ destination, key, why: decision.why })
      if (decision.action !== 'remove') return
      await requests.remove(key, decision.versionIds)
      outcome.undone += 1
      if (decision.restores) outcome.restored += 1
      await options.onUndone({ destination, key }, uploaded && { ...uploaded, status: 'undone' }, decision.restores)
    }),
  )
  return { ...outcome, stopped }
}

function spotOf({ destination, key }: Spot): Spot {
  return { destination, key }
}
