import type { Stats } from 'node:fs'
import { basename, isAbsolute, posix, relative, resolve, sep } from 'node:path'
import { UploadError, UsageError } from '../../errors.ts'
import { baseNameOf } from '../keys/object-key.ts'
import { orderedMap } from '../ordered-map.ts'
import { scanError } from '../source-errors.ts'
import type { Candidate, OwnFacts, ScanNotes } from './candidate.ts'
import { type Filters, isJunk } from './filters.ts'
import { createFollowedLinks, type FollowedLinks } from './followed-links.ts'
import { expandGlob } from './glob.ts'
import { exists, look, lookedAtAtOnce } from './look.ts'
import { isGlob, literalPattern } from './pattern.ts'
import { walk } from './walk.ts'

/** A source that a list (`--files-from`) names. */
export interface ListedSource {
  readonly path: string
  /** Of the file, or of all files in the directory. */
  readonly own?: OwnFacts | undefined
}

export interface SourceOptions {
  readonly sources: readonly string[]
  /** Asked for anew by each scan. */
  readonly listed: () => AsyncIterable<ListedSource>
  readonly cwd: string
  /** `--base`. */
  readonly base: string | undefined
  /** Keys do not follow directories (`--flatten`, `--key`), so a listed line may lie anywhere. */
  readonly anywhere: boolean
  readonly filters: Filters
  /** Directories that are symbolic links are entered. */
  readonly follow: boolean
}

/** What all sources of one scan have in common. */
interface Scan extends SourceOptions {
  readonly notes: ScanNotes
  readonly links: FollowedLinks | undefined
}

/** The patterns of `!pattern` arguments: those that name no file. What they name themselves is taken literally, too. */
export async function negationsAmong(sources: readonly string[], cwd: string): Promise<readonly string[]> {
  const negations: string[] = []
  for (const source of sources.filter(isNegation)) {
    if (await exists(resolve(cwd, source))) continue
    const pattern = source.slice(1)
    negations.push((await exists(resolve(cwd, pattern))) ? literalPattern(pattern) : pattern)
  }
  return negations
}

