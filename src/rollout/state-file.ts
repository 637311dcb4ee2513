import { createHash, randomBytes } from 'node:crypto'
import { constants, readFileSync, renameSync } from 'node:fs'
import { access, lstat, mkdir, open, readdir, realpath, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UploadError } from '../errors.ts'
import { makeOwn, rolloutDirectories, type StatePlaces } from '../observe/state-directory.ts'
import { type Clock, systemClock } from '../transfer/clock.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import type { RolloutState } from './state.ts'
import { cannot, contentOf, isMissing, stateOf, stateOrCopy } from './state-content.ts'
import { lockState } from './state-lock.ts'

/** Milliseconds between two tries for the lock: up to the first, then twice that, up to the last. */
const betweenTriesMs = { first: 20, last: 250 }
/** Nobody takes so long to write a state, in milliseconds: what is left of it is a killed process's. */
const leftoverAfterMs = 3_600_000
/** Names that every file system keeps apart, and that need no escaping. */
const plainName = /^[a-z0-9_-][a-z0-9._-]{0,79}$/

export interface ReadOptions {
  /** Whose state it has to be; undefined: anybody's. */
  readonly name?: string | undefined
}

export interface UpdateOptions extends ReadOptions {
  /** So long, in milliseconds, is waited for other processes that write it. */
  readonly waitMs: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
  readonly clock?: Pick<Clock, 'elapsed' | 'sleep' | 'random'> | undefined
  /** What cannot be read counts as not there; it is kept beside it, as `….damaged`. */
  readonly replaceDamaged?: boolean | undefined
}

/**
 * Where a rollout's state is, or is to be: in the file it names, else in the first of the state directories that has
 * it, else in the first that can have it.
 *
 * @throws UploadError where none can.
 */
export async function rolloutStatePath(
  { name, state }: Pick<RolloutSettings, 'name' | 'state'>,
  places: StatePlaces,
): Promise<string> {
  if (state !== undefined) return state
  const fileName = fileNameOf(name)
  const { wanted, shared } = rolloutDirectories(places)
  for (const directory of wanted) if (await exists(join(directory, fileName))) return join(directory, fileName)
  if ((await isOwn(shared, places.uid)) && (await exists(join(shared, fileName)))) return join(shared, fileName)
  for (const directory of wanted) if (await canBeMade(directory)) return join(directory, fileName)
  try {
    await makeOwn(dirname(shared), places.uid)
    await makeOwn(shared, places.uid)
  } catch (error) {
    throw cannot('kept', join(shared, fileName), error, 'set XDG_STATE_HOME to a directory of yours')
  }
  return join(shared, fileName)
}

/**
 * The state as it stands now; undefined where there is none. Takes no lock: it is replaced as a whole.
 *
 * @throws UsageError where the file is damaged, or another's, naming it and the remedy.
 * @throws UploadError where it cannot be read.
 */
export async function readState(path: string, { name }: ReadOptions = {}): Promise<RolloutState | undefined> {
  const content = await contentOf(path)
  return content && stateOf(content, path, name)
}

/**
 * Changes the state, one process at a time, and counts its `revision` up. Whatever ends the process meanwhile, the file
 * is as it was or as it is to be.
 *
 * @param change makes the new state of the present one, which is undefined where there is none; called again where
 *   another process came in between, so it has no other effects. The same state means that nothing is to be written.
 *   What it throws leaves the file as it was.
 * @returns the state as it stands in the file
 * @throws UsageError as {@link readState}.
 * @throws UploadError where it cannot be read or written, or others wrote it for all of `waitMs`; the signal's reason.
 */
export async function updateState(
  path: string,
  change: (state: RolloutState | undefined) => RolloutState,
  options: UpdateOptions,
): Promise<RolloutState> {
  const { waitMs, signal = new AbortController().signal, clock = systemClock } = options
  const until = clock.elapsed() + waitMs
  try {
    const file = await realFile(path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    for (let atMostMs = betweenTriesMs.first; ; atMostMs = Math.min(2 * atMostMs, betweenTriesMs.last)) {
      const state = await tryUpdate(file, change, options)
      if (state !== undefined) return state
      if (clock.elapsed() >= until) throw busy(path)
      await clock.sleep(1 + clock.random() * atMostMs, signal)
    }
  } catch (error) {
    throw isOfFileSystem(error) ? cannot('written', path, error, 'see to it that it can be') : error
  }
}

/** Removes what killed processes left of states they were writing. */
export async function removeLeftovers(path: string): Promise<void> {
  const file = await realFile(path)
  const folder = dirname(file)
  const beginning = `${basename(file)}.`
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(beginning) && each.endsWith('.tmp'))) {
    const leftover = join(folder, name)
    const stats = await stat(leftover).catch(() => undefined)
    if (stats !== undefined && stats.mtimeMs < Date.now() - leftoverAfterMs) await unlink(leftover).catch(() => {})
  }
}

/** Undefined where another process has the lock, or took it away meanwhile. */
async function tryUpdate(
  file: string,
  change: (state: RolloutState | undefined) => RolloutState,
  { name, replaceDamaged = false }: UpdateOptions,
): Promise<RolloutState | undefined> {
  const lock = await lockState(file)
  if (lock === undefined) return undefined
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  let isThere = false
  try {
    const content = await contentOf(file)
    const current = content && (replaceDamaged ? await stateOrCopy(content, file, name) : stateOf(content, file, name))
    const changed = change(current)
    if (changed === current) return current
    const next = { ...changed, revision: (current?.revision ?? 0) + 1 }
    isThere = true
    await write(temporary, `${JSON.stringify(next)}\n`)
    // Nothing may come between these three: another process may have the lock by now, and have counted.
    if (!lock.isHeld() || !isStill(file, content)) return undefined
    renameSync(temporary, file)
    isThere = false
    return next
  } finally {
    if (isThere) await unlink(temporary).catch(() => {})
    await lock.release()
  }
}

/** Where a link leads: what is written beside it is renamed to it, and the link stays one. */
async function realFile(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function isStill(path: string, content: Buffer | undefined): boolean {
  try {
    const now = readFileSync(path)
    return content?.equals(now) === true
  } catch (error) {
    if (isMissing(error)) return content === undefined
    throw error
  }
}

/** Other names are told apart by a hash: they may be long, differ in case only, or have characters no file name has. */
function fileNameOf(name: string): string {
  if (plainName.test(name)) return `${name}.json`
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12)
  return `${name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 60)}~${hash}.json`
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function isOwn(directory: string, uid: number | undefined): Promise<boolean> {
  const stats = await lstat(directory).catch(() => undefined)
  return stats?.isDirectory() === true && (uid === undefined || stats.uid === uid)
}

/** Whether it is there, or can be made, and can be written to. */
async function canBeMade(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    return isMissing(error) && dirname(directory) !== directory && canBeMade(dirname(directory))
  }
}

function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function busy(path: string): UploadError {
  return new UploadError(
    'INTERNAL',
    `the state of the rollout, ${path}, cannot be written: other processes write it all the time; try again, with fewer of them`,
  )
}
