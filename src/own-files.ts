import { realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { DestinationUrl } from './config/destination-url.ts'
import type { Settings } from './config/settings.ts'
import { summaryFileOf } from './observe/report/write.ts'
import { journalDirectories, type StatePlaces } from './observe/state-directory.ts'

/** What standard input is kept in: files' bytes, and lists of files. */
const temporaryNames = ['upload-stdin-', 'upload-list-']

/**
 * Tells a run's own files from sources: reports, journals, temporary files and the directory it uploads into. Without
 * this, a report inside the uploaded folder would upload itself, and a directory would be copied into itself without
 * end.
 */
export async function ownFiles(
  settings: Pick<Settings, 'report'>,
  url: DestinationUrl,
  places: StatePlaces,
  cwd: string,
): Promise<(absolute: string) => boolean> {
  const reports = settings.report.map((file) => resolve(cwd, file))
  const files = new Set(reports.flatMap((file) => [file, ...summaryFileOf(file)]))
  const directories = [
    ...journalDirectories(places),
    ...(url.scheme === 'file' ? await bothSpellings(resolve(cwd, url.directory)) : []),
  ]
  const beginnings = [
    ...directories.map((directory) => (directory.endsWith(sep) ? directory : `${directory}${sep}`)),
    ...temporaryNames.map((name) => join(places.temporary, name)),
  ]
  return (absolute) =>
    files.has(absolute) ||
    directories.includes(absolute) ||
    beginnings.some((beginning) => absolute.startsWith(beginning))
}

async function bothSpellings(directory: string): Promise<readonly string[]> {
  const real = await realpath(directory).catch(() => directory)
  return real === directory ? [directory] : [directory, real]
}
