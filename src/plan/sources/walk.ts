import type { Dirent } from 'node:fs'
import { opendir, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { UploadError } from '../../errors.ts'
import { scanError } from '../source-errors.ts'
import type { Candidate, ScanNotes } from './candidate.ts'
import { unlessCrowded } from './crowded.ts'
import { extendIgnoreChain, type Filters, type IgnoreChain, ignoredByChain, ignoreFileName, isJunk } from './filters.ts'
import type { Ancestor, FollowedLinks } from './followed-links.ts'
import { look } from './look.ts'
import type { PathMatcher } from './pattern.ts'

/**
 * How much of one directory is held, and sorted, at a time. A folder of a million files is read in pieces of this many,
 * each in order of name, instead of as a million entries.
 */
export const windowSize = 10_000

export interface WalkRoot {
  /** As the user named it; `''` where it is the working directory and goes without saying. */
  readonly path: string
  readonly absolute: string
  /** Its name relative to the base, `''` where it is the base. */
  readonly name: string
}

/** A directory being walked. */
interface Frame extends Ancestor {
  readonly at: WalkRoot
  /** The run's own files are known by their real paths; the directory may be reached through a symbolic link. */
  readonly isOwn: ScanNotes['isOwn']
  /** A link was followed on the way here. */
  readonly isBelowLink: boolean
  readonly windows: AsyncGenerator<readonly Dirent[], void>
  /** That of the directory above, until the first window is read. */
  ignoreChain: IgnoreChain
  window: readonly Dirent[] | undefined
  next: number
}

const everything: PathMatcher = { matches: () => true, mayHold: () => true }

/**
 * The files below a directory, depth first, sorted by name. Directories that are excluded, or cannot hold what is
 * wanted, are never entered; one that cannot be read is a candidate with a problem. Symbolic links are passed on as
 * candidates; whoever looks at them leaves out those that lead to directories.
 *
 * @param wanted goes by names relative to the base
 * @param links where links to directories are entered as well, but for those that make a loop
 */
export async function* walk(
  root: WalkRoot,
  filters: Filters,
  notes: ScanNotes,
  wanted: PathMatcher = everything,
  links?: FollowedLinks,
): AsyncGenerator<Candidate> {
  const frames = [enter(root, [], await ownBelow(root.absolute, notes), false)]
  try {
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const entry = frame.window?.[frame.next]
      if (entry === undefined) {
        const read = await readOn(frame)
        if (read === 'on') continue
        frames.pop()
        await frame.windows.return()
        if (read !== 'end') yield { ...frame.at, kind: 'problem', problem: read }
        continue
      }
      frame.next += 1
      const child = childOf(frame.at, entry.name)
      if (frame.isOwn(child.absolute)) continue
      const isLink = links !== undefined && entry.isSymbolicLink()
      const stats = isLink && mayMatter(child.name, wanted) ? await look(child.absolute) : undefined
      if (entry.isDirectory() || stats?.isDirectory()) {
        const isLeft =
          !wanted.mayHold(child.name) ||
          filters.excludesDirectory(child.name, child.absolute) ||
          ignoredByChain(frame.ignoreChain, `${child.name}/`)
        if (isLeft) continue
        const isOwn = isLink ? await ownBelow(child.absolute, notes) : frame.isOwn
        const entered = enter(child, frame.ignoreChain, isOwn, isLink || frame.isBelowLink)
        // Directories lead back up only where a link was followed before.
        if (links !== undefined && entered.isBelowLink) {
          if (isOwn(child.absolute) || (await links.isLoop(frames, entered, entry.name))) continue
        }
        frames.push(entered)
      } else if (wanted.matches(child.name)) {
        if (isJunk(entry.name)) notes.junk()
        else if (!filters.excludesFile(child.name, child.absolute) && !ignoredByChain(frame.ignoreChain, child.name)) {
          yield stats === undefined ? { ...child, kind: 'found' } : { ...child, kind: 'found', stats }
        }
      }
    }
  } finally {
    for (const frame of frames) await frame.windows.return()
  }
}

/** Whether it is worth looking where a link leads. */
function mayMatter(name: string, wanted: PathMatcher): boolean {
  return wanted.matches(name) || wanted.mayHold(name)
}

async function ownBelow(root: string, notes: ScanNotes): Promise<ScanNotes['isOwn']> {
  const real = await realpath(root).catch(() => root)
  return real === root ? notes.isOwn : (absolute) => notes.isOwn(real + absolute.slice(root.length))
}

function enter(at: WalkRoot, outer: IgnoreChain, isOwn: ScanNotes['isOwn'], isBelowLink: boolean): Frame {
  const windows = readWindows(at.absolute)
  return { at, isOwn, isBelowLink, windows, ignoreChain: outer, window: undefined, next: 0 }
}

/** Reads a directory's next window, and its `.uploadignore` with the first; why not, where that fails. */
async function readOn(frame: Frame): Promise<'on' | 'end' | UploadError> {
  const { absolute, name } = frame.at
  try {
    const { value: window } = await frame.windows.next()
    if (window === undefined) return 'end'
    // The listing shows whether there is a `.uploadignore` at no cost; only one that goes on leaves it open.
    const mayBeIgnoreFile = window.length === windowSize || window.some((entry) => entry.name === ignoreFileName)
    if (frame.window === undefined && mayBeIgnoreFile) {
      frame.ignoreChain = await extendIgnoreChain(frame.ignoreChain, absolute, name)
    }
    frame.window = window
    frame.next = 0
    return 'on'
  } catch (error) {
    return scanError(error, absolute)
  }
}

/** The entries of a directory, which is open only while there are more. */
async function* readWindows(absolute: string): AsyncGenerator<readonly Dirent[], void> {
  let window: Dirent[] = []
  for await (const entry of await unlessCrowded(() => opendir(absolute, { bufferSize: 1024 }))) {
    window.push(entry)
    if (window.length < windowSize) continue
    yield window.sort(byName)
    window = []
  }
  yield window.sort(byName)
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1
}

function childOf(parent: WalkRoot, entry: string): WalkRoot {
  return {
    path: parent.path === '' || parent.path.endsWith('/') ? `${parent.path}${entry}` : `${parent.path}/${entry}`,
    absolute: parent.absolute.endsWith(sep) ? `${parent.absolute}${entry}` : `${parent.absolute}${sep}${entry}`,
    name: parent.name === '' ? entry : `${parent.name}/${entry}`,
  }
}
