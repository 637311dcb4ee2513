import { createHash, randomBytes } from 'node:crypto'
import { appendFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { base64OfCrc32 } from '../../../src/checksums/checksummer.ts'
import type { MultipartUploads } from '../../../src/destinations/destination.ts'
import type { FileRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { Earlier, EarlierFile } from '../../../src/transfer/earlier.ts'
import { settled } from '../../support/fake-clock.ts'
import type { FakeCall, FakeDestinationOptions, Fate } from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { failure, planned, type Scene, type SceneOptions, settings, transfer } from './scene.ts'

const partSize = 1000
const inParts = { ...settings, concurrency: 2, partSize, multipartThreshold: partSize }
/** Three parts, the last one short. */
const size = 2500

interface Source {
  readonly file: PlannedFile
  readonly bytes: Buffer
  readonly mtime: string
}

async function source(over: Partial<PlannedFile> = {}, length = size): Promise<Source> {
  const absolute = join(await tempDir(), 'source.bin')
  const bytes = randomBytes(length)
  await writeFile(absolute, bytes)
  await utimes(absolute, 1_700_000_000, 1_700_000_000.25)
  const file = planned(1, { absolute, size: length, mtimeMs: (await stat(absolute)).mtimeMs, ...over })
  return { file, bytes, mtime: '2023-11-14T22:13:20.250Z' }
}

function send(file: PlannedFile, options: Partial<SceneOptions> = {}, destination: FakeDestinationOptions = {}): Scene {
  return transfer({
    files: [file],
    settings: inParts,
    ...options,
    destination: { reads: 'open', multipart: {}, limits: { minPartSize: 1 }, ...destination },
  })
}

function knows(found: EarlierFile | undefined): Earlier {
  return { find: async () => found }
}

function recordOf({ file, bytes, mtime }: Source, over: Partial<FileRecord> = {}): FileRecord {
  return {
    type: 'file',
    path: file.path,
    source: file.source,
    key: file.key,
    destination: 'fake://bucket/',
    size: bytes.length,
    mtime,
    status: 'uploaded',
    attempts: 1,
    startedAt: mtime,
    durationMs: 1,
    bytesSent: bytes.length,
    bytesPerSecond: 1,
    parts: 1,
    engine: 'fast',
    etag: '"before"',
    versionId: 'v1',
    checksum: { algorithm: 'crc32', value: base64OfCrc32(crc32(bytes)) },
    contentType: 'audio/wav',
    ...over,
  }
}

const partsSent = ({ destination }: Scene): (number | undefined)[] =>
  destination.calls.filter((call) => call.what === 'part').map((call) => call.partNumber)
const asked = ({ destination }: Scene, what: FakeCall['what']): number =>
  destination.calls.filter((call) => call.what === what).length
const said = ({ events }: Scene, type: 'notice' | 'warning'): string[] =>
  events.flatMap((event) => (event.type === type ? [event.message] : []))
const notices = (scene: Scene): string[] => said(scene, 'notice')
const warnings = (scene: Scene): string[] => said(scene, 'warning')

function expectStored({ destination }: Scene, { file, bytes }: Source): void {
  expect(destination.objects.get(file.key)?.bytes.equals(bytes)).toBe(true)
  expect(destination.breaches).toEqual([])
}

describe('a file uploaded before', () => {
  it('is skipped, with what was known of it', async () => {
    const one = await source()
    const done = recordOf(one, { key: 'kept/key.wav' })
    const scene = send(one.file, { earlier: knows({ key: 'kept/key.wav', done }) })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([
      {
        status: 'skipped',
        reason: 'already-uploaded',
        key: 'kept/key.wav',
        etag: '"before"',
        versionId: 'v1',
        checksum: done.checksum,
        size,
        mtime: one.mtime,
        attempts: 0,
        bytesSent: 0,
        startedAt: null,
      },
    ])
    expect(scene.destination.calls).toEqual([])
  })

  it.each<[string, Partial<FileRecord>, 'skipped' | 'uploaded']>([
    ['of another time, with the recorded checksum', { mtime: '2020-01-01T00:00:00.000Z' }, 'skipped'],
    ['whose time nobody knows, with the recorded checksum', { mtime: null }, 'skipped'],
    ['of another time, with no checksum recorded', { mtime: null, checksum: undefined }, 'uploaded'],
    [
      'of another time and with another checksum',
      { mtime: null, checksum: { algorithm: 'crc32', value: 'AAAAAA==' } },
      'uploaded',
    ],
    ['of another size', { size: 1 }, 'uploaded'],
  ])('%s', async (_what, over, status) => {
    const one = await source()
    const scene = send(one.file, { earlier: knows({ key: one.file.key, done: recordOf(one, over) }) })
    await scene.done
    expect(scene.records).toMatchObject([{ status }])
  })

  it.each(['crc32c', 'crc64nvme', 'sha256'] as const)('of another time, by %s', async (algorithm) => {
    const one = await source()
    const value = {
      crc32c: undefined,
      crc64nvme: undefined,
      sha256: createHash('sha256').update(one.bytes).digest('base64'),
    }[algorithm]
    const done = recordOf(one, { mtime: null, checksum: { algorithm, value: value ?? 'AAAAAA==' } })
    const scene = send(one.file, { earlier: knows({ key: one.file.key, done }) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: value === undefined ? 'uploaded' : 'skipped' }])
  })

  it('that is asked for in vain at first is asked for again', async () => {
    const one = await source()
    let times = 0
    const find = async (): Promise<EarlierFile> => {
      times += 1
      if (times < 3) throw failure('CONNECTION', 'reset')
      return { key: one.file.key, done: recordOf(one) }
    }
    const scene = send(one.file, { earlier: { find } })
    await scene.done
    expect([times, scene.records]).toMatchObject([3, [{ status: 'skipped', attempts: 0 }]])
  })

  it('that is gone by now fails alone', async () => {
    const one = await source({ absolute: '/nowhere/at/all' })
    const scene = send(one.file, { earlier: knows({ key: one.file.key, done: recordOf(one) }) })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'SOURCE_NOT_FOUND' } }])
  })
})

