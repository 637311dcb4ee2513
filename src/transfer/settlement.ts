import type { Destination, ObjectInfo } from '../destinations/destination.ts'
import { toUploadError, type UploadError } from '../errors.ts'
import type { FileEnded, Listener } from '../observe/events.ts'
import type { FileRecord } from '../observe/records.ts'
import type { Breaker } from './breaker.ts'
import {
  alreadyUploadedRecord,
  existingRecord,
  type FileWork,
  failedRecord,
  type UploadedBefore,
  uploadedRecord,
} from './file-record.ts'
import type { Halt } from './halt.ts'
import { cancelled } from './retry.ts'

/** Decides what a file's end means, for the file and for the run, and sees that it is recorded exactly once. */
export interface Settlement {
  uploaded(work: FileWork, info: ObjectInfo): Promise<void>
  /** It was uploaded before, as this says, and is at the destination as it is here. */
  alreadyUploaded(work: FileWork, before: UploadedBefore): Promise<void>
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
  /** Stops the run; the first cause is the one told. */
  stop(cause: UploadError): void
  /** After the last file, or without those that could not be waited for: nothing is recorded from then on. */
  end(): Promise<void>
  /** Why the run was stopped; undefined where it was not. */
  readonly stopped: UploadError | undefined
}

export interface SettlementOptions {
  readonly destination: Destination
  readonly breaker: Breaker
  readonly halt: Halt
  readonly emit: Listener
  /** Keeps a file's fate; a failure to do so stops the run. */
  readonly record: (record: FileRecord) => Promise<void>
  /** What every upload takes the place of, where that is known beforehand: nothing. */
  readonly replaced?: null | undefined
  /** A file whose object exists already is passed over. */
  readonly skipsExisting: boolean
  /** Passes over failed files at the end. */
  readonly passes: number
  /** Aborted by the user or by {@link stop}. */
  readonly signal: AbortSignal
  /** Cuts what is in flight. */
  readonly stop: () => void
}

/** Files that wait for another pass; where more fail, something else is wrong than bad luck. */
const mostPutOff = 10_000

export function createSettlement(options: SettlementOptions): Settlement {
  const { destination, breaker, halt, emit, signal, replaced } = options
  let stopped: UploadError | undefined
  let ended = false
  let passesLeft = options.passes
  let putOff: FileWork[] = []
  /** Refused access while nothing has arrived: either these files' trouble or everybody's. */
  let undecided: { work: FileWork; error: UploadError }[] = []

  const stopRun = (cause: UploadError): void => {
    stopped ??= cause
    options.stop()
  }
  const settle = async (work: FileWork, made: FileRecord, stopsRun = false): Promise<void> => {
    if (ended) return
    const record = replaced === undefined || !mayBeStored(made) ? made : { ...made, replaced }
    // Before it is recorded: by the end of that, more may have failed.
    const halted = halt.ended(record.status)
    if (halted !== undefined) stopRun(halted)
    try {
      await options.record(record)
    } catch (error) {
      return stopRun(toUploadError(error))
    }
    const told: FileEnded = { type: 'file', index: work.file.index, file: record }
    const keepsUpload = work.unfinished !== undefined
    emit(stopsRun || keepsUpload ? { ...told, stopsRun, keepsUpload } : told)
  }
  const settleFailed = (work: FileWork, error: UploadError): Promise<void> =>
    settle(work, failedRecord(work, destination, 'failed', error), error === stopped)
  const settleCancelled = (work: FileWork): Promise<void> =>
    settle(work, failedRecord(work, destination, 'cancelled', cancelled()))

  return {
    async uploaded(work, info) {
      breaker.succeeded()
      await settle(work, uploadedRecord(work, destination, info))
      const refusedAlone = undecided
      undecided = []
      for (const { work, error } of refusedAlone) await settleFailed(work, error)
    },

    alreadyUploaded: (work, before) => settle(work, alreadyUploadedRecord(work, destination, before)),

    async failed(work, error) {
      if (signal.aborted) return settleCancelled(work)
      if (error.code === 'ALREADY_EXISTS' && options.skipsExisting) {
        return settle(work, existingRecord(work, destination))
      }
      const verdict = breaker.failed(error)
      if (verdict === 'undecided') {
        undecided.push({ work, error })
      } else if (verdict === 'stop') {
        stopRun(error)
        await settleFailed(work, error)
      } else if (error.retryable && passesLeft > 0 && putOff.length < mostPutOff) {
        const { index, path } = work.file
        emit({ type: 'file-deferred', index, path, code: error.code, message: error.message })
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

    stop: stopRun,

    async end() {
      const [first] = undecided
      if (first !== undefined && !signal.aborted) {
        // Nothing arrived anywhere: the cause is said once, the other files were not at fault.
        stopRun(first.error)
        await settleFailed(first.work, first.error)
        undecided.shift()
      }
      for (const { work } of undecided) await settleCancelled(work)
      ended = true
    },

    get stopped() {
      return stopped
    },
  }
}

/** Whether an object of the run's may be there; one that was found in its place is not. */
function mayBeStored({ attempts, status, error }: FileRecord): boolean {
  return attempts > 0 && status !== 'skipped' && error?.code !== 'ALREADY_EXISTS'
}
