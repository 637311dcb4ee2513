import { symlink } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Candidate } from '../../../../src/plan/sources/candidate.ts'
import type { Filters } from '../../../../src/plan/sources/filters.ts'
import { walk, windowSize } from '../../../../src/plan/sources/walk.ts'
import { directories, failing } from '../directories.ts'
import { all, noFilters, notes, posix, seeded, tree } from '../tree.ts'

vi.mock('node:fs/promises', async (original) => {
  const { withDirectories } = await import('../directories.ts')
  return withDirectories(await original())
})

beforeEach(directories.reset)

const rootAt = (absolute: string, path = 'root', name = '') => ({ absolute, path, name })
const namesOf = (candidates: readonly Candidate[]) => candidates.map(({ name }) => name)

/** Where fakes lie: nowhere. */
const nowhere = resolve('/nowhere')

/** Names in an order that a hash might give. */
function shuffled(count: number): string[] {
  const below = seeded(count)
  const names = Array.from({ length: count }, (_, index) => `f-${String(index).padStart(6, '0')}`)
  for (let index = count - 1; index > 0; index -= 1) {
    const other = below(index + 1)
    const moved = names[index] as string
    names[index] = names[other] as string
    names[other] = moved
  }
  return names
}

describe('order and places', () => {
  it('goes depth first, by name, and says where each file lies', async () => {
    const dir = await tree('b/2.txt', 'b/1.txt', 'b/c/x', 'a.txt', 'c', 'B', 'b.txt', 'empty/', 'ä', '.hidden/y', '.z')
    const found = await all(walk(rootAt(dir, './up'), noFilters, notes()))
    const names = ['.hidden/y', '.z', 'B', 'a.txt', 'b/1.txt', 'b/2.txt', 'b/c/x', 'b.txt', 'c', 'ä']
    expect(found).toEqual(
      names.map((name) => ({ kind: 'found', name, path: `./up/${name}`, absolute: join(dir, ...name.split('/')) })),
    )
  })

  it.each([
    ['', 'a', 'a'],
    ['/', '/a', 'a'],
    ['..', '../a', 'a'],
    ['x/', 'x/a', 'a'],
  ])('files below %j', async (path, first, name) => {
    directories.fakes.set(nowhere, () => ['a'])
    const [found] = await all(walk(rootAt(nowhere, path), noFilters, notes()))
    expect(found).toMatchObject({ path: first, name })
  })

  it('the root of the disk', async () => {
    directories.fakes.set(resolve('/'), () => ['a'])
    const [found] = await all(walk(rootAt(resolve('/'), '/'), noFilters, notes()))
    expect(found).toMatchObject({ path: '/a', absolute: resolve('/a') })
  })

  it('a base above the directory stays in front of the names', async () => {
    const dir = await tree('x/a', 'x/y/b')
    expect(namesOf(await all(walk(rootAt(join(dir, 'x'), 'x', 'x'), noFilters, notes())))).toEqual(['x/a', 'x/y/b'])
  })

  it.runIf(posix)('links are passed on and not entered', async () => {
    const dir = await tree('real/a', 'z')
    await symlink('.', join(dir, 'loop'))
    await symlink('real', join(dir, 'link'))
    await symlink('gone', join(dir, 'broken'))
    const found = await all(walk(rootAt(dir), noFilters, notes()))
    expect(namesOf(found)).toEqual(['broken', 'link', 'loop', 'real/a', 'z'])
    expect(directories.opened).toEqual([dir, join(dir, 'real')])
  })

  it.runIf(posix)('a link as the root is followed', async () => {
    const dir = await tree('real/a')
    await symlink('real', join(dir, 'link'))
    expect(namesOf(await all(walk(rootAt(join(dir, 'link')), noFilters, notes())))).toEqual(['a'])
  })
})

describe('a directory larger than a window', () => {
  it('comes in windows, each sorted, the same every time', async () => {
    const names = shuffled(2 * windowSize + 345)
    directories.fakes.set(nowhere, () => names)
    const first = namesOf(await all(walk(rootAt(nowhere), noFilters, notes())))
    expect(first.toSorted()).toEqual(names.toSorted())
    for (let start = 0; start < names.length; start += windowSize) {
      const window = first.slice(start, start + windowSize)
      expect(window).toEqual(names.slice(start, start + windowSize).sort())
    }
    expect(namesOf(await all(walk(rootAt(nowhere), noFilters, notes())))).toEqual(first)
  })

  it('is read a window at a time, and only as its files are taken', async () => {
    directories.fakes.set(nowhere, () => shuffled(5 * windowSize))
    let taken = 0
    for await (const _ of walk(rootAt(nowhere), noFilters, notes())) {
      taken += 1
      expect(directories.read).toBe(Math.ceil(taken / windowSize) * windowSize)
      if (taken > 2 * windowSize) break
    }
    expect(directories.fakesOpen).toBe(0)
  })

  it.each([
    ['at its end', windowSize + 5, true],
    ['just behind the first window', windowSize, true],
    ['as the last of a full window', windowSize - 1, true],
    ['not there', windowSize + 5, false],
  ])('%s: an .uploadignore is heeded from the first file on', async (_, before, isThere) => {
    const dir = await tree(...(isThere ? ['.uploadignore=f-00000?'] : []))
    const names = shuffled(before)
    directories.fakes.set(dir, () => [...names, ...(isThere ? ['.uploadignore'] : [])])
    const found = namesOf(await all(walk(rootAt(dir), noFilters, notes())))
    expect(found).toHaveLength(isThere ? before - 9 : before)
    expect(found.includes('f-000003')).toBe(!isThere)
  })
})

