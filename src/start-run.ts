import { hostname } from 'node:os'
import packageJson from '../package.json' with { type: 'json' }
import { isSupabaseUrl, prefixOf } from './config/destination-url.ts'
import { effectiveConfig, redactArgv } from './config/redact.ts'
import type { Settings } from './config/settings.ts'
import type { OpenedLanes, RunLane } from './lanes.ts'
import type { Listener } from './observe/events.ts'
import { createJournal, type Journal } from './observe/journal.ts'
import type { RunRecord, RunRollout } from './observe/records.ts'
import { systemPlaces } from './observe/state-directory.ts'
import type { TemplateRun } from './plan/keys/key-tokens.ts'
import type { Plan } from './plan/plan.ts'
import { earlierByLane } from './resume/by-lane.ts'
import { type ContinuedRun, continueRun } from './resume/continue-run.ts'
import { earlierFromServer } from './resume/from-server.ts'
import { otherSides } from './resume/other-side.ts'
import { removingUnrecorded } from './resume/unrecorded-uploads.ts'
import { newRunId } from './run-id.ts'
import type { Clock } from './transfer/clock.ts'
import type { Earlier } from './transfer/earlier.ts'

export interface StartOptions {
  readonly settings: Settings
  /** The command line, for the journal; secrets are taken out before it is written. */
  readonly argv: readonly string[]
  /** The journal that is continued, where it is known already which. */
  readonly journal?: string | undefined
  /** The run's own, then that of each route, then those of a rollout's candidates that are open. */
  readonly lanes: readonly RunLane[]
  /** By lane, the number of its candidate's, open or not. */
  readonly candidateOf?: OpenedLanes['candidateOf'] | undefined
  readonly plan: Pick<Plan, 'listed' | 'belongsTo'>
  /** The run, unless an earlier one is continued. */
  readonly run: TemplateRun
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly emit: Listener
  /**
   * What has to be settled first, with the journal of the run that is continued. Where it rejects, nothing is written: a
   * run that was refused is none to go on with.
   */
  readonly promise?: ((journal: string | undefined) => Promise<void>) | undefined
  /** The rollout that the run takes part in. */
  readonly rollout?: RunRollout | undefined
}

/** A run with its journal open: a new one, or one that is continued. */
export interface StartedRun {
  readonly journal: Journal
  /** This process's number in the run's journal, from 1. */
  readonly invocation: number
  /** What was done before; undefined for a run from scratch. */
  readonly earlier: Earlier | undefined
  /** Lets go of the journal, however the run ended. */
  close(): Promise<void>
}

/** The journal that `--resume-from` names. */
export function journalNamedBy({ resumeFrom }: Pick<Settings, 'resumeFrom'>): string | undefined {
  return resumeFrom === 'server' ? undefined : resumeFrom
}

/**
 * Opens the journal of the run that is continued, or a new one, and writes this invocation's first line.
 *
 * @throws UsageError where a run that was named cannot be continued, or another process is at it.
 * @throws UploadError where no journal can be kept; what `promise` throws.
 */
