import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isSupabaseUrl, parseDestinationUrl } from '../config/destination-url.ts'
import type { AskedRepeat } from '../config/load.ts'
import { flagOf } from '../config/options/option-spec.ts'
import type { OptionKey } from '../config/options/options.ts'
import { readPositionals } from '../config/positionals.ts'
import type { SupabaseSettings } from '../config/settings.ts'
import { noProject, otherProject } from '../config/supabase-rules.ts'
import { UsageError } from '../errors.ts'
import type { RunRecord } from '../observe/records.ts'
import { readRuns } from '../observe/report/read.ts'
import { type StatePlaces, systemPlaces } from '../observe/state-directory.ts'
import { openRun } from './continue-run.ts'
import { namingOf } from './file-identity.ts'
import { endpointOf, placeOf, placeOfRun, unfinishedRuns } from './find-run.ts'
import { type Flags, momentFlags, namingFlags } from './naming-flags.ts'

/** A command line, read but not checked. */
export interface GivenLine {
  readonly flags: Flags
  readonly args: readonly string[]
}

export interface RepeatOptions {
  /** What is given now, sources not among it. */
  readonly given: GivenLine
  /** The journal that `--resume-from` names; undefined for the newest unfinished run. */
  readonly resumeFrom: string | undefined
  /** Where the command line sends things; undefined where it does not say. As `placeOf` has it. */
  readonly place: string | undefined
  /** The Supabase project that is named now. */
  readonly project?: string | undefined
  readonly cwd: string
  readonly places: StatePlaces
  /** Reads a journaled command line; undefined where there can be none. */
  readonly readLine?: ((argv: readonly string[]) => GivenLine) | undefined
}

/**
 * As {@link repeatRun}, for settings that are being read.
 *
 * @throws UsageError as it does.
 */
