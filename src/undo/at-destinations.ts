import type { Settings } from '../config/settings.ts'
import type { Destination } from '../destinations/destination.ts'
import { openDestination } from '../destinations/registry.ts'
import { toUploadError } from '../errors.ts'
import type { Clock } from '../transfer/clock.ts'
import { requestsAtOnce } from '../transfer/requests.ts'
import { byDestination, isNowhere } from './by-destination.ts'
import { type CarryOutOptions, carryOut, type UndoOutcome } from './carry-out.ts'
import { planUndo, type UndoPlan } from './plan.ts'
import type { RecordedRun } from './read-run.ts'
import { openUndoRequests, type UndoRequests } from './requests.ts'

export interface AtDestinationsOptions {
  /** How each of the run's destinations is reached now. Throws a UsageError for one that cannot be. */
  readonly settingsAt: (destination: string) => Settings
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly warn: (message: string) => void
}

/** An undo over all the destinations that a run sent to. */
export interface PlannedUndo {
  /** All of it: where anything is refused, nothing is to be done anywhere. */
  readonly plan: UndoPlan
  carryOut(onUndone: CarryOutOptions['onUndone']): Promise<UndoOutcome>
  close(): Promise<void>
}

interface Part {
  readonly destination: Destination
  readonly requests: UndoRequests
  readonly plan: UndoPlan
  readonly concurrency: number
}

/**
 * Asks each destination about the objects the run made there; changes nothing.
 *
 * @throws UsageError where one cannot be reached: before anything is asked of another.
 * @throws UploadError where one cannot be asked.
 */
export async function planAtDestinations(recorded: RecordedRun, options: AtDestinationsOptions): Promise<PlannedUndo> {
  const { clock, signal, warn } = options
  const wanted = [...byDestination(recorded)].map(([url, part]) => ({ part, settings: options.settingsAt(url) }))
  const opened: Destination[] = []
  const close = async (): Promise<void> => void (await Promise.allSettled(opened.map((each) => each.close())))
  const parts: Part[] = []
  try {
    for (const { part, settings } of wanted) {
      const { retry } = settings
      const concurrency = requestsAtOnce(settings.concurrency)
      const destination = await openDestination(settings, warn)
      opened.push(destination)
      const requests = await openUndoRequests({ destination, retry, clock, signal }).catch((error: unknown) => {
        if (!isNowhere(part, toUploadError(error))) throw error
        warn(`nothing is looked for at ${destination.url}: ${toUploadError(error).message}`)
      })
      if (requests === undefined) continue
      parts.push({ destination, requests, plan: await planUndo(part, requests, concurrency), concurrency })
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    plan: joined(parts.map(({ plan }) => plan)),
    async carryOut(onUndone) {
      const outcomes: UndoOutcome[] = []
      // One that cannot be gone on with is no reason to leave what is at another.
      for (const { plan, requests, concurrency } of parts) {
        outcomes.push(await carryOut(plan, { requests, concurrency, signal, onUndone }))
      }
      return summed(outcomes)
    },
    close,
  }
}

function joined(plans: readonly UndoPlan[]): UndoPlan {
  return {
    remove: plans.flatMap(({ remove }) => remove),
    leave: plans.flatMap(({ leave }) => leave),
    refuse: plans.flatMap(({ refuse }) => refuse),
    gone: plans.reduce((sum, { gone }) => sum + gone, 0),
    uploads: plans.flatMap(({ uploads }) => uploads),
  }
}

function summed(outcomes: readonly UndoOutcome[]): UndoOutcome {
  const sum = (count: (outcome: UndoOutcome) => number): number =>
    outcomes.reduce((before, outcome) => before + count(outcome), 0)
  return {
    undone: sum(({ undone }) => undone),
    restored: sum(({ restored }) => restored),
    aborted: sum(({ aborted }) => aborted),
    left: outcomes.flatMap(({ left }) => left),
    failed: outcomes.flatMap(({ failed }) => failed),
    stopped: outcomes.find(({ stopped }) => stopped !== undefined)?.stopped,
  }
}
