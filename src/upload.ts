import { addAbortSignal, type Readable } from 'node:stream'
import { parseDestinationUrl, prefixOf } from './config/destination-url.ts'
import { redactArgv } from './config/redact.ts'
import type { Settings } from './config/settings.ts'
import type { Destination } from './destinations/destination.ts'
import { openDestination } from './destinations/registry.ts'
import { UploadError } from './errors.ts'
import { exitCodeOf, type StopReason, stopReasonOf } from './exit-code.ts'
import { unlessAborted } from './http/abort.ts'
import type { Listener } from './observe/events.ts'
import type { SummaryRecord } from './observe/records.ts'
import { systemPlaces } from './observe/state-directory.ts'
import { createTally } from './observe/tally.ts'
import { ownFiles } from './own-files.ts'
import { createPlan, type Plan } from './plan/plan.ts'
import type { PlannedFile } from './plan/planned-file.ts'
import type { Survey } from './plan/survey.ts'
import { againCommand } from './resume/again.ts'
import { checkReports, concludeRun } from './run-reports.ts'
import { journalNamedBy, type StartedRun, startRun } from './start-run.ts'
import { type Clock, systemClock } from './transfer/clock.ts'
import { watchDeadline } from './transfer/deadline.ts'
import { notAtomic } from './transfer/if-exists.ts'
import { transferFiles } from './transfer/transfer.ts'
import type { UndoGuard, UndoGuardOptions } from './undo/guard.ts'

/** Scanned files between two `totals` events. */
const totalsEvery = 1000

/** One run of the main job. */
export interface UploadRequest {
  readonly settings: Settings
  /** The command line, for the journal; secrets are taken out before it is written. */
  readonly argv: readonly string[]
  /**
   * Stops the run: requests are cut, what had not ended is `cancelled`, reports are written. A {@link StopReason} as
   * `reason` chooses the exit code of the summary; any other counts as SIGTERM.
   */
  readonly signal: AbortSignal
  readonly listener: Listener
  /** The journal that is continued, where it is known already which. */
  readonly journal?: string | undefined
  readonly surroundings?: Partial<Surroundings>
}

export type { StopReason }

/** What a run takes from the process it is in. */
export interface Surroundings {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Called only where standard input is read: to open it keeps a process alive. */
  readonly stdin: () => Readable
  readonly clock: Clock
}

/**
 * Uploads what `settings` say. Prints nothing, exits nothing, sets no signal handlers.
 *
 * @returns the summary, as it stands in the report
 * @throws UsageError before the first byte where the plan cannot be carried out (exit 2).
 * @throws UploadError where no journal can be kept (exit 3); `CANCELLED` where it was stopped before it began.
 */
export async function runUpload(request: UploadRequest): Promise<SummaryRecord> {
  const { settings, signal } = request
  const { clock = systemClock } = request.surroundings ?? {}
  const deadline = watchDeadline(settings.halt.deadline, clock, (event) => emit(event))
  const before: UploadRequest = { ...request, signal: AbortSignal.any([signal, deadline.signal]) }
  const around = surroundings(before)
  const began = around.clock.elapsed()
  const tally = createTally()
  const emit = toListeners(tally.see, deadline.listener, request.listener)
  let opened: Opened | undefined
  let started: StartedRun | undefined
  try {
    await checkReports(settings.report, around.cwd)
    opened = await openPlan(before, around, emit).catch((error) => {
      throw deadline.signal.aborted && !signal.aborted ? deadline.signal.reason : error
    })
    const { destination, plan, survey } = opened
    const guard = await undoGuard({ ...around, settings, destination, plan, count: survey.files, signal, emit })
    started = await startRun({ ...request, ...around, destination, plan, emit, promise: guard?.promise })
    const { journal, invocation, earlier } = started
    const stopped = await transferFiles({
      ...around,
      files: plan.files(),
      destination,
      settings,
      signal,
      halted: AbortSignal.any([deadline.signal, journal.lost]),
      emit,
      record: guard?.recordIn(journal) ?? journal.append,
      replaced: guard?.replaced,
      earlier,
    })
    const lost = signal.aborted || stopped ? 0 : Math.max(0, survey.files - tally.listed)
    if (lost > 0) emit({ type: 'warning', message: `${lost} of the files that were found at first were gone later` })
    const unkept = tally.counts.uploaded > 0 ? notAtomic(destination, settings.ifExists) : undefined
    if (unkept !== undefined) emit({ type: 'warning', message: unkept })
    const ended = { stopReason: stopReasonOf(signal), stoppedBy: stopped?.code, failed: tally.counts.failed + lost }
    const finish = async (exitCode: number): Promise<SummaryRecord> => {
      if (exitCode !== 0) await guard?.takeBack(journal)
      const { files, junkSkipped } = survey
      return tally.finish({ exitCode, files, junkSkipped, durationMs: around.clock.elapsed() - began })
    }
    const summary = await finish(exitCodeOf(ended))
    const { failures } = tally
    // What another process goes on with is not this one's to offer.
    const again = (ended: SummaryRecord): string | undefined =>
      journal.lost.aborted ? undefined : againCommand(ended, settings, redactArgv(request.argv))
    const ending = { journal, invocation, summary, finish, failures, stopped, again, emit }
    return await concludeRun(settings.report, around.cwd, ending)
  } finally {
    tally.stop()
    deadline.close()
    await started?.close()
    await opened?.close()
  }
}

