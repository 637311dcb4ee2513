import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { chmod, mkdir, readdir, readFile, realpath, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { lockPathOf } from '../../../src/observe/lock-path.ts'
import type { StatePlaces } from '../../../src/observe/state-directory.ts'
import { begun } from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { readState, removeLeftovers, rolloutStatePath, updateState } from '../../../src/rollout/state-file.ts'
import { lockState } from '../../../src/rollout/state-lock.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import { mountSmall } from '../../support/small-disk.ts'
import { tempDir } from '../../support/temp-dir.ts'

const posix = process.platform !== 'win32'
const isRoot = process.getuid?.() === 0
const hourMs = 3_600_000

afterEach(() => {
  vi.useRealTimers()
})

const fresh = (name = 'nightly'): RolloutState => begun(name, defaultStages, Date.UTC(2026, 10, 22))
const staged = (state: RolloutState | undefined): RolloutState => {
  if (state === undefined) throw new Error('there is no state')
  return { ...state, stage: state.stage + 1 }
}
const soon = { waitMs: 2000, clock: createFakeClock() }
/** Time stands still meanwhile. */
const patiently = { waitMs: 1, clock: { elapsed: () => 0, random: () => 0, sleep: settled } }

/** A state with one stage behind it. */
async function scene(): Promise<string> {
  const path = join(await tempDir(), 'state.json')
  await updateState(path, () => fresh(), soon)
  return path
}

const namesBeside = async (path: string): Promise<readonly string[]> => (await readdir(dirname(path))).sort()

describe('updateState', () => {
  it('makes the file and its folder, for their user only, and counts changes', async () => {
    const path = join(await tempDir(), 'a', 'b', 'state.json')
    expect(await readState(path)).toBeUndefined()
    const first = await updateState(path, (state) => state ?? fresh(), soon)
    expect(first).toEqual({ ...fresh(), revision: 1 })
    const second = await updateState(path, staged, soon)
    expect([second.revision, second.stage]).toEqual([2, 1])
    expect(await readState(path, { name: 'nightly' })).toEqual(second)
    expect(await namesBeside(path)).toEqual(['state.json'])
    if (!posix) return
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
  })

  it('writes nothing where the state stays the same', async () => {
    const path = await scene()
    const before = await stat(path, { bigint: true })
    expect((await updateState(path, (state) => state ?? fresh(), soon)).revision).toBe(1)
    expect(await stat(path, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs })
  })

  it('leaves the file as it was where the change throws', async () => {
    const path = await scene()
    const before = await readFile(path)
    const refuse = (): never => {
      throw new RangeError('refused')
    }
    await expect(updateState(path, refuse, soon)).rejects.toThrow(new RangeError('refused'))
    expect(await readFile(path)).toEqual(before)
    expect(await namesBeside(path)).toEqual(['state.json'])
  })

  it('loses no change of many at once', async () => {
    const path = await scene()
    await Promise.all(Array.from({ length: 40 }, () => updateState(path, staged, patiently)))
    expect(await readState(path)).toMatchObject({ stage: 40, revision: 41 })
  })

  it.runIf(posix)('follows a symbolic link, which stays one', async () => {
    const path = await scene()
    const link = join(dirname(path), 'link.json')
    await symlink(path, link)
    await updateState(link, staged, soon)
    expect(await readState(path)).toMatchObject({ revision: 2 })
    expect(await realpath(link)).toBe(await realpath(path))
  })
})

describe('another process has the lock', () => {
  it('for all the time there is: gives up, with growing pauses, and says so', async () => {
    const path = await scene()
    const lock = await lockState(path)
    const clock = createFakeClock()
    await expect(updateState(path, staged, { waitMs: 2000, clock })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/state\.json, cannot be written: other processes write it all the time/),
    })
    expect(clock.elapsed()).toBeGreaterThanOrEqual(2000)
    expect(clock.elapsed()).toBeLessThanOrEqual(2251)
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(251)
    await lock?.release()
    expect(await updateState(path, staged, soon)).toMatchObject({ revision: 2 })
  })

  it('and lets go in time', async () => {
    const path = await scene()
    const lock = await lockState(path)
    const clock = createFakeClock()
    const sleep = vi.fn(async () => void (await lock?.release()))
    expect(await updateState(path, staged, { waitMs: 2000, clock: { ...clock, sleep } })).toMatchObject({ stage: 1 })
    expect(sleep).toHaveBeenCalledTimes(1)
  })

  it('the signal ends the waiting', async () => {
    const path = await scene()
    const lock = await lockState(path)
    const stop = new AbortController()
    const waiting = updateState(path, staged, {
      waitMs: 2000,
      clock: createFakeClock({ skipUpTo: 0 }),
      signal: stop.signal,
    })
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await lock?.release()
  })

  it('and is no more: it is taken over once nobody can be holding it', async () => {
    const path = await scene()
    await leaveLock(path, -21_000)
    expect(await updateState(path, staged, soon)).toMatchObject({ revision: 2 })
    expect(await namesBeside(path)).toEqual(['state.json'])
  })

  it('and is not known to be no more: nobody takes it over', async () => {
    const path = await scene()
    await leaveLock(path, -15_000)
    await expect(updateState(path, staged, soon)).rejects.toThrow('other processes')
  })

  it('and was no more before the clock was set back', async () => {
    const path = await scene()
    await leaveLock(path, 2 * hourMs)
    expect(await updateState(path, staged, soon)).toMatchObject({ revision: 2 })
  })

  async function leaveLock(path: string, agoMs: number): Promise<void> {
    await mkdir(lockPathOf(path))
    const time = (Date.now() + agoMs) / 1000
    await utimes(lockPathOf(path), time, time)
  }
})