export async function startRun(options: StartOptions): Promise<StartedRun> {
  const continued = await continuedRun(options)
  const invocation = continued?.invocation ?? 1
  let opened = continued?.journal
  const close = async (): Promise<void> => void (await Promise.allSettled([opened?.close(), continued?.close()]))
  try {
    const { plan, run } = options
    if (continued !== undefined) {
      // Files that are new get the keys they would have had at its beginning.
      await plan.belongsTo({ id: continued.journal.runId, startedAtMs: Date.parse(continued.since) })
    }
    await options.promise?.(opened?.path)
    if (opened === undefined) {
      opened = await newJournal(options)
      await plan.belongsTo({ ...run, id: opened.runId })
    }
    const journal = opened
    await announce(options, journal, invocation)
    const earlier = options.settings.resumeFrom === 'server' ? askServer(options) : askJournal(options, continued)
    return { journal, invocation, earlier, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function continuedRun(options: StartOptions): Promise<ContinuedRun | undefined> {
  const { settings, env, emit } = options
  if (!settings.resume || settings.resumeFrom === 'server') return undefined
  const journal = options.journal ?? journalNamedBy(settings)
  const continued = await continueRun({
    ...options,
    destinations: options.lanes.map(({ destination }) => destination),
    otherSideOf: await otherSides({ ...options, candidateOf: options.candidateOf ?? [] }),
    journal,
    plan: { files: options.plan.listed },
    places: systemPlaces(env),
  })
  if (continued === undefined) {
    const message =
      'nothing to resume: no unfinished run has this destination and one of these sources; this is a new run'
    emit({ type: 'warning', message })
  }
  return continued
}

function askServer({ lanes, signal, emit }: StartOptions): Earlier | undefined {
  return earlierByLane(
    lanes.map(({ destination, settings, url }) =>
      earlierFromServer(destination, { settings, signal, prefix: prefixOf(url), say: sayTo(emit) }),
    ),
  )
}

function askJournal(options: StartOptions, continued: ContinuedRun | undefined): Earlier | undefined {
  if (continued === undefined) return undefined
  const { earlier, since } = continued
  return earlierByLane(
    options.lanes.map(({ destination, settings: { multipartThreshold }, url }) =>
      removingUnrecorded(earlier, destination, {
        since,
        multipartThreshold,
        prefix: prefixOf(url),
        say: sayTo(options.emit),
      }),
    ),
  )
}

function sayTo(emit: Listener): (message: string) => void {
  return (message) => emit({ type: 'notice', message })
}

function newJournal({ settings, env, clock, emit, run }: StartOptions): Promise<Journal> {
  let drawn: string | undefined = run.id
  return createJournal({
    runId: settings.runId,
    newRunId() {
      // Another run of the same second may have it.
      const id = drawn ?? newRunId(clock.now(), clock.random())
      drawn = undefined
      return id
    },
    places: systemPlaces(env),
    now: clock.now(),
    warn: (message) => emit({ type: 'warning', message }),
  })
}

/**
 * The run's settings, each destination's endpoint with them: which one a profile names, say, is not there, and it tells
 * buckets of one name apart.
 */
function settingsInEffect(
  [own, ...others]: readonly RunLane[],
  settings: Settings,
  candidateOf: OpenedLanes['candidateOf'] = [],
): Settings {
  const routes = settings.routes.map((route, index) => {
    const lane = others[index]
    return lane === undefined || route.skip ? route : { ...route, settings: withEndpoint(lane) }
  })
  const candidates = settings.rollout?.candidates.map((candidate, index) => {
    const lane = others[(candidateOf[index] ?? 0) - 1]
    return lane?.side === 'candidate' ? withEndpoint(lane) : candidate
  })
  const rollout = candidates && settings.rollout && { ...settings.rollout, candidates }
  return { ...(own === undefined ? settings : withEndpoint(own)), routes, rollout }
}

function withEndpoint({ settings, destination: { endpoint } }: RunLane): Settings {
  if (endpoint === undefined) return settings
  const { to, s3 } = settings
  return isSupabaseUrl(to)
    ? { ...settings, supabase: { url: endpoint } }
    : { ...settings, s3: { ...s3, endpointUrl: endpoint } }
}

async function announce(options: StartOptions, journal: Journal, invocation: number): Promise<void> {
  const { settings, argv, cwd, lanes, emit } = options
  const [own] = lanes
  const endpoint = own?.destination.endpoint
  const run: RunRecord = {
    type: 'run',
    version: packageJson.version,
    runId: journal.runId,
    invocation,
    startedAt: new Date(options.run.startedAtMs).toISOString(),
    cwd,
    to: own?.destination.url ?? settings.to,
    argv: redactArgv(argv),
    config: effectiveConfig(settingsInEffect(lanes, settings, options.candidateOf)),
    host: hostname(),
    node: process.version,
    pid: process.pid,
    rollout: options.rollout,
  }
  await journal.append(run)
  emit({
    type: 'run',
    run,
    journal: journal.path,
    configFile: settings.configFile,
    endpoint,
    otherEndpoints: endpointsOf(lanes).filter((other) => other !== endpoint),
  })
}

/** Each once. */
function endpointsOf(lanes: readonly RunLane[]): readonly string[] {
  return [...new Set(lanes.flatMap(({ destination: { endpoint } }) => endpoint ?? []))]
}
