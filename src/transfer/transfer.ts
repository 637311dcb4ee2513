import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { toUploadError, UploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { createBreaker } from './breaker.ts'
import { type FileWork, newWork } from './file-record.ts'
import { withPatience } from './patience.ts'
import { createScheduler } from './scheduler.ts'
import { type SendFileOptions, sendFile } from './send-file.ts'
import { createSettlement } from './settlement.ts'
import { createStdinFile } from './stdin-file.ts'

/** What `--concurrency auto` stands for. */
const automaticConcurrency = 32
/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 3000

export interface TransferOptions extends Omit<SendFileOptions, 'scheduler' | 'breaker' | 'settings' | 'stdin'> {
  readonly files: AsyncIterable<PlannedFile>
  readonly settings: SendFileOptions['settings'] & { readonly concurrency: number | 'auto' }
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
  const scheduler = createScheduler(settings.concurrency === 'auto' ? automaticConcurrency : settings.concurrency)
  const breaker = createBreaker()
  const stdin = createStdinFile(options.stdin, signal)
  const sending: SendFileOptions = { ...options, signal, scheduler, breaker, stdin }
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

async function* asWork(files: AsyncIterable<PlannedFile>): AsyncGenerator<FileWork> {
  for await (const file of files) yield newWork(file)
}
