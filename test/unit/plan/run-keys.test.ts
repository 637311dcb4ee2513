import { createHash } from 'node:crypto'
import { chmod, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { keyFixOf } from '../../../src/plan/keys/key-fix.ts'
import { createPlan, type Plan, type PlanOptions } from '../../../src/plan/plan.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { windowSize } from '../../../src/plan/sources/walk.ts'
import { defaultSettings } from '../../support/settings.ts'
import { all, tree } from './tree.ts'

const runsAsRoot = process.getuid?.() === 0
const nowMs = Date.UTC(2026, 10, 22, 7, 38)

type Given = Partial<PlanOptions['settings']> & { signal?: AbortSignal; warn?: PlanOptions['warn']; fix?: boolean }

/** A plan after its survey. */
async function surveyed(cwd: string, { signal, warn, fix, ...settings }: Given): Promise<Plan> {
  const plan = await createPlan({
    settings: { ...defaultSettings, sources: ['.'], ...settings },
    lanes: [
      { place: 'here', prefix: 'p/', keyProblem: () => undefined, fixName: fix === true ? keyFixOf({}) : undefined },
    ],
    cwd,
    nowMs,
    runId: 'this-run',
    signal,
    stdin: () => expect.fail('standard input was opened'),
    warn: warn ?? ((message) => expect.fail(message)),
    say: () => {},
    isOwn: () => false,
  })
  await plan.survey(() => {})
  return plan
}

async function planned(cwd: string, given: Given): Promise<PlannedFile[]> {
  const plan = await surveyed(cwd, given)
  try {
    return await all(plan.files())
  } finally {
    await plan.dispose()
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Path, and key or why there is none. */
function outcome({ path, key, skip, problem }: PlannedFile): [string, string] {
  return [path, problem?.code ?? skip ?? key]
}

describe('keys made of bytes', () => {
  it('have the sum of these, and stand for the file as it was then', async () => {
    const dir = await tree('a/one.wav=1', 'two.wav=2', 'empty.txt=')
    await utimes(join(dir, 'two.wav'), 1, 2)
    const files = await planned(dir, { key: '{sha256}{ext}' })
    expect(files.map(outcome)).toEqual([
      ['./a/one.wav', `p/${sha256('1')}.wav`],
      ['./empty.txt', `p/${sha256('')}.txt`],
      ['./two.wav', `p/${sha256('2')}.wav`],
    ])
    expect(files[2]).toMatchObject({ size: 1, mtimeMs: 2000, pinned: true })
  })

  it('are not read for a listing', async () => {
    const plan = await surveyed(await tree('one.wav=1'), { key: '{sha256}{ext}' })
    expect((await all(plan.listed())).map(outcome)).toEqual([['./one.wav', `p/${'0'.repeat(64)}.wav`]])
  })

  it.each([
    ['{sha256}/{name}', 'p/'],
    ['x/{sha256}/{name}', 'p/x/'],
    ['x-{sha256}', 'p/'],
    ['x/{name}/{sha256}', 'p/x/a/'],
  ])('by %s begin with %j, as far as that is known before', async (key, prefix) => {
    const plan = await surveyed(await tree('a.wav=1'), { key })
    expect(plan.scope(0)).toEqual({ files: 1, prefix })
    for (const file of await all(plan.files())) expect(file.key.startsWith(prefix)).toBe(true)
  })

  it('are the same for files of the same bytes, of which the first is sent', async () => {
    const dir = await tree('a.wav=same', 'b.wav=same', 'c.wav=other', 'd.mp3=same', 'e.wav=same')
    expect((await planned(dir, { key: '{sha256}{ext}' })).map(outcome)).toEqual([
      ['./a.wav', `p/${sha256('same')}.wav`],
      ['./b.wav', 'duplicate-content'],
      ['./c.wav', `p/${sha256('other')}.wav`],
      ['./d.mp3', `p/${sha256('same')}.mp3`],
      ['./e.wav', 'duplicate-content'],
    ])
  })

  it('tell a file that is listed twice from itself', async () => {
    const files = await planned(await tree('a.wav=same'), { sources: ['a.wav', './a.wav'], key: '{sha256}' })
    expect(files.map(outcome)).toEqual([
      ['a.wav', `p/${sha256('same')}`],
      ['./a.wav', 'duplicate-content'],
    ])
    expect(files.map(({ occurrence }) => occurrence)).toEqual([undefined, 2])
  })

  it('are no reason to leave out a file of other bytes, however it is named', async () => {
    const [one, two] = [sha256('1'), sha256('2')]
    // Both become n + the first's sum + x + the second's sum + y.
    const dir = await tree(`x${two}y/n=1`, `y/n${one}x=2`)
    const files = await planned(dir, { key: '{name}{sha256}{dir}' })
    expect(files.map(outcome)).toEqual([
      [`./x${two}y/n`, `p/n${one}x${two}y`],
      [`./y/n${one}x`, 'KEY_INVALID'],
    ])
    expect(files[1]?.problem?.message).toContain('is that of another file with other bytes')
  })

  it('fail with what keeps the file from being read', async () => {
    if (runsAsRoot) console.log('Not tried as root: a file that may not be read.')
    const dir = await tree('a.wav', 'gone.wav', 'locked.wav', 'now-a-directory.wav', 'x')
    const plan = await surveyed(dir, { key: '{sha256}{ext}' })
    await rm(join(dir, 'gone.wav'))
    if (!runsAsRoot) await chmod(join(dir, 'locked.wav'), 0)
    await rm(join(dir, 'now-a-directory.wav'))
    await rename(await tree(), join(dir, 'now-a-directory.wav'))
    expect((await all(plan.files())).map(outcome)).toEqual([
      ['./a.wav', `p/${sha256('a.wav')}.wav`],
      ['./gone.wav', 'SOURCE_NOT_FOUND'],
      ['./locked.wav', runsAsRoot ? `p/${sha256('locked.wav')}.wav` : 'SOURCE_UNREADABLE'],
      ['./now-a-directory.wav', 'SOURCE_UNREADABLE'],
      ['./x', `p/${sha256('x')}`],
    ])
  })

  it('are those of the file as it is when it is read, its size and time included', async () => {
    const dir = await tree('a.wav=1')
    const plan = await surveyed(dir, { key: '{size}-{mtime}-{sha256}' })
    await writeFile(join(dir, 'a.wav'), 'longer')
    await utimes(join(dir, 'a.wav'), 86_400, 86_400)
    const [file] = await all(plan.files())
    expect(file).toMatchObject({ key: `p/6-1970-01-02-${sha256('longer')}`, size: 6, mtimeMs: 86_400_000 })
  })

  it('are none of a file that has become what may not be sent since it was scanned', async () => {
    const dir = await tree('a.txt=1', 'b.txt=2', 'c.txt=3')
    const limits = { ...defaultSettings.limits, maxSize: 10, allowType: ['text/*'] }
    const plan = await surveyed(dir, { key: '{sha256}', limits })
    await writeFile(join(dir, 'a.txt'), 'too long by now')
    await writeFile(join(dir, 'b.txt'), Buffer.from([0, 1, 2]))
    await writeFile(join(dir, 'c.txt'), 'longer')
    expect((await all(plan.files())).map(outcome)).toEqual([
      ['./a.txt', 'TOO_LARGE'],
      ['./b.txt', 'TYPE_NOT_ALLOWED'],
      ['./c.txt', `p/${sha256('longer')}`],
    ])
  })

  it('stay what they are, each time the files are gone through', async () => {
    const dir = await tree('a.wav=1', 'b.wav=1')
    const plan = await surveyed(dir, { key: '{sha256}{ext}' })
    const first = await all(plan.files())
    await writeFile(join(dir, 'a.wav'), '2')
    expect(await all(plan.files())).toEqual(first)
  })

  it('come in order, of more files than are read ahead', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `f${String(index).padStart(3, '0')}=${index % 150}`)
    const files = await planned(await tree(...names), { key: '{sha256}' })
    expect(files.map(({ path }) => path)).toEqual(names.map((name) => `./${name.replace(/=.*/, '')}`))
    expect(files.filter(({ skip }) => skip !== undefined)).toHaveLength(50)
  })

  it('are not made once the run is stopped, or the plan is done with', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `f${index}`)
    const dir = await tree(...names)
    const stop = new AbortController()
    const stopped = await surveyed(dir, { key: '{sha256}', signal: stop.signal })
    stop.abort()
    expect(await all(stopped.files())).toEqual([])
    const few = await surveyed(await tree('a', 'b'), { key: '{sha256}', signal: stop.signal })
    expect(await all(few.files())).toEqual([])
    const disposed = await surveyed(dir, { key: '{sha256}' })
    const seen: PlannedFile[] = []
    for await (const file of disposed.files()) {
      seen.push(file)
      if (seen.length === 1) await disposed.dispose()
    }
    expect(seen.length).toBeLessThan(100)
  })

  it('are no longer made once nobody wants them', async () => {
    const dir = await tree('a', 'b')
    const plan = await surveyed(dir, { key: '{sha256}' })
    const files = plan.files()[Symbol.asyncIterator]()
    expect((await files.next()).done).toBe(false)
    await files.return?.(undefined)
    expect((await files.next()).done).toBe(true)
  })
})

