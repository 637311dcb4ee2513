import type * as fs from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Candidate } from '../../../../src/plan/sources/candidate.ts'
import { examine } from '../../../../src/plan/sources/examine.ts'
import { createFilters } from '../../../../src/plan/sources/filters.ts'
import { exists, look, lookedAtAtOnce, statOf } from '../../../../src/plan/sources/look.ts'
import { findSources, type SourceOptions } from '../../../../src/plan/sources/sources.ts'
import { all, notes, posix, tree } from '../tree.ts'

/** The looks at paths: all that were begun, and the most that were under way. */
const looks = vi.hoisted(() => ({ paths: [] as string[], underWay: 0, most: 0 }))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  const counted = (path: string, done: (error: Error | null, stats?: fs.Stats) => void) => {
    real.stat(path, (error, stats) => {
      looks.underWay -= 1
      done(error, stats)
    })
    looks.paths.push(path)
    looks.underWay += 1
    looks.most = Math.max(looks.most, looks.underWay)
  }
  return { ...real, stat: counted }
})

beforeEach(() => {
  looks.paths = []
  looks.most = 0
})

/** As many sources as make three bursts and a half, of one file. */
const many = Array.from({ length: lookedAtAtOnce * 3.5 }, () => 'a.wav')

/** Sources of each kind, and how many lines of the list were taken. */
async function sourcesOf(cwd: string, sources: readonly string[], lines: readonly string[]) {
  const taken = { lines: 0 }
  const listed = async function* () {
    for (const line of lines) {
      taken.lines += 1
      yield { path: line }
    }
  }
  const filters = await createFilters({ include: [], exclude: [], excludeFrom: [], negations: [], cwd })
  const options: SourceOptions = { sources, listed, cwd, base: undefined, anywhere: false, filters, follow: false }
  return { taken, options }
}

const kinds: [string, readonly string[], readonly string[]][] = [
  ['arguments', many, []],
  ['lines of --files-from', [], many],
]

describe.each(kinds)('%s', (_, sources, lines) => {
  it('are looked at once each, many at a time', async () => {
    const { options } = await sourcesOf(await tree('a.wav=12345'), sources, lines)
    const candidates = await all(findSources(options, notes()))
    const examined = await Promise.all(candidates.map((candidate) => examine(candidate, notes())))
    expect(examined.map((each) => each?.size)).toEqual(many.map(() => 5))
    expect(looks.paths).toHaveLength(many.length)
    expect(looks.most).toBe(lookedAtAtOnce)
  })

  it('are looked at a burst ahead at most', async () => {
    const { options, taken } = await sourcesOf(await tree('a.wav'), sources, lines)
    let given = 0
    for await (const _ of findSources(options, notes())) {
      given += 1
      expect(looks.paths.length).toBeLessThan(given + lookedAtAtOnce)
      expect(taken.lines).toBeLessThan(given + lookedAtAtOnce)
      if (given === lookedAtAtOnce + 1) break
    }
    expect(looks.paths).toHaveLength(2 * lookedAtAtOnce)
    while (looks.underWay > 0) await new Promise(setImmediate)
  })
})

it.each<[string, 'sources' | 'lines']>([
  ['arguments', 'sources'],
  ['lines', 'lines'],
])('a directory among %s is walked in its place', async (_, kind) => {
  const cwd = await tree('a', 'd/b', 'd/c', 'e')
  const given = ['e', 'd', 'a', 'd', 'gone']
  const { options } = await sourcesOf(cwd, kind === 'sources' ? given : [], kind === 'lines' ? given : [])
  const candidates = await all(findSources(options, notes()))
  expect(candidates.map(({ path }) => path)).toEqual(['e', 'd/b', 'd/c', 'a', 'd/b', 'd/c', 'gone'])
})

it('an empty argument is refused only when its turn comes', async () => {
  const { options } = await sourcesOf(await tree('a'), ['a', 'a', '', 'a'], [])
  const found: Candidate[] = []
  const finding = async () => {
    for await (const candidate of findSources(options, notes())) found.push(candidate)
  }
  await expect(finding()).rejects.toThrow('one of the sources is empty')
  expect(found).toHaveLength(2)
})

it('what vanishes after the look is found, and one that was never there is not', async () => {
  const cwd = await tree('a=12345')
  const { options } = await sourcesOf(cwd, [], ['a', 'gone'])
  const [seen, gone] = await all(findSources(options, notes()))
  await rm(join(cwd, 'a'))
  expect(await examine(seen as Candidate, notes())).toMatchObject({ size: 5, problem: undefined })
  expect(await examine(gone as Candidate, notes())).toMatchObject({ problem: { code: 'SOURCE_NOT_FOUND' } })
})

describe('a path', () => {
  it.each<[string, boolean, boolean]>([
    ['a', true, true],
    ['d', true, true],
    ['gone', false, false],
    ['a/b', false, false],
    ['x'.repeat(300), false, false],
    // Who asks for it finds out what is wrong with it.
    ['a\u0000', false, true],
  ])('%j', async (name, leadsSomewhere, isThere) => {
    const path = `${await tree('a', 'd/b')}/${name}`
    expect((await look(path)) !== undefined).toBe(leadsSomewhere)
    expect(await exists(path)).toBe(isThere)
  })

  it.runIf(posix)('that is a link is what it leads to; one that leads nowhere is there all the same', async () => {
    const cwd = await tree('d/')
    await symlink('d', join(cwd, 'link'))
    await symlink('gone', join(cwd, 'broken'))
    expect((await look(join(cwd, 'link')))?.isDirectory()).toBe(true)
    expect(await look(join(cwd, 'broken'))).toBeUndefined()
    expect(await exists(join(cwd, 'broken'))).toBe(true)
    await expect(statOf(join(cwd, 'broken'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
