import { chmod, lstat, mkdir } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { UploadError, UsageError } from '../errors.ts'
import { homeDirectory } from '../home.ts'

/** Where the places that may hold journals and the states of rollouts are looked for. */
export interface StatePlaces {
  /** `XDG_STATE_HOME` (https://specifications.freedesktop.org/basedir-spec/latest/). */
  readonly xdgStateHome: string | undefined
  /** Undefined for a user without one, as containers have. */
  readonly home: string | undefined
  readonly temporary: string
  /** Undefined on Windows. */
  readonly uid: number | undefined
}

export function systemPlaces(env: NodeJS.ProcessEnv): StatePlaces {
  return {
    xdgStateHome: env.XDG_STATE_HOME,
    home: env.HOME || homeDirectory(),
    temporary: tmpdir(),
    uid: process.getuid?.(),
  }
}

/** What is kept in the state directory, each in a folder of its own. */
type Kept = 'runs' | 'rollouts'

/** A place for journals, and what {@link openStateDirectory} was given to open there. */
export interface StateDirectory<T> {
  readonly directory: string
  readonly opened: T
}

/**
 * The directory for journals, made where it is missing: the state directory, `~/.local/state`, or, with a warning, one
 * of this user's own in the temporary directory.
 *
 * @param open proves that a directory will do; rejects where it does not
 * @throws UploadError where none of them can be written to; a UsageError of `open`.
 */
export async function openStateDirectory<T>(
  places: StatePlaces,
  open: (directory: string) => Promise<T>,
  warn: (message: string) => void,
): Promise<StateDirectory<T>> {
  const wanted = wantedDirectories(places, 'runs')
  const failures: string[] = []
  for (const directory of wanted) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const opened = await open(directory)
      for (const failure of failures) warn(failure)
      return { directory, opened }
    } catch (error) {
      if (error instanceof UsageError) throw error
      failures.push(`cannot keep the journal in ${directory} (${reason(error)}); trying elsewhere`)
    }
  }
  const directory = sharedDirectory(places, 'runs')
  try {
    await makeOwn(dirname(directory), places.uid)
    await makeOwn(directory, places.uid)
    const opened = await open(directory)
    const instead = wanted.length === 0 ? 'there is no home directory' : `${wanted.join(' and ')} cannot be written to`
    warn(`the journal is kept in ${directory}, since ${instead}`)
    return { directory, opened }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UploadError(
      'INTERNAL',
      `no journal can be kept: ${[...wanted, directory].join(', ')} cannot be written to (${reason(error)}); set XDG_STATE_HOME to a directory of yours`,
      { cause: error },
    )
  }
}

/** Every directory that journals may be in. */
export function journalDirectories(places: StatePlaces): readonly string[] {
  return [...wantedDirectories(places, 'runs'), sharedDirectory(places, 'runs')]
}

/** Every directory that states of rollouts may be in. */
export function rolloutDirectories(places: StatePlaces): {
  /** The state directory, then `~/.local/state`. */
  readonly wanted: readonly string[]
  /** In the temporary directory, where anybody may have made one of its name: see {@link makeOwn}. */
  readonly shared: string
} {
  return { wanted: wantedDirectories(places, 'rollouts'), shared: sharedDirectory(places, 'rollouts') }
}

function wantedDirectories({ xdgStateHome, home }: StatePlaces, kept: Kept): readonly string[] {
  // The specification has relative paths ignored.
  const fromXdg = xdgStateHome && isAbsolute(xdgStateHome) ? [xdgStateHome] : []
  const fromHome = home === undefined ? [] : [join(home, '.local', 'state')]
  return [...fromXdg, ...fromHome].map((state) => join(state, 'upload', kept))
}

function sharedDirectory({ temporary, uid }: StatePlaces, kept: Kept): string {
  return join(temporary, `upload-${uid ?? userInfo().username}`, kept)
}

/**
 * Makes a directory, unless it is there. Anybody may make one of that name in a shared place, and wait for what is
 * written there.
 *
 * @throws UploadError where it is somebody else's; the file system's error where it cannot be made.
 */
export async function makeOwn(directory: string, uid: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (uid === undefined) return
  const stats = await lstat(directory)
  if (!stats.isDirectory() || stats.uid !== uid)
    throw new UploadError('INTERNAL', `${directory} belongs to somebody else`)
  await chmod(directory, 0o700)
}

function reason(error: unknown): string {
  if (error instanceof UploadError) return error.message
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
