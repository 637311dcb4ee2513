import { readFile } from 'node:fs/promises'
import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path'
import { UploadError, UsageError } from '../../errors.ts'
import { unlessCrowded } from './crowded.ts'
import { ignorePatterns, type Verdict } from './ignore-patterns.ts'
import { compilePattern, isGlob, literalPattern, toSlashes } from './pattern.ts'

/** Files that operating systems leave behind in folders. */
const junkNames = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini'])

export function isJunk(baseName: string): boolean {
  return junkNames.has(baseName)
}

/** The name of the ignore files that directories may hold. */
export const ignoreFileName = '.uploadignore'

/** What a run leaves out by its options. `name` is relative to the base, with `/` separators; `''` is the base itself. */
export interface Filters {
  /** Whether a file is left out. */
  excludesFile(name: string, absolute: string): boolean
  /** Whether a directory is left out, so that it need not be entered. */
  excludesDirectory(name: string, absolute: string): boolean
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
  const files = await Promise.all(options.excludeFrom.map((file) => readPatterns(file, options.cwd)))
  const patterns = [...options.exclude, ...files.flatMap((text) => text.split(/\r?\n/))]
  const excluded = ignorePatterns(options.exclude, ...files, wholeDirectories(patterns))
  const included = options.include.length === 0 ? () => ({ ignored: true }) : ignorePatterns(options.include)
  const negations = options.negations.map((pattern) => negation(pattern, options.cwd))
  const negated = (absolute: string) => negations.some((matches) => matches(absolute))
  return {
    excludesFile: (name, absolute) => excluded(name).ignored || negated(absolute) || !included(name).ignored,
    excludesDirectory: (name, absolute) => (name !== '' && excluded(`${name}/`).ignored) || negated(absolute),
  }
}

/**
 * `build/**` leaves out all that is in a directory, but not the directory: the same, said so that it need not be entered.
 * Where anything is taken back, that may be in there.
 */
function wholeDirectories(patterns: readonly string[]): readonly string[] {
  if (patterns.some((pattern) => pattern.startsWith('!'))) return []
  // Without its "**" it would hold at any depth.
  return patterns.flatMap((pattern) =>
    /^[^#].*\/\*\*$/.test(pattern) ? [`/${pattern.replace(/^\/|\*\*$/g, '')}`] : [],
  )
}

/** Patterns of one `.uploadignore`, and where it lies. */
interface IgnoreLayer {
  /** Name of its directory relative to the base, `''` or ending in `/`. */
  readonly directory: string
  readonly patterns: (name: string) => Verdict
}

/** The `.uploadignore` files that hold for a directory, the innermost first. */
export type IgnoreChain = readonly IgnoreLayer[]

/**
 * `chain` and the `.uploadignore` in a directory, where there is one.
 *
 * @throws UploadError where it cannot be read: what it would leave out must not be sent.
 */
export async function extendIgnoreChain(chain: IgnoreChain, absolute: string, name: string): Promise<IgnoreChain> {
  try {
    const text = await unlessCrowded(() => readFile(join(absolute, ignoreFileName), 'utf8'))
    return [{ directory: name === '' ? '' : `${name}/`, patterns: ignorePatterns(text) }, ...chain]
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'EISDIR') return chain
    const why = `its ${ignoreFileName} cannot be read (${code}), so nothing in it is sent`
    throw new UploadError('SOURCE_UNREADABLE', why, { cause: error })
  }
}

/**
 * Whether `.uploadignore` files leave a name out: as with `.gitignore`, the innermost that says anything decides.
 *
 * @param name relative to the base; a directory's ends in `/`
 */
export function ignoredByChain(chain: IgnoreChain, name: string): boolean {
  for (const { directory, patterns } of chain) {
    const { ignored, unignored } = patterns(name.slice(directory.length))
    if (ignored || unignored) return ignored
  }
  return false
}

/** A pattern without `/` means that name at any depth; one that matches a directory takes all in it along. */
function negation(given: string, cwd: string): (absolute: string) => boolean {
  const pattern = toSlashes(isGlob(given) ? given : literalPattern(given)).replace(/(?<=.)\/+$/, '')
  const anyDepth = !pattern.includes('/') || pattern.startsWith('**/')
  const glob = pattern.includes('/') ? posix.normalize(pattern) : `**/${pattern}`
  const matchers = [glob, `${glob}/**`].map((each) => compilePattern(each, true))
  return (absolute) => {
    const path = (isAbsolute(pattern) ? absolute : relative(cwd, absolute)).split(sep).join('/')
    // Names have no "/" in front, and "**" would not go past the ".." above the working directory.
    const name = path.replace(anyDepth ? /^(?:\.\.\/)+/ : /^\//, '')
    return matchers.some(({ matches }) => matches(name))
  }
}

async function readPatterns(file: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw new UsageError(`--exclude-from: cannot read ${file} (${codeOf(error)})`)
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
