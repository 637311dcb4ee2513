import ignore, { type Options } from 'ignore'
import { normalizeName } from '../keys/object-key.ts'

/** What patterns say of a name; neither where none matches. */
export interface Verdict {
  readonly ignored: boolean
  readonly unignored: boolean
}

/** As keys are, on every system: with regard to case. Names may lie above the base (`../a.wav`). */
const options: Options = { ignoreCase: false, allowRelativePaths: true }

/** After how many names what is remembered of them is dropped. */
const namesRemembered = 10_000

/** Whether a name is one that such patterns are about. */
export function matching(patterns: readonly string[]): (name: string) => boolean {
  const verdict = ignorePatterns(patterns)
  return (name) => verdict(name).ignored
}

/**
 * gitignore patterns (https://git-scm.com/docs/gitignore) as a function of names.
 *
 * @param patterns the text of a file, or one pattern each
 * @returns takes a name relative to where the patterns stand, `/` separators; a directory's ends in `/`
 */
export function ignorePatterns(...patterns: readonly (string | readonly string[])[]): (name: string) => Verdict {
  const compiled = ignore(options)
  for (const each of patterns) compiled.add(typeof each === 'string' ? normalizeName(each) : each.map(normalizeName))
  // The library remembers every name it was ever asked about; a copy shares the patterns, but not those.
  let remembering = ignore(options).add(compiled)
  let asked = 0
  return (name) => {
    asked += 1
    if (asked % namesRemembered === 0) remembering = ignore(options).add(compiled)
    return remembering.test(normalizeName(name))
  }
}
