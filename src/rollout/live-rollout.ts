import { stat } from 'node:fs/promises'
import { type WatchClock, watchClock } from '../observe/clock.ts'
import type { Listener } from '../observe/events.ts'
import { formatFiles } from '../observe/format.ts'
import type { FileRecord, RunRollout } from '../observe/records.ts'
import type { StatePlaces } from '../observe/state-directory.ts'
import type { Clock } from '../transfer/clock.ts'
import type { RolloutControl } from '../transfer/rollout-control.ts'
import { advanced, shareOf } from './advance.ts'
import { watchFailures } from './failure-watch.ts'
import { createDelta } from './figures.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import type { Side } from './side.ts'
import { createSides } from './sides.ts'
import { isEnded, type RolloutState } from './state.ts'
import { readState, updateState } from './state-file.ts'
import { newsBetween, rolledBackText } from './state-news.ts'

/** How often a run writes what it has counted, and looks at what others have done, in milliseconds. */
const everyMs = 2000
/**
 * So long, in milliseconds, other processes are waited for: for a moment only while the run goes on, since there will be
 * another chance; in the end until a crowd has gone through, and longer than a killed one's lock keeps; where the run was
 * stopped, no longer than a stop may take.
 */
const waitMs = { between: 1500, atClose: 60_000, stopped: 5000 }

/** What a run gives to the candidate. */
export interface RolloutShare {
  /** Share of its files, from 0 to 100. */
  readonly percentage: number
  /** The side that a file of this source name is given to; undefined: no file is counted. */
  readonly sides: ((source: string) => Side | undefined) | undefined
}

/** A rollout as one run takes part in it. */
export interface LiveRollout extends RolloutControl, RolloutShare {
  /** What the run's journal says of it; undefined where the run takes no part. */
  readonly run: RunRollout | undefined
  /** Writes what is not in the state yet, or warns that it is not. More than once does no harm. */
  close(): Promise<void>
}

export interface RolloutOptions {
  readonly rollout: RolloutSettings
  readonly places: StatePlaces
  readonly clock: Clock
  readonly emit: Listener
  /** Aborted once the run is to stop. */
  readonly signal: AbortSignal
  readonly every?: WatchClock['every'] | undefined
}

/** What a run that begins at this state gives to the candidate. */
export function shareIn(state: RolloutState, rollout: RolloutSettings): RolloutShare {
  const percentage = shareOf(state, rollout.percentage)
  // Of one that is rolled back, no file counts.
  return { percentage, sides: state.status === 'rolled-back' ? undefined : createSides(rollout, percentage) }
}

/**
 * Follows a rollout from its state at the beginning of a run to the run's end: counts the files, writes what it has
 * counted every now and then, obeys what others have decided, and gives the candidate up where it fails.
 */
export function takePart(path: string, opened: RolloutState, options: RolloutOptions): LiveRollout {
  const { rollout, clock, emit, signal, every = watchClock.every } = options
  const { name, fallback, triggers } = rollout
  const { begunAt } = opened
  const share = shareIn(opened, rollout)
  const { percentage } = share
  const delta = createDelta(begunAt, triggers)
  let state = opened
  let watch = watchFailures(opened, triggers)
  /** The candidate's part of what is in {@link delta}, which the watch goes by besides the state. */
  let pending: Outcome[] = []
  /** Why this run gave the candidate up; the state may not know yet. */
  let failing: string | undefined
  let working: Promise<void> | undefined
  let version: string | undefined
  let closing: Promise<void> | undefined

  const isAnew = (): boolean => state.begunAt !== begunAt
  const isDecided = (): boolean => isEnded(state)
  const giveUp = (cause: string | undefined): void => {
    if (cause === undefined || failing !== undefined || isAnew() || isDecided()) return
    failing = cause
    emit({ type: 'warning', message: rolledBackText(name, { by: 'automatic', cause }) })
    // At once; but what is being written now does not say so. In the end `conclude` writes, and nobody beside it.
    void (working ?? Promise.resolve()).then(() => (closing === undefined ? update() : undefined))
  }
  const see = (next: RolloutState): void => {
    const isSaid = failing !== undefined && next.status === 'rolled-back'
    for (const event of isSaid ? [] : newsBetween(state, next, percentage)) emit(event)
    state = next
    watch = watchFailures(next, triggers)
    for (const outcome of pending) giveUp(watch.settled(outcome))
  }

  const write = async (atMostMs: number, until?: AbortSignal): Promise<void> => {
    const counted = delta.take()
    const before = pending
    pending = []
    const change = (present: RolloutState | undefined): RolloutState =>
      advanced(present, rollout, clock.now(), { counted, failing })
    try {
      see(await updateState(path, change, { name, clock, waitMs: atMostMs, signal: until }))
    } catch (error) {
      delta.putBack(counted)
      pending = [...before, ...pending].slice(-triggers.window)
      throw error
    }
  }
  const look = async (): Promise<void> => {
    const { mtimeMs, ino, size } = await stat(path)
    const found = `${mtimeMs} ${ino} ${size}`
    if (found === version) return
    const next = await readState(path, { name })
    if (next !== undefined) see(next)
    version = found
  }
  const isUnwritten = (): boolean => !isAnew() && (delta.files > 0 || (failing !== undefined && !isDecided()))
  /** One at a time; what goes wrong is tried again in time. */
  const update = (): Promise<void> => {
    // Who cannot write for a while has to hear of a rollback all the same.
    working ??= (isUnwritten() ? write(waitMs.between).catch(look) : look())
      .catch(() => {})
      .finally(() => {
        working = undefined
      })
    return working
  }
  const stopLooking = every(everyMs, () => void update())
  const conclude = async (): Promise<void> => {
    stopLooking()
    await working
    if (!isUnwritten()) return
    const stopped = (): Promise<void> => write(waitMs.stopped)
    try {
      if (signal.aborted) await stopped()
      else await write(waitMs.atClose, signal).catch((error) => (signal.aborted ? stopped() : Promise.reject(error)))
    } catch (error) {
      const { files } = delta
      const lost = [
        ...(files === 0 ? [] : [`${formatFiles(files)} of this run are not counted`]),
        ...(failing === undefined || isDecided()
          ? []
          : ['its rollback is not recorded (upload rollout rollback does it)']),
      ]
      emit({ type: 'warning', message: `rollout ${name}: ${lost.join(', and ')}: ${(error as Error).message}` })
    }
  }

  return {
    ...share,
    fallback,
    run: { name, begunAt, stage: opened.stage, percentage },
    get isOn() {
      return percentage > 0 && failing === undefined && !isAnew() && state.status !== 'rolled-back'
    },
    get stage() {
      return failing !== undefined || isAnew() || isDecided() ? undefined : state.stage
    },
    settled(record: FileRecord) {
      const outcome = outcomeOf(record)
      if (outcome === undefined || isAnew()) return
      delta.add(outcome)
      if (outcome.side !== 'candidate') return
      pending.push(outcome)
      giveUp(watch.settled(outcome))
    },
    close() {
      closing ??= conclude()
      return closing
    },
  }
}