describe('the lock is lost while it is held', () => {
  /** What another process does that takes the lock over in the middle of a change. */
  function takeOver(path: string): void {
    rmdirSync(lockPathOf(path))
    mkdirSync(lockPathOf(path))
  }

  /** What it then does, lock or no lock. */
  function writeMeanwhile(path: string, change: (state: RolloutState) => RolloutState): void {
    const state = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(`${path}.other`, `${JSON.stringify({ ...change(state), revision: state.revision + 1 })}\n`)
    renameSync(`${path}.other`, path)
  }

  it('to one that writes: what it wrote stays, and the change is made again', async () => {
    const path = await scene()
    const seen: number[] = []
    const change = (state: RolloutState | undefined): RolloutState => {
      seen.push(state?.stage ?? -1)
      if (seen.length === 1) {
        takeOver(path)
        writeMeanwhile(path, (other) => ({ ...other, stage: other.stage + 10 }))
        rmdirSync(lockPathOf(path))
      }
      return staged(state)
    }
    expect(await updateState(path, change, soon)).toMatchObject({ stage: 11, revision: 3 })
    expect(seen).toEqual([0, 10])
    expect(await namesBeside(path)).toEqual(['state.json'])
  })

  it('to one that has not written yet: waits for it, and leaves it its lock', async () => {
    const path = await scene()
    let changes = 0
    const clock = createFakeClock()
    const sleep = async (): Promise<void> => {
      expect(existsSync(lockPathOf(path))).toBe(true)
      expect(await readState(path)).toMatchObject({ revision: 1 })
      rmdirSync(lockPathOf(path))
    }
    const change = (state: RolloutState | undefined): RolloutState => {
      changes += 1
      if (changes === 1) takeOver(path)
      return staged(state)
    }
    expect(await updateState(path, change, { waitMs: 2000, clock: { ...clock, sleep } })).toMatchObject({ revision: 2 })
    expect(changes).toBe(2)
  })

  it('a write that came in between without taking the lock counts, too', async () => {
    const path = await scene()
    let changes = 0
    const change = (state: RolloutState | undefined): RolloutState => {
      changes += 1
      if (changes === 1) writeMeanwhile(path, (other) => ({ ...other, stage: 7 }))
      return staged(state)
    }
    expect(await updateState(path, change, soon)).toMatchObject({ stage: 8, revision: 3 })
  })

  it('the clock jumped forward: the next one has it, and keeps it when the first lets go', async () => {
    const path = await scene()
    vi.useFakeTimers({ toFake: ['Date'] })
    const first = await lockState(path)
    expect(await lockState(path)).toBeUndefined()
    vi.setSystemTime(Date.now() + hourMs)
    const second = await lockState(path)
    expect([first?.isHeld(), second?.isHeld()]).toEqual([false, true])
    await first?.release()
    expect(second?.isHeld()).toBe(true)
    await second?.release()
    expect(await namesBeside(path)).toEqual(['state.json'])
  })

  it('the clock jumps forward by an hour, for the holder and for one who waits', async () => {
    const path = await scene()
    const started = Date.now()
    let inner: Promise<RolloutState> | undefined
    let changes = 0
    vi.useFakeTimers({ toFake: ['Date'], now: started })
    const change = (state: RolloutState | undefined): RolloutState => {
      changes += 1
      if (changes === 1) {
        vi.setSystemTime(started + hourMs)
        inner = updateState(path, (other) => ({ ...staged(other), isReviewDecided: true }), patiently)
      }
      return staged(state)
    }
    const sleep = async (): Promise<void> => void (await inner)
    await updateState(path, change, { waitMs: 1, clock: { ...patiently.clock, sleep } })
    await inner
    expect(await readState(path)).toMatchObject({ stage: 2, revision: 3, isReviewDecided: true })
    expect(await namesBeside(path)).toEqual(['state.json'])
  })
})

