import { describe, expect, it, onTestFinished } from 'vitest'
import type { FileRecord, JournalRecord, RunRecord } from '../../../src/observe/records.ts'
import { type IndexOptions, indexJournal, type JournalIndex } from '../../../src/resume/journal-index.ts'
import { fileRecord, runRecord } from '../observe/events.ts'
import { journalOf, part, planned, textOf, uploadStarted } from './journal.ts'

const options: IndexOptions = { anchor: '/work', keepsKeys: false }

const run = (changes: Partial<RunRecord> = {}): RunRecord => runRecord({ cwd: '/work', ...changes })

function file(path: string, changes: Partial<FileRecord> = {}): FileRecord {
  const source = path.replace(/^.*\//, '')
  return fileRecord({ path, source, key: source, etag: `"${path}"`, ...changes })
}

async function index(
  lines: readonly (JournalRecord | string | Buffer)[],
  over: Partial<IndexOptions> = {},
): Promise<JournalIndex> {
  const made = await indexJournal(await journalOf(...lines), { ...options, ...over })
  onTestFinished(made.close)
  return made
}

describe('a file that is done', () => {
  it.each<[status: FileRecord['status'], reason: FileRecord['reason'], done: boolean]>([
    ['uploaded', undefined, true],
    ['skipped', 'already-uploaded', true],
    ['skipped', 'exists', true],
    ['skipped', 'unchanged', true],
    ['skipped', 'not-newer', false],
    ['skipped', undefined, false],
    ['failed', undefined, false],
    ['cancelled', undefined, false],
    ['undone', undefined, false],
  ])('%s (%s): %s', async (status, reason, done) => {
    const { byPath } = await index([run(), file('a.wav', { status, reason })])
    const found = await byPath.find(planned('a.wav'))
    expect(found).toEqual(
      done
        ? { key: 'a.wav', done: expect.objectContaining({ status, etag: '"a.wav"' }), unfinished: undefined }
        : undefined,
    )
  })

  it('is what its last line says', async () => {
    const { byPath } = await index([
      run(),
      file('a.wav', { status: 'failed' }),
      file('b.wav'),
      run({ invocation: 2 }),
      file('a.wav'),
      file('b.wav', { status: 'undone' }),
    ])
    expect((await byPath.find(planned('a.wav')))?.done).toMatchObject({ status: 'uploaded' })
    expect(await byPath.find(planned('b.wav'))).toBeUndefined()
  })

  it('is none that was taken back under another name of its file', async () => {
    const lines = [
      run(),
      file('sub/a.wav', { key: 'a.wav' }),
      file('sub/b.wav', { key: 'b.wav' }),
      run({ invocation: 2, cwd: '/work/sub' }),
      file('a.wav', { status: 'skipped', reason: 'already-uploaded' }),
      file('sub/a.wav', { key: 'a.wav', status: 'undone' }),
      file('sub/b.wav', { key: 'b.wav', status: 'undone' }),
      file('b.wav'),
    ]
    const { byPath, bySource } = await index(lines)
    for (const earlier of [byPath, await bySource()]) {
      expect((await earlier.find(planned('sub/a.wav')))?.done).toBeUndefined()
      expect((await byPath.find(planned('sub/b.wav')))?.done).toBeDefined()
    }
  })

  it('is found by where it lies, from wherever it was named', async () => {
    const lines = [
      run({ cwd: '/work/sub' }),
      file('../a.wav'),
      file('/work/b.wav'),
      run({ invocation: 2 }),
      file('sub/c.wav'),
    ]
    const { byPath, has } = await index(lines)
    for (const path of ['a.wav', './a.wav', '/work/a.wav', 'b.wav', 'sub/c.wav']) {
      expect((await byPath.find(planned(path)))?.done, path).toBeDefined()
      expect(has(planned(path)), path).toBe(true)
    }
    expect(await byPath.find(planned('sub/a.wav'))).toBeUndefined()
    expect(has(planned('sub/a.wav'))).toBe(false)
  })

  it('under another key than the one it is to have now is not', async () => {
    const { byPath } = await index([run(), file('a.wav', { key: 'old/a.wav' })])
    expect(await byPath.find(planned('a.wav'))).toBeUndefined()
  })

  it('is told apart by its occurrence', async () => {
    const { byPath } = await index([
      run(),
      file('a.wav', { etag: '"1"' }),
      file('a.wav', { occurrence: 2, etag: '"2"' }),
    ])
    const etagOf = async (occurrence?: number): Promise<string | undefined> =>
      (await byPath.find(planned('a.wav', { occurrence })))?.done?.etag
    expect([await etagOf(), await etagOf(2), await etagOf(3)]).toEqual(['"1"', '"2"', undefined])
  })

  it('may have any name', async () => {
    const names = ['a","source":"b', 'ö\u2028\n"\\', '"occurrence":2', '-', `${'x'.repeat(300_000)}.wav`, ' ']
    const { byPath } = await index([run(), ...names.map((name) => file(name, { key: 'k' }))])
    for (const name of names) {
      const found = await byPath.find(planned(name, { key: 'k' }))
      expect(found?.done?.path, name.slice(0, 50)).toBe(name)
    }
    expect(await byPath.find(planned('a', { key: 'k' }))).toBeUndefined()
  })

  it('is not what a power cut has left of a line', async () => {
    const whole = textOf(file('b.wav')).toString()
    const holed = Buffer.from(whole)
    holed.fill(0, 30, 60)
    const lines = [run(), 'no json\n', '{"type":"file","path":7,"source":"x"}\n', '{"type":"file","path":"x\n', holed]
    const torn = `${whole.replaceAll('b.wav', 'c.wav').slice(0, -20)}\n`
    const { byPath, isEmpty } = await index([...lines, torn, '{"type":"run","cut\n', file('a.wav'), whole.slice(0, 70)])
    expect(isEmpty).toBe(false)
    expect((await byPath.find(planned('a.wav')))?.done).toBeDefined()
    for (const name of ['b.wav', 'c.wav', 'x']) expect(await byPath.find(planned(name)), name).toBeUndefined()
  })

  it('is found among a great many', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => file(`in/${n}.wav`))
    const { byPath } = await index([run(), ...lines])
    for (let n = 0; n < 20_000; n += 7) {
      const path = `in/${(n * 13) % 20_000}.wav`
      expect((await byPath.find(planned(path)))?.done?.path).toBe(path)
    }
  })
})

