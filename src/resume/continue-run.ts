import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import type { Destination } from '../destinations/destination.ts'
import { UsageError } from '../errors.ts'
import { continueJournal, type Journal } from '../observe/journal.ts'
import type { RunRecord } from '../observe/records.ts'
import { readFirstRun } from '../observe/report/read.ts'
import type { StatePlaces } from '../observe/state-directory.ts'
import { numbersFiles } from '../plan/keys/key-template.ts'
import type { Plan } from '../plan/plan.ts'
import type { Earlier } from '../transfer/earlier.ts'
import { anchorOf, type Naming } from './file-identity.ts'
import { placeOf, placeOfRun, sharesArgument, type UnfinishedRun, unfinishedRuns } from './find-run.ts'
import { type IndexOptions, indexJournal, type JournalIndex } from './journal-index.ts'
import type { OtherSideOf } from './other-side.ts'

export interface ContinueOptions {
  readonly settings: Settings
  /** The journal, where it is known already. */
  readonly journal: string | undefined
  /** The run's own, then that of each route, then those of candidates; knows the endpoint in effect, wherever that was named. */
  readonly destinations: readonly Pick<Destination, 'url' | 'endpoint'>[]
  /** Where files are that were given to the other side of a rollout then; undefined where there is none. */
  readonly otherSideOf?: OtherSideOf | undefined
  readonly plan: Pick<Plan, 'files'>
  readonly cwd: string
  readonly places: StatePlaces
}

/** An earlier invocation's run, taken up again: its journal is open and locked. */
export interface ContinuedRun {
  readonly journal: Journal
  /** This process's, from 2. */
  readonly invocation: number
  readonly earlier: Earlier
  /** When the run began, ISO-8601. */
  readonly since: string
  /** Closes what `earlier` reads, not the journal. */
  close(): Promise<void>
}

/**
 * Takes up the run that `--resume` or `--resume-from FILE` mean.
 *
 * @returns undefined where `--resume` finds none
 * @throws UsageError where it cannot be taken up: another process is at it, or it is another run than was meant.
 * @throws UploadError where its journal cannot be written.
 */
export async function continueRun(options: ContinueOptions): Promise<ContinuedRun | undefined> {
  const { settings, cwd, plan } = options
  const { key } = settings
  const indexOptions: IndexOptions = {
    places: options.destinations.map(({ url, endpoint }) => placeOf({ to: url, endpoint }, cwd)),
    anchor: anchorOf({ ...settings, cwd }),
    keepsKeys: key !== undefined && numbersFiles(key),
    otherSideOf: options.otherSideOf,
  }
  const found = await findRun(options, indexOptions)
  if (found === undefined) return undefined
  refuseOther(found, settings, cwd)
  const journal = await continueJournal(found.journal, found.run.runId)
  try {
    const index = await indexJournal(journal.path, indexOptions)
    const earlier = (await hasAny(index, plan)) ? index.byPath : await index.bySource()
    const { startedAt: since } = found.run
    return { journal, invocation: index.invocations + 1, earlier, since, close: index.close }
  } catch (error) {
    await journal.close().catch(() => undefined)
    throw error
  }
}

async function findRun(options: ContinueOptions, indexOptions: IndexOptions): Promise<UnfinishedRun | undefined> {
  const { settings, destinations, cwd, places, plan } = options
  const place = placeOf({ to: settings.to, endpoint: destinations[0]?.endpoint }, cwd)
  if (options.journal !== undefined) return namedRun(resolve(cwd, options.journal), options.journal, place, settings.to)
  const now: Naming = { ...settings, cwd }
  for await (const found of unfinishedRuns(places)) {
    if (placeOfRun(found.run) !== place) continue
    if (sharesArgument(found.run, now) || (await sharesFile(found.journal, plan, indexOptions))) return found
  }
  return undefined
}

/** @throws UsageError where it is no journal, or one of a run to another place. */
async function namedRun(journal: string, shown: string, place: string, to: string): Promise<UnfinishedRun> {
  const run = await openRun(journal, shown)
  if (placeOfRun(run) === place) return { journal, run }
  const remedy = 'give the destination and endpoint it had, or leave --resume-from out'
  throw new UsageError(`--resume-from: the run of ${shown} went to ${run.to}, which is not where ${to} is; ${remedy}`)
}

/**
 * The first line of a journal that the user named.
 *
 * @throws UsageError where there is none.
 */
export async function openRun(journal: string, shown: string): Promise<RunRecord> {
  const run = await readFirstRun(journal).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(`--resume-from: ${shown} cannot be read (${code}); give the journal of a run, or server`)
  })
  if (run !== undefined) return run
  throw new UsageError(
    `--resume-from: ${shown} is not the journal of a run; give one (its last lines name it), or server`,
  )
}

function refuseOther({ journal, run }: UnfinishedRun, { runId, report }: Settings, cwd: string): void {
  if (runId !== undefined && runId !== run.runId) {
    throw new UsageError(`--run-id: the run that is continued is ${run.runId}; leave --run-id out`)
  }
  const taken = report.find((file) => resolve(cwd, file) === journal)
  if (taken !== undefined) {
    throw new UsageError(`--report: ${taken} is the journal that is continued; give the report another name`)
  }
}

async function sharesFile(journal: string, plan: Pick<Plan, 'files'>, indexOptions: IndexOptions): Promise<boolean> {
  const index = await indexJournal(journal, indexOptions)
  try {
    return await hasAny(index, plan)
  } finally {
    await index.close()
  }
}

async function hasAny(index: JournalIndex, plan: Pick<Plan, 'files'>): Promise<boolean> {
  if (index.isEmpty) return false
  for await (const file of plan.files()) if (index.has(file)) return true
  return false
}