describe('keys that name the run', () => {
  const key = '{now:yyyy/MM/dd HHmm}/{run}/{path}'

  it('have its id and its beginning', async () => {
    const [file] = await planned(await tree('a.wav'), { key })
    expect(file?.key).toBe('p/2026/11/22 0738/this-run/a.wav')
  })

  it('have those of the run that is continued', async () => {
    const dir = await tree('a.wav', 'b.wav')
    const plan = await surveyed(dir, { sources: ['.', './a.wav'], key })
    await plan.belongsTo({ id: 'that-run', startedAtMs: Date.UTC(2026, 0, 1) })
    const keys = ['p/2026/01/01 0000/that-run/a.wav', 'p/2026/01/01 0000/that-run/b.wav']
    expect((await all(plan.files())).map((file) => file.key)).toEqual(keys)
    expect((await all(plan.listed())).map((file) => file.key)).toEqual(keys)
  })

  it('are not looked for again where they name no run, or it is the same', async () => {
    const dir = await tree('a.wav')
    const plain = await surveyed(dir, { key: '{path}' })
    const same = await surveyed(dir, { key })
    await writeFile(join(dir, 'b.wav'), '')
    await plain.belongsTo({ id: 'that-run', startedAtMs: 0 })
    await same.belongsTo({ id: 'this-run', startedAtMs: nowMs })
    for (const plan of [plain, same]) expect(await all(plan.files())).toHaveLength(1)
  })

  it('end with the run while they are looked for again', async () => {
    const stop = new AbortController()
    const plan = await surveyed(await tree('a.wav'), { key, signal: stop.signal })
    stop.abort(new Error('stopped'))
    await expect(plan.belongsTo({ id: 'that-run', startedAtMs: 0 })).rejects.toThrow('stopped')
  })

  it('are told of once, where they are changed', async () => {
    const warn = vi.fn()
    const dir = await tree()
    await writeFile(join(dir, '=41.wav'), '')
    const plan = await surveyed(dir, { key, fix: true, warn })
    await plan.belongsTo({ id: 'that-run', startedAtMs: 0 })
    expect((await all(plan.files()))[0]?.key).toBe('p/1970/01/01 0000/that-run/=3D41.wav')
    expect(warn).toHaveBeenCalledOnce()
  })
})

describe('{uuid}', () => {
  it('gives each file its own, and the same each time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}.wav`)
    const plan = await surveyed(await tree(...names), { key: '{uuid}{ext}' })
    const keys = (await all(plan.files())).map((file) => file.key)
    expect(new Set(keys).size).toBe(20)
    for (const each of keys) expect(each).toMatch(/^p\/[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}\.wav$/)
    expect((await all(plan.files())).map((file) => file.key)).toEqual(keys)
  })

  it('stays also where there are too many files to be held', async () => {
    const dir = await tree('f')
    await writeFile(join(dir, 'list.txt'), 'f\n'.repeat(windowSize + 1))
    const plan = await surveyed(dir, { sources: [], filesFrom: 'list.txt', key: '{uuid}' })
    const keys = (await all(plan.files())).map((file) => file.key)
    expect((await all(plan.files())).map((file) => file.key)).toEqual(keys)
  })
})