describe('a run that is cut before it came to a file', () => {
  /** The first file holds the only slot when the run is cut. */
  async function cut(find: (second: Source) => EarlierFile | undefined, over: Partial<Earlier> = {}): Promise<Scene> {
    const [first, second] = [await source(), await source({ index: 2, path: 'second', key: 'second' })]
    const script = ({ what }: FakeCall): Fate => (what === 'part' ? 'hang' : undefined)
    const scene = transfer({
      files: [first.file, second.file],
      settings: { ...inParts, concurrency: 1 },
      destination: { reads: 'open', multipart: {}, script },
      earlier: { find: async ({ path }) => (path === 'second' ? find(second) : undefined), ...over },
    })
    while (asked(scene, 'part') === 0) await settled()
    scene.stop.abort()
    await scene.done
    expect(scene.records[0]).toMatchObject({ status: 'cancelled' })
    return scene
  }

  it('still knows that it was uploaded', async () => {
    const scene = await cut((second) => ({ key: 'second', done: recordOf(second) }))
    expect(scene.records[1]).toMatchObject({ path: 'second', status: 'skipped', reason: 'already-uploaded' })
  })

  it('lets its line stand where the file would have to be read', async () => {
    const scene = await cut((second) => ({ key: 'second', done: recordOf(second, { mtime: null }) }))
    expect(scene.records).toHaveLength(1)
  })

  it.each<[string, Partial<EarlierFile>]>([
    ['it is half-sent', { unfinished: { uploadId: 'x', partSize, size, mtime: undefined, parts: [] } }],
    ['none of it is there', {}],
  ])('keeps its key, though {index} in --key gives it another now: %s', async (_what, found) => {
    const scene = await cut(() => ({ key: 'take-1.wav', ...found }))
    expect(scene.records.slice(1)).toMatchObject([{ path: 'second', key: 'take-1.wav', status: 'cancelled' }])
  })

  it('keeps its key, though {index} in --key gives it another now: it was uploaded', async () => {
    const scene = await cut((second) => ({ key: 'take-1.wav', done: recordOf(second, { key: 'take-1.wav' }) }))
    expect(scene.records.slice(1)).toMatchObject([{ path: 'second', key: 'take-1.wav', status: 'skipped' }])
  })

  it('tells of its half-sent upload', async () => {
    const unfinished = { uploadId: 'x', partSize, size, mtime: undefined, parts: [] }
    const scene = await cut(() => ({ key: 'second', unfinished }))
    expect(scene.records[1]).toMatchObject({ status: 'cancelled' })
    expect(scene.events.at(-1)).toMatchObject({ type: 'file', keepsUpload: true })
  })

  it.each<[string, Partial<Earlier>]>([
    ['where the destination would have to be asked', { asksDestination: true }],
    [
      'where that fails',
      { find: async ({ path }) => (path === 'second' ? Promise.reject(failure('INTERNAL', 'no')) : undefined) },
    ],
  ])('it is cancelled %s', async (_where, over) => {
    const scene = await cut((second) => ({ key: 'second', done: recordOf(second) }), over)
    expect(scene.records.at(-1)).toMatchObject({ status: 'cancelled' })
  })
})

