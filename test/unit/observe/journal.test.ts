import type { FileHandle } from 'node:fs/promises'
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { continueJournal, createJournal, type Journal, type JournalOptions } from '../../../src/observe/journal.ts'
import { lockPathOf } from '../../../src/observe/lock-path.ts'
import type { FileRecord, RunRecord } from '../../../src/observe/records.ts'
import { settled } from '../../support/fake-clock.ts'
import { parseNdjson } from '../../support/journal.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** What the journal's file does; each test may put something else in its place. */
const file = vi.hoisted(() => ({
  appendFile: undefined as undefined | ((handle: FileHandle, text: string) => Promise<void>),
  datasync: undefined as undefined | ((handle: FileHandle) => Promise<void>),
  truncate: undefined as undefined | (() => Promise<void>),
  opened: [] as FileHandle[],
}))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  return {
    ...original,
    async open(...args: Parameters<typeof original.open>) {
      const handle = await original.open(...args)
      if (args[1] === 'r') return handle
      file.opened.push(handle)
      const appendFile = handle.appendFile.bind(handle) as (text: string) => Promise<void>
      const datasync = handle.datasync.bind(handle)
      const plain = { appendFile, datasync } as unknown as FileHandle
      return Object.assign(handle, {
        appendFile: (text: string) => (file.appendFile ? file.appendFile(plain, text) : appendFile(text)),
        datasync: () => (file.datasync ? file.datasync(plain) : datasync()),
        ...(file.truncate ? { truncate: file.truncate } : {}),
      })
    },
  }
})

beforeEach(() => {
  file.appendFile = undefined
  file.datasync = undefined
})

afterEach(() => vi.useRealTimers())

const now = Date.UTC(2026, 10, 22)
const day = 24 * 60 * 60 * 1000

async function places(): Promise<JournalOptions['places'] & { readonly runs: string }> {
  const root = await tempDir()
  return {
    xdgStateHome: root,
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    uid: process.getuid?.(),
    runs: join(root, 'upload', 'runs'),
  }
}

async function create(over: Partial<JournalOptions> = {}): Promise<Journal> {
  return createJournal({
    runId: 'night-7',
    newRunId: () => 'drawn',
    places: await places(),
    now,
    warn: () => {},
    ...over,
  })
}

function record(n: number): FileRecord {
  return { type: 'file', path: `take-${n}.wav\u2028` } as FileRecord
}

function paths(text: string): unknown[] {
  return parseNdjson(text).map((line) => line.path)
}

const isPosix = process.platform !== 'win32'

