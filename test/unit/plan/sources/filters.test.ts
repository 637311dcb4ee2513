import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../../src/errors.ts'
import {
  createFilters,
  extendIgnoreChain,
  type FilterOptions,
  type IgnoreChain,
  ignoredByChain,
  isJunk,
} from '../../../../src/plan/sources/filters.ts'
import { tree } from '../tree.ts'

const cwd = resolve('/home/me/work')
const filters = (options: Partial<FilterOptions>) =>
  createFilters({ include: [], exclude: [], excludeFrom: [], negations: [], cwd, ...options })

it.each([
  ['.DS_Store', true],
  ['Thumbs.db', true],
  ['desktop.ini', true],
  ['thumbs.db.txt', false],
  ['.uploadignore', false],
])('%s is junk: %s', (name, expected) => {
  expect(isJunk(name)).toBe(expected)
})

describe('--exclude and --include', () => {
  it.each<[Partial<FilterOptions>, string, boolean]>([
    [{}, 'a.wav', false],
    [{ exclude: ['*.wav'] }, 'x/a.wav', true],
    [{ exclude: ['*.wav', '!a.wav'] }, 'x/a.wav', false],
    [{ exclude: ['/x/'] }, 'x/a.wav', true],
    [{ exclude: ['/x/'] }, 'y/x/a.wav', false],
    [{ include: ['*.wav'] }, 'x/a.wav', false],
    [{ include: ['*.wav'] }, 'x/a.mp3', true],
    [{ include: ['*.wav', '*.mp3'] }, 'x/a.mp3', false],
    [{ include: ['*.wav', '!a.wav'] }, 'a.wav', true],
    [{ include: ['/x/'] }, 'x/y/a.wav', false],
    [{ include: ['/x/'] }, 'y/a.wav', true],
    [{ include: ['*.wav'], exclude: ['raw/'] }, 'raw/a.wav', true],
    [{ exclude: ['*.wav'] }, '../a.wav', true],
    [{ exclude: ['*.mp3'] }, '..a.wav', false],
    [{ exclude: ['*'] }, '..a.wav', true],
  ])('%j: %s is left out: %s', async (options, name, expected) => {
    expect((await filters(options)).excludesFile(name, join(cwd, name))).toBe(expected)
  })

  it.each<[string[], string, boolean]>([
    [['x/'], 'x', true],
    [['x'], 'x', true],
    [['*.d'], 'x/a.d', true],
    [['x/*'], 'x', false],
    [['*'], '', false],
    [['*'], '..a', true],
    [['y/'], 'x', false],
  ])('%j: the directory %j is left out: %s', async (exclude, name, expected) => {
    expect((await filters({ exclude })).excludesDirectory(name, join(cwd, name))).toBe(expected)
  })

  it('an --include leaves no directory out', async () => {
    expect((await filters({ include: ['*.wav'] })).excludesDirectory('x', join(cwd, 'x'))).toBe(false)
  })
})

describe('--exclude-from', () => {
  it('adds to --exclude, file after file', async () => {
    const dir = await tree('one=*.a\n*.b\n', 'sub/two=\ufeff!keep.a\r\n# *.c\r\n/x/\r\n')
    const { excludesFile } = await filters({ exclude: ['*.d'], excludeFrom: ['one', join(dir, 'sub/two')], cwd: dir })
    const names = ['1.a', 'keep.a', '1.b', '1.c', '1.d', 'x/1.c', 'y/x/1.c']
    expect(names.filter((name) => excludesFile(name, join(dir, name)))).toEqual(['1.a', '1.b', '1.d', 'x/1.c'])
  })

  it.each([
    ['nowhere.txt', 'ENOENT'],
    ['.', 'EISDIR'],
  ])('%s cannot be read', async (file, code) => {
    const refused = filters({ excludeFrom: [file], cwd: await tree() })
    await expect(refused).rejects.toThrow(UsageError)
    await expect(refused).rejects.toThrow(`--exclude-from: cannot read ${file} (${code})`)
  })
})

