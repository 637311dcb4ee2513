import type { Stats } from 'node:fs'
import { realpath, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFilters } from '../../../../src/plan/sources/filters.ts'
import { createFollowedLinks } from '../../../../src/plan/sources/followed-links.ts'
import { expandGlob } from '../../../../src/plan/sources/glob.ts'
import { compilePattern } from '../../../../src/plan/sources/pattern.ts'
import { walk } from '../../../../src/plan/sources/walk.ts'
import { directories, failing } from '../directories.ts'
import { all, noFilters, notes, posix, tree } from '../tree.ts'

/** What `stat` is asked for as bigint, and how it is answered where not by the disk. */
const stats = vi.hoisted(() => ({ asked: [] as string[], inode: undefined as bigint | undefined }))

vi.mock('node:fs/promises', async (original) => {
  const { withDirectories } = await import('../directories.ts')
  const fs = withDirectories(await original())
  const stat = async (path: string, options?: object) => {
    const found = (await fs.stat(path, options)) as Stats
    if (options === undefined) return found
    stats.asked.push(path)
    return stats.inode === undefined ? found : { ...found, ino: stats.inode }
  }
  return { ...fs, stat }
})

beforeEach(() => {
  directories.reset()
  stats.asked = []
})
afterEach(() => {
  stats.inode = undefined
})

interface Walked {
  readonly names: readonly string[]
  readonly warnings: readonly string[]
}

async function walked(dir: string, told = notes(), filters = noFilters, wanted = '**'): Promise<Walked> {
  const links = createFollowedLinks(told.warn)
  const root = { path: 'in', absolute: dir, name: '' }
  const found = await all(walk(root, filters, told, compilePattern(wanted, true), links))
  return { names: found.map(({ kind, name }) => (kind === 'found' ? name : `${kind} ${name}`)), ...told }
}

describe.runIf(posix)('links to directories', () => {
  it('are entered; those to files, and to nothing, are candidates', async () => {
    const dir = await tree('in/a', 'in/sub/b', 'out/x/c', 'out/d', 'file')
    await symlink('../out', join(dir, 'in', 'link'))
    await symlink('../../out/x', join(dir, 'in', 'sub', 'deep'))
    await symlink('../file', join(dir, 'in', 'one'))
    await symlink('gone', join(dir, 'in', 'broken'))
    expect(await walked(join(dir, 'in'))).toMatchObject({
      names: ['a', 'broken', 'link/d', 'link/x/c', 'one', 'sub/b', 'sub/deep/c'],
      warnings: [],
    })
  })

  it('the stats of a link to a file are passed on: nobody looks twice', async () => {
    const dir = await tree('file=12345')
    await symlink('file', join(dir, 'link'))
    const root = { path: 'in', absolute: dir, name: '' }
    const found = await all(
      walk(
        root,
        noFilters,
        notes(),
        undefined,
        createFollowedLinks(() => {}),
      ),
    )
    expect(found.map(({ name, stats }) => [name, stats?.size])).toEqual([
      ['file', undefined],
      ['link', 5],
    ])
  })

  it('one directory that is reached by two ways is no loop', async () => {
    const dir = await tree('in/real/a')
    await symlink('real', join(dir, 'in', 'one'))
    await symlink('one', join(dir, 'in', 'two'))
    expect(await walked(join(dir, 'in'))).toMatchObject({ names: ['one/a', 'real/a', 'two/a'], warnings: [] })
  })

  it('cost nothing where there are none', async () => {
    await walked(await tree('a', 'b/c/d', 'e/f'))
    expect(stats.asked).toEqual([])
  })
})

