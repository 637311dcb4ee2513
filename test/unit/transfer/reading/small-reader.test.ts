import { fstatSync, openSync, readSync, type StatsFs } from 'node:fs'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSmallReader, type SmallReaderOptions } from '../../../../src/transfer/reading/small-reader.ts'
import { changes, closed, hasProc, type SourceFile, sourceFile, timesOpen } from '../source-file.ts'

// Files are opened by this function where they are read at once, by another where the thread pool does it.
vi.mock('node:fs', { spy: true })
const opened = vi.mocked(openSync)

beforeEach(() => void opened.mockClear())
afterEach(() => {
  opened.mockReset()
  vi.mocked(readSync).mockReset()
  vi.mocked(fstatSync).mockReset()
})

type Statfs = NonNullable<SmallReaderOptions['statfs']>
type Answer = Error | number

/** As Linux numbers them. */
const ext4 = 0xef53

function fileSystem(answer: (path: string) => Answer = () => ext4): Statfs {
  return (path, done) => {
    const found = answer(path)
    const stats: Pick<StatsFs, 'type'> = { type: found instanceof Error ? 0 : found }
    done(found instanceof Error ? found : null, stats)
  }
}

/** A reader, and the way that it reads a file. */
function start({ elapsed = () => 0, statfs = fileSystem() }: Partial<SmallReaderOptions> = {}) {
  const reader = createSmallReader({ elapsed, statfs })
  const read = async (file: SourceFile): Promise<Buffer> => {
    const into = Buffer.alloc(file.size + 1, 0xff)
    await reader.read(file, into)
    return into.subarray(0, file.size)
  }
  const way = async (file: SourceFile): Promise<'at once' | 'pool'> => {
    opened.mockClear()
    expect(await read(file)).toEqual(file.bytes)
    return opened.mock.calls.length > 0 ? 'at once' : 'pool'
  }
  return { read, way }
}

/** A reader that knows the file's directory, and reads the given way. */
async function knowing(file: SourceFile, isLocal: boolean) {
  const scene = start({ statfs: fileSystem(() => (isLocal ? ext4 : 0x6969)) })
  await scene.way(file)
  expect(await scene.way(file)).toBe(isLocal ? 'at once' : 'pool')
  return scene
}

/** A clock by which each read takes so long as `lasts` says at that moment: it is asked before and after each. */
function clockOf() {
  const clock = { ms: 0, lasts: 0, isReading: false }
  const elapsed = (): number => {
    if (clock.isReading) clock.ms += clock.lasts
    clock.isReading = !clock.isReading
    return clock.ms
  }
  /** Time goes by while nothing is read. */
  const pass = (ms: number): void => {
    clock.ms += ms
  }
  return { clock, elapsed, pass }
}

describe.each([
  ['at once', true],
  ['by the thread pool', false],
])('a small file read %s', (_way, isLocal) => {
  it.each([0, 1, 5000])('has all of its %i bytes', async (size) => {
    const file = await sourceFile(size)
    const { read } = await knowing(file, isLocal)
    expect(await read(file)).toEqual(file.bytes)
  })

  it.each(changes)('that %s is not taken for what it was', async (_name, change) => {
    const file = await sourceFile(5000)
    const { read } = await knowing(file, isLocal)
    await change(file)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_CHANGED', retryable: false })
  })

  it('that grew from nothing is noticed', async () => {
    const file = await sourceFile(0)
    const { read } = await knowing(file, isLocal)
    await changes[0]?.[1](file)
    await expect(read(file)).rejects.toMatchObject({ message: expect.stringContaining('longer') })
  })

  it('that is gone, or a directory', async () => {
    const file = await sourceFile(10)
    const { read } = await knowing(file, isLocal)
    await rm(file.absolute)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    await mkdir(file.absolute)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: 'it is a directory now' })
  })

  it.runIf(hasProc)('is closed, whether it could be read or not', async () => {
    const file = await sourceFile(5000)
    const { read } = await knowing(file, isLocal)
    await read(file)
    await changes[1]?.[1](file)
    await expect(read(file)).rejects.toMatchObject({ message: expect.stringContaining('shorter') })
    await closed(file.absolute)
    expect(timesOpen(file.absolute)).toBe(0)
  })
})