describe('the lines of a multipart upload', () => {
  it('are kept: its beginning on the disk before the first part, each part after it arrived', async () => {
    const one = await source()
    const happened: string[] = []
    const scene = send(
      one.file,
      {
        settings: { ...inParts, concurrency: 1 },
        record: async (line, how) => void happened.push(`${line.type}${how?.sync === true ? ' on the disk' : ''}`),
      },
      { script: ({ what, partNumber }) => void happened.push(`${what} ${partNumber ?? ''}`.trim()) as undefined },
    )
    await scene.done
    expect(happened).toEqual([
      'create',
      'upload-started on the disk',
      'part 1',
      'part',
      'part 2',
      'part',
      'part 3',
      'part',
      'complete',
      'file',
    ])
    const lines = scene.events.flatMap((event) => (event.type === 'multipart' ? [event.line] : []))
    const uploadId = `upload of ${one.file.key}`
    expect(lines[0]).toEqual({
      type: 'upload-started',
      path: one.file.path,
      source: one.file.source,
      key: one.file.key,
      size,
      mtime: one.mtime,
      uploadId,
      partSize,
    })
    expect(lines[3]).toMatchObject({ type: 'part', path: one.file.path, uploadId, partNumber: 3, size: 500 })
    expect(lines[3]).toHaveProperty('checksum.algorithm', 'crc32')
  })

  it('that cannot be kept end the run, and no part is sent', async () => {
    const one = await source()
    const scene = send(one.file, { record: async () => Promise.reject(failure('INTERNAL', 'the disk is full')) })
    expect(await scene.done).toMatchObject({ code: 'INTERNAL', message: 'the disk is full' })
    expect(scene.destination.calls.map(({ what }) => what)).toEqual(['create', 'abort'])
    expect(scene.destination.openUploads).toBe(0)
  })

  it('that cannot be kept of a part end the run, and the upload is kept', async () => {
    const one = await source()
    const record: SceneOptions['record'] = async ({ type }) => {
      if (type === 'part') throw failure('INTERNAL', 'the disk is full')
    }
    const scene = send(one.file, { record })
    expect(await scene.done).toMatchObject({ code: 'INTERNAL' })
    expect(scene.destination.openUploads).toBe(1)
  })
})

