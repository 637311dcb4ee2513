import { addAbortSignal, type Readable } from 'node:stream'
import { redactArgv } from './config/redact.ts'
import type { Settings } from './config/settings.ts'
import { UploadError } from './errors.ts'
import { exitCodeOf, type StopReason, stopReasonOf } from './exit-code.ts'
import { unlessAborted } from './http/abort.ts'
import { ignoredIn, type OpenedLanes, openRunLanes, type RunLane } from './lanes.ts'
import type { Listener } from './observe/events.ts'
import type { SummaryRecord } from './observe/records.ts'
import { systemPlaces } from './observe/state-directory.ts'
import { createTally } from './observe/tally.ts'
import { ownFiles } from './own-files.ts'
import type { TemplateRun } from './plan/keys/key-tokens.ts'
import { createPlan, type Plan } from './plan/plan.ts'
import type { PlannedFile } from './plan/planned-file.ts'
import type { Survey } from './plan/survey.ts'
import { againCommand } from './resume/again.ts'
import type { LiveRollout, RolloutShare } from './rollout/rollout.ts'
import { newRunId } from './run-id.ts'
import { checkReports, concludeRun } from './run-reports.ts'
import { openStandardInput } from './standard-input.ts'
import { journalNamedBy, type StartedRun, startRun } from './start-run.ts'
import { type Clock, systemClock } from './transfer/clock.ts'
import { notAtomic } from './transfer/existing/if-exists.ts'
import { transferFiles } from './transfer/transfer.ts'
import { watchDeadline } from './transfer/trouble/deadline.ts'
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
  /** The same as a source, of which a piece is there only until the next is asked for. */
  readonly stdinSource: () => Readable
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
  let rollout: LiveRollout | undefined
  let opened: Opened | undefined
  let started: StartedRun | undefined
  try {
    await checkReports(settings.report, around.cwd)
    const begin = async (): Promise<Opened> => {
      rollout = await joinRollout(before, around, emit)
      opened = await openPlan(before, around, emit, rollout)
      return opened
    }
    const { lanes, candidateOf, plan, run, survey } = await begin().catch((error) => {
      throw deadline.signal.aborted && !signal.aborted ? deadline.signal.reason : error
    })
    const guard = await undoGuard({ ...around, settings, lanes, candidateOf, plan, signal, emit })
    const promise = guard?.promise
    const taken = { lanes, candidateOf, plan, run, rollout: rollout?.run }
    started = await startRun({ ...request, ...around, ...taken, emit, promise })
    const { journal, invocation, earlier } = started
    if (rollout?.isOn) await warmUp(lanes, plan, before.signal)
    const causes = await transferFiles({
      ...around,
      stdin: around.stdinSource,
      files: plan.files(),
      lanes: lanes.map((lane, index) => ({
        ...lane,
        replaced: guard?.replacedIn(index),
        scope: plan.scope(index),
      })),
      settings,
      limits: { ...settings.limits, plannedBytes: survey.toSend.bytes },
      signal,
      halted: AbortSignal.any([deadline.signal, journal.lost]),
      emit,
      record: guard?.recordIn(journal) ?? journal.append,
      earlier,
      rollout: rollout && (guard?.rollout(rollout) ?? rollout),
    })
    // What it has to say comes before the run's last words.
    await rollout?.close()
    const lost = signal.aborted || causes.length > 0 ? 0 : Math.max(0, survey.files - tally.listed)
    if (lost > 0) emit({ type: 'warning', message: `${lost} of the files that were found at first were gone later` })
    const stoppedBy = causes.map(({ error }) => error.code)
    const ended = { stopReason: stopReasonOf(signal), stoppedBy, failed: tally.counts.failed + lost }
    const finish = async (exitCode: number): Promise<SummaryRecord> => {
      if (exitCode !== 0) await guard?.takeBack(journal)
      const { files, junkSkipped } = survey
      const durationMs = around.clock.elapsed() - began
      return tally.finish({ exitCode, files, junkSkipped, durationMs, rollout: rollout?.run?.name })
    }
    const summary = await finish(exitCodeOf(ended))
    for (const message of unkept(lanes, summary)) emit({ type: 'warning', message })
    const { failures } = tally
    // What another process goes on with is not this one's to offer.
    const again = (ended: SummaryRecord): string | undefined =>
      journal.lost.aborted ? undefined : againCommand(ended, settings, redactArgv(request.argv))
    const ending = { journal, invocation, summary, finish, failures, causes, again, emit }
    return await concludeRun(settings.report, around.cwd, ending)
  } finally {
    tally.stop()
    deadline.close()
    await rollout?.close()
    await started?.close()
    await opened?.close()
  }
}

/** A file, and the way it would take. */
export interface PlannedUpload {
  readonly file: PlannedFile
  readonly lane: Pick<RunLane, 'destination' | 'settings'>
}

