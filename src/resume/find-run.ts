import { lstat, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isSupabaseUrl, parseDestinationUrl } from '../config/destination-url.ts'
import { redactText } from '../config/redact.ts'
import { projectUrl } from '../config/supabase-rules.ts'
import { isUnfinished } from '../observe/journal-ending.ts'
import { reachedAs } from '../observe/recorded-destinations.ts'
import type { RunRecord } from '../observe/records.ts'
import { readFirstRun } from '../observe/report/read.ts'
import { journalDirectories, type StatePlaces } from '../observe/state-directory.ts'
import { type Naming, namingOf } from './file-identity.ts'

/** A journal whose run can be gone on with. */
export interface UnfinishedRun {
  readonly journal: string
  /** The run's first line. */
  readonly run: RunRecord
}

/** Unfinished runs in all the places where journals are, the newest first. */
export async function* unfinishedRuns(places: StatePlaces): AsyncGenerator<UnfinishedRun> {
  for (const journal of await journals(places)) {
    const isOne = await isUnfinished(journal).catch(() => false)
    const run = isOne ? await readFirstRun(journal).catch(() => undefined) : undefined
    if (run !== undefined) yield { journal, run }
  }
}

/** Paths, those written to last first; in a shared directory only the user's own count. */
async function journals(places: StatePlaces): Promise<readonly string[]> {
  const found: { readonly path: string; readonly mtimeMs: number }[] = []
  for (const directory of journalDirectories(places)) {
    for (const name of await readdir(directory).catch(() => [])) {
      if (!name.endsWith('.jsonl')) continue
      const path = join(directory, name)
      const stats = await lstat(path).catch(() => undefined)
      if (!stats?.isFile() || (places.uid !== undefined && stats.uid !== places.uid)) continue
      found.push({ path, mtimeMs: stats.mtimeMs })
    }
  }
  // Of one time, the later name: names begin with the time.
  found.sort((a, b) => b.mtimeMs - a.mtimeMs || (a.path < b.path ? 1 : -1))
  return found.map(({ path }) => path)
}

/** Where a run puts things: two that agree in it write to the same place. */
export function placeOf({ to, endpoint }: Reached, cwd: string): string {
  const url = parseDestinationUrl(to)
  if (url.scheme === 'file') return `file:${resolve(cwd, url.directory)}`
  if (url.scheme === 'supabase')
    return `${url.url} at ${endpoint === undefined ? 'no project' : redactText(projectUrl(endpoint))}`
  return `${url.url} at ${endpoint === undefined ? 'AWS' : redactText(endpoint).replace(/\/+$/, '')}`
}

interface Reached {
  /** The destination's URL. */
  readonly to: string
  /** A custom endpoint, or the URL of a Supabase project. */
  readonly endpoint: string | undefined
}

/**
 * As {@link placeOf}, of a run that was journaled; undefined where its journal does not tell.
 *
 * @param destination one that its lines name; the run's own by default
 */
export function placeOfRun(run: RunRecord, destination = run.to): string | undefined {
  try {
    return placeOf({ to: destination, endpoint: endpointOf(run, destination) }, run.cwd)
  } catch {
    return undefined
  }
}

/**
 * The custom endpoint a run went to, or its Supabase project's URL; undefined where there was none.
 *
 * @param destination one that its lines name; the run's own by default
 */
export function endpointOf({ to, config }: Pick<RunRecord, 'to' | 'config'>, destination = to): string | undefined {
  const { supabase } = config as { readonly supabase?: { url?: unknown } }
  const { s3 } = reachedAs({ to, config }, destination) ?? {}
  const endpoint = isSupabaseUrl(destination)
    ? supabase?.url
    : destination.startsWith('s3:')
      ? s3?.endpointUrl
      : undefined
  return typeof endpoint === 'string' ? endpoint : undefined
}

/** Whether two runs were given one and the same source: a path, a pattern, or a list of files. */
export function sharesArgument(run: RunRecord, now: Naming): boolean {
  const then = argumentsOf(namingOf(run))
  return argumentsOf(now).some((argument) => then.includes(argument))
}

function argumentsOf({ cwd, sources, filesFrom }: Naming): readonly string[] {
  const given = sources.filter((source) => !source.startsWith('!'))
  const absolute = (path: string): string => (path === '-' ? '-' : redactText(resolve(cwd, path)))
  return [...given.map(absolute), ...(filesFrom === undefined ? [] : [`list ${absolute(filesFrom)}`])]
}