describe('a half-sent upload', () => {
  const failing =
    (error: Error, times = Number.POSITIVE_INFINITY) =>
    ({ what, partNumber, attempt }: FakeCall): Fate =>
      what === 'part' && partNumber === 2 && attempt <= times ? error : undefined

  it('is gone on with in the next pass', async () => {
    const one = await source()
    const script = failing(failure('SERVER_ERROR', 'broken', { status: 500 }), 3)
    const scene = send(one.file, { settings: { ...inParts, concurrency: 1 } }, { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 4, size, parts: 3 }])
    expect(partsSent(scene).filter((partNumber) => partNumber === 1)).toHaveLength(1)
    // Once to see whether the failure means that it is lost, once to go on with it.
    expect([asked(scene, 'create'), asked(scene, 'resume'), asked(scene, 'abort')]).toEqual([1, 2, 0])
    expect(scene.lines.filter((line) => line.type === 'upload-started')).toHaveLength(1)
    expectStored(scene, one)
  })

  it('is kept, and told of, where its file fails with what may pass', async () => {
    const one = await source()
    const scene = send(one.file, {}, { script: failing(failure('CONNECTION', 'reset')) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'CONNECTION' } }])
    expect(scene.destination.openUploads).toBe(1)
    expect(scene.events.at(-1)).toMatchObject({ type: 'file', keepsUpload: true })
  })

  it('is removed where its file fails for good', async () => {
    const one = await source()
    const scene = send(one.file, {}, { script: failing(failure('TOO_LARGE', 'no', { status: 413 })) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'TOO_LARGE' } }])
    expect(scene.destination.openUploads).toBe(0)
    expect(scene.events.at(-1)).not.toHaveProperty('keepsUpload', true)
  })

  it('is kept where the run ends for everybody', async () => {
    const one = await source()
    const scene = send(one.file, {}, { script: failing(failure('CREDENTIALS_EXPIRED', 'expired', { status: 403 })) })
    expect(await scene.done).toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
    expect([scene.destination.openUploads, asked(scene, 'abort')]).toEqual([1, 0])
  })

  it('is removed where its file is gone by the next pass', async () => {
    const one = await source()
    const script = async (call: FakeCall): Promise<Fate> => {
      if (call.what === 'part' && call.partNumber === 1) await appendFile(one.file.absolute, 'more')
      return failing(failure('CONNECTION', 'reset'), 3)(call)
    }
    const scene = send(one.file, { settings: { ...inParts, concurrency: 1 } }, { script })
    await scene.done
    expect(scene.records).toHaveLength(1)
    expect(scene.destination.openUploads).toBe(0)
  })

  it('that the destination loses is begun again, once', async () => {
    const one = await source()
    const script = ({ what, partNumber, attempt }: FakeCall): undefined => {
      if (what === 'part' && partNumber === 2 && attempt === 1) scene.destination.lose(`upload of ${one.file.key}`)
    }
    const scene: Scene = send(one.file, { settings: { ...inParts, concurrency: 1 } }, { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1 }])
    expect(partsSent(scene)).toEqual([1, 2, 1, 2, 3])
    expect(scene.events.some(({ type }) => type === 'file-retry')).toBe(false)
    expect(warnings(scene)).toEqual([expect.stringContaining('lost the half-sent upload')])
    expectStored(scene, one)
  })

  it('that the destination loses before it is completed is begun again', async () => {
    const one = await source()
    const script = ({ what, attempt }: FakeCall): undefined => {
      if (what === 'complete' && attempt === 1) scene.destination.lose(`upload of ${one.file.key}`)
    }
    const scene: Scene = send(one.file, {}, { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
    expect(asked(scene, 'create')).toBe(2)
    expectStored(scene, one)
  })
})

