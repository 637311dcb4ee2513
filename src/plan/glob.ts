import { type Dirent, lstat, type Stats, stat, readdir as systemReaddir } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import fastGlob from 'fast-glob'
import { extendIgnoreChain, type Filters, type IgnoreChain, ignoredByChain, ignoreFileName, isJunk } from './filters.ts'
import type { Candidate, ScanNotes } from './sources.ts'
import { sourceError } from './source-errors.ts'

/** How many matches may wait for the reader before no further directory is read. */
const matchesAhead = 1000

type ReaddirCallback = (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void

/** Whether an argument is a pattern rather than a name. */
export function isGlob(argument: string): boolean {
  return fastGlob.isDynamicPattern(argument)
}

/** The directory part of a pattern before its first wildcard; keys are relative to it. */
export function staticBase(pattern: string): string {
  const segments = toSlashes(pattern).split('/')
  const wild = segments.findIndex((segment) => fastGlob.isDynamicPattern(segment))
  const fixed = segments.slice(0, wild === -1 ? -1 : wild).join('/')
  return fixed === '' ? (pattern.startsWith('/') ? '/' : '.') : fixed
}

/**
 * The files a pattern matches, always in the same order. Directories that filters leave out are not entered, and
 * matches do not pile up in memory: fast-glob reads on only as its matches are taken.
 */
export async function* expandGlob(
  pattern: string,
  cwd: string,
  filters: Filters,
  notes: ScanNotes,
): AsyncGenerator<Candidate> {
  const base = staticBase(pattern)
  const baseAbsolute = resolve(cwd, base)
  const problems: Candidate[] = []
  let stream: Readable | undefined
  let wakeLister: (() => void) | undefined
  const nameOf = (absolute: string): string => relative(baseAbsolute, absolute).split(sep).join('/')
  const named = (absolute: string) => {
    const name = nameOf(absolute)
    return { name, absolute, path: name === '' ? base : base === '.' ? `${pattern.startsWith('./') ? './' : ''}${name}` : `${base.replace(/\/$/, '')}/${name}` }
  }

  const chains = new Map<string, IgnoreChain>()
  const list = async (directory: string): Promise<Dirent[]> => {
    while (stream !== undefined && stream.readableLength > matchesAhead) {
      await new Promise<void>((wake) => {
        wakeLister = wake
      })
    }
    const at = named(directory)
    const outer = chains.get(directory) ?? []
    try {
      const entries = await readEntries(directory)
      const chain = entries.some((entry) => entry.name === ignoreFileName)
        ? await extendIgnoreChain(outer, directory, at.name)
        : outer
      entries.sort((a, b) => (a.name < b.name ? -1 : 1))
      return entries.filter((entry) => {
        const child = named(`${directory === '/' ? '' : directory}/${entry.name}`)
        if (notes.isOwn(child.absolute)) return false
        if (!entry.isDirectory()) return !ignoredByChain(chain, child.name)
        if (filters.excludesDirectory(child.name, child.path) || ignoredByChain(chain, `${child.name}/`)) return false
        if (chain.length > 0) chains.set(child.absolute, chain)
        return true
      })
    } catch (error) {
      // A directory that a literal part of the pattern names and that is not there only means: no match.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push({ ...at, kind: 'problem', problem: sourceError(error) })
      return []
    }
  }

  const options: fastGlob.Options = {
    cwd,
    onlyFiles: false,
    followSymbolicLinks: false,
    objectMode: true,
    absolute: true,
    // One directory at a time: the order is then that of the names.
    concurrency: 1,
    fs: {
      lstat: lstat as (path: string, callback: (error: NodeJS.ErrnoException | null, stats: Stats) => void) => void,
      stat: stat as (path: string, callback: (error: NodeJS.ErrnoException | null, stats: Stats) => void) => void,
      readdir: ((directory: string, _options: unknown, callback: ReaddirCallback) => {
        list(directory).then((entries) => callback(null, entries))
      }) as NonNullable<fastGlob.FileSystemAdapter['readdir']>,
    },
  }
  const seen = new Set<string>()
  const tasks = fastGlob.generateTasks(toSlashes(pattern), options)
  for (const task of tasks) {
    stream = fastGlob.stream(task.patterns, options) as Readable
    for await (const match of stream as AsyncIterable<fastGlob.Entry>) {
      if (stream.readableLength <= matchesAhead) wakeLister?.()
      if (match.dirent.isDirectory()) continue
      const found = named(resolve(match.path))
      if (tasks.length > 1) {
        // `{a,b*}` can match one file twice; a single task does not.
        if (seen.has(found.absolute)) continue
        seen.add(found.absolute)
      }
      if (notes.isOwn(found.absolute)) continue
      if (isJunk(match.name)) notes.junk()
      else if (!filters.excludesFile(found.name, found.path)) yield { ...found, kind: 'found' }
    }
    yield* problems.splice(0)
  }
}

function readEntries(directory: string): Promise<Dirent[]> {
  return new Promise((fulfil, reject) => {
    systemReaddir(directory, { withFileTypes: true }, (error, entries) => (error ? reject(error) : fulfil(entries)))
  })
}

/** Windows separators, but for those that escape a wildcard. */
function toSlashes(pattern: string): string {
  return sep === '\\' ? pattern.replace(/\\(?![*?[\]{}()!+@])/g, '/') : pattern
}
