import { chmod, lstat, mkdir } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { UploadError, UsageError } from '../errors.ts'

/** Where the places that may hold journals are looked for. */
export interface StatePlaces {
  /** `XDG_STATE_HOME` (https://specifications.freedesktop.org/basedir-spec/latest/). */
  readonly xdgStateHome: string | undefined
  readonly home: string
  readonly temporary: string
  /** Undefined on Windows. */
  readonly uid: number | undefined
}

export function systemPlaces(env: NodeJS.ProcessEnv): StatePlaces {
  return {
    xdgStateHome: env['XDG_STATE_HOME'],
    home: env['HOME'] ?? homedir(),
    temporary: tmpdir(),
    uid: process.getuid?.(),
  }
}

/**
 * The directory for journals, made where it is missing: the state directory, `~/.local/state`, or, with a warning, one
 * of this user's own in the temporary directory.
 *
 * @param usable proves that a directory will do; rejects where it does not
 * @throws UploadError where none of them can be written to; a UsageError of `usable`.
 */
export async function openStateDirectory(
  places: StatePlaces,
  usable: (directory: string) => Promise<void>,
  warn: (message: string) => void,
): Promise<string> {
  // The specification has relative paths ignored.
  const fromXdg = places.xdgStateHome && isAbsolute(places.xdgStateHome) ? [places.xdgStateHome] : []
  const wanted = [...fromXdg, join(places.home, '.local', 'state')].map((state) => join(state, 'upload', 'runs'))
  const failures: string[] = []
  for (const directory of wanted) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await usable(directory)
      for (const failure of failures) warn(failure)
      return directory
    } catch (error) {
      if (error instanceof UsageError) throw error
      failures.push(`cannot keep the journal in ${directory} (${(error as NodeJS.ErrnoException).code}); trying elsewhere`)
    }
  }
  const last = join(places.temporary, `upload-${places.uid ?? userInfo().username}`)
  const directory = join(last, 'runs')
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await refuseStrangers(last, places.uid)
    await usable(directory)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const why = error instanceof UploadError ? error.message : `${(error as NodeJS.ErrnoException).code ?? error}`
    throw new UploadError(
      'INTERNAL',
      `no journal can be kept: ${[...wanted, directory].join(', ')} cannot be written to (${why}); set XDG_STATE_HOME to a directory of yours`,
      { cause: error },
    )
  }
  warn(`the journal is kept in ${directory}, since ${wanted.join(' and ')} cannot be written to`)
  return directory
}

/** Anybody may make a directory of that name in a shared place, and wait for what is written there. */
async function refuseStrangers(directory: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return
  const stats = await lstat(directory)
  if (stats.isSymbolicLink() || stats.uid !== uid) throw new UploadError('INTERNAL', `${directory} belongs to somebody else`)
  await chmod(directory, 0o700)
}