describe('a file that cannot be used', () => {
  const whole = `${JSON.stringify({ ...fresh(), revision: 1 })}\n`

  it.each([
    ['empty', '', /it is no JSON; begin anew with upload rollout reset/],
    ['cut off', whole.slice(0, 100), /it is no JSON; begin anew with upload rollout reset/],
    ['something else', '{"name": "my-package"}', /it is damaged \(version: .*begin anew with upload rollout reset/],
    ['of a later version', whole.replace('"version":1', '"version":2'), /version 2/],
  ])('%s', async (_name, text, said) => {
    const path = await scene()
    await writeFile(path, text)
    const expected = { name: 'UsageError', message: expect.stringMatching(said) }
    await expect(readState(path)).rejects.toMatchObject(expected)
    await expect(updateState(path, staged, soon)).rejects.toMatchObject(expected)
    expect(await readFile(path, 'utf8')).toBe(text)
    const anew = await updateState(path, (state) => state ?? fresh(), { ...soon, replaceDamaged: true })
    expect(anew).toEqual({ ...fresh(), revision: 1 })
    expect(await readFile(`${path}.damaged`, 'utf8')).toBe(text)
  })

  it('of another rollout: not even replaced', async () => {
    const path = await scene()
    const expected = 'is the state of the rollout nightly, not of weekly; name another file as rollout.state'
    await expect(readState(path, { name: 'weekly' })).rejects.toThrow(expected)
    for (const replaceDamaged of [true, false]) {
      await expect(updateState(path, staged, { ...soon, name: 'weekly', replaceDamaged })).rejects.toThrow(expected)
    }
    const whatever = { ...soon, name: 'nightly', replaceDamaged: true }
    expect(await updateState(path, staged, whatever)).toMatchObject({ revision: 2 })
  })

  it('a directory', async () => {
    const path = await tempDir()
    const said = {
      code: 'INTERNAL',
      message: `the state of the rollout, ${path}, cannot be read (EISDIR); it is a directory; name a file as rollout.state`,
    }
    await expect(readState(path)).rejects.toMatchObject(said)
    await expect(updateState(path, () => fresh(), soon)).rejects.toMatchObject(said)
  })

  it.runIf(posix)('no file at all: neither waited for nor replaced', async () => {
    const path = join(await tempDir(), 'socket')
    const server = createServer().listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const said = { code: 'INTERNAL', message: expect.stringContaining('it is a pipe, a socket or a device') }
    await expect(readState(path)).rejects.toMatchObject(said)
    const anew = updateState(path, () => fresh(), { ...soon, replaceDamaged: true })
    await expect(anew).rejects.toMatchObject(said)
  })
})

describe('a place that cannot be written to', () => {
  it.runIf(process.platform === 'linux')('no place for a lock: said at once', async () => {
    // Nothing can be made there, not even by root.
    await expect(lockState('/proc/state.json')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'mkdir' })
    const update = updateState('/proc/state.json', () => fresh(), { ...patiently, waitMs: 1e9 })
    await expect(update).rejects.toThrow('cannot be written (ENOENT)')
  })

  it('a file where its folder is to be', async () => {
    const path = join(await scene(), 'state.json')
    await expect(updateState(path, () => fresh(), soon)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/cannot be written \((ENOTDIR|EEXIST)\)/),
    })
  })

  it.runIf(posix && !isRoot)('a folder that is read-only', async () => {
    const path = await scene()
    chmodSync(dirname(path), 0o500)
    await expect(updateState(path, staged, soon)).rejects.toThrow('cannot be written (EACCES)')
    chmodSync(dirname(path), 0o700)
    expect(await readState(path)).toMatchObject({ revision: 1 })
  })
  if (isRoot) console.log('Not tried: a folder that is read-only (root writes into it all the same).')

  it.runIf(posix)('a full disk: the state stays as it was, and nothing lies about', async () => {
    const directory = join(await tempDir(), 'small')
    if (!(await mountSmall(directory))) return
    const path = join(directory, 'state.json')
    await updateState(path, () => fresh(), soon)
    const tooMuch = (state: RolloutState | undefined): RolloutState => {
      const [change] = state?.history ?? []
      if (state === undefined || change === undefined) throw new Error('there is no history')
      return { ...state, history: Array.from({ length: 200 }, () => change) }
    }
    await expect(updateState(path, tooMuch, soon)).rejects.toThrow('cannot be written (no space left there)')
    expect(await namesBeside(path)).toEqual(['state.json'])
    expect(await updateState(path, staged, soon)).toMatchObject({ revision: 2, stage: 1 })
  })
})

