import type { Stats } from 'node:fs'
import { basename, isAbsolute, posix, relative, resolve, sep } from 'node:path'
import { UploadError, UsageError } from '../errors.ts'
import type { Candidate, ScanNotes } from './candidate.ts'
import { type Filters, isJunk } from './filters.ts'
import { expandGlob } from './glob.ts'
import { exists, look, lookedAtAtOnce } from './look.ts'
import { baseNameOf } from './object-key.ts'
import { orderedMap } from './ordered-map.ts'
import { isGlob, literalPattern } from './pattern.ts'
import { scanError } from './source-errors.ts'
import { walk } from './walk.ts'

export interface SourceOptions {
  readonly sources: readonly string[]
  /** Lines of `--files-from`; asked for anew by each scan. */
  readonly listedLines: () => AsyncIterable<string>
  readonly cwd: string
  /** `--base`. */
  readonly base: string | undefined
  /** Keys do not follow directories (`--flatten`, `--key`), so a listed line may lie anywhere. */
  readonly anywhere: boolean
  readonly filters: Filters
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
  const { cwd, sources } = options
  const base = options.base === undefined ? undefined : resolve(cwd, options.base)
  for await (const seen of orderedMap(sources, lookedAtAtOnce, (source) => lookAtArgument(source, cwd))) {
    for await (const candidate of findArgument(seen, options, notes)) yield rebase(candidate, base, options)
  }
  for await (const seen of orderedMap(options.listedLines(), lookedAtAtOnce, (line) =>
    lookAtLine(line, base, options),
  )) {
    for await (const candidate of findListed(seen, options, notes)) yield rebase(candidate, base, options)
  }
}

async function lookAtArgument(source: string, cwd: string): Promise<SeenArgument> {
  // It would mean the whole working directory.
  if (source === '') throw new UsageError('one of the sources is empty (a variable that is not set?)')
  const absolute = resolve(cwd, source)
  const stats = await look(absolute)
  return { path: source, absolute, stats, isThere: stats !== undefined || (await exists(absolute)) }
}

function findArgument(seen: SeenArgument, options: SourceOptions, notes: ScanNotes): Candidates {
  const { path, absolute } = seen
  if (path === '-') return [{ kind: 'stdin', path, absolute: path, name: 'stdin' }]
  const name = basename(absolute)
  if (seen.isThere) return findLiteral(seen, name, '', options, notes)
  // Took its effect as a filter.
  if (isNegation(path)) return []
  if (isGlob(path)) return findMatches(path, options, notes)
  const problem = scanError({ code: 'ENOENT' }, path)
  return [{ path, absolute, name, kind: problem.code === 'SOURCE_NOT_FOUND' ? 'missing' : 'problem', problem }]
}

async function* findMatches(
  glob: string,
  { cwd, filters }: SourceOptions,
  notes: ScanNotes,
): AsyncGenerator<Candidate> {
  let matched = false
  for await (const candidate of expandGlob(glob, cwd, filters, notes)) {
    matched = true
    yield candidate
  }
  if (!matched) notes.warn(`nothing matches ${glob}`)
}

async function lookAtLine(line: string, base: string | undefined, options: SourceOptions): Promise<Seen> {
  if (isAbsolute(line) && base === undefined && !options.anywhere) {
    throw new UsageError(
      `--files-from: ${line} is absolute and has no key; give --base DIR, --flatten or --key TEMPLATE`,
    )
  }
  const absolute = resolve(base ?? options.cwd, line)
  return { path: line, absolute, stats: await look(absolute) }
}

/** A line of `--files-from`: never a pattern, and its path as written is its name. */
function findListed(seen: Seen, options: SourceOptions, notes: ScanNotes): Candidates {
  if (isAbsolute(seen.path)) return findLiteral(seen, basename(seen.absolute), '', options, notes)
  const name = plainName(seen.path)
  return findLiteral(seen, name, name, options, notes)
}

/**
 * One path as it stands: a directory is walked, anything else is a candidate.
 *
 * @param name a file's
 * @param above what the names of the files in a directory begin with
 */
function findLiteral(
  { path, absolute, stats }: Seen,
  name: string,
  above: string,
  { filters }: SourceOptions,
  notes: ScanNotes,
): Candidates {
  if (notes.isOwn(absolute)) return []
  // Who names a link to a directory means the directory.
  if (stats?.isDirectory()) {
    if (filters.excludesDirectory(above, absolute)) return []
    return walk({ path: withoutSlash(path), absolute, name: above }, filters, notes)
  }
  if (isJunk(baseNameOf(name))) {
    notes.junk()
    return []
  }
  return filters.excludesFile(name, absolute) ? [] : [{ path, absolute, name, kind: 'found', stats }]
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
  if (options.anywhere) return { ...candidate, name: baseNameOf(name) }
  if (candidate.problem !== undefined) return { ...candidate, name }
  return { ...candidate, name, kind: 'problem', problem: outsideBase(options.base) }
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
