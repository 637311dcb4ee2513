import { hostname } from 'node:os'
import { addAbortSignal, type Readable } from 'node:stream'
import packageJson from '../package.json' with { type: 'json' }
import { parseDestinationUrl } from './config/destination-url.ts'
import { effectiveConfig, redactArgv } from './config/redact.ts'
import type { Settings } from './config/settings.ts'
import { unlessAborted } from './destinations/abort.ts'
import type { Destination } from './destinations/destination.ts'
import { openDestination } from './destinations/registry.ts'
import { UploadError } from './errors.ts'
import { exitCodeOf, type StopReason, stopReasonOf } from './exit-code.ts'
import type { Listener } from './observe/events.ts'
import { createJournal, type Journal } from './observe/journal.ts'
import type { RunRecord, SummaryRecord } from './observe/records.ts'
import { systemPlaces } from './observe/state-directory.ts'
import { createTally } from './observe/tally.ts'
import { ownFiles } from './own-files.ts'
import { createPlan, type Plan } from './plan/plan.ts'
import type { PlannedFile } from './plan/planned-file.ts'
import type { Survey } from './plan/survey.ts'
import { newRunId } from './run-id.ts'
import { checkReports, concludeRun } from './run-reports.ts'
import { type Clock, systemClock } from './transfer/clock.ts'
import { transferFiles } from './transfer/transfer.ts'

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
  const around = surroundings(request)
  const began = around.clock.elapsed()
  const tally = createTally()
  const emit = toListeners(tally.see, request.listener)
  let opened: Opened | undefined
  try {
    await checkReports(settings.report, around.cwd)
    opened = await openPlan(request, around, emit)
    const { destination, plan, survey } = opened
    const journal = await openJournal(request, around, destination, emit)
    const stopped = await transferFiles({
      ...around,
      files: plan.files(),
      destination,
      settings,
      signal,
      emit,
      record: journal.append,
    })
    const lost = signal.aborted || stopped ? 0 : Math.max(0, survey.files - tally.listed)
    if (lost > 0) emit({ type: 'warning', message: `${lost} of the files that were found at first were gone later` })
    const summary = tally.finish({
      exitCode: exitCodeOf({
        stopReason: stopReasonOf(signal),
        couldNotGoOn: stopped !== undefined,
        failed: tally.counts.failed + lost,
      }),
      files: survey.files,
      junkSkipped: survey.junkSkipped,
      durationMs: around.clock.elapsed() - began,
    })
    return await concludeRun(settings.report, around.cwd, { journal, summary, failures: tally.failures, stopped, emit })
  } finally {
    tally.stop()
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

interface Opened {
  readonly destination: Destination
  readonly plan: Plan
  readonly survey: Survey
  close(): Promise<void>
}

/** @throws UploadError `CANCELLED` where the signal is aborted meanwhile, however long a directory takes to be read. */
async function openPlan({ settings, signal }: UploadRequest, around: Surroundings, emit: Listener): Promise<Opened> {
  const url = parseDestinationUrl(settings.to)
  const warn = (message: string): void => emit({ type: 'warning', message })
  const destination = await openDestination(settings, warn)
  let plan: Plan | undefined
  // What goes wrong while tidying up must not hide what came of the run.
  const close = async (): Promise<void> => void (await Promise.allSettled([plan?.dispose(), destination.close()]))
  try {
    plan = await createPlan({
      settings,
      prefix: url.scheme === 's3' ? url.prefix : '',
      destinationKeyProblem: destination.limits.keyProblem,
      cwd: around.cwd,
      stdin: around.stdin,
      warn,
      isOwn: await ownFiles(settings, url, systemPlaces(around.env), around.cwd),
    })
    const survey = await unlessAborted(plan.survey(totals(emit, signal)), signal)
    emit({ type: 'totals', files: survey.files, bytes: survey.bytes, complete: true })
    return { destination, plan, survey, close }
  } catch (error) {
    await close()
    throw signal.aborted ? new UploadError('CANCELLED', 'stopped before anything was sent') : error
  }
}

async function openJournal(
  { settings, argv }: UploadRequest,
  { cwd, env, clock }: Surroundings,
  destination: Destination,
  emit: Listener,
): Promise<Journal> {
  const journal = await createJournal({
    runId: settings.runId,
    newRunId: () => newRunId(clock.now(), clock.random()),
    places: systemPlaces(env),
    now: clock.now(),
    warn: (message) => emit({ type: 'warning', message }),
  })
  const run: RunRecord = {
    type: 'run',
    version: packageJson.version,
    runId: journal.runId,
    invocation: 1,
    startedAt: new Date(clock.now()).toISOString(),
    cwd,
    to: destination.url,
    argv: redactArgv(argv),
    config: effectiveConfig(settings),
    host: hostname(),
    node: process.version,
    pid: process.pid,
  }
  try {
    await journal.append(run)
  } catch (error) {
    await journal.close().catch(() => undefined)
    throw error
  }
  emit({
    type: 'run',
    run,
    journal: journal.path,
    configFile: settings.configFile,
    endpoint: destination.endpoint,
  })
  return journal
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