it('what a killed process left of a state is removed once it can be nobody’s, and nothing else', async () => {
  const path = await scene()
  const names = [
    'state.json.123.0a1b2c3d.tmp',
    'state.json.124.0a1b2c3d.tmp',
    'other.json.1.0a1b2c3d.tmp',
    'state.json.bak',
  ]
  for (const name of names) writeFileSync(join(dirname(path), name), '')
  const long = (Date.now() - 2 * hourMs) / 1000
  for (const name of names.slice(0, 1).concat(names.slice(2))) utimesSync(join(dirname(path), name), long, long)
  await removeLeftovers(path)
  expect(await namesBeside(path)).toEqual([...names.slice(1), 'state.json'].sort())
  await removeLeftovers(join(path, 'nowhere', 'state.json'))
})

it.runIf(posix)('what lies beside the file that a link leads to is removed, too', async () => {
  const path = await scene()
  const link = join(await tempDir(), 'link.json')
  symlinkSync(path, link)
  const leftover = `${path}.123.0a1b2c3d.tmp`
  writeFileSync(leftover, '')
  const long = (Date.now() - 2 * hourMs) / 1000
  utimesSync(leftover, long, long)
  await removeLeftovers(link)
  expect(await namesBeside(path)).toEqual(['state.json'])
})

