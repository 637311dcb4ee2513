import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { toUploadError, UploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { type Automatic, createAutomatic } from './automatic.ts'
import { createBreaker } from './breaker.ts'
import { type FileWork, newWork } from './file-record.ts'
import { withPatience } from './patience.ts'
import { createPacer } from './rate-limit.ts'
import { createScheduler } from './scheduler.ts'
import { type SendFileOptions, sendFile } from './send-file.ts'
import { createSettlement } from './settlement.ts'
import { createSmallReader } from './small-reader.ts'
import { createStdinFile } from './stdin-file.ts'

/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 3000

export interface TransferOptions
  extends Omit<SendFileOptions, 'scheduler' | 'breaker' | 'pacer' | 'settings' | 'stdin' | 'smallReader'> {
  readonly files: AsyncIterable<PlannedFile>
  readonly settings: SendFileOptions['settings'] & {
    readonly concurrency: number | 'auto'
    /** Bytes a second for the whole run; undefined: no limit. */
    readonly limitRate: number | undefined
  }
  /** Opened only where it is a source. */
  readonly stdin: () => Readable
  /** Keeps a file's fate; resolves once the kernel has it. A failure to do so stops the run. */
  readonly record: (record: FileRecord) => Promise<void>
}

/**
 * Sends every file, many at once, each on its own: one that fails stops no other. Only a fault of the destination, the
 * credentials, the plan or the journal stops the run; what has not been done by then is `cancelled`.
 *
 * @returns why the run was stopped; `undefined` where it was not, or by the caller's signal
 */
export async function transferFiles(options: TransferOptions): Promise<UploadError | undefined> {
  const { settings, clock } = options
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  // One listener for each request in flight.
  setMaxListeners(0, signal)
  const { scheduler, destination, turn } = slotsOf(options)
  const breaker = createBreaker()
  const stdin = createStdinFile(options.stdin, signal)
  const pacer = settings.limitRate === undefined ? undefined : createPacer(settings.limitRate, clock)
  const smallReader = createSmallReader(clock)
  const sending: SendFileOptions = { ...options, destination, signal, scheduler, breaker, stdin, pacer, smallReader }
  const settlement = createSettlement({
    ...options,
    breaker,
    signal,
    passes: settings.retry.retryFailed,
    stop: () => stop.abort(),
  })

  const send = async (work: FileWork): Promise<void> => {
    if (signal.aborted) return settlement.cancelled(work)
    const outcome = await sendFile(work, sending).catch(toUploadError)
    return outcome instanceof UploadError ? settlement.failed(work, outcome) : settlement.uploaded(work, outcome)
  }

  const stopFor = (error: unknown): void => settlement.stop(toUploadError(error))

  const pass = async (works: AsyncIterable<FileWork> | Iterable<FileWork>): Promise<void> => {
    let listUntil: number | undefined
    try {
      for await (const work of works) {
        if (signal.aborted) {
          listUntil ??= clock.elapsed() + listingAfterStopMs
          if (clock.elapsed() > listUntil) break
          await settlement.cancelled(work)
        } else if (work.file.problem !== undefined) {
          await settlement.refused(work, work.file.problem)
        } else {
          const ours = turn(signal)
          // Cut short only by the end of the run, which `send` sees.
          if (ours !== undefined) await ours.catch(() => undefined)
          await scheduler.start(() => send(work))
        }
      }
    } catch (error) {
      // The plan broke off: what else there is to send is not known.
      stopFor(error)
    }
    await scheduler.idle().catch(stopFor)
  }

  const passes = async (): Promise<void> => {
    await pass(asWork(options.files))
    for (let again = settlement.nextPass(); again.length > 0; again = settlement.nextPass()) await pass(again)
  }

  try {
    await withPatience(passes(), signal, clock)
    await settlement.end()
  } finally {
    await stdin.dispose()
  }
  return settlement.stopped
}

/** A number is what the user asked for: nothing adapts it, and nothing is held back. */
function slotsOf({ settings, destination, clock, emit }: TransferOptions): Automatic {
  const { concurrency } = settings
  if (concurrency === 'auto') return createAutomatic({ destination, clock, emit, busyMs: threadBusyMs })
  return { scheduler: createScheduler(concurrency), destination, turn: () => undefined }
}

function threadBusyMs(): number {
  return performance.eventLoopUtilization().active
}

async function* asWork(files: AsyncIterable<PlannedFile>): AsyncGenerator<FileWork> {
  for await (const file of files) yield newWork(file)
}
