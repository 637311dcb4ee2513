import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '../../../src/errors.ts'
import type { FallbackRecord, FileRecord, JournalRecord } from '../../../src/observe/records.ts'
import { byDestination, isNowhere } from '../../../src/undo/by-destination.ts'
import { type RecordedRun, readRun } from '../../../src/undo/read-run.ts'
import { makeTempDir } from '../../support/temp-dir.ts'
import { fallbackRecord, summaryRecord } from '../observe/events.ts'
import { failed, runRecord, uploaded } from './records.ts'

async function journal(records: readonly (JournalRecord | string)[]): Promise<string> {
  const dir = await makeTempDir('read-run')
  onTestFinished(dir.remove)
  const path = join(dir.path, 'run-1.jsonl')
  const lines = records.map((record) => (typeof record === 'string' ? record : `${JSON.stringify(record)}\n`))
  await writeFile(path, lines.join(''))
  return path
}

const spotOf = (key: string): string => `s3://bucket/\n${key}`
const keysOf = (objects: RecordedRun['objects']): string[] => [...objects.values()].map(({ key }) => key)

const started = {
  type: 'upload-started',
  path: 'b',
  source: 'b',
  key: 'b',
  size: 9,
  mtime: null,
  uploadId: 'u1',
  partSize: 5,
} as const

it('knows an object by all that was sent of it, whichever invocation sent it', async () => {
  const first = uploaded({ versionId: 'v1', replaced: null })
  const second = uploaded({ versionId: 'v2', replaced: { size: 5, versionId: 'v1' } })
  const path = await journal([
    runRecord(),
    first,
    runRecord({ invocation: 2, startedAt: '2026-11-23T00:00:00.000Z' }),
    { ...first, status: 'skipped', reason: 'already-uploaded' },
    second,
  ])
  const { run, continuedAt, objects } = await readRun(path)
  expect([run.invocation, continuedAt]).toEqual([1, '2026-11-23T00:00:00.000Z'])
  expect([...objects.values()]).toEqual([
    { destination: 's3://bucket/', key: 'a.wav', uploaded: second, before: [first], replaced: null, unsure: undefined },
  ])
})

it('knows what attempts that failed may have left', async () => {
  const never = failed({ key: 'never', attempts: 0 })
  const one = failed({ key: 'one' })
  const two = failed({ key: 'two', status: 'cancelled' })
  const { objects } = await readRun(await journal([runRecord(), never, uploaded({ key: 'two' }), one, two]))
  expect(keysOf(objects)).toEqual(['two', 'one'])
  expect(objects.get(spotOf('one'))).toMatchObject({ uploaded: undefined, unsure: { key: 'one' } })
  expect(objects.get(spotOf('two'))).toMatchObject({ uploaded: { key: 'two' }, unsure: { status: 'cancelled' } })
})

it('knows when the run had ended, where it was not killed', async () => {
  const ended = [runRecord(), uploaded(), summaryRecord({ durationMs: 61_000 })]
  const endedAt = async (records: readonly JournalRecord[]) =>
    (await readRun(await journal(records))).objects.get(spotOf('a.wav'))?.endedAtMs
  expect(await endedAt(ended)).toBe(Date.parse('2026-11-22T10:01:00.000Z'))
  expect(await endedAt([...ended, runRecord({ invocation: 2 })])).toBeUndefined()
})

it('does not take what was in a file’s way for the run’s', async () => {
  const error = { code: 'ALREADY_EXISTS', message: 'it exists', retryable: false } as const
  const taken: FileRecord = { ...failed({ key: 'taken' }), error }
  const passedOver = uploaded({ key: 'passed-over', status: 'skipped', reason: 'exists' })
  const { objects } = await readRun(await journal([runRecord(), taken, passedOver, uploaded({ key: 'mine' })]))
  expect(keysOf(objects)).toEqual(['mine'])
})

it('knows what an invocation had stored that was killed before it could say so', async () => {
  const found = uploaded({ status: 'skipped', reason: 'already-uploaded', replaced: null })
  const { objects } = await readRun(await journal([runRecord(), failed({ key: 'b' }), found, { ...found, key: 'b' }]))
  expect(objects.get(spotOf('a.wav'))).toMatchObject({ uploaded: { etag: '"ours"' }, replaced: null })
  expect(objects.get(spotOf('b'))).toMatchObject({ uploaded: { etag: '"ours"' }, unsure: { status: 'failed' } })
  const others = uploaded({ status: 'skipped', reason: 'already-uploaded' })
  expect((await readRun(await journal([runRecord(), others]))).objects.size).toBe(0)
})

