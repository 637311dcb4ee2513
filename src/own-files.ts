import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { DestinationUrl } from './config/destination-url.ts'
import type { Settings } from './config/settings.ts'
import { temporaryName } from './destinations/file/key-problem.ts'
import { lockPathOf } from './observe/lock-path.ts'
import { summaryFileOf } from './observe/report/write.ts'
import { journalDirectories, rolloutDirectories, type StatePlaces } from './observe/state-directory.ts'

/** What standard input is kept in: files' bytes, and lists of files. */
const temporaryNames = ['upload-stdin-', 'upload-list-']

/** Where a directory as destination keeps objects that are not complete; a killed run leaves them there. */
const unfinished = `${sep}${temporaryName}`

/** Another process may be writing the state. */
const halfWritten = '.tmp'

/**
 * Tells a run's own files from sources: reports, journals, a rollout's state, temporary files and the directories it
 * uploads into. Without this, a report inside the uploaded folder would upload itself, and a directory would be copied
 * into itself without end.
 */
export async function ownFiles(
  settings: Pick<Settings, 'report'> & Partial<Pick<Settings, 'rollout'>> & { readonly journal?: string | undefined },
  urls: readonly DestinationUrl[],
  places: StatePlaces,
  cwd: string,
): Promise<(absolute: string) => boolean> {
  const reports = settings.report.map((file) => resolve(cwd, file)).flatMap((file) => [file, ...summaryFileOf(file)])
  // One that is continued may lie anywhere.
  const journal = settings.journal === undefined ? [] : [resolve(cwd, settings.journal)]
  const { state } = settings.rollout ?? {}
  const states = state === undefined ? [] : await bothSpellings([state])
  const files = new Set(
    await bothSpellings([...reports, ...[...journal, ...states].flatMap((file) => [file, lockPathOf(file)])]),
  )
  const destinations = urls.flatMap((url) => (url.scheme === 'file' ? [resolve(cwd, url.directory)] : []))
  const { wanted, shared } = rolloutDirectories(places)
  const directories = await bothSpellings([...journalDirectories(places), ...wanted, shared, ...destinations])
  const beginnings = [
    ...directories.map((directory) => (directory.endsWith(sep) ? directory : `${directory}${sep}`)),
    ...temporaryNames.map((name) => join(places.temporary, name)),
  ]
  return (absolute) =>
    files.has(absolute) ||
    absolute.endsWith(unfinished) ||
    (absolute.endsWith(halfWritten) && states.some((state) => absolute.startsWith(`${state}.`))) ||
    directories.includes(absolute) ||
    beginnings.some((beginning) => absolute.startsWith(beginning))
}

/** Paths as they were given, and where symbolic links on the way lead them. What is not there yet lies in its folder. */
async function bothSpellings(paths: readonly string[]): Promise<readonly string[]> {
  const real = paths.map(async (path) => {
    const folder = await realpath(dirname(path)).catch(() => dirname(path))
    return realpath(path).catch(() => join(folder, basename(path)))
  })
  return [...new Set([...paths, ...(await Promise.all(real))])]
}