/**
 * The files `runUpload` would send, in the order of sending, with those that would fail.
 *
 * @throws UsageError as `runUpload` does.
 */
export async function* planUpload(request: UploadRequest): AsyncGenerator<PlannedFile> {
  const { plan, close } = await openPlan(request, surroundings(request), toListeners(request.listener))
  try {
    yield* plan.files()
  } finally {
    await close()
  }
}

function surroundings({ surroundings, signal }: UploadRequest): Surroundings {
  const around = {
    cwd: process.cwd(),
    env: process.env,
    stdin: () => process.stdin,
    clock: systemClock,
    ...surroundings,
  }
  // Whoever reads it may wait for ever: a stop ends that.
  return { ...around, stdin: () => addAbortSignal(signal, around.stdin()) }
}

/** Loaded only where it is asked for. */
async function undoGuard(options: UndoGuardOptions): Promise<UndoGuard | undefined> {
  return options.settings.undoOnFailure ? (await import('./undo/guard.ts')).guardRun(options) : undefined
}

interface Opened {
  readonly destination: Destination
  readonly plan: Plan
  readonly survey: Survey
  close(): Promise<void>
}

/** @throws UploadError `CANCELLED` where the signal is aborted meanwhile, however long a directory takes to be read. */
async function openPlan(request: UploadRequest, around: Surroundings, emit: Listener): Promise<Opened> {
  const { settings, signal, journal = journalNamedBy(settings) } = request
  const url = parseDestinationUrl(settings.to)
  const warn = (message: string): void => emit({ type: 'warning', message })
  const say = (message: string): void => emit({ type: 'notice', message })
  settings.ignored.forEach(say)
  const destination = await openDestination(settings, warn)
  let plan: Plan | undefined
  // What goes wrong while tidying up must not hide what came of the run.
  const close = async (): Promise<void> => void (await Promise.allSettled([plan?.dispose(), destination.close()]))
  try {
    plan = await createPlan({
      settings,
      prefix: prefixOf(url),
      destinationKeyProblem: destination.limits.keyProblem,
      fixName: settings.keyFix ? destination.limits.fixName : undefined,
      cwd: around.cwd,
      stdin: around.stdin,
      warn,
      say,
      isOwn: await ownFiles({ ...settings, journal }, url, systemPlaces(around.env), around.cwd),
    })
    const survey = await unlessAborted(plan.survey(totals(emit, signal)), signal)
    emit({ type: 'totals', files: survey.files, bytes: survey.bytes, complete: true })
    return { destination, plan, survey, close }
  } catch (error) {
    await close()
    throw signal.aborted ? new UploadError('CANCELLED', 'stopped before anything was sent') : error
  }
}

/** Watchers cannot harm the run: what one throws is dropped. */
function toListeners(...listeners: readonly Listener[]): Listener {
  return (event) => {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch {
        // A broken bar is no reason to lose an upload.
      }
    }
  }
}

/** Tells how far the scan is; ends it, by throwing, once nobody wants it any more. */
function totals(emit: Listener, signal: AbortSignal): (files: number, bytes: number) => void {
  return (files, bytes) => {
    signal.throwIfAborted()
    if (files % totalsEvery === 0) emit({ type: 'totals', files, bytes, complete: false })
  }
}
