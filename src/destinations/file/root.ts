import { lstat, mkdir, realpath, rmdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { UploadError } from '../../errors.ts'
import { createDirectorySync, type DirectorySync } from './directory-sync.ts'
import { errnoOf, mapped, toFileUploadError } from './errors.ts'
import { keyProblem, temporaryName } from './key-problem.ts'

/** Where an object lies: real paths, checked to be inside the root. */
export interface Place {
  readonly directory: string
  readonly path: string
}

/** The directory that stands for a bucket. No key leads out of it, by `..` or by symbolic links. */
export interface Root {
  /** Where `key` goes; the directories on the way are made. */
  placeFor(key: string): Promise<Place>
  /** Where `key` is, or undefined where a directory on the way is missing. */
  find(key: string): Promise<Place | undefined>
  /** The real path of the root, or undefined where there is none yet. */
  existing(): Promise<string | undefined>
  /** The directory for what is being written; made when first asked for, and `again` when it has gone. */
  temporary(again?: 'again'): Promise<string>
  readonly sync: DirectorySync
  close(): Promise<void>
}

/** @param directory relative to the working directory, or absolute; made when something is first written */
export function openRoot(directory: string): Root {
  const path = resolve(directory)
  const sync = createDirectorySync()
  let made: Promise<string> | undefined
  let temporary: Promise<string> | undefined

  function make(): Promise<string> {
    made ??= makeRoot(path).catch((error) => {
      made = undefined
      throw error
    })
    return made
  }

  /** The real path of the directory of `segments` below `root`, made one by one: a link on the way may lead out. */
  async function makeDirectory(root: string, segments: readonly string[]): Promise<string> {
    const wanted = join(root, ...segments)
    // The separator has a file of that name refused.
    const known = await realpath(wanted + sep).catch(absent)
    if (known !== undefined) return inside(root, known)
    const parent = await makeDirectory(root, segments.slice(0, -1))
    try {
      await mkdir(join(parent, segments.at(-1) ?? ''))
      await sync(parent)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    const real = await realpath(wanted + sep).catch(absent)
    if (real === undefined)
      throw new UploadError('KEY_INVALID', 'a symbolic link on its way in the destination is broken')
    return inside(root, real)
  }

  async function findPlace(key: string): Promise<Place | undefined> {
    const { segments, name } = split(key)
    const root = await existing()
    if (root === undefined) return undefined
    const real = await realpath(join(root, ...segments)).catch((error) => {
      if (errnoOf(error) === 'ENOTDIR') return undefined
      return absent(error)
    })
    return real === undefined ? undefined : placeIn(inside(root, real), name)
  }

  async function existing(): Promise<string | undefined> {
    return made === undefined ? realpath(path).catch(absent) : make()
  }

  async function placeForKey(key: string): Promise<Place> {
    const { segments, name } = split(key)
    return placeIn(await makeDirectory(await make(), segments), name)
  }

  return {
    placeFor: (key) => mapped(placeForKey(key)),
    find: (key) => mapped(findPlace(key)),
    existing: () => mapped(existing()),
    temporary(again) {
      if (again) temporary = undefined
      temporary ??= mapped(make().then(makeTemporary))
      return temporary
    },
    sync,
    async close() {
      const root = await existing().catch(() => undefined)
      // Not empty, where another process writes there or a half-sent object waits to be resumed.
      if (root !== undefined) await rmdir(join(root, temporaryName)).catch(() => {})
    },
  }
}

async function makeRoot(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true })
    return await realpath(path)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'EEXIST' && errno !== 'ENOTDIR') throw toFileUploadError(error)
    throw new UploadError('BUCKET_NOT_FOUND', 'the destination is a file, or below one; name a directory with --to', {
      cause: error,
    })
  }
}

async function makeTemporary(root: string): Promise<string> {
  const directory = join(root, temporaryName)
  await mkdir(directory).catch((error) => {
    if (errnoOf(error) !== 'EEXIST') throw error
  })
  const found = await lstat(directory)
  if (found.isDirectory()) return directory
  throw new UploadError('ACCESS_DENIED', `${temporaryName} in the destination is no directory; remove it`)
}

function split(key: string): { readonly segments: readonly string[]; readonly name: string } {
  const problem = keyProblem(key)
  if (problem !== undefined) throw new UploadError('KEY_INVALID', problem)
  const all = key.split('/')
  return { segments: all.slice(0, -1), name: all.at(-1) ?? '' }
}

function placeIn(directory: string, name: string): Place {
  return { directory, path: join(directory, name) }
}

function inside(root: string, real: string): string {
  const base = root.endsWith(sep) ? root : root + sep
  if (real === root || real.startsWith(base)) return real
  throw new UploadError('KEY_INVALID', 'a symbolic link on its way leads out of the destination directory')
}

function absent(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined
  throw error
}
