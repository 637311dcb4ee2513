import { mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../../../src/errors.ts'
import { createFilters } from '../../../../src/plan/sources/filters.ts'
import {
  findSources,
  type ListedSource,
  negationsAmong,
  type SourceOptions,
} from '../../../../src/plan/sources/sources.ts'
import { directories } from '../directories.ts'
import { all, notes, posix, tree } from '../tree.ts'

vi.mock('node:fs/promises', async (original) => {
  const { withDirectories } = await import('../directories.ts')
  return withDirectories(await original())
})

beforeEach(directories.reset)

interface Given extends Partial<Omit<SourceOptions, 'listed'>> {
  readonly lines?: readonly (string | ListedSource)[]
  readonly exclude?: readonly string[]
}

/** What sources find, as `kind path → name`, `found` left out. */
async function find(cwd: string, { lines = [], exclude = [], ...given }: Given, told = notes()): Promise<string[]> {
  const sources = given.sources ?? []
  const negations = await negationsAmong(sources, cwd)
  const filters = await createFilters({ include: [], exclude, excludeFrom: [], negations, cwd })
  const listed = () => listing(...lines)
  const options = { base: undefined, anywhere: false, follow: false, filters, cwd, ...given, sources, listed }
  const candidates = await all(findSources(options, told))
  return candidates.map(({ kind, path, name }) => `${kind === 'found' ? '' : `${kind} `}${path} → ${name}`)
}

describe('arguments', () => {
  const files = ['a.wav', 'audio/b.wav', 'audio/x/c.wav', '[d].wav', 'take (1)/e.wav', '!f.wav', '-dash']

  it.each<[string[], string[]]>([
    [['a.wav'], ['a.wav → a.wav']],
    [['audio/b.wav'], ['audio/b.wav → b.wav']],
    [['./audio/../audio/b.wav'], ['./audio/../audio/b.wav → b.wav']],
    [['audio'], ['audio/b.wav → b.wav', 'audio/x/c.wav → x/c.wav']],
    [['./audio//'], ['./audio/b.wav → b.wav', './audio/x/c.wav → x/c.wav']],
    [
      ['audio/x', 'a.wav'],
      ['audio/x/c.wav → c.wav', 'a.wav → a.wav'],
    ],
    [
      ['a.wav', 'a.wav'],
      ['a.wav → a.wav', 'a.wav → a.wav'],
    ],
    [['audio/*.wav'], ['audio/b.wav → b.wav']],
    [['audio/**/c.*'], ['audio/x/c.wav → x/c.wav']],
    [['[d].wav'], ['[d].wav → [d].wav']],
    [['take (1)'], ['take (1)/e.wav → e.wav']],
    [['take (1)/*'], ['take (1)/e.wav → e.wav']],
    [['!f.wav'], ['!f.wav → !f.wav']],
    [['-dash'], ['-dash → -dash']],
    [['-'], ['stdin - → stdin']],
    [['gone.wav'], ['missing gone.wav → gone.wav']],
    [['gone/a.wav'], ['missing gone/a.wav → a.wav']],
    [['a.wav/b'], ['missing a.wav/b → b']],
    [['a.wav\u0000'], ['a.wav\u0000 → a.wav\u0000']],
    [['gone/'], ['missing gone/ → gone']],
    [['caf\ufffd.wav'], ['problem caf\ufffd.wav → caf\ufffd.wav']],
    [['x'.repeat(300)], [`missing ${'x'.repeat(300)} → ${'x'.repeat(300)}`]],
  ])('%j', async (sources, expected) => {
    expect(await find(await tree(...files), { sources })).toEqual(expected)
  })

  it('the working directory, with all that is hidden', async () => {
    const dir = await tree('a', '.b', 'c/.d/e')
    expect(await find(dir, { sources: ['.'] })).toEqual(['./.b → .b', './a → a', './c/.d/e → c/.d/e'])
    expect(await find(join(dir, 'c'), { sources: ['..'], exclude: ['c/'] })).toEqual(['../.b → .b', '../a → a'])
  })

  it('absolute ones', async () => {
    const dir = await tree('audio/b.wav')
    const [file, directory] = [join(dir, 'audio', 'b.wav'), join(dir, 'audio')]
    expect(await find(resolve('/'), { sources: [file, directory] })).toEqual([
      `${file} → b.wav`,
      `${directory}/b.wav → b.wav`,
    ])
  })

  it('an empty one is refused: it would mean all there is', async () => {
    await expect(find(await tree('a'), { sources: [''] })).rejects.toThrow(UsageError)
  })

  it.each([
    ['gone-*.wav', 'nothing matches gone-*.wav'],
    ['!', 'nothing matches !'],
  ])('%s finds nothing and says so', async (pattern, warning) => {
    const told = notes()
    expect(await find(await tree('a.wav'), { sources: [pattern] }, told)).toEqual([])
    expect(told.warnings).toEqual([warning])
  })

  it("the run's own files and junk", async () => {
    const dir = await tree('a', 'report.csv', 'out/x', 'Thumbs.db', 'sub/.DS_Store')
    const own = ['report.csv', 'out'].map((name) => join(dir, name))
    const told = notes((absolute) => own.some((path) => absolute.startsWith(path)))
    const sources = ['a', 'report.csv', 'out', 'out/*', 'Thumbs.db', 'sub/.DS_Store']
    expect(await find(dir, { sources }, told)).toEqual(['a → a'])
    expect(told.junked()).toBe(2)
  })

  it('filters hold for files given by name', async () => {
    const sources = ['a.wav', 'b.tmp', 'x']
    expect(await find(await tree('a.wav', 'b.tmp', 'x/c.tmp'), { sources, exclude: ['*.tmp'] })).toEqual([
      'a.wav → a.wav',
    ])
  })

  it.runIf(posix)('links: to a file, to a directory, broken', async () => {
    const dir = await tree('real/a.wav')
    await symlink('real/a.wav', join(dir, 'file'))
    await symlink('real', join(dir, 'directory'))
    await symlink('gone', join(dir, 'broken'))
    expect(await find(dir, { sources: ['file', 'directory', 'broken'] })).toEqual([
      'file → file',
      'directory/a.wav → a.wav',
      'broken → broken',
    ])
  })
})

describe('!patterns', () => {
  const files = ['a.wav', 'audio/a.wav', 'audio/raw/b.wav', 'audio/x/draft.wav', 'take[1].wav', 'take1.wav', 'old/raw']

  it.each<[string[], string[]]>([
    [['audio', '!draft.wav', '!audio/raw/**'], ['audio/a.wav']],
    [
      ['audio', '!raw'],
      ['audio/a.wav', 'audio/x/draft.wav'],
    ],
    [
      ['!x/', 'audio'],
      ['audio/a.wav', 'audio/raw/b.wav'],
    ],
    [['audio/**', '!**/*.wav'], []],
    [['a.wav', 'audio/a.wav', '!a.wav'], []],
    [['a.wav', 'audio/a.wav', '!./a.wav'], ['audio/a.wav']],
    [['audio', '!audio'], []],
    [['take[1].wav', 'take1.wav', '!take[1].wav'], ['take1.wav']],
    [['old', '!old/raw'], []],
    [['!(take*).wav'], ['a.wav']],
  ])('%j', async (sources, expected) => {
    const found = await find(await tree(...files), { sources })
    expect(found.map((line) => line.split(' → ')[0])).toEqual(expected)
  })

  it('one that names a file is that file', async () => {
    const dir = await tree('!a.wav', 'a.wav')
    expect(await negationsAmong(['!a.wav', '!b.wav', 'c', '!', '!(x)*'], dir)).toEqual(['b.wav'])
    expect(await find(dir, { sources: ['a.wav', '!a.wav'] })).toEqual(['a.wav → a.wav', '!a.wav → !a.wav'])
  })
})

describe('lines of --files-from', () => {
  const files = ['a.wav', 'audio/b.wav', 'audio/x/c.wav', '[d].wav', '!e', '-']

  it.each<[string[], string[]]>([
    [['audio/b.wav'], ['audio/b.wav → audio/b.wav']],
    [['./audio//b.wav'], ['./audio//b.wav → audio/b.wav']],
    [['audio/../a.wav'], ['audio/../a.wav → a.wav']],
    [['audio'], ['audio/b.wav → audio/b.wav', 'audio/x/c.wav → audio/x/c.wav']],
    [['./audio/x/'], ['./audio/x/c.wav → audio/x/c.wav']],
    [['[d].wav'], ['[d].wav → [d].wav']],
    [['!e'], ['!e → !e']],
    [['-'], ['./- → -']],
    [['gone'], ['gone → gone']],
    [['../x'], ['problem ../x → ../x']],
    [['../work/a.wav'], ['problem ../work/a.wav → ../work/a.wav']],
  ])('%j', async (lines, expected) => {
    const dir = await tree(...files.map((name) => `work/${name}`))
    expect(await find(join(dir, 'work'), { lines })).toEqual(expected)
  })

  it('a directory above is outside with all it holds', async () => {
    const dir = await tree('a', 'work/b')
    expect(await find(join(dir, 'work'), { lines: ['..'] })).toEqual([
      'problem ../a → ../a',
      'problem ../work/b → ../work/b',
    ])
  })

  it('a file that is called - is not standard input, however it is come upon', async () => {
    const dir = await tree('-', 'b')
    expect(await find(dir, { sources: ['*'] })).toEqual(['./- → -', 'b → b'])
    expect(await find(dir, { lines: ['-'], base: '.' })).toEqual(['./- → -'])
    const own = { key: 'k' }
    expect(await find(dir, { lines: [{ path: '-', own }] })).toEqual(['./- → -'])
  })

  it('come after the arguments', async () => {
    expect(await find(await tree(...files), { sources: ['a.wav'], lines: ['-'] })).toEqual(['a.wav → a.wav', './- → -'])
  })

  it('a dot means all', async () => {
    expect(await find(await tree('a', 'b/c'), { lines: ['.'] })).toEqual(['./a → a', './b/c → b/c'])
  })

  it('an excluded directory, and one of the run, are not entered', async () => {
    const dir = await tree('raw/a', 'audio/raw/b', 'out/c')
    const told = notes((absolute) => absolute.startsWith(join(dir, 'out')))
    expect(await find(dir, { lines: ['raw', 'audio/raw', 'out'], exclude: ['raw/'] }, told)).toEqual([])
    expect(await find(dir, { sources: ['audio', 'raw', '!raw'] })).toEqual([])
    expect(directories.opened).toEqual([join(dir, 'audio')])
  })

  describe('absolute', () => {
    it('refused where nothing gives it a name', async () => {
      const dir = await tree('a')
      const finding = find(dir, { lines: [join(dir, 'a')] })
      await expect(finding).rejects.toThrow(UsageError)
      await expect(finding).rejects.toThrow(/--base DIR, --flatten or --key/)
    })

    it('relative to --base', async () => {
      const dir = await tree('audio/x/a')
      const file = join(dir, 'audio', 'x', 'a')
      expect(await find(dir, { lines: [file], base: 'audio' })).toEqual([`${file} → x/a`])
      expect(await find(dir, { lines: [join(dir, 'audio')], base: dir })).toEqual([
        `${join(dir, 'audio')}/x/a → audio/x/a`,
      ])
    })

    it('by its own name, and a directory by what is in it, under --flatten and --key', async () => {
      const dir = await tree('audio/x/a')
      const [file, directory] = [join(dir, 'audio', 'x', 'a'), join(dir, 'audio')]
      expect(await find(dir, { lines: [file, directory], anywhere: true })).toEqual([
        `${file} → a`,
        `${directory}/x/a → x/a`,
      ])
    })
  })

  it('relative to --base', async () => {
    const dir = await tree('audio/x/a', 'a')
    expect(await find(dir, { lines: ['x/a', '../a', 'gone'], base: './audio' })).toEqual([
      'x/a → x/a',
      'problem ../a → ../a',
      'gone → gone',
    ])
  })
})

describe('--base', () => {
  const files = ['audio/x/a.wav', 'audio/b.wav', 'video/c.mp4']

  it.each<[string, string[], string[]]>([
    ['.', ['audio/x/a.wav'], ['audio/x/a.wav → audio/x/a.wav']],
    ['audio', ['audio/x/a.wav'], ['audio/x/a.wav → x/a.wav']],
    ['./audio/', ['audio'], ['audio/b.wav → b.wav', 'audio/x/a.wav → x/a.wav']],
    ['audio', ['audio/*/a.wav'], ['audio/x/a.wav → x/a.wav']],
    ['audio/x', ['audio/b.wav'], ['problem audio/b.wav → ../b.wav']],
    ['audio', ['video'], ['problem video/c.mp4 → ../video/c.mp4']],
    ['audio', ['gone.wav'], ['missing gone.wav → ../gone.wav']],
    ['audio', ['-'], ['stdin - → stdin']],
    ['gone', ['audio/b.wav'], ['problem audio/b.wav → ../audio/b.wav']],
  ])('%s: %j', async (base, sources, expected) => {
    expect(await find(await tree(...files), { sources, base })).toEqual(expected)
  })

  it('what lies outside says so, and has its own name where keys do not follow directories', async () => {
    const dir = await tree(...files)
    const filters = await createFilters({ include: [], exclude: [], excludeFrom: [], negations: [], cwd: dir })
    const options = { cwd: dir, filters, listed: () => listing(), base: 'audio', anywhere: false, follow: false }
    const [outside] = await all(findSources({ ...options, sources: ['video/c.mp4'] }, notes()))
    expect(outside?.problem).toMatchObject({ code: 'KEY_INVALID' })
    expect(outside?.problem?.message).toBe('it lies outside --base audio; give another --base, --flatten or --key')
    const [listed] = await all(
      findSources({ ...options, sources: [], base: undefined, listed: () => listing('../x') }, notes()),
    )
    expect(listed?.problem?.message).toContain('it lies outside the working directory')
    expect(await find(dir, { sources: ['video/c.mp4'], base: 'audio', anywhere: true })).toEqual([
      'video/c.mp4 → c.mp4',
    ])
  })

  it('names that begin with dots are not outside', async () => {
    const dir = await tree('..odd/..a')
    await mkdir(join(dir, '...'))
    expect(await find(dir, { sources: ['..odd'], base: '.', exclude: ['*.wav'] })).toEqual(['..odd/..a → ..odd/..a'])
    expect(await find(dir, { lines: ['..odd'] })).toEqual(['..odd/..a → ..odd/..a'])
  })
})

async function* listing(...lines: readonly (string | ListedSource)[]): AsyncGenerator<ListedSource> {
  for (const line of lines) yield typeof line === 'string' ? { path: line } : line
}
