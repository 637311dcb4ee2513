import { symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Settings } from '../../../src/config/settings.ts'
import { UsageError } from '../../../src/errors.ts'
import { createPlan } from '../../../src/plan/plan.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { UnkeptProperties } from '../../../src/plan/unkept-properties.ts'
import { defaultSettings } from '../../support/settings.ts'
import { all, posix, tree } from './tree.ts'

const now = Date.UTC(2026, 10, 22, 6)
const hourMs = 3_600_000

interface Planned {
  readonly files: readonly PlannedFile[]
  readonly warnings: readonly string[]
  readonly surveyed: { readonly files: number; readonly bytes: number; readonly junkSkipped: number }
}

async function planned(
  cwd: string,
  given: Partial<Settings>,
  prefix = '',
  unkept?: UnkeptProperties,
): Promise<Planned> {
  const warnings: string[] = []
  const plan = await createPlan({
    settings: { ...defaultSettings, sources: [], ...given },
    lanes: [{ place: 'here', prefix, keyProblem: () => undefined, unkept }],
    cwd,
    nowMs: now,
    runId: 'run',
    stdin: () => Readable.from([]),
    warn: (message) => void warnings.push(message),
    say: () => {},
    isOwn: () => false,
  })
  try {
    const surveyed = await plan.survey(() => {})
    return { files: await all(plan.files()), warnings, surveyed }
  } finally {
    await plan.dispose()
  }
}

/** Keys in scan order; of a file that fails, `CODE path`. */
async function keys(cwd: string, given: Partial<Settings>, prefix = ''): Promise<string[]> {
  const { files } = await planned(cwd, given, prefix)
  return files.map(({ problem, path, key }) => (problem ? `${problem.code} ${path}` : key))
}

describe('--newer-than and --older-than', () => {
  /** Files of 0, 1, 2 and 3 hours, and a directory that is as old as the world. */
  async function aged(): Promise<string> {
    const dir = await tree('h0', 'h1', 'old/h2', 'old/h3', '.DS_Store')
    for (const [name, hours] of [
      ['h0', 0],
      ['h1', 1],
      ['old/h2', 2],
      ['old/h3', 3],
      ['old', 10_000],
    ] as const) {
      const seconds = (now - hours * hourMs) / 1000
      await utimes(join(dir, name), seconds, seconds)
    }
    return dir
  }

  it.each<[string, Partial<Settings>, string[]]>([
    ['newer', { newerThan: { agoMs: 2 * hourMs } }, ['1 h0', '2 h1', '3 old/h2']],
    ['older', { olderThan: { agoMs: 2 * hourMs } }, ['1 old/h3']],
    ['between', { newerThan: { agoMs: 2 * hourMs }, olderThan: { atMs: now } }, ['1 h1', '2 old/h2']],
    ['a source given by name, too', { sources: ['h0', 'h1'], olderThan: { agoMs: hourMs / 2 } }, ['1 h1']],
    [
      'what a pattern matches, too',
      { sources: ['**'], olderThan: { agoMs: hourMs / 2 } },
      ['1 h1', '2 old/h2', '3 old/h3'],
    ],
  ])('%s: others have no number and are not counted', async (_, given, expected) => {
    const { files, surveyed } = await planned(await aged(), { sources: ['.'], ...given })
    expect(files.map(({ index, key }) => `${index} ${key}`)).toEqual(expected)
    expect(surveyed.files).toBe(expected.length)
    expect(surveyed.bytes).toBe(files.reduce((sum, { size }) => sum + (size ?? 0), 0))
  })

  it('what fails stays, and so does standard input', async () => {
    const dir = await aged()
    if (posix) await symlink('nowhere', join(dir, 'broken'))
    const given = { sources: ['.', '-', 'gone'], key: '{index}', olderThan: { atMs: 0 } }
    const { files } = await planned(dir, given)
    expect(files.map(({ path, problem }) => `${path} ${problem?.code}`)).toEqual([
      ...(posix ? ['./broken SOURCE_NOT_FOUND'] : []),
      '- undefined',
      'gone SOURCE_NOT_FOUND',
    ])
  })

  it('a message says so where nothing is left', async () => {
    const dir = await aged()
    const given = { sources: ['.'], newerThan: { agoMs: 0 }, olderThan: { atMs: now + 1 } }
    await utimes(join(dir, 'h0'), 0, 0)
    await expect(planned(dir, given)).rejects.toThrow(
      'nothing to upload: no file matches the sources and filters (1 passed over as system files, 4 left out by --newer-than or --older-than); --allow-empty',
    )
    await expect(planned(dir, { ...given, sources: ['h0', 'old'] })).rejects.toThrow(
      'filters (3 left out by --newer-than or --older-than); --allow-empty',
    )
    expect((await planned(dir, { ...given, allowEmpty: true })).files).toEqual([])
  })
})