describe('a small file read at once', () => {
  it('that may not be read', async () => {
    const file = await sourceFile(10)
    const { read } = await knowing(file, true)
    if (process.getuid?.() === 0) {
      // Root may read anything: only the error can be tried.
      opened.mockImplementationOnce(() => {
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
      })
    } else {
      await chmod(file.absolute, 0)
    }
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: /permission denied/ })
  })

  it('is read on where a read gives less than there is', async () => {
    const file = await sourceFile(5000)
    const { read } = await knowing(file, true)
    const original = await vi.importActual<typeof import('node:fs')>('node:fs')
    vi.mocked(readSync).mockClear()
    vi.mocked(readSync).mockImplementation(((fd: number, into: Buffer, at: number, length: number, from: number) =>
      original.readSync(fd, into, at, Math.min(length, 700), from)) as typeof readSync)
    expect(await read(file)).toEqual(file.bytes)
    expect(vi.mocked(readSync)).toHaveBeenCalledTimes(8)
  })

  it.runIf(hasProc).each([
    ['read', readSync],
    ['compared', fstatSync],
  ])('that cannot be %s', async (_what, call) => {
    const file = await sourceFile(10)
    const { read } = await knowing(file, true)
    vi.mocked(call as typeof fstatSync).mockImplementationOnce(() => {
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    })
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', retryable: true })
    expect(timesOpen(file.absolute)).toBe(0)
  })
})

describe('the way a small file is read', () => {
  it('is the pool until its file system is known', async () => {
    const answers: (() => void)[] = []
    const asked: string[] = []
    const statfs: Statfs = (path, done) => {
      asked.push(path)
      answers.push(() => done(null, { type: ext4 }))
    }
    const file = await sourceFile(10)
    const { way } = start({ statfs })
    expect([await way(file), await way(file)]).toEqual(['pool', 'pool'])
    expect(asked).toEqual([dirname(file.absolute)])
    answers[0]?.()
    expect([await way(file), await way(file)]).toEqual(['at once', 'at once'])
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['ext4', 0xef53, 'at once'],
    ['XFS', 0x58465342, 'at once'],
    ['Btrfs', 0x9123683e, 'at once'],
    ['tmpfs', 0x01021994, 'at once'],
    ['overlayfs', 0x794c7630, 'at once'],
    ['NFS', 0x6969, 'pool'],
    ['SMB', 0xff534d42, 'pool'],
    ['FUSE', 0x65735546, 'pool'],
    ['none that is known', 0, 'pool'],
  ] as const)('with %s (%i): %s', async (_name, type, expected) => {
    const file = await sourceFile(10)
    const { way } = start({ statfs: fileSystem(() => type) })
    expect([await way(file), await way(file), await way(file)]).toEqual(['pool', expected, expected])
  })

  it('is the pool where the file system does not say', async () => {
    const file = await sourceFile(10)
    const { way } = start({ statfs: fileSystem(() => new Error('EIO')) })
    expect([await way(file), await way(file)]).toEqual(['pool', 'pool'])
  })

  it('is each directory’s own', async () => {
    const [local, far] = [await sourceFile(10), await sourceFile(20)]
    const statfs = fileSystem((path) => (path === dirname(local.absolute) ? ext4 : 0x6969))
    const { way } = start({ statfs })
    const ways = []
    for (const file of [local, far, local, far, local]) ways.push(await way(file))
    expect(ways).toEqual(['pool', 'pool', 'at once', 'pool', 'at once'])
  })

  it('is that of the directory a file lies in, not of one whose name begins alike, nor of one above', async () => {
    const asked: string[] = []
    const { read } = start({
      statfs: (path) => void asked.push(path),
    })
    const file = await sourceFile(10)
    const at = (absolute: string): Promise<Buffer> => read({ ...file, absolute })
    for (const path of [
      '/1',
      '/nowhere/a/1',
      '/nowhere/a/2',
      '/nowhere/ab/1',
      '/nowhere/b/1',
      '/nowhere/a/b/1',
      '/2',
    ]) {
      await at(path).catch(() => undefined)
    }
    expect(asked).toEqual(['/', '/nowhere/a', '/nowhere/ab', '/nowhere/b', '/nowhere/a/b'])
  })

  it('is found out by the system itself', async () => {
    const file = await sourceFile(10)
    const reader = createSmallReader({ elapsed: () => 0 })
    const { statfs } = await import('node:fs')
    const into = Buffer.alloc(11)
    await reader.read(file, into)
    expect(vi.mocked(statfs).mock.calls.map(([path]) => path)).toEqual([dirname(file.absolute)])
    expect(into.subarray(0, 10)).toEqual(file.bytes)
    expect(opened).not.toHaveBeenCalled()
  })

  it('is forgotten for old directories, once there are a thousand', async () => {
    const asked: string[] = []
    const statfs: Statfs = (path, done) => {
      asked.push(path)
      done(null, { type: ext4 })
    }
    const file = await sourceFile(10)
    const { read, way } = start({ statfs })
    await way(file)
    const elsewhere = (at: number) =>
      read({ ...file, absolute: join('/nowhere', String(at), 'x') }).catch(() => undefined)
    for (let at = 1; at < 1000; at += 1) await elsewhere(at)
    expect(await way(file)).toBe('at once')
    expect(asked).toHaveLength(1000)
    await elsewhere(1000)
    expect([await way(file), await way(file)]).toEqual(['pool', 'at once'])
    expect(asked.slice(1000)).toEqual([join('/nowhere', '1000'), dirname(file.absolute)])
  })
})