describe('an upload that an earlier invocation left half-sent', () => {
  /** Two of three parts are there when the process is killed. */
  async function killed(
    change: (scene: Scene, one: Source) => Promise<void> | void = () => {},
    over: Partial<NonNullable<EarlierFile['unfinished']>> = {},
    settingsNow: Partial<SceneOptions['settings']> = {},
  ): Promise<{ readonly scene: Scene; readonly one: Source }> {
    const one = await source()
    const first = send(
      one.file,
      { settings: { ...inParts, concurrency: 1 } },
      {
        script: ({ what, partNumber, attempt }) =>
          what === 'part' && partNumber === 3 && attempt === 1 ? 'hang' : undefined,
      },
    )
    while (first.lines.length < 3) await settled()
    first.stop.abort()
    await first.done
    expect(first.destination.openUploads).toBe(1)
    await change(first, one)
    const [begun, ...parts] = first.lines
    if (begun?.type !== 'upload-started') throw new Error('no upload was begun')
    const unfinished = {
      uploadId: begun.uploadId,
      partSize: begun.partSize,
      size: begun.size ?? undefined,
      mtime: begun.mtime ?? undefined,
      parts: parts.flatMap((line) => (line.type === 'part' ? [line] : [])),
      ...over,
    }
    const { mtimeMs, size: sizeNow } = await stat(one.file.absolute)
    const scene = transfer({
      files: [{ ...one.file, mtimeMs, size: sizeNow }],
      settings: { ...inParts, concurrency: 1, ...settingsNow },
      onto: first.destination,
      earlier: knows({ key: one.file.key, unfinished }),
    })
    await scene.done
    return { scene, one }
  }
  const since = (scene: Scene): (number | undefined)[] => partsSent(scene).slice(3)

  it('goes on with the part that is missing', async () => {
    const { scene, one } = await killed()
    expect(scene.records).toMatchObject([{ status: 'uploaded', bytesSent: 500, parts: 3, attempts: 1 }])
    expect(since(scene)).toEqual([3])
    expectStored(scene, one)
    const progress = scene.events.flatMap((event) => (event.type === 'file-progress' ? [event] : []))
    expect(progress[0]).toMatchObject({ sent: 2000, before: 2000 })
    expect(progress.at(-1)).toMatchObject({ sent: size, before: 2000, partsDone: 3 })
    expect(scene.lines.map(({ type }) => type)).toEqual(['part'])
  })

  it('keeps its part size, and goes on though the file is no longer large', async () => {
    const { scene, one } = await killed(undefined, {}, { partSize: 700, multipartThreshold: 10_000 })
    expect([since(scene), asked(scene, 'create'), asked(scene, 'put')]).toEqual([[3], 1, 0])
    expectStored(scene, one)
  })

  it('sends a part again that holds other bytes', async () => {
    const { scene, one } = await killed(({ destination }, { file }) =>
      destination.spoil(`upload of ${file.key}`, 1, Buffer.alloc(partSize)),
    )
    expect(since(scene)).toEqual([1, 3])
    expectStored(scene, one)
  })

  it('sends a part again that is of another size', async () => {
    const { scene, one } = await killed(({ destination }, { file }) =>
      destination.spoil(`upload of ${file.key}`, 2, Buffer.alloc(10)),
    )
    expect(since(scene)).toEqual([2, 3])
    expectStored(scene, one)
  })

  it('goes on where the file only got another time', async () => {
    const { scene, one } = await killed((_scene, { file }) => utimes(file.absolute, 1, 1))
    expect(since(scene)).toEqual([3])
    expectStored(scene, one)
  })

  it('begins anew where the file holds other bytes', async () => {
    const now = randomBytes(size)
    const { scene, one } = await killed((_scene, { file }) => writeFile(file.absolute, now))
    expect([since(scene), asked(scene, 'abort')]).toEqual([[1, 2, 3], 1])
    expectStored(scene, { ...one, bytes: now })
    expect(scene.destination.openUploads).toBe(0)
  })

  it('begins anew where the file is of another size, whatever way it goes then', async () => {
    const { scene, one } = await killed((_scene, { file }) => writeFile(file.absolute, 'short'))
    expect([asked(scene, 'put'), asked(scene, 'abort'), scene.destination.openUploads]).toEqual([1, 1, 0])
    expectStored(scene, { ...one, bytes: Buffer.from('short') })
    const longer = await killed((_scene, { file }) => appendFile(file.absolute, 'more'))
    expect([since(longer.scene), asked(longer.scene, 'abort')]).toEqual([[1, 2, 3], 1])
  })

  it('begins anew where the destination has lost it', async () => {
    const { scene, one } = await killed(({ destination }, { file }) => destination.lose(`upload of ${file.key}`))
    expect([since(scene), asked(scene, 'head')]).toEqual([[1, 2, 3], 0])
    expect(warnings(scene)).toEqual([expect.stringContaining('no longer knows')])
    expectStored(scene, one)
  })

  it('goes by the parts alone where nobody knows of what file they are, and never removes it', async () => {
    const unknown = { size: undefined, mtime: undefined, parts: [] }
    const { scene, one } = await killed(undefined, unknown)
    expect([since(scene), scene.lines[0]?.type]).toEqual([[3], 'upload-started'])
    expectStored(scene, one)
    const now = randomBytes(size)
    const other = await killed((_scene, { file }) => writeFile(file.absolute, now), unknown)
    expect([since(other.scene), asked(other.scene, 'abort')]).toEqual([[1, 2, 3], 0])
    expect(other.scene.destination.openUploads).toBe(1)
  })

  it('was completed, and only its answer was lost: nothing is sent', async () => {
    const one = await source()
    const before = send(one.file)
    await before.done
    const parts = before.lines.flatMap((line) => (line.type === 'part' ? [line] : []))
    const unfinished = { uploadId: `upload of ${one.file.key}`, partSize, size, mtime: one.mtime, parts }
    const scene = transfer({
      files: [one.file],
      settings: inParts,
      onto: before.destination,
      earlier: knows({ key: one.file.key, unfinished }),
    })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', bytesSent: 0 }])
    expect(since(scene)).toEqual([])
  })

  it('was completed, and the destination lists no parts of it, rather than saying that it is gone', async () => {
    const one = await source()
    const before = send(one.file)
    await before.done
    const parts = before.lines.flatMap((line) => (line.type === 'part' ? [line] : []))
    const { uploadId } = await (before.destination.multipart as MultipartUploads).create(
      { key: one.file.key, contentType: 'x/x', partSize },
      { signal: new AbortController().signal, requests: 1 },
    )
    const unfinished = { uploadId, partSize, size, mtime: one.mtime, parts }
    const earlier = knows({ key: one.file.key, unfinished })
    const scene = transfer({ files: [one.file], settings: inParts, onto: before.destination, earlier })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', bytesSent: 0 }])
    expect(since(scene)).toEqual([])
  })

  it('may not be asked for: it is begun anew', async () => {
    const one = await source()
    const script = ({ what }: FakeCall): Fate =>
      what === 'resume' ? failure('ACCESS_DENIED', 'not allowed', { status: 403 }) : undefined
    const unfinished = { uploadId: 'x', partSize, size, mtime: one.mtime, parts: [] }
    const scene = send(one.file, { earlier: knows({ key: one.file.key, unfinished }) }, { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1 }])
    expect(notices(scene)).toEqual([expect.stringContaining('cannot be gone on with (not allowed)')])
  })

  it('is left alone by a destination that takes objects as a whole', async () => {
    const one = await source()
    const unfinished = { uploadId: 'x', partSize, size, mtime: one.mtime, parts: [] }
    const destination = { reads: 'open' as const }
    const scene = transfer({
      files: [one.file],
      settings: inParts,
      destination,
      earlier: knows({ key: one.file.key, unfinished }),
    })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
    expect(notices(scene)).toEqual([expect.stringContaining('cannot go on')])
  })
})