export async function repeatAsked(
  { resumeFrom, destination, supabase }: AskedRepeat,
  { readLine, ...given }: GivenLine & Pick<RepeatOptions, 'readLine'>,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<RepeatedRun> {
  const endpoint = destination && (await endpointNow(destination, supabase))
  const place = destination && placeOf({ to: destination.to, endpoint }, cwd)
  return repeatRun({ given, resumeFrom, place, project: supabase.url, cwd, places: systemPlaces(env), readLine })
}

/** What the settings name, or the profile that is in effect. */
async function endpointNow({ to, s3 }: AskedDestination, supabase: SupabaseSettings): Promise<string | undefined> {
  const { scheme } = parseDestinationUrl(to)
  if (scheme === 'supabase' && supabase.url === undefined) throw new UsageError(noProject)
  if (scheme !== 's3') return supabase.url
  const { configuredEndpoint } = await import('../destinations/s3/profile.ts')
  return (await configuredEndpoint(s3))?.text
}

type AskedDestination = NonNullable<AskedRepeat['destination']>

/** An earlier run's command line with what is given now on top. */
export interface RepeatedRun extends GivenLine {
  readonly journal: string
  /** Where it ran, if that is still there. */
  readonly cwd: string
}

/**
 * What `--resume` without sources stands for: the command line of the run that is continued.
 *
 * @throws UsageError where there is no run to continue, its command line held a secret, which no journal keeps, or it
 * went to another Supabase project than the one that is named now.
 */
export async function repeatRun(options: RepeatOptions): Promise<RepeatedRun> {
  const { given } = options
  const journal = await journalToRepeat(options)
  const run =
    (await readRuns(journal)).findLast((each) => hasSources(each, options)) ?? (await openRun(journal, journal))
  const then = lineOf(run, options)
  refuseHidden(then, given)
  refuseStdin(then)
  const isThere = await stat(run.cwd).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  const cwd = isThere ? run.cwd : options.cwd
  const line =
    cwd === options.cwd ? merged(then, given) : merged(fromDirectory(then, cwd), fromDirectory(given, options.cwd))
  return { journal, cwd, ...inProject(line, run, options.project) }
}

async function journalToRepeat({ resumeFrom, place, cwd, places }: RepeatOptions): Promise<string> {
  if (resumeFrom !== undefined) {
    const journal = resolve(cwd, resumeFrom)
    await openRun(journal, resumeFrom)
    return journal
  }
  for await (const { journal, run } of unfinishedRuns(places)) {
    if (place === undefined || placeOfRun(run) === place) return journal
  }
  const where = place === undefined ? '' : ' with this destination'
  throw new UsageError(`nothing to resume: there is no unfinished run${where}; name the sources to begin a new one`)
}

function hasSources(run: RunRecord, { readLine }: RepeatOptions): boolean {
  const { flags, args } = readLine?.(run.argv) ?? noLine
  return flags.filesFrom !== undefined || readPositionals(args).sources.length > 0
}

const noLine: GivenLine = { flags: {}, args: [] }

/** What was typed, and what came from elsewhere then: sources, keys, destination and endpoint belong to the run. */
function lineOf(run: RunRecord, { readLine }: RepeatOptions): GivenLine {
  const { flags: typed, args } = readLine?.(run.argv) ?? noLine
  const { supabaseUrl: _, ...flags } = typed
  const { sources, destination } = readPositionals(args)
  const naming = namingOf(run)
  const listed = flags.filesFrom ?? naming.filesFrom
  const endpointUrl = flags.endpointUrl ?? (isSupabaseUrl(run.to) ? undefined : endpointOf(run))
  return {
    flags: {
      ...namingFlags(run),
      ...flags,
      ...momentFlags(run),
      to: destination ?? flags.to ?? run.to,
      ...(listed === undefined ? {} : { filesFrom: listed }),
      ...(endpointUrl === undefined ? {} : { endpointUrl }),
    },
    args: sources.length > 0 || flags.filesFrom !== undefined ? sources : naming.sources,
  }
}

function merged(then: GivenLine, now: GivenLine): GivenLine {
  const { destination } = readPositionals(now.args)
  // From where that invocation went on is no longer the question.
  const { to, resumeFrom: _, ...before } = then.flags
  // A destination behind --to and one as the last argument would be two.
  const keepsTo = destination === undefined && now.flags.to === undefined
  return {
    flags: { ...before, ...(keepsTo ? { to } : {}), ...now.flags },
    args: [...then.args, ...now.args],
  }
}

/**
 * The key goes to the project that is named now: a journal, and a config that it names, could name anybody's.
 *
 * @throws UsageError where that is not the run's.
 */
function inProject({ flags, args }: GivenLine, run: RunRecord, project: string | undefined): GivenLine {
  const { destination = flags.to } = readPositionals(args)
  if (!isSupabaseUrl(String(destination))) return { flags, args }
  const problem = isSupabaseUrl(run.to) ? otherProject(endpointOf(run), project) : undefined
  if (problem !== undefined) throw new UsageError(problem)
  if (project === undefined) throw new UsageError(noProject)
  return { flags: { ...flags, supabaseUrl: project }, args }
}

const hidden = '***'

/** Journals hold no secrets: what had one has to be given again. */
function refuseHidden(then: GivenLine, now: GivenLine): void {
  const lacking = Object.entries(then.flags)
    .filter(([key, value]) => [value].flat().some((one) => String(one).includes(hidden)) && !(key in now.flags))
    .map(([key]) => flagOf(key))
  if (then.args.some((source) => source.includes(hidden))) lacking.push('the sources')
  if (lacking.length === 0) return
  throw new UsageError(
    `the run's command line held a secret in ${lacking.join(', ')}, which its journal does not keep; give that again`,
  )
}

/** What stood on standard input then does not stand there now. */
function refuseStdin({ flags, args }: GivenLine): void {
  if (flags.filesFrom !== '-' && !args.includes('-')) return
  throw new UsageError('the run read from standard input; give its whole command line again, with --resume')
}

const pathOptions: readonly OptionKey[] = ['base', 'caBundle', 'config', 'excludeFrom', 'report', 'resumeFrom']

/** Options' paths as they were meant where they were typed, for a run that goes on in another directory. */
function fromDirectory({ flags, args }: GivenLine, cwd: string): GivenLine {
  const absolute = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(absolute) : typeof value === 'string' ? resolve(cwd, value) : value
  const url = (value: unknown): unknown =>
    typeof value === 'string' && /^file:(?!\/)/.test(value)
      ? `file:${resolve(cwd, value.slice('file:'.length))}/`
      : value
  const changed = Object.entries(flags).map(([key, value]): [string, unknown] => {
    if (key === 'to') return [key, url(value)]
    return [key, pathOptions.some((option) => option === key) ? absolute(value) : value]
  })
  return { flags: Object.fromEntries(changed), args: args.map((argument) => String(url(argument))) }
}