describe('slow reads', () => {
  /** Reads so many times, and says how. */
  async function ways(file: SourceFile, way: (file: SourceFile) => Promise<string>, times: number): Promise<string[]> {
    const seen = []
    for (let n = 0; n < times; n += 1) seen.push(await way(file))
    return seen
  }

  async function begin() {
    const { clock, elapsed, pass } = clockOf()
    const file = await sourceFile(10)
    const { way } = start({ elapsed })
    expect(await way(file)).toBe('pool')
    // The pool's reads are not timed: the clock is asked once.
    clock.isReading = false
    return { clock, pass, read: (times = 1) => ways(file, way, times) }
  }

  it('are left to the pool for a second, and tried again then', async () => {
    const { clock, pass, read } = await begin()
    clock.lasts = 10
    expect(await read()).toEqual(['at once'])
    const restedFrom = clock.ms
    for (let ms = 0; ms < 999; ms += 333) {
      expect([clock.ms - restedFrom, await read()]).toEqual([ms, ['pool']])
      clock.isReading = false
      pass(333)
    }
    pass(1)
    clock.lasts = 0.01
    expect(await read(100)).toEqual(Array(100).fill('at once'))
  })

  it('that go on are tried once in a second', async () => {
    const { clock, pass, read } = await begin()
    clock.lasts = 10
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await read()).toEqual(['at once'])
      expect(await read()).toEqual(['pool'])
      clock.isReading = false
      pass(1000)
    }
  })

  it('of a disk that is only a little slow tip it in the end', async () => {
    const { clock, read } = await begin()
    clock.lasts = 0.6
    const seen = await read(40)
    expect(seen.indexOf('pool')).toBe(28)
  })

  it('are none where each takes half a millisecond, or only one was interrupted', async () => {
    const { clock, read } = await begin()
    clock.lasts = 0.5
    expect(await read(100)).toEqual(Array(100).fill('at once'))
    const other = await begin()
    other.clock.lasts = 0.01
    await other.read(10)
    other.clock.lasts = 7.5
    expect(await other.read()).toEqual(['at once'])
    other.clock.lasts = 0.01
    expect(await other.read(100)).toEqual(Array(100).fill('at once'))
  })

  it('count where they fail, too', async () => {
    const { clock, elapsed } = clockOf()
    const file = await sourceFile(10)
    const { way, read } = start({ elapsed })
    await way(file)
    clock.isReading = false
    clock.lasts = 10
    await expect(read({ ...file, mtimeMs: 1 })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(await way(file)).toBe('pool')
  })
})