describe('--on-change retry', () => {
  const changing =
    (one: Source, times: number) =>
    async ({ what, attempt }: FakeCall): Promise<undefined> => {
      if (what === 'create' && attempt <= times) await appendFile(one.file.absolute, 'x')
    }

  it('sends a file from its beginning that changed while it was read', async () => {
    const one = await source()
    const settingsNow = { ...inParts, onChange: 'retry' as const }
    const scene = send(one.file, { settings: settingsNow }, { script: changing(one, 2) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 3, size: size + 2 }])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toHaveLength(2)
    expectStored(scene, { ...one, bytes: Buffer.concat([one.bytes, Buffer.from('xx')]) })
    expect([asked(scene, 'abort'), scene.destination.openUploads]).toEqual([2, 0])
  })

  it('gives up on a file that never rests', async () => {
    const one = await source()
    const settingsNow = { ...inParts, onChange: 'retry' as const, retry: { ...settings.retry, retryFailed: 0 } }
    const scene = send(one.file, { settings: settingsNow }, { script: changing(one, Number.POSITIVE_INFINITY) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 3, error: { code: 'SOURCE_CHANGED' } }])
    expect(scene.destination.openUploads).toBe(0)
  })

  it('multiplies no other attempts', async () => {
    const one = await source()
    const script = ({ what }: FakeCall): Fate => (what === 'create' ? failure('SERVER_ERROR', 'no') : undefined)
    const retryOnce = { ...settings.retry, retryFailed: 0 }
    const scene = send(one.file, { settings: { ...inParts, onChange: 'retry', retry: retryOnce } }, { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 3 }])
  })
})