/**
 * The files `runUpload` would send, in the order of sending, with those that would fail.
 *
 * @throws UsageError as `runUpload` does.
 */
export async function* planUpload(request: UploadRequest): AsyncGenerator<PlannedUpload> {
  const around = surroundings(request)
  const share = await peekRollout(request, around)
  const { lanes, plan, close } = await openPlan(request, around, toListeners(request.listener), share)
  try {
    for await (const file of plan.files()) yield { file, lane: lanes[file.lane] as RunLane }
  } finally {
    await close()
  }
}

function surroundings({ surroundings, signal }: UploadRequest): Surroundings {
  const around = {
    cwd: process.cwd(),
    env: process.env,
    stdin: () => process.stdin,
    stdinSource: surroundings?.stdin ?? openStandardInput,
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

/** Takes part in the rollout, where there is one: only then is it loaded. */
async function joinRollout(
  { settings: { rollout }, signal }: UploadRequest,
  { env, clock }: Surroundings,
  emit: Listener,
): Promise<LiveRollout | undefined> {
  if (rollout === undefined) return undefined
  const { openRollout } = await import('./rollout/rollout.ts')
  return openRollout({ rollout, places: systemPlaces(env), clock, emit, signal })
}

/**
 * Of a small share, the files of one run are few: were the first of them to wait for what it finds unprepared, the
 * candidate would seem slow. What cannot be prepared says why to its first file. For what no file goes to, no credentials
 * are looked for.
 */
async function warmUp(lanes: readonly RunLane[], plan: Pick<Plan, 'scope'>, signal: AbortSignal): Promise<void> {
  const used = lanes.filter((_, lane) => plan.scope(lane) !== undefined)
  const destinations = new Set(used.map(({ destination }) => destination))
  const ready = Promise.allSettled([...destinations].map((destination) => destination.prepare?.()))
  await unlessAborted(ready, signal).catch(() => undefined)
}

/** What the rollout would have a run do, where there is one. */
async function peekRollout(
  { settings: { rollout } }: UploadRequest,
  { env, clock }: Surroundings,
): Promise<RolloutShare | undefined> {
  if (rollout === undefined) return undefined
  const { peekShare } = await import('./rollout/rollout.ts')
  return peekShare({ rollout, places: systemPlaces(env), clock })
}

/** What is to be said of destinations that may not have kept others' objects. */
function unkept(lanes: readonly RunLane[], { byDestination }: SummaryRecord): ReadonlySet<string> {
  const used = lanes.filter(({ destination: { url } }) => (byDestination[url]?.uploaded ?? 0) > 0)
  const said = used.map(({ destination, settings }) => notAtomic(destination, settings.ifExists))
  return new Set(said.filter((message) => message !== undefined))
}

interface Opened extends Pick<OpenedLanes, 'lanes' | 'candidateOf'> {
  readonly plan: Plan
  /** The run, unless an earlier one is continued. */
  readonly run: TemplateRun
  readonly survey: Survey
  close(): Promise<void>
}

/** @throws UploadError `CANCELLED` where the signal is aborted meanwhile, however long a directory takes to be read. */
async function openPlan(
  request: UploadRequest,
  around: Surroundings,
  emit: Listener,
  share: RolloutShare | undefined,
): Promise<Opened> {
  const { settings, signal, journal = journalNamedBy(settings) } = request
  const warn = (message: string): void => emit({ type: 'warning', message })
  const say = (message: string): void => emit({ type: 'notice', message })
  for (const warning of settings.warnings) warn(warning)
  for (const ignored of ignoredIn(settings)) say(ignored)
  const opened = await openRunLanes(settings, around.cwd, warn, share?.percentage)
  const { lanes, planLanes, candidateOf, urls } = opened
  const startedAtMs = around.clock.now()
  const run: TemplateRun = { id: settings.runId ?? newRunId(startedAtMs, around.clock.random()), startedAtMs }
  let plan: Plan | undefined
  // What goes wrong while tidying up must not hide what came of the run.
  const close = async (): Promise<void> => void (await Promise.allSettled([plan?.dispose(), opened.close()]))
  try {
    plan = await createPlan({
      settings,
      lanes: planLanes,
      sides: share?.sides,
      candidateOf,
      cwd: around.cwd,
      nowMs: startedAtMs,
      runId: run.id,
      signal,
      stdin: around.stdin,
      warn,
      say,
      isOwn: await ownFiles({ ...settings, journal }, urls, systemPlaces(around.env), around.cwd),
    })
    const survey = await unlessAborted(plan.survey(totals(emit, signal)), signal)
    emit({ type: 'totals', files: survey.files, bytes: survey.bytes, complete: true })
    return { lanes, candidateOf, plan, run, survey, close }
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
