import { type Dir, type Dirent, opendir } from 'node:fs'
import { promisify } from 'node:util'
import { extendIgnoreChain, type Filters, type IgnoreChain, ignoredByChain, ignoreFileName, isJunk } from './filters.ts'
import type { Candidate, ScanNotes } from './sources.ts'
import { sourceError } from './source-errors.ts'

/**
 * How much of one directory is held, and sorted, at a time. A folder of a million files is read in pieces of this many,
 * each in order of name, instead of as a million entries.
 */
export const windowSize = 10_000

export interface WalkRoot {
  /** As the user named it, without a `/` at its end (but for the root directory). */
  readonly path: string
  readonly absolute: string
  /** Its name relative to the base, `''` where it is the base. */
  readonly name: string
}

interface Frame extends WalkRoot {
  readonly directory: Dir
  readonly ignoreChain: IgnoreChain
  window: Dirent[]
  next: number
}

const openDirectory = promisify(opendir) as (path: string, options: { bufferSize: number }) => Promise<Dir>

/**
 * The files below a directory, depth first, sorted by name. Excluded directories are never entered. Symbolic links are
 * passed on as candidates; whoever looks at them leaves out those that lead to directories.
 */
export async function* walk(root: WalkRoot, filters: Filters, notes: ScanNotes): AsyncGenerator<Candidate> {
  const frames: Frame[] = []
  try {
    yield* enter(frames, root, [])
    while (frames.length > 0) {
      const frame = frames[frames.length - 1] as Frame
      if (frame.next >= frame.window.length && !(await readWindow(frame))) {
        frames.pop()
        await frame.directory.close()
        continue
      }
      const entry = frame.window[frame.next] as Dirent
      frame.next += 1
      const child = childOf(frame, entry.name)
      if (notes.isOwn(child.absolute)) continue
      if (entry.isDirectory()) {
        const left = filters.excludesDirectory(child.name, child.path) || ignoredByChain(frame.ignoreChain, `${child.name}/`)
        if (!left) yield* enter(frames, child, frame.ignoreChain)
      } else if (isJunk(entry.name)) {
        notes.junk()
      } else if (!filters.excludesFile(child.name, child.path) && !ignoredByChain(frame.ignoreChain, child.name)) {
        yield { ...child, kind: 'found' }
      }
    }
  } finally {
    for (const frame of frames) await frame.directory.close().catch(() => undefined)
  }
}

/** Opens a directory; one that cannot be opened becomes a candidate with a problem. */
async function* enter(frames: Frame[], at: WalkRoot, outer: IgnoreChain): AsyncGenerator<Candidate> {
  try {
    const directory = await openDirectory(at.absolute, { bufferSize: 1024 })
    const frame: Frame = { ...at, directory, ignoreChain: outer, window: [], next: 0 }
    await readWindow(frame)
    const hasIgnoreFile = frame.window.some((entry) => entry.name === ignoreFileName)
    frames.push(hasIgnoreFile ? { ...frame, ignoreChain: await extendIgnoreChain(outer, at.absolute, at.name) } : frame)
  } catch (error) {
    yield { ...at, kind: 'problem', problem: sourceError(error) }
  }
}

/** Reads the next entries of a directory; false at its end. */
async function readWindow(frame: Frame): Promise<boolean> {
  frame.window = []
  frame.next = 0
  while (frame.window.length < windowSize) {
    const entry = await frame.directory.read()
    if (entry === null) break
    frame.window.push(entry)
  }
  frame.window.sort((a, b) => (a.name < b.name ? -1 : 1))
  return frame.window.length > 0
}

function childOf(parent: WalkRoot, entry: string): WalkRoot {
  return {
    path: parent.path === '/' ? `/${entry}` : `${parent.path}/${entry}`,
    absolute: parent.absolute === '/' ? `/${entry}` : `${parent.absolute}/${entry}`,
    name: parent.name === '' ? entry : `${parent.name}/${entry}`,
  }
}