describe('a half-sent file', () => {
  it('has its parts, each as it was sent last', async () => {
    const { byPath, has } = await index([
      run(),
      uploadStarted('a.wav'),
      part('a.wav', 1),
      part('a.wav', 2),
      part('a.wav', 1, { etag: '"again"' }),
      part('other.wav', 1),
    ])
    expect(has(planned('a.wav'))).toBe(true)
    expect(await byPath.find(planned('a.wav'))).toEqual({
      key: 'a.wav',
      done: undefined,
      unfinished: {
        uploadId: 'id of a.wav',
        partSize: 8,
        size: 20,
        mtime: '2026-11-01T10:00:00.000Z',
        parts: [
          { partNumber: 1, size: 8, etag: '"again"', checksum: undefined },
          { partNumber: 2, size: 8, etag: '"2"', checksum: undefined },
        ],
      },
    })
  })

  it('is the upload that was begun last', async () => {
    const { byPath } = await index([
      run(),
      uploadStarted('a.wav'),
      part('a.wav', 1),
      uploadStarted('a.wav', { uploadId: 'second' }),
      part('a.wav', 2, { uploadId: 'second' }),
      part('a.wav', 3),
    ])
    const { unfinished } = (await byPath.find(planned('a.wav'))) ?? {}
    expect([unfinished?.uploadId, unfinished?.parts.map(({ partNumber }) => partNumber)]).toEqual(['second', [2]])
  })

  it.each<[status: FileRecord['status'], stays: boolean]>([
    ['uploaded', false],
    ['failed', true],
    ['cancelled', true],
  ])('that was %s later: %s', async (status, stays) => {
    const { byPath } = await index([run(), uploadStarted('a.wav'), file('a.wav', { status })])
    expect((await byPath.find(planned('a.wav')))?.unfinished !== undefined).toBe(stays)
  })

  it('that had been done before, as another version, is both', async () => {
    const { byPath } = await index([run(), file('a.wav'), run({ invocation: 2 }), uploadStarted('a.wav')])
    const found = await byPath.find(planned('a.wav'))
    expect([found?.done?.status, found?.unfinished?.uploadId]).toEqual(['uploaded', 'id of a.wav'])
  })

  it('under another key is not gone on with', async () => {
    const { byPath } = await index([run(), uploadStarted('a.wav', { key: 'old' })])
    expect(await byPath.find(planned('a.wav'))).toBeUndefined()
  })
})

