import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { automaticConcurrency } from '../config/automatic-concurrency.ts'
import type { HaltSettings, TimeoutSettings } from '../config/settings.ts'
import { toUploadError, UploadError } from '../errors.ts'
import type { FileRecord, PartRecord, UploadStartedRecord } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { lookBack, recall } from './already-sent.ts'
import { type Automatic, createAutomatic } from './automatic.ts'
import { createBreaker } from './breaker.ts'
import type { Earlier } from './earlier.ts'
import { type FileWork, newWork } from './file-record.ts'
import { createGate } from './gate.ts'
import { createHalt } from './halt.ts'
import { asksFirst, lookAhead, ownObject } from './if-exists.ts'
import { createLocalBytes } from './local-bytes.ts'
import type { KeepLine } from './part-journal.ts'
import { withPatience } from './patience.ts'
import { createPacer } from './rate-limit.ts'
import { createScheduler } from './scheduler.ts'
import { type SendFileOptions, sendFile } from './send-file.ts'
import { createSettlement } from './settlement.ts'
import { createSmallReader } from './small-reader.ts'
import { createStdinFile } from './stdin-file.ts'
import { createTimeouts } from './timeouts.ts'

/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 3000

export interface TransferOptions
  extends Omit<
    SendFileOptions,
    | 'scheduler'
    | 'breaker'
    | 'gate'
    | 'pacer'
    | 'timeouts'
    | 'settings'
    | 'stdin'
    | 'smallReader'
    | 'bytes'
    | 'keepLine'
  > {
  readonly files: AsyncIterable<PlannedFile>
  readonly settings: SendFileOptions['settings'] & {
    readonly concurrency: number | 'auto'
    /** Bytes a second for the whole run; undefined: no limit. */
    readonly limitRate: number | undefined
    readonly halt: Omit<HaltSettings, 'deadline'>
    readonly timeouts: TimeoutSettings
  }
  /** Opened only where it is a source. */
  readonly stdin: () => Readable
  /** Stops the run with the signal's reason, where a rule says that it has to end. */
  readonly halted?: AbortSignal | undefined
  /** What every upload takes the place of, where that is known beforehand: nothing. */
  readonly replaced?: null | undefined
  /**
   * Keeps a file's fate, or what is needed to go on with it; resolves once the kernel has it, with `sync` once it is on
   * the disk. A failure to do so stops the run.
   */
  readonly record: (
    record: FileRecord | UploadStartedRecord | PartRecord,
    options?: { readonly sync?: boolean | undefined },
  ) => Promise<void>
  /** What has been done before of these files; undefined where all of them are new. */
  readonly earlier?: Earlier | undefined
}

/**
 * Sends every file, many at once, each on its own: one that fails stops no other. Only a fault of the destination, the
 * credentials, the plan or the journal stops the run; what has not been done by then is `cancelled`.
 *
 * @returns why the run was stopped; `undefined` where it was not, or by the caller's signal
 */
export async function transferFiles(options: TransferOptions): Promise<UploadError | undefined> {
  const { settings, clock } = options
  const isAsked = settings.ifExists !== 'overwrite'
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  // One listener for each request in flight.
  setMaxListeners(0, signal)
  const { scheduler, destination, turn } = slotsOf(options)
  const breaker = createBreaker()
  const gate = createGate({
    clock,
    emit: options.emit,
    policy: settings.retry,
    scheduler,
    breaker,
    isAdaptive: settings.concurrency === 'auto',
    onLost: (error) => settlement.stop(error),
  })
  const stdin = createStdinFile(options.stdin, signal)
  const pacer = settings.limitRate === undefined ? undefined : createPacer(settings.limitRate, clock)
  const requests = settings.concurrency === 'auto' ? automaticConcurrency.most : settings.concurrency
  const timeouts = createTimeouts(settings.timeouts, { ...settings, requests, emit: options.emit })
  const smallReader = createSmallReader(clock)
  const keepLine: KeepLine = async (line, how) => {
    try {
      await options.record(line, how)
    } catch (error) {
      stopFor(error)
      throw error
    }
    options.emit({ type: 'multipart', line })
  }
  const sending: SendFileOptions = {
    ...options,
    destination,
    signal,
    scheduler,
    breaker,
    gate,
    stdin,
    pacer,
    timeouts,
    smallReader,
    bytes: createLocalBytes(),
    keepLine,
  }
  const settlement = createSettlement({
    ...options,
    // What is sent only where there is nothing takes the place of nothing.
    replaced: isAsked ? null : options.replaced,
    skipsExisting: settings.ifExists === 'skip',
    breaker,
    halt: createHalt(settings.halt),
    signal,
    passes: settings.retry.retryFailed,
    stop: () => stop.abort(),
  })

  /** A line that says `cancelled` would take the place of an earlier one that says that the file is there. */
  const cancel = async (work: FileWork): Promise<void> => {
    const before = options.earlier && (await recall(work, options.earlier, sending))
    if (before === undefined) await settlement.cancelled(work)
    else if (before !== 'stands') await settlement.alreadyUploaded(work, before.done)
  }

  const send = async (work: FileWork): Promise<void> => {
    if (signal.aborted) return cancel(work)
    if (options.earlier !== undefined && work.attempts === 0) {
      const before = await lookBack(work, options.earlier, sending).catch(toUploadError)
      if (before instanceof UploadError) return signal.aborted ? cancel(work) : settlement.failed(work, before)
      if (before !== undefined) return settlement.alreadyUploaded(work, before)
    }
    if (isAsked && asksFirst(work)) {
      const found = await lookAhead(work, options.earlier?.begunAtMs, sending).catch(toUploadError)
      if (found instanceof UploadError) return signal.aborted ? cancel(work) : settlement.failed(work, found)
      if (found !== undefined) return settlement.alreadyUploaded(work, { ...found, replaced: null })
    }
    const sent = await sendFile(work, sending).catch(toUploadError)
    const outcome = sent instanceof UploadError ? await ownObject(work, sent, sending).catch(toUploadError) : sent
    return outcome instanceof UploadError ? settlement.failed(work, outcome) : settlement.uploaded(work, outcome)
  }

  const stopFor = (error: unknown): void => settlement.stop(toUploadError(error))
  const haltRun = (): void => stopFor(options.halted?.reason)
  options.halted?.addEventListener('abort', haltRun)
  if (options.halted?.aborted) haltRun()

  const pass = async (works: AsyncIterable<FileWork> | Iterable<FileWork>): Promise<void> => {
    let listUntil: number | undefined
    try {
      for await (const work of works) {
        if (signal.aborted) {
          listUntil ??= clock.elapsed() + listingAfterStopMs
          if (clock.elapsed() > listUntil) break
          await cancel(work)
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
    gate.close()
    options.halted?.removeEventListener('abort', haltRun)
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