it('does not know what was undone, unless it was sent again', async () => {
  const undone = uploaded({ status: 'undone' })
  const again = uploaded({ versionId: 'v3', replaced: null })
  expect((await readRun(await journal([runRecord(), uploaded(), undone]))).objects.size).toBe(0)
  const { objects } = await readRun(await journal([runRecord(), uploaded(), undone, again]))
  expect(objects.get(spotOf('a.wav'))).toMatchObject({ uploaded: again, before: [], replaced: null })
})

it('lists half-sent uploads', async () => {
  const other = { ...started, key: 'c', uploadId: 'u2' }
  const path = await journal([runRecord(), started, other, uploaded({ key: 'b' }), '{"type":"file","torn'])
  expect((await readRun(path)).unfinished).toEqual([{ ...other, destination: 's3://bucket/' }])
})

it('takes lines that the file could not', async () => {
  const { objects } = await readRun(await journal([runRecord()]), [uploaded({ key: 'late' })])
  expect(keysOf(objects)).toEqual(['late'])
})

it.each([
  ['two runs', [runRecord(), runRecord({ runId: 'run-2' })], /holds more than one run \(run-1, run-2\)/],
  ['no run', [uploaded()], /is no journal or \.jsonl report/],
  ['other text', ['hello\n'], /is no journal or \.jsonl report/],
])('refuses %s', async (_name, records, message) => {
  const reading = readRun(await journal(records))
  await expect(reading).rejects.toThrow(message)
  await expect(reading).rejects.toBeInstanceOf(UsageError)
})

it('refuses a file that is not there', async () => {
  await expect(readRun('/nowhere/at/all.jsonl')).rejects.toThrow(
    new UsageError('/nowhere/at/all.jsonl cannot be read (ENOENT)'),
  )
})

it('tells objects of one key at two destinations apart, and directories that are named from elsewhere not', async () => {
  const there = uploaded({ destination: 's3://other/', replaced: null })
  const path = await journal([
    runRecord({ to: 'file:out', cwd: '/w' }),
    uploaded({ destination: 'file:out/' }),
    there,
    { ...started, key: 'a.wav' },
    { ...started, key: 'a.wav', uploadId: 'u2', destination: 's3://other/' },
    runRecord({ to: 'file:/w/out/', cwd: '/elsewhere', invocation: 2 }),
    uploaded({ destination: 'file:/w/out/', etag: '"again"' }),
  ])
  const { objects, unfinished } = await readRun(path)
  expect([...objects.values()]).toMatchObject([
    { destination: 'file:/w/out/', uploaded: { etag: '"again"' }, before: [{ etag: '"ours"' }] },
    { destination: 's3://other/', uploaded: there, replaced: null },
  ])
  expect(unfinished).toMatchObject([{ uploadId: 'u2', destination: 's3://other/' }])
  expect([...byDestination({ objects, unfinished })].map(([url, part]) => [url, part.objects.size])).toEqual([
    ['file:/w/out/', 1],
    ['s3://other/', 1],
  ])
})

it('names a directory so that it is the same one below the last invocation, which may have run elsewhere', async () => {
  const path = await journal([
    runRecord({ to: 'file:./out/', cwd: '/w' }),
    uploaded({ destination: 'file:./out/' }),
    uploaded({ key: 'b.wav', destination: 's3://other/' }),
    runRecord({ to: 'file:../w/out/', cwd: '/elsewhere', invocation: 2 }),
  ])
  const { objects } = await readRun(path)
  expect([...objects.values()].map((object) => object.uploaded?.destination)).toEqual(['file:/w/out/', 's3://other/'])
})

