import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import picomatch from 'picomatch'
import { UsageError } from '../errors.ts'

/** Files that operating systems leave behind in folders. */
const junkNames = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini'])

export function isJunk(baseName: string): boolean {
  return junkNames.has(baseName)
}

/** The name of the ignore files that directories may hold. */
export const ignoreFileName = '.uploadignore'

/** What a run leaves out by its options. */
export interface Filters {
  /**
   * Whether a file is left out.
   *
   * @param name relative to its base, `/` separators
   * @param path as the user would name it, relative to the working directory or absolute
   */
  excludesFile(name: string, path: string): boolean
  /** Whether a directory is left out, so that it need not be entered. */
  excludesDirectory(name: string, path: string): boolean
}

export interface FilterOptions {
  /** gitignore patterns; where there are any, a file has to match one. */
  readonly include: readonly string[]
  /** gitignore patterns. */
  readonly exclude: readonly string[]
  /** Files of gitignore patterns. */
  readonly excludeFrom: readonly string[]
  /** `!pattern` arguments, without the `!`: globs as the sources are. */
  readonly negations: readonly string[]
  readonly cwd: string
}

/** @throws UsageError for an `--exclude-from` file that cannot be read. */
export async function createFilters(options: FilterOptions): Promise<Filters> {
  const excluded = ignore({ allowRelativePaths: true }).add([...options.exclude])
  for (const file of options.excludeFrom) excluded.add(await readPatterns(file, options.cwd))
  const included = options.include.length === 0 ? undefined : ignore({ allowRelativePaths: true }).add([...options.include])
  const negated = negationMatcher(options.negations)
  return {
    excludesFile: (name, path) =>
      excluded.ignores(name) || negated(plainPath(path)) || (included !== undefined && !included.ignores(name)),
    excludesDirectory: (name, path) => excluded.ignores(`${name}/`) || negated(plainPath(path)),
  }
}

/** Patterns of one `.uploadignore`, and where it lies. */
interface IgnoreLayer {
  /** Name of its directory relative to the base, `''` or ending in `/`. */
  readonly directory: string
  readonly patterns: Ignore
}

/** The `.uploadignore` files that hold for a directory, the outermost first. */
export type IgnoreChain = readonly IgnoreLayer[]

/** `chain` and the `.uploadignore` in `absolute`, which must have been seen there. */
export async function extendIgnoreChain(chain: IgnoreChain, absolute: string, name: string): Promise<IgnoreChain> {
  const text = await readFile(join(absolute, ignoreFileName), 'utf8').catch(() => '')
  return [...chain, { directory: name === '' ? '' : `${name}/`, patterns: ignore().add(text) }]
}

/**
 * Whether `.uploadignore` files leave a name out: as with `.gitignore`, the innermost that says anything decides.
 *
 * @param name relative to the base; a directory's ends in `/`
 */
export function ignoredByChain(chain: IgnoreChain, name: string): boolean {
  for (let index = chain.length - 1; index >= 0; index -= 1) {
    const layer = chain[index] as IgnoreLayer
    const verdict = layer.patterns.test(name.slice(layer.directory.length))
    if (verdict.ignored) return true
    if (verdict.unignored) return false
  }
  return false
}

/** A pattern without `/` means that name at any depth; one that matches a directory takes all in it along. */
function negationMatcher(negations: readonly string[]): (path: string) => boolean {
  if (negations.length === 0) return () => false
  const patterns = negations
    .map(plainPath)
    .map((pattern) => (pattern.includes('/') ? pattern.replace(/\/$/, '') : `**/${pattern}`))
  return picomatch(
    patterns.flatMap((pattern) => [pattern, `${pattern}/**`]),
    { dot: true },
  )
}

function plainPath(path: string): string {
  return path.replace(/^(?:\.\/)+/, '')
}

async function readPatterns(file: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw new UsageError(`--exclude-from: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`)
  }
}
