import type { UploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { toUploadError } from '../errors.ts'
import { createBreaker } from './breaker.ts'
import { type FileWork, newWork } from './file-record.ts'
import { createScheduler } from './scheduler.ts'
import { type SendFileOptions, sendFile } from './send-file.ts'
import { createSettlement } from './settlement.ts'

/** What `--concurrency auto` stands for. */
const automaticConcurrency = 32
/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 5000

export interface TransferOptions extends Omit<SendFileOptions, 'scheduler' | 'breaker' | 'settings'> {
  readonly files: AsyncIterable<PlannedFile>
  readonly settings: SendFileOptions['settings'] & { readonly concurrency: number | 'auto' }
  /** Keeps a file's fate; resolves once the kernel has it. A failure to do so stops the run. */
  readonly record: (record: FileRecord) => Promise<void>
}

/**
 * Sends every file, many at once, each on its own: one that fails stops no other. Only a fault of the destination, the
 * credentials or the journal stops the run; what has not been done by then is `cancelled`.
 *
 * @returns why the run was stopped; `undefined` where it was not, or by the caller's signal
 */
export async function transferFiles(options: TransferOptions): Promise<UploadError | undefined> {
  const { settings, clock } = options
  const concurrency = settings.concurrency === 'auto' ? automaticConcurrency : settings.concurrency
  const scheduler = createScheduler(concurrency)
  const breaker = createBreaker()
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const settlement = createSettlement({
    ...options,
    breaker,
    signal,
    passes: settings.retry.retryFailed,
    stop: () => stop.abort(),
  })

  const send = async (work: FileWork): Promise<void> => {
    if (signal.aborted) return settlement.cancelled(work)
    try {
      const info = await sendFile(work, { ...options, signal, scheduler, breaker })
      await settlement.uploaded(work, info)
    } catch (error) {
      await settlement.failed(work, toUploadError(error))
    }
  }

  const pass = async (works: AsyncIterable<FileWork> | Iterable<FileWork>): Promise<void> => {
    let listUntil: number | undefined
    for await (const work of works) {
      if (signal.aborted) {
        listUntil ??= clock.elapsed() + listingAfterStopMs
        if (clock.elapsed() > listUntil) break
        await settlement.cancelled(work)
      } else if (work.file.problem !== undefined) {
        await settlement.refused(work, work.file.problem)
      } else {
        await scheduler.free()
        scheduler.run(() => send(work))
      }
    }
    await scheduler.idle()
  }

  await pass(asWork(options.files))
  for (let again = settlement.nextPass(); again.length > 0; again = settlement.nextPass()) await pass(again)
  await settlement.end()
  return settlement.stopped
}

async function* asWork(files: AsyncIterable<PlannedFile>): AsyncGenerator<FileWork> {
  for await (const file of files) yield newWork(file)
}