/** `!(a|b)*` is a pattern of its own, as in a shell. */
function isNegation(source: string): boolean {
  return /^![^(]/.test(source)
}

/** A source that was looked at. */
interface Seen {
  /** As the user named it. */
  readonly path: string
  readonly absolute: string
  /** Links followed; undefined where there is nothing, or nothing that can be looked at. */
  readonly stats: Stats | undefined
  readonly own?: OwnFacts | undefined
}

interface SeenArgument extends Seen {
  readonly isThere: boolean
}

type Candidates = AsyncIterable<Candidate> | Iterable<Candidate>

/**
 * Everything the sources name, in their order. An argument that exists on disk is taken literally whatever characters
 * it holds; only otherwise is it a pattern. They are looked at in bursts: a list may have a million lines.
 *
 * @throws UsageError for an empty argument, and for a listed absolute path that nothing gives a key.
 */
export async function* findSources(options: SourceOptions, notes: ScanNotes): AsyncGenerator<Candidate> {
  const { cwd, sources, listed } = options
  const base = options.base === undefined ? undefined : resolve(cwd, options.base)
  const links = options.follow ? createFollowedLinks(notes.warn) : undefined
  const scan: Scan = { ...options, notes, links }
  for await (const seen of orderedMap(sources, lookedAtAtOnce, (source) => lookAtArgument(source, cwd))) {
    for await (const candidate of findArgument(seen, scan)) yield rebase(unlikeStdin(candidate), base, options)
  }
  for await (const seen of orderedMap(listed(), lookedAtAtOnce, (source) => lookAtListed(source, base, options))) {
    const { own } = seen
    for await (const candidate of findListed(seen, scan)) {
      const named = unlikeStdin(candidate)
      yield rebase(own === undefined ? named : { ...named, own }, base, options)
    }
  }
}

async function lookAtArgument(source: string, cwd: string): Promise<SeenArgument> {
  // It would mean the whole working directory.
  if (source === '') throw new UsageError('one of the sources is empty (a variable that is not set?)')
  const absolute = resolve(cwd, source)
  const stats = await look(absolute)
  return { path: source, absolute, stats, isThere: stats !== undefined || (await exists(absolute)) }
}

function findArgument(seen: SeenArgument, scan: Scan): Candidates {
  const { path, absolute } = seen
  if (path === '-') return [{ kind: 'stdin', path, absolute: path, name: 'stdin' }]
  const name = basename(absolute)
  if (seen.isThere) return findLiteral(seen, name, '', scan)
  // Took its effect as a filter.
  if (isNegation(path)) return []
  if (isGlob(path)) return findMatches(path, scan)
  const problem = scanError({ code: 'ENOENT' }, path)
  return [{ path, absolute, name, kind: problem.code === 'SOURCE_NOT_FOUND' ? 'missing' : 'problem', problem }]
}

async function* findMatches(glob: string, { cwd, filters, notes, links }: Scan): AsyncGenerator<Candidate> {
  let matched = false
  for await (const candidate of expandGlob(glob, cwd, filters, notes, links)) {
    matched = true
    yield candidate
  }
  if (!matched) notes.warn(`nothing matches ${glob}`)
}

async function lookAtListed(
  { path, own }: ListedSource,
  base: string | undefined,
  { cwd, anywhere }: SourceOptions,
): Promise<Seen> {
  if (isAbsolute(path) && base === undefined && !anywhere && own?.key === undefined) {
    throw new UsageError(
      `--files-from: ${path} is absolute and has no key; give --base DIR, --flatten or --key TEMPLATE`,
    )
  }
  const absolute = resolve(base ?? cwd, path)
  return { path, absolute, stats: await look(absolute), own }
}

/** A line of `--files-from`: never a pattern, and its path as written is its name. */
function findListed(seen: Seen, scan: Scan): Candidates {
  if (isAbsolute(seen.path)) return findLiteral(seen, basename(seen.absolute), '', scan)
  const name = plainName(seen.path)
  return findLiteral(seen, name, name, scan)
}

/**
 * One path as it stands: a directory is walked, anything else is a candidate.
 *
 * @param name a file's
 * @param above what the names of the files in a directory begin with
 */
function findLiteral(
  { path, absolute, stats, own }: Seen,
  name: string,
  above: string,
  { filters, notes, links }: Scan,
): Candidates {
  if (notes.isOwn(absolute)) return []
  // Who names a link to a directory means the directory.
  if (stats?.isDirectory()) {
    if (filters.excludesDirectory(above, absolute)) return []
    if (own?.key !== undefined) return [{ path, absolute, name, kind: 'problem', problem: directoryWithKey() }]
    return walk({ path: withoutSlash(path), absolute, name: above }, filters, notes, undefined, links)
  }
  if (isJunk(baseNameOf(name))) {
    notes.junk()
    return []
  }
  return filters.excludesFile(name, absolute) ? [] : [{ path, absolute, name, kind: 'found', stats }]
}

/** A file that is called `-` is not standard input, for which a path of that name stands. */
function unlikeStdin(candidate: Candidate): Candidate {
  return candidate.path === '-' && candidate.kind !== 'stdin' ? { ...candidate, path: './-' } : candidate
}

/** Under `--base` every name is relative to it; one that lies outside fails. */
function rebase(candidate: Candidate, base: string | undefined, options: SourceOptions): Candidate {
  const name =
    base === undefined || candidate.kind === 'stdin'
      ? candidate.name
      : relative(base, candidate.absolute).split(sep).join('/')
  // On another Windows drive nothing is relative.
  const outside = name === '..' || name.startsWith('../') || isAbsolute(name)
  if (!outside) return name === candidate.name ? candidate : { ...candidate, name }
  if (options.anywhere || candidate.own?.key !== undefined) return { ...candidate, name: baseNameOf(name) }
  if (candidate.problem !== undefined) return { ...candidate, name }
  return { ...candidate, name, kind: 'problem', problem: outsideBase(options.base) }
}

function directoryWithKey(): UploadError {
  return new UploadError('KEY_INVALID', 'it is a directory, and only a file can have a "key"; leave that out')
}

function outsideBase(base: string | undefined): UploadError {
  return new UploadError(
    'KEY_INVALID',
    `it lies outside ${base === undefined ? 'the working directory' : `--base ${base}`}; give another --base, --flatten or --key`,
  )
}

/** `./a//b/` as `a/b`; `..` at its front stays and is judged later. */
function plainName(line: string): string {
  const plain = posix.normalize(line.split(sep).join('/')).replace(/\/$/, '')
  return plain === '.' ? '' : plain
}

function withoutSlash(path: string): string {
  return path.replace(new RegExp(`(?<=.)[/\\${sep}]+$`), '')
}
