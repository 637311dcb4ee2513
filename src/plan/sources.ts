import { lstat, stat } from 'node:fs/promises'
import { isAbsolute, posix, relative, resolve, sep } from 'node:path'
import { UploadError, UsageError } from '../errors.ts'
import type { Candidate, ScanNotes } from './candidate.ts'
import { type Filters, isJunk } from './filters.ts'
import { expandGlob } from './glob.ts'
import { baseNameOf } from './object-key.ts'
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

/**
 * Everything the sources name, in their order. An argument that exists on disk is taken literally whatever characters
 * it holds; only otherwise is it a pattern.
 *
 * @throws UsageError for an empty argument, and for a listed absolute path that nothing gives a key.
 */
export async function* findSources(options: SourceOptions, notes: ScanNotes): AsyncGenerator<Candidate> {
  for (const source of options.sources) yield* rebase(findArgument(source, options, notes), options)
  for await (const line of options.listedLines()) yield* rebase(findListed(line, options, notes), options)
}

async function* findArgument(source: string, options: SourceOptions, notes: ScanNotes): AsyncGenerator<Candidate> {
  const { cwd, filters } = options
  if (source === '-') {
    yield { kind: 'stdin', path: '-', absolute: '-', name: 'stdin' }
    return
  }
  // It would mean the whole working directory.
  if (source === '') throw new UsageError('one of the sources is empty (a variable that is not set?)')
  const absolute = resolve(cwd, source)
  if (await exists(absolute)) {
    yield* findLiteral(source, absolute, undefined, options, notes)
  } else if (isNegation(source)) {
    // Took its effect as a filter.
  } else if (isGlob(source)) {
    let matched = false
    for await (const candidate of expandGlob(source, cwd, filters, notes)) {
      matched = true
      yield candidate
    }
    if (!matched) notes.warn(`nothing matches ${source}`)
  } else {
    const problem = scanError({ code: 'ENOENT' }, source)
    yield { ...named(source, absolute), kind: problem.code === 'SOURCE_NOT_FOUND' ? 'missing' : 'problem', problem }
  }
}

/** A line of `--files-from`: never a pattern, and its path as written is its name. */
async function* findListed(line: string, options: SourceOptions, notes: ScanNotes): AsyncGenerator<Candidate> {
  if (isAbsolute(line) && options.base === undefined && !options.anywhere) {
    throw new UsageError(
      `--files-from: ${line} is absolute and has no key; give --base DIR, --flatten or --key TEMPLATE`,
    )
  }
  const absolute = resolve(options.base === undefined ? options.cwd : resolve(options.cwd, options.base), line)
  const name = isAbsolute(line) ? undefined : plainName(line)
  yield* findLiteral(line, absolute, name, options, notes)
}

/** One path as it stands: a directory is walked, anything else is a candidate. */
async function* findLiteral(
  path: string,
  absolute: string,
  name: string | undefined,
  options: SourceOptions,
  notes: ScanNotes,
): AsyncGenerator<Candidate> {
  if (notes.isOwn(absolute)) return
  const at = { ...named(path, absolute), ...(name === undefined ? {} : { name }) }
  // Who names a link to a directory means the directory.
  if (await isDirectory(absolute)) {
    const root = { path: withoutSlash(path), absolute, name: name ?? '' }
    if (!options.filters.excludesDirectory(root.name, absolute)) yield* walk(root, options.filters, notes)
  } else if (isJunk(baseNameOf(at.name))) {
    notes.junk()
  } else if (!options.filters.excludesFile(at.name, absolute)) {
    yield { ...at, kind: 'found' }
  }
}

/** Under `--base` every name is relative to it; one that lies outside fails. */
async function* rebase(candidates: AsyncGenerator<Candidate>, options: SourceOptions): AsyncGenerator<Candidate> {
  const base = options.base === undefined ? undefined : resolve(options.cwd, options.base)
  for await (const candidate of candidates) {
    const name =
      base === undefined || candidate.kind === 'stdin'
        ? candidate.name
        : relative(base, candidate.absolute).split(sep).join('/')
    // On another Windows drive nothing is relative.
    const outside = name === '..' || name.startsWith('../') || isAbsolute(name)
    if (!outside) yield name === candidate.name ? candidate : { ...candidate, name }
    else if (options.anywhere) yield { ...candidate, name: baseNameOf(name) }
    else if (candidate.problem !== undefined) yield { ...candidate, name }
    else yield { ...candidate, name, kind: 'problem', problem: outsideBase(options.base) }
  }
}

function outsideBase(base: string | undefined): UploadError {
  return new UploadError(
    'KEY_INVALID',
    `it lies outside ${base === undefined ? 'the working directory' : `--base ${base}`}; give another --base, --flatten or --key`,
  )
}

function named(path: string, absolute: string): { path: string; absolute: string; name: string } {
  return { path, absolute, name: baseNameOf(absolute.split(sep).join('/')) }
}

/** `./a//b/` as `a/b`; `..` at its front stays and is judged later. */
function plainName(line: string): string {
  const plain = posix.normalize(line.split(sep).join('/')).replace(/\/$/, '')
  return plain === '.' ? '' : plain
}

function withoutSlash(path: string): string {
  return path.replace(new RegExp(`(?<=.)[/\\${sep}]+$`), '')
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => !['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL'].includes(String(error.code)),
  )
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
