import { toUploadError, UploadError } from '../errors.ts'
import type { Listener } from '../observe/events.ts'
import { lookBack, recall } from './already-sent.ts'
import type { Earlier } from './earlier.ts'
import { ownObject } from './existing/own-object.ts'
import { causeToFallBack, giveToBaseline } from './fallback.ts'
import { type FileWork, isUntried } from './file-record.ts'
import type { OpenLane } from './lane.ts'
import type { Scheduler } from './pace/scheduler.ts'
import type { RolloutControl } from './rollout-control.ts'
import { sendFile } from './send-file.ts'
import type { Settlement } from './settlement.ts'

/** What is done about a file whose turn it is, up to its settled fate. */
export interface FileCourse {
  /** The lane it takes as things stand: its own, unless that is a candidate's which is not to have it any more. */
  laneOf(work: FileWork): OpenLane
  /** In a slot of the lane's. Never fails: what goes wrong is the file's fate. */
  send(work: FileWork, lane: OpenLane): Promise<void>
  /** It is not sent any more. */
  cancel(work: FileWork, lane: OpenLane): Promise<void>
}

export interface FileCourseOptions {
  /** By the files' `lane`. */
  readonly lanes: readonly OpenLane[]
  readonly settlement: Settlement
  /** What has been done before of these files; undefined where all of them are new. */
  readonly earlier: Earlier | undefined
  /** Undefined where nothing is rolled out. */
  readonly rollout: Pick<RolloutControl, 'isOn' | 'fallback'> | undefined
  readonly emit: Listener
}

export function createFileCourse(options: FileCourseOptions): FileCourse {
  const { lanes, settlement, earlier, rollout, emit } = options

  const laneOf = (work: FileWork): OpenLane => {
    const { lane: own, onBaseline } = work.file
    const lane = lanes[own] as OpenLane
    if (onBaseline === undefined || rollout === undefined) return lane
    const isLost = !rollout.isOn || (rollout.fallback && lane.givenUp() !== undefined)
    return isLost ? (lanes[onBaseline.lane] as OpenLane) : lane
  }
  /** A line that says `cancelled` would take the place of an earlier one that says that the file is there. */
  const cancel = async (work: FileWork, lane: OpenLane): Promise<void> => {
    const before = earlier && (await recall(work, earlier, lane))
    if (before === undefined) await settlement.cancelled(work)
    else if (before !== 'stands') await settlement.alreadyUploaded(work, before.done)
  }

  const sendBy = async (work: FileWork, lane: OpenLane): Promise<void> => {
    if (lane.signal.aborted) return cancel(work, lane)
    if (earlier !== undefined && isUntried(work)) {
      const before = await lookBack(work, earlier, lane).catch(toUploadError)
      if (before instanceof UploadError) return failed(work, lane, before)
      if (before !== undefined) return settlement.alreadyUploaded(work, before)
    }
    if (lane.ahead.asks(work)) {
      const met = await lane.ahead.look(work, earlier?.begunAtMs).catch(toUploadError)
      if (met instanceof UploadError) return failed(work, lane, met)
      if (met !== undefined && 'own' in met) return settlement.alreadyUploaded(work, { ...met.own, replaced: null })
      if (met !== undefined) return settlement.passedOver(work, met.passedOver)
    }
    const sent = await sendFile(work, lane).catch(toUploadError)
    const outcome = sent instanceof UploadError ? await ownObject(work, sent, lane).catch(toUploadError) : sent
    return outcome instanceof UploadError ? failed(work, lane, outcome) : settlement.uploaded(work, outcome)
  }
  const failed = (work: FileWork, lane: OpenLane, error: UploadError): Promise<void> => {
    const { onBaseline } = work.file
    if (onBaseline !== undefined && rollout?.fallback) {
      const cause = causeToFallBack(work, error, lane, lanes[onBaseline.lane] as OpenLane)
      if (cause !== undefined) return fallBack(work, lane, cause)
    }
    // A limit to the run as a whole is told, whatever else has ended the run by then.
    const isCut = lane.signal.aborted && error.code !== 'HALTED'
    return isCut ? cancel(work, lane) : settlement.failed(work, error)
  }

  const fallBack = async (work: FileWork, candidate: OpenLane, cause: UploadError): Promise<void> => {
    if (candidate.breaker.failed(cause) === 'stop') candidate.stop(cause)
    await giveUp(work, candidate, cause, candidate)
  }
  /**
   * Sends a file of the candidate's on the baseline.
   *
   * @param cause undefined where it was not tried on the candidate
   * @param holding the lane in whose slot it is
   */
  const giveUp = async (
    work: FileWork,
    candidate: OpenLane,
    cause: UploadError | undefined,
    holding: OpenLane,
  ): Promise<void> => {
    const { index, path, onBaseline } = work.file
    if (onBaseline === undefined) return sendBy(work, candidate)
    const baseline = lanes[onBaseline.lane] as OpenLane
    const isBegun = work.startedAtMs !== undefined
    await giveToBaseline(work, onBaseline, candidate, baseline, cause)
    if (isBegun && cause !== undefined) {
      emit({ type: 'file-fallback', index, path, code: cause.code, message: cause.message })
    }
    if (holding.pool === baseline.pool) return sendBy(work, baseline)
    // It keeps the slot it has: the candidate's files come no faster than the baseline takes them.
    await inSlot(baseline.scheduler, () => sendBy(work, baseline))
  }
  const sendCandidates = (work: FileWork, holding: OpenLane): Promise<void> => {
    const lane = lanes[work.file.lane] as OpenLane
    if (laneOf(work) === lane) return sendBy(work, lane)
    const isTried = work.attempts > 0
    // An outage in the middle of a run says nothing of the files that come after it.
    const isOutOfReach = lane.gate.isLost && !isTried
    const cause = isOutOfReach ? undefined : rollout?.isOn ? lane.givenUp() : isTried ? work.putOffFor : undefined
    return giveUp(work, lane, cause, holding)
  }

  return {
    laneOf,
    cancel,
    send: (work, lane) => (work.file.onBaseline === undefined ? sendBy(work, lane) : sendCandidates(work, lane)),
  }
}

/** Resolves once the task has ended. */
function inSlot(scheduler: Scheduler, task: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    void scheduler.start(() => task().finally(resolve))
  })
}
