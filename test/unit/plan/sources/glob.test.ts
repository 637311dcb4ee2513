import { symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createFilters } from '../../../../src/plan/sources/filters.ts'
import { expandGlob } from '../../../../src/plan/sources/glob.ts'
import { directories, failing } from '../directories.ts'
import { all, noFilters, notes, posix, tree } from '../tree.ts'

vi.mock('node:fs/promises', async (original) => {
  const { withDirectories } = await import('../directories.ts')
  return withDirectories(await original())
})

beforeEach(directories.reset)

const expand = (pattern: string, cwd: string, filters = noFilters, told = notes()) =>
  expandGlob(pattern, cwd, filters, told)

describe('names and paths', () => {
  const files = ['a.wav', 'audio/b.wav', 'audio/B.wav', 'audio/x/c.wav', 'audio/x/c.txt', 'video/d.wav', '.h/e.wav']

  it.each([
    ['*.wav', { 'a.wav': 'a.wav' }],
    ['./*.wav', { 'a.wav': './a.wav' }],
    ['**/*.wav', { 'a.wav': 'a.wav', 'audio/B.wav': 'audio/B.wav', 'audio/b.wav': 'audio/b.wav' }],
    ['audio/*.wav', { 'B.wav': 'audio/B.wav', 'b.wav': 'audio/b.wav' }],
    ['./audio/*.wav', { 'B.wav': './audio/B.wav', 'b.wav': './audio/b.wav' }],
    ['audio//x/../*.wav', { 'B.wav': 'audio//x/../B.wav', 'b.wav': 'audio//x/../b.wav' }],
    ['{audio/x,video}/*', { 'audio/x/c.txt': 'audio/x/c.txt', 'audio/x/c.wav': 'audio/x/c.wav', 'video/d.wav': '' }],
    ['audio/{x/c,b}.wav', { 'b.wav': 'audio/b.wav', 'x/c.wav': 'audio/x/c.wav' }],
    ['{audio/b,audio/*,audio/**/b}.wav', { 'audio/B.wav': '', 'audio/b.wav': '' }],
    ['.h/*', { 'e.wav': '.h/e.wav' }],
    ['*/e.wav', {}],
    ['nowhere/*.wav', {}],
    ['a.wav/*', {}],
    ['audio', {}],
  ])('%s', async (pattern, expected: Record<string, string>) => {
    const dir = await tree(...files)
    const found = await all(expand(pattern, dir))
    const names = Object.keys(expected)
    if (pattern.startsWith('**')) names.push('audio/x/c.wav', 'video/d.wav')
    expect(found.map(({ name }) => name)).toEqual(names)
    for (const { kind, name, path, absolute } of found) {
      expect([kind, path]).toEqual(['found', expected[name] || name])
      expect(absolute).toBe(resolve(dir, path))
    }
  })

  it('an absolute pattern', async () => {
    const dir = await tree('audio/a.wav')
    const pattern = `${dir.replaceAll('\\', '/')}/audio/*.wav`
    expect(await all(expand(pattern, resolve('/')))).toMatchObject([
      { name: 'a.wav', path: pattern.replace('*', 'a'), absolute: join(dir, 'audio', 'a.wav') },
    ])
  })

  it('the directory above', async () => {
    const dir = await tree('a.wav', 'sub/')
    expect(await all(expand('../*.wav', join(dir, 'sub')))).toMatchObject([{ name: 'a.wav', path: '../a.wav' }])
  })

  it.runIf(posix)('a backslash in a name stays one', async () => {
    const dir = await tree('x/a\\b.wav')
    expect(await all(expand('x/*', dir))).toMatchObject([{ name: 'a\\b.wav', absolute: `${dir}/x/a\\b.wav` }])
  })

  it.runIf(posix)('linked files are found; linked directories are not entered, but for those named', async () => {
    const dir = await tree('real/a.wav', 'audio/b.wav')
    await symlink('../real/a.wav', join(dir, 'audio/link.wav'))
    await symlink('../real', join(dir, 'audio/dir'))
    await symlink('audio', join(dir, 'music'))
    expect((await all(expand('audio/**/*.wav', dir))).map(({ name }) => name)).toEqual(['b.wav', 'link.wav'])
    expect((await all(expand('music/*.wav', dir))).map(({ path }) => path)).toEqual(['music/b.wav', 'music/link.wav'])
  })
})