describe('.uploadignore', () => {
  it('holds below where it lies; what it leaves out is not entered', async () => {
    const dir = await tree(
      '.uploadignore=*.log\n/build/\n',
      'sub/.uploadignore=!keep.log\n*.tmp\n',
      ...[
        'a.py',
        'a.log',
        'a.tmp',
        'build/x',
        'sub/build/y',
        'sub/keep.log',
        'sub/b.log',
        'sub/c.tmp',
        'sub/d/keep.log',
      ],
    )
    const found = namesOf(await all(walk(rootAt(dir), noFilters, notes())))
    expect(found).toEqual([
      ...['.uploadignore', 'a.py', 'a.tmp', 'sub/.uploadignore', 'sub/build/y', 'sub/d/keep.log', 'sub/keep.log'],
    ])
    expect(directories.opened).not.toContain(join(dir, 'build'))
  })

  it('does not hold beside where it lies', async () => {
    const dir = await tree('a/.uploadignore=*', 'a/x', 'b/x')
    expect(namesOf(await all(walk(rootAt(dir), noFilters, notes())))).toEqual(['b/x'])
  })

  it.runIf(posix)('that cannot be read keeps its directory from being sent', async () => {
    const dir = await tree('a/x', 'b/x', 'b/sub/y', 'c/x')
    await symlink('.uploadignore', join(dir, 'b', '.uploadignore'))
    const found = await all(walk(rootAt(dir), noFilters, notes()))
    expect(namesOf(found)).toEqual(['a/x', 'b', 'c/x'])
    expect(found[1]).toMatchObject({ kind: 'problem', path: 'root/b', problem: { code: 'SOURCE_UNREADABLE' } })
    expect(found[1]?.problem?.message).toContain('.uploadignore cannot be read (ELOOP)')
    expect(await directories.realClosed()).toBe(true)
  })
})

it.runIf(posix)('a large directory whose .uploadignore cannot be read is closed', async () => {
  const dir = await tree()
  await symlink('.uploadignore', join(dir, '.uploadignore'))
  directories.fakes.set(dir, () => shuffled(2 * windowSize))
  const found = await all(walk(rootAt(dir), noFilters, notes()))
  expect(found).toMatchObject([{ kind: 'problem', name: '' }])
  expect(directories.fakesOpen).toBe(0)
})

describe('what is left out', () => {
  it('filtered directories are never opened', async () => {
    const dir = await tree('keep/a', 'raw/a', 'keep/raw/b', 'x.tmp', 'y')
    const asked: string[] = []
    const filters: Filters = {
      excludesFile: (name, absolute) => {
        asked.push(absolute)
        return name.endsWith('.tmp')
      },
      excludesDirectory: (name, absolute) => {
        asked.push(absolute)
        return name.endsWith('raw')
      },
    }
    expect(namesOf(await all(walk(rootAt(dir), filters, notes())))).toEqual(['keep/a', 'y'])
    expect(directories.opened).toEqual([dir, join(dir, 'keep')])
    expect(asked).toEqual(['keep', 'keep/a', 'keep/raw', 'raw', 'x.tmp', 'y'].map((name) => join(dir, name)))
  })

  it("the run's own files and directories", async () => {
    const dir = await tree('a', 'report.csv', 'out/a', 'sub/report.csv')
    const own = [join(dir, 'report.csv'), join(dir, 'out')]
    expect(
      namesOf(
        await all(
          walk(
            rootAt(dir),
            noFilters,
            notes((absolute) => own.includes(absolute)),
          ),
        ),
      ),
    ).toEqual(['a', 'sub/report.csv'])
    expect(directories.opened).not.toContain(join(dir, 'out'))
  })

  it('junk is counted; directories of such names are not junk', async () => {
    const dir = await tree('a', '.DS_Store', 'x/Thumbs.db', 'x/desktop.ini', 'desktop.ini.d/b', 'y/.DS_Store/c')
    const told = notes()
    expect(namesOf(await all(walk(rootAt(dir), noFilters, told)))).toEqual(['a', 'desktop.ini.d/b', 'y/.DS_Store/c'])
    expect(told.junked()).toBe(3)
  })

  it('what is not wanted: neither found, nor entered, nor counted as junk', async () => {
    const dir = await tree('a.wav', 'a.txt', 'Thumbs.db', 'x/b.wav', 'x/Thumbs.db', 'y/c.wav')
    const told = notes()
    const wanted = {
      matches: (name: string) => name.endsWith('.wav') || name === 'x/Thumbs.db',
      mayHold: (name: string) => name !== 'y',
    }
    expect(namesOf(await all(walk(rootAt(dir), noFilters, told, wanted)))).toEqual(['a.wav', 'x/b.wav'])
    expect(directories.opened).not.toContain(join(dir, 'y'))
    expect(told.junked()).toBe(1)
  })
})