describe('createJournal', () => {
  it('makes a file for its user only, named by the run', async () => {
    const at = await places()
    const journal = await create({ places: at })
    expect([journal.path, journal.runId]).toEqual([join(at.runs, 'night-7.jsonl'), 'night-7'])
    if (isPosix) expect((await stat(journal.path)).mode & 0o777).toBe(0o600)
    await journal.close()
    expect(await readFile(journal.path, 'utf8')).toBe('')
  })

  it('refuses a name that was chosen twice', async () => {
    const at = await places()
    await (await create({ places: at })).close()
    await expect(create({ places: at })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/^--run-id: a run night-7 exists already in .*; choose another id$/),
    })
    expect(await readFile(join(at.runs, 'night-7.jsonl'), 'utf8')).toBe('')
  })

  it('draws another name where two runs drew one', async () => {
    const at = await places()
    const names = ['one', 'one', 'one', 'two'][Symbol.iterator]()
    const newRunId = (): string => names.next().value ?? 'none left'
    const journals = [
      await create({ runId: undefined, newRunId, places: at }),
      await create({ runId: undefined, newRunId, places: at }),
    ]
    expect(journals.map((journal) => journal.runId)).toEqual(['one', 'two'])
    for (const journal of journals) await journal.close()
  })

  it('does not draw for ever', async () => {
    const at = await places()
    const newRunId = vi.fn(() => 'one')
    await (await create({ runId: undefined, newRunId, places: at })).close()
    const journal = await create({ runId: undefined, newRunId, places: at })
    expect(journal.path).toContain('.local')
    expect(newRunId.mock.calls.length).toBeLessThan(50)
    await journal.close()
  })

  it('fails where there is no place for it', async () => {
    const at = await places()
    await writeFile(join(at.temporary), '')
    const none = { ...at, xdgStateHome: at.temporary, home: at.temporary }
    await expect(create({ places: none })).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('append', () => {
  it('resolves once the line can be read, in order', async () => {
    const journal = await create()
    await journal.append({ type: 'run', runId: 'night-7' } as RunRecord)
    for (let n = 1; n <= 3; n += 1) {
      await journal.append(record(n))
      expect(parseNdjson(await readFile(journal.path, 'utf8'))).toHaveLength(n + 1)
    }
    await journal.close()
    expect(paths(await readFile(journal.path, 'utf8')).slice(1)).toEqual([1, 2, 3].map((n) => record(n).path))
  })

  it('writes what came meanwhile in one go, and one at a time', async () => {
    const writes: number[] = []
    let underWay = 0
    file.appendFile = async (handle, text) => {
      underWay += 1
      expect(underWay).toBe(1)
      writes.push(parseNdjson(text).length)
      await settled()
      await handle.appendFile(text)
      underWay -= 1
    }
    const journal = await create()
    const appended: Promise<void>[] = [journal.append(record(0))]
    await settled()
    for (let n = 1; n < 500; n += 1) {
      appended.push(journal.append(record(n)))
      if (n === 100 || n === 350) await settled()
    }
    await Promise.all(appended)
    await journal.close()
    expect(paths(await readFile(journal.path, 'utf8'))).toEqual(Array.from({ length: 500 }, (_, n) => record(n).path))
    expect(writes.length).toBeLessThan(10)
  })

  it('takes many appends from many sides', async () => {
    const journal = await create()
    const side = async (from: number): Promise<void> => {
      for (let n = from; n < from + 200; n += 1) await journal.append(record(n))
    }
    await Promise.all([0, 200, 400, 600].map(side))
    await journal.close()
    const written = paths(await readFile(journal.path, 'utf8'))
    expect(new Set(written).size).toBe(800)
    expect(written).toHaveLength(800)
    for (const from of [0, 200, 400, 600]) {
      const ofSide = Array.from({ length: 200 }, (_, n) => record(from + n).path)
      expect(written.filter((path) => ofSide.includes(path as string))).toEqual(ofSide)
    }
  })

  it.each([
    ['ENOSPC', 'no space left there'],
    ['EDQUOT', 'no space left there'],
    ['EIO', 'EIO'],
    [undefined, 'Error: broken'],
  ])('fails with %s, for everybody who waits, and for good', async (code, said) => {
    const cause = Object.assign(new Error('broken'), code && { code })
    let writes = 0
    file.appendFile = async (handle, text) => {
      writes += 1
      await settled()
      if (writes === 2) throw cause
      await handle.appendFile(text)
    }
    const journal = await create()
    await journal.append(record(1))
    const waiting = [journal.append(record(2)), journal.append(record(3))]
    await settled()
    const later = [journal.append(record(4)), journal.append(record(5))]
    for (const append of [...waiting, ...later]) {
      await expect(append).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringMatching(new RegExp(`^the journal .*night-7.jsonl cannot be written: ${said}; `)),
        cause,
      })
    }
    await expect(journal.append(record(6))).rejects.toMatchObject({ cause })
    await expect(journal.close()).rejects.toMatchObject({ cause })
    // Nothing is put behind a line that was cut off.
    expect(writes).toBe(2)
    expect(paths(await readFile(journal.path, 'utf8'))).toEqual([record(1).path])
  })
})

describe('the disk', () => {
  it('has a line after 200 ms at most', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let syncs = 0
    file.datasync = async (handle) => {
      syncs += 1
      await handle.datasync()
    }
    const journal = await create()
    await journal.append(record(1))
    await vi.advanceTimersByTimeAsync(150)
    await journal.append(record(2))
    expect(syncs).toBe(0)
    await vi.advanceTimersByTimeAsync(50)
    expect(syncs).toBe(1)
    vi.useRealTimers()
    await journal.close()
  })

  it('is left alone while nothing is written', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let syncs = 0
    file.datasync = async () => {
      syncs += 1
    }
    const journal = await create()
    await vi.advanceTimersByTimeAsync(1000)
    expect(syncs).toBe(0)
    await journal.append(record(1))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(syncs).toBe(1)
    await journal.append(record(2))
    await vi.advanceTimersByTimeAsync(200)
    expect(syncs).toBe(2)
    await journal.close()
    expect(syncs).toBe(3)
  })

  it('that is slow is asked once at a time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let syncs = 0
    let finish = (): void => {}
    file.datasync = () =>
      new Promise((resolve) => {
        syncs += 1
        finish = resolve
      })
    const journal = await create()
    for (let n = 0; n < 5; n += 1) {
      await journal.append(record(n))
      await vi.advanceTimersByTimeAsync(200)
    }
    expect(syncs).toBe(1)
    finish()
    await vi.advanceTimersByTimeAsync(200)
    expect(syncs).toBe(2)
    const closing = journal.close()
    finish()
    await vi.advanceTimersByTimeAsync(200)
    finish()
    await closing
    expect(syncs).toBe(3)
  })

  it('that fails makes the next append fail', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    file.datasync = () => Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' }))
    const journal = await create()
    await journal.append(record(1))
    await vi.advanceTimersByTimeAsync(200)
    await expect(journal.append(record(2))).rejects.toMatchObject({ message: expect.stringContaining('EIO') })
    await expect(journal.close()).rejects.toMatchObject({ message: expect.stringContaining('EIO') })
  })
})