describe.runIf(posix)('--follow', () => {
  it('enters linked directories below every kind of source', async () => {
    const dir = await tree('in/a', 'out/sub/b', 'list=in')
    await symlink('../out', join(dir, 'in', 'link'))
    await symlink('.', join(dir, 'in', 'loop'))
    for (const given of [{ sources: ['in'] }, { sources: ['in/**'] }]) {
      expect(await keys(dir, given)).toEqual(['a'])
      const { files, warnings } = await planned(dir, { ...given, follow: true })
      expect(files.map(({ key }) => key)).toEqual(['a', 'link/sub/b'])
      expect(warnings).toEqual(['in/loop is a loop: it leads back to in; not entered'])
    }
    expect(await keys(dir, { filesFrom: 'list', follow: true })).toEqual(['in/a', 'in/link/sub/b'])
  })
})

describe('a manifest', () => {
  const files = ['audio/a.wav', 'audio/x/b.wav', 'c.bin', '-']

  async function manifest(...lines: readonly object[]): Promise<string> {
    const dir = await tree(...files)
    await writeFile(join(dir, 'l.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'))
    return dir
  }

  it.each<[string, object[], Partial<Settings>, string[]]>([
    [
      'paths alone',
      [{ path: 'audio/a.wav' }, { path: './c.bin' }, { path: '-' }],
      {},
      ['p/audio/a.wav', 'p/c.bin', 'p/-'],
    ],
    ['a key is what follows the prefix', [{ path: 'c.bin', key: 'x/y.bin' }], {}, ['p/x/y.bin']],
    ['it is no template', [{ path: 'c.bin', key: '{name}{ext}' }], {}, ['p/{name}{ext}']],
    [
      'it is stronger than --key',
      [{ path: 'c.bin', key: 'x' }, { path: 'audio/a.wav' }],
      { key: '{index}{ext}' },
      ['p/x', 'p/2.wav'],
    ],
    [
      'and than --flatten',
      [{ path: 'audio/a.wav', key: 'x/y' }, { path: 'audio/x/b.wav' }],
      { flatten: true },
      ['p/x/y', 'p/b.wav'],
    ],
    ['in NFC', [{ path: 'c.bin', key: 'a\u0308' }], {}, ['p/ä']],
    [
      'what is no key',
      [
        { path: 'c.bin', key: '../x' },
        { path: '-', key: '' },
        { path: 'audio/a.wav', key: '/a' },
      ],
      {},
      ['KEY_INVALID c.bin', 'KEY_INVALID ./-', 'KEY_INVALID audio/a.wav'],
    ],
    ['a directory', [{ path: 'audio' }], {}, ['p/audio/a.wav', 'p/audio/x/b.wav']],
    ['a directory with a key', [{ path: 'audio', key: 'x' }, { path: 'c.bin' }], {}, ['KEY_INVALID audio', 'p/c.bin']],
    ['an excluded one', [{ path: 'audio', key: 'x' }, { path: 'c.bin' }], { exclude: ['audio/'] }, ['p/c.bin']],
    ['one that is gone', [{ path: 'gone', key: 'x' }], {}, ['SOURCE_NOT_FOUND gone']],
    [
      'outside, by its key',
      [{ path: '../x', key: 'x' }, { path: '../y' }],
      {},
      ['SOURCE_NOT_FOUND ../x', 'KEY_INVALID ../y'],
    ],
    [
      'the same file under several keys',
      [
        { path: 'c.bin', key: '1' },
        { path: 'c.bin', key: '2' },
      ],
      {},
      ['p/1', 'p/2'],
    ],
    [
      'the same file under one key',
      [
        { path: 'c.bin', key: '1' },
        { path: './c.bin', key: '1' },
      ],
      {},
      ['p/1'],
    ],
  ])('%s', async (_, lines, given, expected) => {
    expect(await keys(await manifest(...lines), { filesFrom: 'l.jsonl', ...given }, 'p/')).toEqual(expected)
  })

  it('an absolute path with a key', async () => {
    const dir = await tree('l/', 'audio/a.wav')
    const path = join(dir, 'audio', 'a.wav')
    await writeFile(join(dir, 'l', 'l.jsonl'), JSON.stringify({ path, key: 'x/y.wav' }))
    const [file] = (await planned(join(dir, 'l'), { filesFrom: 'l.jsonl' })).files
    expect(file).toMatchObject({ path, source: 'a.wav', key: 'x/y.wav', size: 11, problem: undefined })
  })

  it('properties are stronger than options and rules; what is not said comes from those', async () => {
    const dir = await manifest(
      { path: 'c.bin', contentType: 'audio/flac', metadata: { a: '1' } },
      { path: 'audio', cacheControl: 'no-store' },
      { path: '-' },
    )
    const { files: found } = await planned(dir, {
      filesFrom: 'l.jsonl',
      contentType: 'text/plain',
      properties: { cacheControl: 'max-age=1', metadata: { b: '2' }, storageClass: 'GLACIER' },
    })
    const general = { cacheControl: 'max-age=1', metadata: { b: '2' }, storageClass: 'GLACIER' }
    expect(found.map(({ path, contentType, properties }) => [path, contentType, properties])).toEqual([
      ['c.bin', 'audio/flac', { ...general, metadata: { a: '1' } }],
      ['audio/a.wav', 'text/plain', { ...general, cacheControl: 'no-store' }],
      ['audio/x/b.wav', 'text/plain', { ...general, cacheControl: 'no-store' }],
      ['./-', 'text/plain', general],
    ])
    expect(found[1]?.properties).toBe(found[2]?.properties)
  })

  it('a file that comes up again is told apart by which time it is', async () => {
    const dir = await manifest({ path: 'c.bin', key: '1' }, { path: 'audio/a.wav' }, { path: 'c.bin', key: '2' })
    const { files: found } = await planned(dir, { filesFrom: 'l.jsonl' })
    expect(found.map(({ key, occurrence }) => [key, occurrence])).toEqual([
      ['1', undefined],
      ['audio/a.wav', undefined],
      ['2', 2],
    ])
  })

  it('two files with one key stop the run, whatever the template', async () => {
    const dir = await manifest({ path: 'c.bin', key: 'x' }, { path: 'audio/a.wav', key: 'x' })
    for (const key of [undefined, '{uuid}']) {
      await expect(keys(dir, { filesFrom: 'l.jsonl', key })).rejects.toThrow(
        'c.bin and audio/a.wav would both become x',
      )
    }
  })

  it('a key is not made of the bytes where it is given', async () => {
    const dir = await manifest({ path: 'c.bin', key: 'x' }, { path: 'audio/a.wav' })
    const found = await keys(dir, { filesFrom: 'l.jsonl', key: '{sha256}' })
    expect(found).toEqual(['x', expect.stringMatching(/^[0-9a-f]{64}$/)])
  })

  it('faults are told before anything is sent', async () => {
    const dir = await manifest({ path: 'c.bin' }, { path: '' }, { path: 'c.bin', sie: 7 })
    const surveying = planned(dir, { filesFrom: 'l.jsonl' })
    await expect(surveying).rejects.toThrow(UsageError)
    await expect(surveying).rejects.toThrow(/l\.jsonl:2: path: found ""[\s\S]*l\.jsonl:3: unknown key "sie"/)
  })

  it('tells once of what the destination cannot keep', async () => {
    const dir = await manifest(
      { path: 'c.bin', tags: { a: '1' }, metadata: { b: '2' } },
      { path: 'audio', tags: { a: '1' }, storageClass: 'GLACIER' },
    )
    const names = new Set(['tags', 'storageClass'] as const)
    const given = { filesFrom: 'l.jsonl' }
    const { warnings } = await planned(dir, given, '', { where: 'some destinations', names })
    expect(warnings).toEqual([
      '--files-from: tags has no effect for some destinations',
      '--files-from: storageClass has no effect for some destinations',
    ])
    expect((await planned(dir, given)).warnings).toEqual([])
  })

  it('metadata and the time of each file, by one name', async () => {
    const dir = await manifest({ path: 'c.bin', metadata: { mtime: '1' } })
    const route = {
      name: 'routes[0]',
      when: { match: [], type: [], minSize: undefined, maxSize: undefined },
      skip: false,
    }
    const settings: Settings = { ...defaultSettings, preserve: 'mtime' }
    for (const given of [{ preserve: 'mtime' }, { routes: [{ ...route, settings }] }] as const) {
      await expect(planned(dir, { filesFrom: 'l.jsonl', ...given })).rejects.toThrow(
        'l.jsonl:1: metadata: mtime is what',
      )
    }
    expect(await keys(dir, { filesFrom: 'l.jsonl' })).toEqual(['c.bin'])
  })

  it('a list with another ending is one of paths', async () => {
    const dir = await tree('{"path":"a"}', 'list={"path":"a"}')
    expect(await keys(dir, { filesFrom: 'list' })).toEqual(['{"path":"a"}'])
  })
})