describe('under a template that numbers files', () => {
  const numbered = { keepsKeys: true }

  it('each keeps its key, whatever became of it', async () => {
    const { byPath } = await index(
      [
        run(),
        file('a.wav', { key: '1.wav' }),
        file('b.wav', { key: '2.wav', status: 'failed' }),
        uploadStarted('c.wav', { key: '3.wav' }),
      ],
      numbered,
    )
    const find = (path: string) => byPath.find(planned(path, { key: '9.wav' }))
    expect(await find('a.wav')).toMatchObject({ key: '1.wav', done: { key: '1.wav' } })
    expect(await find('b.wav')).toEqual({ key: '2.wav', done: undefined, unfinished: undefined })
    expect(await find('c.wav')).toMatchObject({ key: '3.wav', unfinished: { uploadId: 'id of c.wav' } })
    expect(await find('d.wav')).toBeUndefined()
  })

  it('a new file does not get the key of another one', async () => {
    const { byPath } = await index([run(), file('a.wav', { key: '1.wav' })], numbered)
    await expect(byPath.find(planned('0.wav', { key: '1.wav' }))).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringContaining('its key 1.wav belongs to a.wav since the run began'),
    })
  })
})

describe('bySource', () => {
  it('finds files that lie elsewhere now by their names, where those are unique', async () => {
    const made = await index([
      run({ cwd: '/elsewhere' }),
      file('in/a.wav', { source: 'a.wav', status: 'failed' }),
      file('in/a.wav', { source: 'a.wav' }),
      file('x/twice.wav', { source: 'twice.wav' }),
      file('y/twice.wav', { source: 'twice.wav' }),
      uploadStarted('in/half.wav'),
      uploadStarted('x/both.wav', { uploadId: '1' }),
      uploadStarted('y/both.wav', { uploadId: '2' }),
    ])
    for (const name of ['a.wav', 'twice.wav', 'half.wav']) expect(made.has(planned(name))).toBe(false)
    const earlier = await made.bySource()
    expect((await earlier.find(planned('a.wav')))?.done?.path).toBe('in/a.wav')
    expect((await earlier.find(planned('half.wav')))?.unfinished?.uploadId).toBe('id of half.wav')
    for (const name of ['twice.wav', 'both.wav', 'none.wav'])
      expect(await earlier.find(planned(name)), name).toBeUndefined()
  })

  it('has nothing of an empty journal', async () => {
    const made = await index([run()])
    expect(made.isEmpty).toBe(true)
    expect(await (await made.bySource()).find(planned('a.wav'))).toBeUndefined()
  })
})

describe('a run to several destinations', () => {
  const aws = (to: string): string => `${to} at AWS`
  const several = run({
    to: 's3://bucket/',
    config: {
      routes: [
        { to: 's3://other/', s3: {} },
        { to: 's3://far/', s3: { endpointUrl: 'http://h/' } },
      ],
    },
  })
  const places = [aws('s3://bucket/'), aws('s3://other/'), 's3://far/ at http://h']
  const at = (destination: string, changes: Partial<FileRecord> = {}) => file('a.wav', { destination, ...changes })

  it.each<[string, number, boolean]>([
    ['s3://bucket/', 0, true],
    ['s3://bucket/', 1, false],
    ['s3://other/', 1, true],
    ['s3://other/', 0, false],
    ['s3://far/', 2, true],
    ['s3://nobody-knows/', 0, false],
  ])('what went to %s is done for lane %i: %s', async (destination, lane, isDone) => {
    const { byPath, bySource } = await index([several, at(destination)], { places })
    for (const earlier of [byPath, await bySource()]) {
      expect((await earlier.find(planned('a.wav', { lane }))) !== undefined).toBe(isDone)
    }
  })

  it('a half-sent upload is gone on with where it is', async () => {
    const { byPath } = await index(
      [several, uploadStarted('a.wav', { destination: 's3://other/' }), uploadStarted('b.wav')],
      { places },
    )
    const unfinished = async (path: string, lane: number) =>
      (await byPath.find(planned(path, { lane })))?.unfinished?.uploadId
    expect(await unfinished('a.wav', 1)).toBe('id of a.wav')
    expect(await unfinished('a.wav', 0)).toBeUndefined()
    expect(await unfinished('b.wav', 0)).toBe('id of b.wav')
    expect(await unfinished('b.wav', 1)).toBeUndefined()
  })

  it('what was taken back at one is still at the other, under the same key', async () => {
    const b = file('b.wav', { key: 'a.wav', destination: 's3://other/' })
    const lines = [several, at('s3://bucket/'), b, at('s3://bucket/', { status: 'undone' })]
    const { byPath } = await index(lines, { places })
    expect(await byPath.find(planned('a.wav', { lane: 0 }))).toBeUndefined()
    expect((await byPath.find(planned('b.wav', { key: 'a.wav', lane: 1 })))?.done).toMatchObject({ path: 'b.wav' })
  })

  it('a key that is taken at one is free at the other', async () => {
    const { byPath } = await index([several, at('s3://bucket/')], { places, keepsKeys: true })
    const another = (lane: number) => byPath.find(planned('c.wav', { key: 'a.wav', lane }))
    await expect(another(0)).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await another(1)).toBeUndefined()
  })

  it('a directory is the same from wherever it is named', async () => {
    const lines = [run({ to: 'file:out', cwd: '/work' }), at('file:out/')]
    const { byPath } = await index(lines, { places: ['file:/work/out'] })
    expect((await byPath.find(planned('a.wav')))?.done).toMatchObject({ path: 'a.wav' })
  })
})