describe('append with sync', () => {
  it('resolves only once the disk has the line, one sync for all that wait', async () => {
    const synced: string[] = []
    file.datasync = async (handle) => {
      synced.push(await readFile(journal.path, 'utf8'))
      await settled()
      await handle.datasync()
    }
    const journal: Journal = await create()
    const plain = journal.append(record(0))
    await Promise.all([1, 2, 3].map((n) => journal.append(record(n), { sync: true })))
    expect(synced).toHaveLength(1)
    expect(paths(synced[0] as string)).toEqual([0, 1, 2, 3].map((n) => record(n).path))
    await plain
    await journal.close()
  })

  it('does not count a sync that began before the line was there', async () => {
    const begun: { readonly text: string; readonly finish: () => void }[] = []
    file.datasync = async () => {
      const text = await readFile(journal.path, 'utf8')
      await new Promise<void>((resolve) => begun.push({ text, finish: resolve }))
    }
    const journal: Journal = await create()
    const order: string[] = []
    const first = journal.append(record(1), { sync: true }).then(() => order.push('first'))
    while (begun.length < 1) await settled()
    const second = journal.append(record(2), { sync: true }).then(() => order.push('second'))
    const third = journal.append(record(3), { sync: true }).then(() => order.push('third'))
    for (let turn = 0; turn < 20; turn += 1) await settled()
    expect(begun).toHaveLength(1)
    begun[0]?.finish()
    await first
    while (begun.length < 2) await settled()
    expect(order).toEqual(['first'])
    expect(paths(begun[1]?.text as string)).toHaveLength(3)
    begun[1]?.finish()
    await Promise.all([second, third])
    const closing = journal.close()
    while (begun.length < 3) await settled()
    begun[2]?.finish()
    await closing
  })

  it('rejects where the disk refuses', async () => {
    file.datasync = () => Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' }))
    const journal = await create()
    await expect(journal.append(record(1), { sync: true })).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(journal.close()).rejects.toThrow('EIO')
  })
})

describe('continueJournal', () => {
  async function written(text: string | Buffer): Promise<string> {
    const path = join(await tempDir(), 'night-7.jsonl')
    await writeFile(path, text)
    return path
  }
  const line = (n: number): string => `${JSON.stringify(record(n))}\n`

  it.each<[what: string, text: string | Buffer, kept: string]>([
    ['nothing', '', ''],
    ['whole lines', line(1) + line(2), line(1) + line(2)],
    ['a torn last line', `${line(1)}{"type":"fi`, line(1)],
    ['a last line without its newline', line(1) + line(2).trimEnd(), line(1)],
    ['zeros where the disk did not get to', Buffer.concat([Buffer.from(line(1)), Buffer.alloc(200_000)]), line(1)],
    ['a long torn line', `${line(1)}{"type":"file","path":"${'x'.repeat(300_000)}`, line(1)],
    ['one torn line and no other', '{"type":"run"', ''],
  ])('goes on behind %s', async (_what, text, kept) => {
    const path = await written(text)
    const journal = await continueJournal(path, 'night-7')
    expect([journal.path, journal.runId]).toEqual([path, 'night-7'])
    await journal.append(record(7))
    await journal.close()
    expect(await readFile(path, 'utf8')).toBe(kept + line(7))
    expect(await readdir(join(path, '..'))).toEqual(['night-7.jsonl'])
  })

  it('has one at a time, whatever the file is called', async () => {
    const path = await written('')
    const link = join(path, '..', 'link.jsonl')
    await symlink(path, link)
    const journal = await continueJournal(path, 'night-7')
    await expect(continueJournal(link, 'night-7')).rejects.toMatchObject({ name: 'UsageError' })
    await journal.close()
    await (await continueJournal(link, 'night-7')).close()
  })

  it('has one that was made alone, too', async () => {
    const journal = await create()
    await expect(continueJournal(journal.path, 'night-7')).rejects.toMatchObject({ name: 'UsageError' })
    await journal.close()
  })

  it('fails where it cannot be written', async () => {
    const path = join(await tempDir(), 'none.jsonl')
    await expect(continueJournal(path, 'x')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('ENOENT'),
    })
  })

  it('lets go of it where the torn line cannot be cut off', async () => {
    const path = await written('{"type":"run"')
    file.truncate = () => Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' }))
    await expect(continueJournal(path, 'night-7')).rejects.toThrow('EIO')
    file.truncate = undefined
    await (await continueJournal(path, 'night-7')).close()
  })

  it('writes no more once another process has taken it over', async () => {
    const path = await written('')
    const journal = await continueJournal(path, 'night-7')
    await journal.append(record(1))
    const later = Date.now() / 1000 + 60
    await utimes(lockPathOf(path), later, later)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7000)
    await expect(journal.append(record(2))).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining(`another process has taken over the journal ${path}`),
    })
    vi.restoreAllMocks()
    expect(journal.broken).toBe(true)
    await expect(journal.close()).rejects.toThrow('taken over')
    expect(await readFile(path, 'utf8')).toBe(line(1))
    expect(await readdir(join(path, '..'))).toContain('night-7.jsonl.lock')
  })
})