describe('!patterns', () => {
  const cases: [negation: string, out: string[], kept: string[]][] = [
    ['draft.wav', ['draft.wav', 'a/b/draft.wav', '../x/draft.wav', 'draft.wav/x'], ['draft.wave', 'a-draft.wav']],
    ['*.tmp', ['a.tmp', '.a.tmp', 'x/.y/a.tmp', '../../a.tmp'], ['tmp', 'a.tmpx']],
    ['raw', ['raw', 'a/raw', 'a/raw/b.wav'], ['raws/a.wav']],
    ['raw/', ['raw', 'a/raw/b.wav'], ['raws/a.wav']],
    ['audio/raw', ['audio/raw', 'audio/raw/b.wav'], ['raw/b.wav', 'x/audio/raw/b.wav']],
    ['audio/raw/**', ['audio/raw', 'audio/raw/x/.b.wav'], ['audio/raws/b.wav']],
    ['./audio/*.wav', ['audio/a.wav'], ['audio/x/a.wav', 'x/audio/a.wav']],
    ['./*.wav', ['a.wav'], ['x/a.wav']],
    ['audio//raw//', ['audio/raw/b.wav'], ['audio/b.wav']],
    ['audio/../raw', ['raw/a.wav'], ['audio/raw/a.wav']],
    ['../x', ['../x/a.wav'], ['x/a.wav', '../../x/a.wav']],
    ['**/raw/*', ['audio/raw/a', 'raw/a', '../raw/a'], ['raws/a']],
    [`${cwd}/audio/raw`, ['audio/raw/a.wav'], ['raw/a.wav']],
    ['/home/*/other', ['../../you/other/a.wav', '../other/a.wav'], ['a.wav']],
    ['{a,b/c}', ['a/x', 'b/c/x'], ['x/a', 'c', 'b']],
    ['*.{wav,mp3}', ['x/a.wav', 'x/a.mp3'], ['a.txt']],
    ['take (1).wav', ['take (1).wav', 'x/take (1).wav'], ['take 1.wav']],
    ['take\\[1\\].wav', ['x/take[1].wav'], ['take1.wav']],
    ['take[12].wav', ['take1.wav'], ['take.wav']],
    ['caf\u00e9', ['x/cafe\u0301/a.wav'], ['cafe/a.wav']],
  ]
  for (const [negation, out, kept] of cases) {
    it(`!${negation}`, async () => {
      const { excludesFile, excludesDirectory } = await filters({ negations: [negation] })
      const at = (name: string) => resolve(cwd, name)
      expect(out.filter((name) => !excludesFile('any', at(name)))).toEqual([])
      expect(out.filter((name) => !excludesDirectory('any', at(name)))).toEqual([])
      expect(kept.filter((name) => excludesFile('any', at(name)) || excludesDirectory('any', at(name)))).toEqual([])
    })
  }

  it('any of several', async () => {
    const { excludesFile } = await filters({ negations: ['a', 'b/c'] })
    const names = ['a', 'x/a', 'b', 'b/c', 'd']
    expect(names.filter((name) => excludesFile(name, join(cwd, name)))).toEqual(['a', 'x/a', 'b/c'])
  })

  it('the working directory itself is not left out by what would match all in it', async () => {
    expect((await filters({ negations: ['*'] })).excludesDirectory('', cwd)).toBe(false)
  })
})

describe('.uploadignore', () => {
  async function chainOf(dir: string, ...names: readonly string[]): Promise<IgnoreChain> {
    let chain: IgnoreChain = []
    for (const name of names) chain = await extendIgnoreChain(chain, join(dir, name), name)
    return chain
  }

  it('the innermost that says anything decides', async () => {
    const dir = await tree('.uploadignore=*.log\n/top.txt\nsub/x/\n', 'sub/.uploadignore=!keep.log\n*.tmp\n/top.txt')
    const outer = await chainOf(dir, '')
    const inner = await chainOf(dir, '', 'sub')
    const ignored = (chain: IgnoreChain, ...names: string[]) => names.filter((name) => ignoredByChain(chain, name))
    expect(ignored(outer, 'a.log', 'a.tmp', 'top.txt', 'a', 'sub/')).toEqual(['a.log', 'top.txt'])
    expect(
      ignored(inner, 'sub/a.log', 'sub/keep.log', 'sub/y/keep.log', 'sub/a.tmp', 'sub/top.txt', 'sub/x/', 'sub/a'),
    ).toEqual(['sub/a.log', 'sub/a.tmp', 'sub/top.txt', 'sub/x/'])
  })

  it('under a base the names of which begin with dots', async () => {
    const dir = await tree('..odd/.uploadignore=*.log')
    const chain = await chainOf(dir, '..odd')
    expect(ignoredByChain(chain, '..odd/a.log')).toBe(true)
    expect(ignoredByChain(chain, '..odd/..a')).toBe(false)
  })

  it('none, or a directory of that name, changes nothing', async () => {
    const dir = await tree('.uploadignore/', 'sub/')
    expect(await chainOf(dir, '', 'sub')).toEqual([])
  })

  it('one that cannot be read keeps all in its directory from being sent', async () => {
    const dir = await tree('file')
    await expect(extendIgnoreChain([], join(dir, 'file'), 'file')).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: 'its .uploadignore cannot be read (ENOTDIR), so nothing in it is sent',
    })
  })
})
