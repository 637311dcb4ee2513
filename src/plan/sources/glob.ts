import { resolve } from 'node:path'
import type { Candidate, ScanNotes } from './candidate.ts'
import type { Filters } from './filters.ts'
import type { FollowedLinks } from './followed-links.ts'
import { compilePattern, splitPattern } from './pattern.ts'
import { walk } from './walk.ts'

/**
 * The files a pattern matches: a walk from where its wildcards begin, narrowed to what can match. fast-glob's own walk
 * holds whole directories, and every match in them, in memory.
 *
 * @throws UsageError where the braces of the pattern cannot be made sense of.
 */
export async function* expandGlob(
  pattern: string,
  cwd: string,
  filters: Filters,
  notes: ScanNotes,
  links?: FollowedLinks,
): AsyncGenerator<Candidate> {
  const { head, rest } = splitPattern(pattern)
  const root = { path: head, absolute: resolve(cwd, head), name: '' }
  for await (const candidate of walk(root, filters, notes, compilePattern(rest, false), links)) {
    if (candidate.name !== '') yield candidate
    // A directory before the first wildcard that is not there only means: no match.
    else if (candidate.problem?.code !== 'SOURCE_NOT_FOUND') yield { ...candidate, path: head === '' ? '.' : head }
  }
}