describe('the other side of a rollout', () => {
  const places = ['s3://old/ at AWS', 's3://new/n/ at AWS']
  const rolledOut = run({ to: 's3://old/', config: { rollout: { candidates: [{ to: 's3://new/n/', s3: {} }] } } })
  const otherSideOf: IndexOptions['otherSideOf'] = ({ lane, key }) =>
    lane === 0
      ? { place: 's3://new/n/ at AWS', destination: 's3://new/n/', wished: `n/${key}` }
      : { place: 's3://old/ at AWS', destination: 's3://old/', wished: key.slice('n/'.length) }
  const there = (changes: Partial<FileRecord> = {}) =>
    file('a.wav', {
      key: 'n/a.wav',
      destination: 's3://new/n/',
      size: 7,
      mtime: '1970-01-01T00:00:00.000Z',
      ...changes,
    })

  it('has a file that was given to it then: its last line counts, wherever the file would go now', async () => {
    const { byPath, bySource } = await index([rolledOut, there()], { places, otherSideOf })
    for (const earlier of [byPath, await bySource()]) {
      expect(await earlier.find(planned('a.wav'))).toEqual({
        key: 'a.wav',
        elsewhere: { done: expect.objectContaining({ key: 'n/a.wav' }), destination: 's3://new/n/' },
      })
      const stayed = await earlier.find(planned('a.wav', { lane: 1, key: 'n/a.wav' }))
      expect(stayed).toMatchObject({ key: 'n/a.wav', done: { key: 'n/a.wav' } })
      expect(stayed?.elsewhere).toBeUndefined()
    }
    const back = await index([rolledOut, there(), file('a.wav', { destination: 's3://old/' })], { places, otherSideOf })
    expect((await back.byPath.find(planned('a.wav', { lane: 1, key: 'n/a.wav' })))?.elsewhere).toMatchObject({
      destination: 's3://old/',
    })
  })

  it.each<[string, Partial<FileRecord>]>([
    ['where it failed', { status: 'failed' }],
    ['where it was taken back', { status: 'undone' }],
    ['under another key', { key: 'n/other.wav' }],
    ['in a place that is none of the candidate’s', { destination: 's3://else/' }],
  ])('does not have it %s', async (_why, changes) => {
    const { byPath } = await index([rolledOut, there(changes)], { places, otherSideOf })
    expect(await byPath.find(planned('a.wav'))).toBeUndefined()
  })

  it('has it under a key that was changed', async () => {
    const changed = there({ key: 'n/=61.wav', originalKey: 'n/a.wav' })
    const { byPath } = await index([rolledOut, changed], { places, otherSideOf })
    expect((await byPath.find(planned('a.wav')))?.elsewhere?.done.key).toBe('n/=61.wav')
  })

  it('does not keep a half-sent upload from being gone on with, should the file have changed', async () => {
    const lines = [rolledOut, there(), uploadStarted('a.wav')]
    const { byPath } = await index(lines, { places, otherSideOf })
    expect(await byPath.find(planned('a.wav'))).toMatchObject({
      key: 'a.wav',
      done: undefined,
      unfinished: { uploadId: 'id of a.wav' },
      elsewhere: { destination: 's3://new/n/' },
    })
  })

  it('has numbered files by the numbers they had, unless they changed and another has the number', async () => {
    const lines = [rolledOut, there({ key: 'n/1.wav' }), file('b.wav', { key: '2.wav', destination: 's3://old/' })]
    const { byPath } = await index(lines, { places, otherSideOf, keepsKeys: true })
    expect(await byPath.find(planned('a.wav', { key: '2.wav' }))).toMatchObject({
      elsewhere: { done: { key: 'n/1.wav' } },
    })
    const changed = planned('a.wav', { key: '2.wav', size: 8 })
    await expect(byPath.find(changed)).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await byPath.find({ ...changed, key: '3.wav' })).toMatchObject({ elsewhere: { done: { key: 'n/1.wav' } } })
  })
})