describe('trouble', () => {
  it.each([
    ['EACCES', 'SOURCE_UNREADABLE', 'permission denied'],
    ['ENOENT', 'SOURCE_NOT_FOUND', 'no such file'],
    ['EIO', 'SOURCE_UNREADABLE', 'the disk reports a read error'],
  ])('a directory that cannot be opened (%s) is one failed entry', async (code, expected, said) => {
    const dir = await tree('a', 'closed/b', 'closed/sub/c', 'z')
    directories.fakes.set(join(dir, 'closed'), () => failing(code))
    const found = await all(walk(rootAt(dir), noFilters, notes()))
    expect(namesOf(found)).toEqual(['a', 'closed', 'z'])
    expect(found[1]).toEqual({
      kind: 'problem',
      path: 'root/closed',
      absolute: join(dir, 'closed'),
      name: 'closed',
      problem: expect.objectContaining({ code: expected, message: expect.stringContaining(said) }),
    })
  })

  it('the root itself', async () => {
    const found = await all(walk(rootAt(join(await tree(), 'gone')), noFilters, notes()))
    expect(found).toMatchObject([{ kind: 'problem', path: 'root', name: '', problem: { code: 'SOURCE_NOT_FOUND' } }])
  })

  it('a directory that fails half-way: what was read, then one failed entry, then the rest', async () => {
    const dir = await tree('a/', 'b')
    directories.fakes.set(join(dir, 'a'), function* () {
      yield* shuffled(windowSize + 3)
      failing('EIO')
    })
    const found = await all(walk(rootAt(dir), noFilters, notes()))
    expect(found).toHaveLength(windowSize + 2)
    expect(found.at(-2)).toMatchObject({ kind: 'problem', name: 'a', problem: { code: 'SOURCE_UNREADABLE' } })
    expect(found.at(-1)).toMatchObject({ kind: 'found', name: 'b' })
    expect(directories.fakesOpen).toBe(0)
  })

  it.runIf(posix)('a directory whose name is not UTF-8 says so', async () => {
    const dir = await tree('z')
    directories.fakes.set(dir, () => ['bad\ufffd/', 'z'])
    const found = await all(walk(rootAt(dir), noFilters, notes()))
    expect(found[0]).toMatchObject({ kind: 'problem', name: 'bad\ufffd', problem: { code: 'KEY_INVALID' } })
    expect(found[1]).toMatchObject({ kind: 'found', name: 'z' })
  })
})

describe('open directories', () => {
  it('a deep tree holds none open while its files are taken', async () => {
    const deep = Array.from({ length: 40 }, (_, depth) => `${'d/'.repeat(depth)}f${depth}`)
    const dir = await tree(...deep)
    let taken = 0
    for await (const _ of walk(rootAt(dir), noFilters, notes())) {
      taken += 1
      expect(await directories.realClosed()).toBe(true)
    }
    expect(taken).toBe(deep.length)
    expect(directories.opened).toHaveLength(deep.length)
  })

  it('all are closed when the reader stops, wherever it does', async () => {
    const sub = `${nowhere}${sep}f-000000`
    for (const stopAt of [1, 2, windowSize, windowSize + 1]) {
      directories.reset()
      directories.fakes.set(nowhere, () => ['f-000000/', ...shuffled(2 * windowSize).slice(1)])
      directories.fakes.set(sub, () => shuffled(2 * windowSize))
      let taken = 0
      for await (const _ of walk(rootAt(nowhere), noFilters, notes())) {
        taken += 1
        if (taken === 1) expect(directories.fakesOpen).toBe(2)
        if (taken === stopAt) break
      }
      expect(taken).toBe(stopAt)
      expect(directories.fakesOpen).toBe(0)
    }
  })

  it('a walk that was never begun opens nothing', async () => {
    const walking = walk(rootAt(nowhere), noFilters, notes())
    await walking.return(undefined)
    expect(directories.opened).toEqual([])
  })

  it('all are closed when a filter throws', async () => {
    directories.fakes.set(nowhere, () => shuffled(2 * windowSize))
    const filters: Filters = { ...noFilters, excludesFile: () => failing('EODD') }
    await expect(all(walk(rootAt(nowhere), filters, notes()))).rejects.toThrow('EODD')
    expect(directories.fakesOpen).toBe(0)
  })
})
