import { sep } from 'node:path'
import fastGlob from 'fast-glob'
import picomatch from 'picomatch'
import { UsageError } from '../../errors.ts'
import { normalizeName } from '../keys/object-key.ts'

/** Which names a pattern matches, and which directories may hold such. */
export interface PathMatcher {
  /** @param name `/` separators */
  matches(name: string): boolean
  /** False only where nothing below can match: such a directory need not be entered. */
  mayHold(directory: string): boolean
}

/** Whether an argument is a pattern rather than a name. */
export function isGlob(argument: string): boolean {
  return argument !== '' && fastGlob.isDynamicPattern(toSlashes(argument))
}

/** The pattern that matches `name` and nothing else. */
export function literalPattern(name: string): string {
  return fastGlob.escapePath(name)
}

const escaped = /\\(.)/g

/** Alternatives that begin in the first segment and may end in a later one: `{a/b,c}/*.wav`. */
const alternation = /^[^/]*?(?:\{[^}]*(?:,|\.\.)[^}]*\}|\([^()]*\|[^()]*\))/

/**
 * Cuts a pattern before its first wildcard: keys are relative to what stands before.
 *
 * @returns `head`: a directory, `''` or ending in `/`; `rest`: the pattern within it
 */
export function splitPattern(pattern: string): { readonly head: string; readonly rest: string } {
  const segments = toSlashes(pattern).split('/')
  const plain = segments.map((segment) => segment.replace(escaped, ''))
  const wild = plain.findIndex((segment, at) => isGlob(`./${segment}`) || alternation.test(plain.slice(at).join('/')))
  // Where nothing but escapes makes it a pattern, it is one name.
  const start = wild === -1 ? segments.length - 1 : wild
  const head = segments.slice(0, start).map((segment) => `${segment.replace(escaped, '$1')}/`)
  return { head: head.join(''), rest: segments.slice(start).join('/') }
}

/**
 * @param hidden whether wildcards match names that begin with a dot
 * @throws UsageError where its braces cannot be made sense of.
 */
export function compilePattern(pattern: string, hidden: boolean): PathMatcher {
  const options: picomatch.PicomatchOptions = {
    dot: hidden,
    nobrace: true,
    nonegate: true,
    posix: true,
    windows: false,
  }
  const patterns = alternatives(pattern)
  const matches = picomatch(patterns, options)
  const holders = patterns.map((each) => holder(each, options))
  return {
    matches: (name) => matches(normalizeName(name)),
    mayHold: (directory) => {
      const names = normalizeName(directory).split('/')
      return holders.some((mayHold) => mayHold(names))
    },
  }
}

/** The patterns without braces that one stands for. */
function alternatives(pattern: string): string[] {
  // As in a shell, `(1)` is text; to picomatch it would be a group.
  const plain = normalizeName(pattern).replace(/(?<![!*+?@\\])\(([^()|]*)\)/g, '\\($1\\)')
  try {
    // "./": a `!` at its front is text too.
    return fastGlob.generateTasks(`./${plain}`).flatMap((task) => task.patterns)
  } catch {
    throw new UsageError(`the pattern ${pattern} has an odd brace or too long a range; put * or ? in its place`)
  }
}

/** Whether a directory, given by the names on the way to it, may hold what a pattern matches. */
function holder(pattern: string, options: picomatch.PicomatchOptions): (names: readonly string[]) => boolean {
  const segments = pattern.replace(/^\.\//, '').split('/')
  // From `**`, or a group that goes on behind a `/`, any depth is possible.
  const open = segments.findIndex((segment) => /\*\*|\([^)]*$/.test(segment))
  const fixed = segments.slice(0, open === -1 ? -1 : open).map((segment) => picomatch(segment, options))
  const entersHidden = options.dot === true || /(?:^|[/(|[\\])\./.test(segments.slice(open).join('/'))
  return (names) =>
    (open !== -1 || names.length <= fixed.length) &&
    names.every((name, depth) => fixed[depth]?.(name) ?? (entersHidden || !name.startsWith('.')))
}

/** Windows separators as `/`, but for a backslash that escapes what a Windows name may hold. */
export function toSlashes(pattern: string, separator: string = sep): string {
  return separator === '\\' ? pattern.replace(/\\(?![!()+@[\]{}])/g, '/') : pattern
}