describe('rolloutStatePath', () => {
  const uid = process.getuid?.()

  async function places(): Promise<StatePlaces & { readonly root: string }> {
    const root = await tempDir()
    for (const name of ['state', 'home', 'tmp']) await mkdir(join(root, name))
    return {
      root,
      xdgStateHome: join(root, 'state'),
      home: join(root, 'home'),
      temporary: join(root, 'tmp'),
      uid,
    }
  }

  const pathOf = (name: string, where: StatePlaces): Promise<string> =>
    rolloutStatePath({ name, state: undefined }, where)
  const shared = (where: { readonly root: string }): string => join(where.root, 'tmp', `upload-${uid}`, 'rollouts')

  it('the file that the config names', async () => {
    expect(await rolloutStatePath({ name: 'x', state: '/srv/x.json' }, await places())).toBe('/srv/x.json')
  })

  it('the state directory, else ~/.local/state; none is made for that', async () => {
    const where = await places()
    expect(await pathOf('nightly', where)).toBe(join(where.root, 'state/upload/rollouts/nightly.json'))
    const home = join(where.root, 'home/.local/state/upload/rollouts/nightly.json')
    for (const xdgStateHome of [undefined, 'relative', join(where.root, 'state')]) {
      if (xdgStateHome?.startsWith('/')) {
        await mkdir(dirname(home), { recursive: true })
        await writeFile(home, '')
      }
      // One that is there already is gone on with.
      expect(await pathOf('nightly', { ...where, xdgStateHome })).toBe(home)
    }
    expect(await readdir(join(where.root, 'state'))).toEqual([])
  })

  it.runIf(posix)('else a directory of its own in the temporary one', async () => {
    const where = await places()
    const file = join(where.root, 'file')
    await writeFile(file, '')
    const elsewhere = { ...where, xdgStateHome: file, home: undefined }
    expect(await pathOf('nightly', elsewhere)).toBe(join(shared(where), 'nightly.json'))
    expect((await stat(shared(where))).mode & 0o777).toBe(0o700)
    await writeFile(join(shared(where), 'nightly.json'), '')
    expect(await pathOf('nightly', where)).toBe(join(shared(where), 'nightly.json'))
    expect(await pathOf('weekly', where)).toBe(join(where.root, 'state/upload/rollouts/weekly.json'))
  })

  it.runIf(posix)('but not in one that may be another’s', async () => {
    const where = await places()
    await mkdir(join(where.root, 'tmp', `upload-${uid}`))
    await mkdir(join(where.root, 'elsewhere'))
    await writeFile(join(where.root, 'elsewhere', 'nightly.json'), '')
    await symlink(join(where.root, 'elsewhere'), shared(where))
    expect(await pathOf('nightly', where)).toBe(join(where.root, 'state/upload/rollouts/nightly.json'))
    await expect(pathOf('nightly', { ...where, xdgStateHome: undefined, home: undefined })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('belongs to somebody else'),
    })
  })

  it.each([
    ['async-upload', /^async-upload\.json$/],
    ['a.b_c-1', /^a\.b_c-1\.json$/],
    ['Nightly', /^nightly~[0-9a-f]{12}\.json$/],
    ['../../etc/passwd', /^-etc-passwd~[0-9a-f]{12}\.json$/],
    ['.hidden', /^-hidden~[0-9a-f]{12}\.json$/],
    ['…'.repeat(100), /^-~[0-9a-f]{12}\.json$/],
    ['x'.repeat(100), /^x{60}~[0-9a-f]{12}\.json$/],
  ])('names its file after %j', async (name, expected) => {
    const where = await places()
    const path = await pathOf(name, where)
    expect(path.slice(join(where.root, 'state/upload/rollouts/').length)).toMatch(expected)
    expect(await pathOf(name, where)).toBe(path)
  })

  it('two rollouts have two files, also where a file system does not tell case', async () => {
    const where = await places()
    const paths = await Promise.all(
      ['nightly', 'Nightly', 'NIGHTLY', 'night/ly', 'night ly'].map((name) => pathOf(name, where)),
    )
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(5)
  })
})

it.runIf(posix && !isRoot)('a state directory that is read-only is not taken', async () => {
  const root = await tempDir()
  await mkdir(join(root, 'state'))
  await chmod(join(root, 'state'), 0o500)
  const where = {
    xdgStateHome: join(root, 'state'),
    home: join(root, 'home'),
    temporary: root,
    uid: process.getuid?.(),
  }
  expect(await rolloutStatePath({ name: 'x', state: undefined }, where)).toBe(
    join(root, 'home/.local/state/upload/rollouts/x.json'),
  )
})
if (isRoot) console.log('Not tried: a state directory that is read-only (root writes into it all the same).')