describe('a file that fell back from the candidate of a rollout', () => {
  const fallback = fallbackRecord({ replaced: null })
  const fellBack = uploaded({ attempts: 4, fallback })
  const there = 's3://candidate/\na.wav'

  it('may be there, too, as what is known of its attempts there tells', async () => {
    const { objects } = await readRun(await journal([runRecord(), fellBack]))
    const { error } = fallback
    const { size, startedAt } = fellBack
    expect([...objects.values()]).toEqual([
      {
        destination: 's3://candidate/',
        key: 'a.wav',
        uploaded: undefined,
        before: [],
        replaced: null,
        unsure: { size, startedAt, attempts: 3, error, parts: undefined },
      },
      { destination: 's3://bucket/', key: 'a.wav', uploaded: fellBack, before: [], replaced: undefined },
    ])
  })

  it('may be there under the key that it had there', async () => {
    const other = uploaded({ fallback: { ...fallback, destination: 's3://bucket', key: 'other/a.wav' } })
    const { objects } = await readRun(await journal([runRecord(), other]))
    expect([...objects.keys()]).toEqual([spotOf('other/a.wav'), spotOf('a.wav')])
  })

  it.each<[string, Partial<FallbackRecord>]>([
    ['where the candidate was not asked', { attempts: 0 }],
    ['where an object was in its way', { error: { code: 'ALREADY_EXISTS', message: 'it exists', retryable: false } }],
    ['where it went to the same place after that', { destination: 's3://bucket' }],
  ])('is one object: %s', async (_name, changes) => {
    const { objects } = await readRun(await journal([runRecord(), uploaded({ fallback: { ...fallback, ...changes } })]))
    expect([...objects.keys()]).toEqual([spotOf('a.wav')])
  })

  it('has left what the candidate had begun, and the baseline did not finish', async () => {
    const begun = { ...started, key: 'a.wav' }
    const own = { ...begun, uploadId: 'u2' }
    const left = uploaded({ fallback: { ...fallback, destination: 's3://bucket/', uploadId: 'u1' } })
    const { unfinished } = await readRun(await journal([runRecord(), begun, own, left]))
    expect(unfinished).toMatchObject([{ uploadId: 'u1', destination: 's3://bucket/' }])
  })

  it('is known there whatever became of it on the baseline, and stays so once it is taken back there', async () => {
    const keysAfter = async (...lines: FileRecord[]) => [
      ...(await readRun(await journal([runRecord(), ...lines]))).objects.keys(),
    ]
    expect(await keysAfter({ ...fellBack, status: 'skipped', reason: 'exists' })).toEqual([there])
    expect(await keysAfter({ ...failed({ attempts: 3 }), fallback })).toEqual([there, spotOf('a.wav')])
    expect(await keysAfter(fellBack, { ...fellBack, status: 'undone' })).toEqual([there])
  })

  it('is what the candidate has of another invocation, and may have another version of it', async () => {
    const first = uploaded({ destination: 's3://candidate/', replaced: null, versionId: 'v1' })
    const run = runRecord({ to: 's3://bucket/' })
    const { objects } = await readRun(await journal([run, first, runRecord({ invocation: 2 }), fellBack]))
    expect(objects.get(there)).toMatchObject({ uploaded: first, replaced: null, unsure: { attempts: 3 } })
  })
})

describe('a destination that cannot be asked', () => {
  const refused = { code: 'ACCESS_DENIED', message: 'no', status: 403, retryable: false } as const
  const part = async (...lines: JournalRecord[]) =>
    [...byDestination(await readRun(await journal([runRecord({ to: 's3://candidate/' }), ...lines]))).values()][0] ?? {
      objects: new Map(),
      unfinished: [],
    }
  const sent = (changes: Partial<FallbackRecord>) => uploaded({ fallback: fallbackRecord(changes) })
  const denied = { code: 'CREDENTIALS_INVALID' } as const

  it('has nothing of the run where it has refused all that came, or has no bucket', async () => {
    const all = await part(sent({ attempts: 1, error: refused }))
    expect(isNowhere(all, denied)).toBe(true)
    expect(isNowhere(await part(sent({})), { code: 'BUCKET_NOT_FOUND' })).toBe(true)
  })

  it.each<[string, Partial<FallbackRecord>]>([
    ['it has failed rather than refused', { attempts: 1 }],
    ['an attempt before the one that was refused has failed', { attempts: 2, error: refused }],
    ['nothing says that there was an answer', { attempts: 1, error: { ...refused, status: undefined } }],
  ])('may have something where %s', async (_name, changes) => {
    expect(isNowhere(await part(sent({ attempts: 1, error: refused }), sent({ key: 'b', ...changes })), denied)).toBe(
      false,
    )
  })

  it('has something where it has taken a file, or a part', async () => {
    const lines = [sent({ attempts: 1, error: refused })]
    const taken = uploaded({ key: 'b', destination: 's3://candidate/' })
    expect(isNowhere(await part(...lines, taken), denied)).toBe(false)
    const half = { ...started, destination: 's3://candidate/' }
    expect(isNowhere(await part(...lines, half), { code: 'BUCKET_NOT_FOUND' })).toBe(false)
  })
})
