import type { Destination, ObjectInfo } from '../destinations/destination.ts'
import { toUploadError, type UploadError } from '../errors.ts'
import type { FileEnded, Listener } from '../observe/events.ts'
import type { FileRecord, SkipReason } from '../observe/records.ts'
import {
  alreadyUploadedRecord,
  type FileWork,
  failedRecord,
  skippedRecord,
  type UploadedBefore,
  uploadedRecord,
} from './file-record.ts'
import type { OpenLane } from './lane.ts'
import type { RolloutControl } from './rollout-control.ts'
import type { Halt } from './trouble/halt.ts'
import { cancelled } from './trouble/retry.ts'
import type { Stops } from './trouble/stops.ts'

/** Decides what a file's end means, for the file and for the run, and sees that it is recorded exactly once. */
export interface Settlement {
  uploaded(work: FileWork, info: ObjectInfo): Promise<void>
  /** It was uploaded before, as this says, and is at the destination as it is here. */
  alreadyUploaded(work: FileWork, before: UploadedBefore): Promise<void>
  /** It is not sent, for this reason. */
  passedOver(work: FileWork, reason: SkipReason): Promise<void>
  /**
   * The file failed: recorded, put off to another pass, held until its meaning is clear, or the end of the run. Where
   * such files are skipped, one that exists already has not failed.
   */
  failed(work: FileWork, error: UploadError): Promise<void>
  /** The file cannot be sent at all; says nothing of the destination. */
  refused(work: FileWork, error: UploadError): Promise<void>
  cancelled(work: FileWork): Promise<void>
  /** The files to be tried in the next pass; empty when passes are used up. */
  nextPass(): readonly FileWork[]
  /** After the last file, or without those that could not be waited for: nothing is recorded from then on. */
  end(): Promise<void>
}

/** What a file's end means depends on where it goes. */
export type SettledLane = Pick<OpenLane, 'destination' | 'breaker' | 'signal' | 'stop' | 'skipsExisting' | 'replaced'>

export interface SettlementOptions {
  /** By the files' `lane`. */
  readonly lanes: readonly SettledLane[]
  readonly stops: Pick<Stops, 'stop' | 'causes'>
  readonly halt: Halt
  readonly emit: Listener
  /** Keeps a file's fate; a failure to do so stops the run. */
  readonly record: (record: FileRecord) => Promise<void>
  /** Passes over failed files at the end. */
  readonly passes: number
  /** Counts what comes of files; undefined where nothing is rolled out. */
  readonly rollout?: Pick<RolloutControl, 'stage' | 'settled'> | undefined
}

/** Files that wait for another pass; where more fail, something else is wrong than bad luck. */
const mostPutOff = 10_000

export function createSettlement(options: SettlementOptions): Settlement {
  const { lanes, stops, halt, emit, rollout } = options
  let ended = false
  let passesLeft = options.passes
  let putOff: FileWork[] = []
  /** Refused access while nothing has arrived there: either these files' trouble or everybody's. */
  const undecided = new Map<Destination, { work: FileWork; error: UploadError }[]>()

  const laneOf = ({ file }: FileWork): SettledLane => lanes[file.lane] as SettledLane
  const counted = (work: FileWork): FileWork => {
    if (work.file.side !== undefined) work.stage = rollout?.stage
    return work
  }
  /** What is passed over or cancelled counts for neither side, unless it had failed on the candidate by then. */
  const charged = (work: FileWork): FileWork => (work.fallback === undefined ? work : counted(work))
  const settle = async (work: FileWork, made: FileRecord, stopsRun = false): Promise<void> => {
    if (ended) return
    const replaced = work.replaced === undefined ? laneOf(work).replaced : work.replaced
    const record = replaced === undefined || !mayBeStored(made) ? made : { ...made, replaced }
    // Before it is recorded: by the end of that, more may have failed.
    const halted = halt.ended(record.status)
    if (halted !== undefined) stops.stop(halted)
    try {
      await options.record(record)
    } catch (error) {
      return stops.stop(toUploadError(error))
    }
    rollout?.settled(record)
    const told: FileEnded = { type: 'file', index: work.file.index, file: record }
    const keepsUpload = work.unfinished !== undefined || work.fallback?.line.uploadId !== undefined
    emit(stopsRun || keepsUpload ? { ...told, stopsRun, keepsUpload } : told)
  }
  const settleFailed = (work: FileWork, error: UploadError): Promise<void> => {
    const stopsRun = stops.causes.some((cause) => cause.error === error)
    return settle(work, failedRecord(counted(work), laneOf(work).destination, 'failed', error), stopsRun)
  }
  const settleCancelled = (work: FileWork): Promise<void> =>
    settle(work, failedRecord(charged(work), laneOf(work).destination, 'cancelled', cancelled()))
  const settleSkipped = (work: FileWork, reason: SkipReason): Promise<void> =>
    settle(work, skippedRecord(charged(work), laneOf(work).destination, reason))

  return {
    async uploaded(work, info) {
      const { destination, breaker } = laneOf(work)
      breaker.succeeded()
      await settle(work, uploadedRecord(counted(work), destination, info))
      const refusedAlone = undecided.get(destination)
      if (refusedAlone === undefined) return
      undecided.delete(destination)
      for (const { work, error } of refusedAlone) await settleFailed(work, error)
    },

    alreadyUploaded: (work, before) =>
      settle(work, alreadyUploadedRecord(charged(work), laneOf(work).destination, before)),

    passedOver: settleSkipped,

    async failed(work, error) {
      const { destination, breaker, signal, stop, skipsExisting } = laneOf(work)
      // A limit to the run as a whole is no fault of the file that went over it.
      if (error.code === 'HALTED') stops.stop(error)
      if (signal.aborted) return settleCancelled(work)
      if (error.code === 'ALREADY_EXISTS' && skipsExisting) {
        return settleSkipped(work, 'exists')
      }
      const verdict = breaker.failed(error)
      if (verdict === 'undecided') {
        undecided.set(destination, [...(undecided.get(destination) ?? []), { work, error }])
      } else if (verdict === 'stop') {
        stop(error)
        await settleFailed(work, error)
      } else if (error.retryable && passesLeft > 0 && putOff.length < mostPutOff) {
        const { index, path } = work.file
        emit({ type: 'file-deferred', index, path, code: error.code, message: error.message })
        work.putOffFor = error
        putOff.push(work)
      } else {
        await settleFailed(work, error)
      }
    },

    refused: settleFailed,
    cancelled: settleCancelled,

    nextPass() {
      const pass = putOff
      putOff = []
      passesLeft -= 1
      return pass
    },

    async end() {
      for (const refused of undecided.values()) {
        const [first] = refused
        if (first === undefined) continue
        const { signal, stop } = laneOf(first.work)
        if (!signal.aborted) {
          // Nothing arrived there: the cause is said once, the other files were not at fault.
          stop(first.error)
          await settleFailed(first.work, first.error)
          refused.shift()
        }
        for (const { work } of refused) await settleCancelled(work)
      }
      ended = true
    },
  }
}

/** Whether an object of the run's may be there; one that was found in its place is not. */
function mayBeStored({ attempts, status, error }: FileRecord): boolean {
  return attempts > 0 && status !== 'skipped' && error?.code !== 'ALREADY_EXISTS'
}
