import { spawnSync } from 'node:child_process'
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { lockJournal } from '../../../src/observe/journal-lock.ts'
import { lockPathOf } from '../../../src/observe/lock-path.ts'
import type { RunRecord } from '../../../src/observe/records.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { runRecord } from './events.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

async function journal(...runs: Partial<RunRecord>[]): Promise<string> {
  const path = join(await tempDir(), 'r.jsonl')
  await writeFile(path, runs.map((run) => `${JSON.stringify(runRecord(run))}\n`).join(''))
  return path
}

/** As a process leaves it behind that was killed so long ago. */
async function leaveLock(path: string, agoMs: number): Promise<void> {
  await mkdir(lockPathOf(path))
  const time = (Date.now() - agoMs) / 1000
  await utimes(lockPathOf(path), time, time)
}

const nothing = (): void => {}
/** A process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(setImmediate)
}

it('lies beside the journal, and is gone when it is released, more than once too', async () => {
  const path = await journal({})
  const lock = await lockJournal(path, nothing)
  expect(await readdir(join(path, '..'))).toEqual(['r.jsonl', 'r.jsonl.lock'])
  expect(lock.confirm()).toBeUndefined()
  await lock.release()
  await lock.release()
  expect(await readdir(join(path, '..'))).toEqual(['r.jsonl'])
})

describe('held by another', () => {
  const held = { runId: 'night-7', startedAt: '2026-11-22T07:38:12.000Z' }

  it.each<[who: string, last: Partial<RunRecord>, said: string]>([
    [
      'here',
      { pid: process.pid, host: hostname() },
      `run night-7 is still being carried out by process ${process.pid} on host ${hostname()} (since 2026-11-22T07:38:12.000Z)`,
    ],
    ['elsewhere', { pid: 4711, host: 'ada' }, 'by process 4711 on host ada (since'],
  ])('%s: refused, naming the process of its last invocation', async (_who, last, said) => {
    const path = await journal({ ...held, pid: 1, host: 'long-ago' }, { ...held, ...last })
    const lock = await lockJournal(path, nothing)
    await expect(lockJournal(path, nothing)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(said),
    })
    await lock.release()
  })

  it('that has not said who it is', async () => {
    const path = await journal()
    await leaveLock(path, 0)
    await expect(lockJournal(path, nothing)).rejects.toThrow(`another process is writing the journal ${path}; wait`)
  })
})

describe('left behind', () => {
  it('long ago, by whoever it was: taken over', async () => {
    const path = await journal({ host: 'ada' })
    await leaveLock(path, 11_000)
    await (await lockJournal(path, nothing)).release()
  })

  it('by a process of this host that is gone: taken over once it could not but have renewed it', async () => {
    const path = await journal({ host: hostname(), pid: deadPid() })
    await leaveLock(path, 3000)
    await (await lockJournal(path, nothing)).release()
  })

  it('on a host of another name: not before 10 s', async () => {
    const path = await journal({ host: 'ada', pid: deadPid() })
    await leaveLock(path, 3000)
    await expect(lockJournal(path, nothing)).rejects.toMatchObject({ name: 'UsageError' })
  })
})

it('says what the file system says where there can be none', async () => {
  const path = join(await tempDir(), 'none', 'r.jsonl')
  await expect(lockJournal(path, nothing)).rejects.toMatchObject({ code: 'ENOENT' })
})

describe('taken over by another', () => {
  const takeOver = (path: string): Promise<void> => {
    const time = Date.now() / 1000 + 60
    return utimes(lockPathOf(path), time, time)
  }

  it('is noticed when it is to be renewed, and stays the other one’s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const path = await journal({})
    const onLost = vi.fn()
    const lock = await lockJournal(path, onLost)
    await takeOver(path)
    await vi.advanceTimersByTimeAsync(1000)
    await until(() => onLost.mock.calls.length > 0)
    await lock.release()
    expect(await readdir(join(path, '..'))).toContain('r.jsonl.lock')
  })

  it('is noticed before, by a process that was suspended for long', async () => {
    const path = await journal({})
    const lock = await lockJournal(path, nothing)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7000)
    expect(await lock.confirm()).toBe(true)
    vi.restoreAllMocks()
    await takeOver(path)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7000)
    expect(await lock.confirm()).toBe(false)
    await rm(lockPathOf(path), { recursive: true })
    expect(await lock.confirm()).toBe(false)
    await lock.release()
  })
})
