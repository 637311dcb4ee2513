import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createFilters, type FilterOptions } from '../../../src/plan/sources/filters.ts'
import { findSources, negationsAmong } from '../../../src/plan/sources/sources.ts'
import { directories, failing } from './directories.ts'
import { all, notes, tree } from './tree.ts'

vi.mock('node:fs/promises', async (original) => {
  const { withDirectories } = await import('./directories.ts')
  return withDirectories(await original())
})

beforeEach(directories.reset)

interface Given extends Partial<Pick<FilterOptions, 'exclude' | 'excludeFrom'>> {
  readonly sources?: readonly string[]
}

async function pathsOf(cwd: string, { sources = ['.'], exclude = [], excludeFrom = [] }: Given): Promise<string[]> {
  const negations = await negationsAmong(sources, cwd)
  const filters = await createFilters({ include: [], exclude, excludeFrom, negations, cwd })
  const listed = async function* () {}
  const options = { sources, listed, cwd, base: undefined, anywhere: false, filters, follow: false }
  return (await all(findSources(options, notes()))).map(({ kind, path }) => `${kind} ${path.replace(/^\.\//, '')}`)
}

const ways: [string, Given, ignoreFile?: string][] = [
  ['a name', { exclude: ['raw'] }],
  ['a directory', { exclude: ['raw/'] }],
  ['from the root', { exclude: ['/keep/raw'] }],
  ['all that is in it', { exclude: ['keep/raw/**'] }],
  ['all that is in it, from the root', { exclude: ['/keep/raw/**'] }],
  ['all that is in it, anywhere', { exclude: ['**/raw/**'] }],
  ['a wildcard', { exclude: ['k*/r?w/'] }],
  ['a file of patterns', { excludeFrom: ['ignore'] }],
  ['!name', { sources: ['keep', '!raw'] }],
  ['!path', { sources: ['keep', '!keep/raw'] }],
  ['!path/**', { sources: ['keep', '!keep/raw/**'] }],
  ['!**', { sources: ['keep', '!**/raw/**'] }],
  ['.uploadignore', {}, 'raw/\n'],
  ['.uploadignore, from the root', {}, '/keep/raw\n'],
  ['a glob', { sources: ['keep/[a-q]*/**', 'keep/raw?/**'] }],
]

describe.each(ways)('an excluded directory is never entered: %s', (_, given, ignoreFile) => {
  const files = ['keep/a', 'keep/on/a', 'ignore=# raw things\nkeep/raw/**\n']

  it('100,000 files in it cost nothing', async () => {
    const dir = await tree(...files, 'keep/raw/', ...(ignoreFile === undefined ? [] : [`.uploadignore=${ignoreFile}`]))
    const raw = join(dir, 'keep', 'raw')
    directories.fakes.set(raw, () => Array.from({ length: 100_000 }, (_, index) => `${index}`))
    const found = await pathsOf(dir, given)
    expect(found).toContain('found keep/on/a')
    expect(found.some((path) => path.includes('raw'))).toBe(false)
    expect(directories.opened).toContain(join(dir, 'keep'))
    expect(directories.opened).not.toContain(raw)
    expect(directories.read).toBe(0)
  })

  it('that it cannot be read is no fault', async () => {
    const dir = await tree(...files, 'keep/raw/', ...(ignoreFile === undefined ? [] : [`.uploadignore=${ignoreFile}`]))
    directories.fakes.set(join(dir, 'keep', 'raw'), () => failing('EACCES'))
    expect((await pathsOf(dir, given)).filter((path) => !path.startsWith('found '))).toEqual([])
  })
})

describe('a directory that may hold what is taken back is entered', () => {
  it.each<[Given, string[]]>([
    [{ exclude: ['raw/**', '!raw/a'] }, ['found raw/a']],
    [{ exclude: ['raw/**'], excludeFrom: ['ignore'] }, ['found raw/a']],
    // These leave out what is at one depth alone.
    [{ exclude: ['raw/*/*', 'ignore'] }, ['found raw/a']],
  ])('%j', async (given, expected) => {
    const dir = await tree('raw/a', 'raw/b/c', 'ignore=ignore\n!raw/a\n')
    expect((await pathsOf(dir, given)).filter((path) => path !== 'found ignore')).toEqual(expected)
  })

  it('at another depth it is another', async () => {
    const dir = await tree('raw/a', 'keep/raw/a', '#/b')
    expect(await pathsOf(dir, { exclude: ['raw/**'] })).toEqual(['found #/b', 'found keep/raw/a'])
    expect(await pathsOf(dir, { exclude: ['#/**'] })).toEqual(['found #/b', 'found keep/raw/a', 'found raw/a'])
    expect(await pathsOf(dir, { exclude: ['\\#/**'] })).toEqual(['found keep/raw/a', 'found raw/a'])
  })
})