describe('what is left out', () => {
  it('by filters, .uploadignore and for being junk or own', async () => {
    const dir = await tree(
      ...['a/1', 'a/2.tmp', 'a/raw/3', 'a/Thumbs.db', 'a/out/4', 'a/not/5', 'a/sub/6', 'a/sub/7'],
      'a/sub/.uploadignore=6',
    )
    const filters = await createFilters({
      include: [],
      exclude: ['*.tmp', 'raw/'],
      excludeFrom: [],
      negations: ['a/not'],
      cwd: dir,
    })
    const told = notes((absolute) => absolute === join(dir, 'a/out'))
    expect((await all(expand('a/**', dir, filters, told))).map(({ name }) => name)).toEqual(['1', 'sub/7'])
    expect(told.junked()).toBe(1)
    expect(directories.opened).toEqual([join(dir, 'a'), join(dir, 'a/sub')])
  })

  it('directories in which nothing can match are not entered', async () => {
    const dir = await tree('a/b/1.wav', 'a/c/1.wav', 'd/b/1.wav', '.git/b/1.wav', 'a/b/deep/1.wav')
    expect((await all(expand('{a,x}/b/*.wav', dir))).map(({ name }) => name)).toEqual(['a/b/1.wav'])
    expect(directories.opened).toEqual([dir, join(dir, 'a'), join(dir, 'a/b')])
    await all(expand('**/*.wav', dir))
    expect(directories.opened).not.toContain(join(dir, '.git'))
  })
})

describe('trouble', () => {
  it('a directory on the way that cannot be read is a failed entry', async () => {
    const dir = await tree('a/1.wav', 'b/2.wav', 'c/3.wav')
    directories.fakes.set(join(dir, 'b'), () => failing('EACCES'))
    expect(await all(expand('*/*.wav', dir))).toMatchObject([
      { kind: 'found', name: 'a/1.wav' },
      { kind: 'problem', name: 'b', path: 'b', problem: { code: 'SOURCE_UNREADABLE' } },
      { kind: 'found', name: 'c/3.wav' },
    ])
  })

  it.each([
    ['*.wav', '.'],
    ['./*.wav', './'],
  ])('%s where the directory itself cannot be read', async (pattern, path) => {
    const dir = await tree('1.wav')
    directories.fakes.set(dir, () => failing('EACCES'))
    expect(await all(expand(pattern, dir))).toMatchObject([
      { kind: 'problem', name: '', path, absolute: dir, problem: { code: 'SOURCE_UNREADABLE' } },
    ])
  })

  it('a pattern that cannot be understood', async () => {
    await expect(all(expand('{1..100000}', await tree()))).rejects.toThrow('{1..100000}')
  })
})

describe('20,000 matches in 200 directories', () => {
  const cwd = resolve('/nowhere')
  const three = (index: number) => String(index).padStart(3, '0')

  function makeDirectories(): void {
    directories.fakes.set(cwd, () => Array.from({ length: 200 }, (_, index) => `${three(index)}/`))
    for (let index = 0; index < 200; index += 1) {
      const names = Array.from({ length: 100 }, (_, file) => `${three(file)}.wav`)
      directories.fakes.set(join(cwd, three(index)), () => names)
    }
  }

  it('are read directory by directory, as they are taken', async () => {
    makeDirectories()
    let taken = 0
    for await (const { name } of expand('**/*.wav', cwd)) {
      expect(name).toBe(`${three(Math.floor(taken / 100))}/${three(taken % 100)}.wav`)
      taken += 1
      expect(directories.opened.length).toBe(1 + Math.ceil(taken / 100))
    }
    expect(taken).toBe(20_000)
  })

  it('nothing happens while the consumer takes its time', async () => {
    makeDirectories()
    const matches = expand('**/*.wav', cwd)
    await matches.next()
    const { read } = directories
    for (let turn = 0; turn < 1000; turn += 1) await new Promise(setImmediate)
    expect(directories.read).toBe(read)
    expect(directories.opened).toEqual([cwd, join(cwd, '000')])
    await matches.return(undefined)
  })

  it.each([1, 100, 101, 19_999])('end when the consumer stops after %i', async (stopAt) => {
    makeDirectories()
    let taken = 0
    for await (const _ of expand('**/*.wav', cwd)) {
      taken += 1
      if (taken === stopAt) break
    }
    expect(taken).toBe(stopAt)
    expect(directories.fakesOpen).toBe(0)
  })
})