describe.runIf(posix)('loops', () => {
  it.each([
    ['.', 'in/x/loop is a loop: it leads back to in/x; not entered'],
    ['..', 'in/x/loop is a loop: it leads back to in; not entered'],
    ['../x', 'in/x/loop is a loop: it leads back to in/x; not entered'],
  ])('a link to %s', async (target, warning) => {
    const dir = await tree('in/x/a')
    await symlink(target, join(dir, 'in', 'x', 'loop'))
    expect(await walked(join(dir, 'in'))).toMatchObject({ names: ['x/a'], warnings: [warning] })
  })

  it('a link above the source, which is come upon again below', async () => {
    const dir = await tree('in/a', 'b')
    await symlink('..', join(dir, 'in', 'up'))
    expect(await walked(join(dir, 'in'))).toMatchObject({
      names: ['a', 'up/b'],
      warnings: ['in/up/in is a loop: it leads back to in; not entered'],
    })
  })

  it('two directories with links to each other', async () => {
    const dir = await tree('a/1', 'b/2')
    await symlink('../b', join(dir, 'a', 'to-b'))
    await symlink('../a', join(dir, 'b', 'to-a'))
    expect(await walked(dir)).toMatchObject({
      names: ['a/1', 'a/to-b/2', 'b/2', 'b/to-a/1'],
      warnings: [
        'in/a/to-b/to-a is a loop: it leads back to in/a; not entered',
        'in/b/to-a/to-b is a loop: it leads back to in/b; not entered',
      ],
    })
  })

  it('each is reported once, however often it is come upon', async () => {
    const dir = await tree('in/real/a')
    await symlink('.', join(dir, 'in', 'real', 'self'))
    for (const name of ['one', 'two', 'zwei']) await symlink('real', join(dir, 'in', name))
    const { names, warnings } = await walked(join(dir, 'in'))
    expect(names).toEqual(['one/a', 'real/a', 'two/a', 'zwei/a'])
    expect(warnings).toEqual(['in/one/self is a loop: it leads back to in/one; not entered'])
  })

  it('links that lead in a circle among themselves are broken ones', async () => {
    const dir = await tree('a')
    await symlink('y', join(dir, 'x'))
    await symlink('x', join(dir, 'y'))
    expect(await walked(dir)).toMatchObject({ names: ['a', 'x', 'y'], warnings: [] })
  })

  it('below the working directory', async () => {
    const dir = await tree('a')
    await symlink('.', join(dir, 'loop'))
    const told = notes()
    const found = await all(expandGlob('**', dir, noFilters, told, createFollowedLinks(told.warn)))
    expect(found.map(({ path }) => path)).toEqual(['a'])
    expect(told.warnings).toEqual(['loop is a loop: it leads back to .; not entered'])
  })

  it('on file systems without inodes: by real paths', async () => {
    stats.inode = 0n
    const dir = await tree('in/x/a', 'out/b')
    await symlink('..', join(dir, 'in', 'x', 'loop'))
    await symlink('../out', join(dir, 'in', 'link'))
    expect(await walked(join(dir, 'in'))).toMatchObject({
      names: ['link/b', 'x/a'],
      warnings: ['in/x/loop is a loop: it leads back to in; not entered'],
    })
  })

  it('what cannot be looked at is no loop, and fails where it is opened', async () => {
    const links = createFollowedLinks(() => expect.fail('warned'))
    const at = (absolute: string) => ({ at: { path: 'x', absolute } })
    const dir = await tree('a/')
    expect(await links.isLoop([at(join(dir, 'gone'))], at(join(dir, 'gone')), 'gone')).toBe(false)
    expect(await links.isLoop([at(join(dir, 'gone'))], at(dir), 'x')).toBe(false)
  })
})

describe.runIf(posix)('what is left out', () => {
  it('by filters and .uploadignore files, above and within', async () => {
    const dir = await tree('in/.uploadignore=b-*/\n', 'out/x', 'out/y.log', 'out/.uploadignore=*.tmp', 'out/z.tmp')
    for (const name of ['a-link', 'b-link', 'c-link']) await symlink('../out', join(dir, 'in', name))
    const filters = await createFilters({
      include: [],
      exclude: ['c-link/', '*.log', '.uploadignore'],
      excludeFrom: [],
      negations: [],
      cwd: dir,
    })
    expect((await walked(join(dir, 'in'), notes(), filters)).names).toEqual(['a-link/x'])
    expect(directories.opened).toEqual([join(dir, 'in'), join(dir, 'in', 'a-link')])
  })

  it('by a pattern: links in which nothing can match are not looked through', async () => {
    const dir = await tree('in/a/x.wav', 'out/b.wav', 'out/sub/c.wav')
    for (const name of ['a/link', 'link', 'z']) await symlink(join(dir, 'out'), join(dir, 'in', name))
    expect((await walked(join(dir, 'in'), notes(), noFilters, '{a,link}/*.wav')).names).toEqual([
      'a/x.wav',
      'link/b.wav',
    ])
    expect((await walked(join(dir, 'in'), notes(), noFilters, '*')).names).toEqual([])
    expect((await walked(join(dir, 'in'), notes(), noFilters, '**/c.wav')).names).toEqual([
      'a/link/sub/c.wav',
      'link/sub/c.wav',
      'z/sub/c.wav',
    ])
  })

  it("the run's own, wherever they are reached", async () => {
    const dir = await realpath(await tree('in/a', 'out/store/x', 'out/report.csv', 'out/b'))
    await symlink('../out', join(dir, 'in', 'link'))
    await symlink('../out/store', join(dir, 'in', 'own'))
    const own = [join(dir, 'out', 'store'), join(dir, 'out', 'report.csv')]
    const told = notes((absolute) => own.includes(absolute))
    expect(await walked(join(dir, 'in'), told)).toMatchObject({ names: ['a', 'link/b'], warnings: [] })
  })
})

it.runIf(posix)('one that cannot be opened is one failed entry', async () => {
  const dir = await tree('in/a', 'shut/b')
  await symlink('../shut', join(dir, 'in', 'link'))
  directories.fakes.set(join(dir, 'in', 'link'), () => failing('EACCES'))
  expect((await walked(join(dir, 'in'))).names).toEqual(['a', 'problem link'])
})