describe('close', () => {
  it('waits for what is being written', async () => {
    let isSynced = false
    file.appendFile = async (handle, text) => {
      for (let turn = 0; turn < 10; turn += 1) await settled()
      await handle.appendFile(text)
    }
    file.datasync = async () => {
      isSynced = true
    }
    const journal = await create()
    const appended = [journal.append(record(1)), journal.append(record(2))]
    await settled()
    appended.push(journal.append(record(3)))
    await journal.close()
    expect(isSynced).toBe(true)
    expect(paths(await readFile(journal.path, 'utf8'))).toHaveLength(3)
    await Promise.all(appended)
    expect(file.opened.at(-1)?.fd).toBe(-1)
  })

  it('can be called again, and ends the journal', async () => {
    const journal = await create()
    await journal.close()
    await journal.close()
    await expect(journal.append(record(1))).rejects.toMatchObject({ message: expect.stringContaining('it is closed') })
  })

  it('closes the file where syncing failed', async () => {
    file.datasync = () => Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' }))
    const journal = await create()
    await journal.append(record(1))
    await expect(journal.close()).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(file.opened.at(-1)?.fd).toBe(-1)
  })
})

describe('old journals', () => {
  const summary = (over: object): string => `{"type":"run"}\n${JSON.stringify({ type: 'summary', ...over })}\n`

  it.each<[name: string, text: string, ageDays: number, stays: boolean]>([
    ['success', summary({ exitCode: 0 }), 31, false],
    ['success of 30 days ago', summary({ exitCode: 0 }), 30, true],
    ['success of yesterday', summary({ exitCode: 0 }), 1, true],
    ['failures nobody can mend', summary({ exitCode: 1, byErrorCode: { KEY_INVALID: 3, TOO_LARGE: 1 } }), 31, false],
    ['failures without a list', summary({ exitCode: 1 }), 31, false],
    ['failures that may pass', summary({ exitCode: 1, byErrorCode: { KEY_INVALID: 3, TIMEOUT: 1 } }), 31, true],
    ['a failure of a later version', summary({ exitCode: 1, byErrorCode: { WHO_KNOWS: 1 } }), 31, false],
    ...[3, 4, 130, 141, 143].map((exitCode): [string, string, number, boolean] => [
      `exit ${exitCode}`,
      summary({ exitCode }),
      31,
      true,
    ]),
    ['a summary without an exit code', summary({}), 31, true],
    ['no summary', '{"type":"run"}\n{"type":"file"}\n', 31, true],
    ['a torn last line', `${summary({ exitCode: 0 })}{"type":"fi`, 31, true],
    ['nothing', '', 31, true],
    [
      'a long one',
      `${JSON.stringify({ type: 'file', path: 'x'.repeat(300_000) })}\n${summary({ exitCode: 0 })}`,
      31,
      false,
    ],
  ])('%s', async (_name, text, ageDays, stays) => {
    const at = await places()
    await mkdir(at.runs, { recursive: true })
    const old = join(at.runs, 'old.jsonl')
    await writeFile(old, text)
    const time = (now - ageDays * day) / 1000
    await utimes(old, time, time)
    await (await create({ places: at })).close()
    expect((await readdir(at.runs)).includes('old.jsonl')).toBe(stays)
  })

  it('go with the lock of a process that was killed', async () => {
    const at = await places()
    const old = join(at.runs, 'old.jsonl')
    await mkdir(lockPathOf(old), { recursive: true })
    await writeFile(old, summary({ exitCode: 0 }))
    await utimes(old, 1, 1)
    await (await create({ places: at })).close()
    expect(await readdir(at.runs)).toEqual(['night-7.jsonl'])
  })

  it('are all that is removed', async () => {
    const at = await places()
    await mkdir(join(at.runs, 'directory.jsonl'), { recursive: true })
    await writeFile(join(at.runs, 'notes.txt'), summary({ exitCode: 0 }))
    for (const name of ['notes.txt', 'directory.jsonl']) await utimes(join(at.runs, name), 1, 1)
    await (await create({ places: at })).close()
    expect((await readdir(at.runs)).sort()).toEqual(['directory.jsonl', 'night-7.jsonl', 'notes.txt'])
  })
})
