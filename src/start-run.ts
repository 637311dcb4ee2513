import { hostname } from 'node:os'
import packageJson from '../package.json' with { type: 'json' }
import { isSupabaseUrl, parseDestinationUrl, prefixOf } from './config/destination-url.ts'
import { effectiveConfig, redactArgv } from './config/redact.ts'
import type { Settings } from './config/settings.ts'
import type { Destination } from './destinations/destination.ts'
import type { Listener } from './observe/events.ts'
import { createJournal, type Journal } from './observe/journal.ts'
import type { RunRecord } from './observe/records.ts'
import { systemPlaces } from './observe/state-directory.ts'
import type { Plan } from './plan/plan.ts'
import { type ContinuedRun, continueRun } from './resume/continue-run.ts'
import { earlierFromServer } from './resume/from-server.ts'
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
  readonly destination: Destination
  readonly plan: Pick<Plan, 'files'>
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
    await options.promise?.(opened?.path)
    opened ??= await newJournal(options)
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
  const continued = await continueRun({ ...options, journal, places: systemPlaces(env) })
  if (continued === undefined) {
    const message =
      'nothing to resume: no unfinished run has this destination and one of these sources; this is a new run'
    emit({ type: 'warning', message })
  }
  return continued
}

function askServer(options: StartOptions): Earlier {
  const { settings, destination, signal } = options
  return earlierFromServer(destination, { settings, signal, ...scene(options) })
}

function askJournal(options: StartOptions, continued: ContinuedRun | undefined): Earlier | undefined {
  if (continued === undefined) return undefined
  const { multipartThreshold } = options.settings
  const { earlier, since } = continued
  return removingUnrecorded(earlier, options.destination, { since, multipartThreshold, ...scene(options) })
}

function scene({ settings, emit }: StartOptions): { prefix: string; say: (message: string) => void } {
  return { prefix: prefixOf(parseDestinationUrl(settings.to)), say: (message) => emit({ type: 'notice', message }) }
}

function newJournal({ settings, env, clock, emit }: StartOptions): Promise<Journal> {
  return createJournal({
    runId: settings.runId,
    newRunId: () => newRunId(clock.now(), clock.random()),
    places: systemPlaces(env),
    now: clock.now(),
    warn: (message) => emit({ type: 'warning', message }),
  })
}

/** Which one a profile names, say, is not in the settings, and it tells buckets of one name apart. */
function endpointInEffect(
  { to, s3 }: Settings,
  { endpoint }: Pick<Destination, 'endpoint'>,
): Partial<Pick<Settings, 's3' | 'supabase'>> {
  if (endpoint === undefined) return {}
  return isSupabaseUrl(to) ? { supabase: { url: endpoint } } : { s3: { ...s3, endpointUrl: endpoint } }
}

async function announce(options: StartOptions, journal: Journal, invocation: number): Promise<void> {
  const { settings, argv, cwd, clock, destination, emit } = options
  const run: RunRecord = {
    type: 'run',
    version: packageJson.version,
    runId: journal.runId,
    invocation,
    startedAt: new Date(clock.now()).toISOString(),
    cwd,
    to: destination.url,
    argv: redactArgv(argv),
    config: effectiveConfig({ ...settings, ...endpointInEffect(settings, destination) }),
    host: hostname(),
    node: process.version,
    pid: process.pid,
  }
  await journal.append(run)
  emit({
    type: 'run',
    run,
    journal: journal.path,
    configFile: settings.configFile,
    endpoint: destination.endpoint,
  })
}
