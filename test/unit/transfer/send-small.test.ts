import { mkdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import type { FakeCall, FakeDestinationOptions, Fate } from '../../support/fake-destination.ts'
import { begun, changes, scannedFile } from './scanned-file.ts'
import { failure, MiB, manyOf, retry, type Scene, type SceneOptions, sparseFile, transfer } from './scene.ts'

type Settings = NonNullable<SceneOptions['settings']>
type Options = Pick<SceneOptions, 'settings' | 'clock'> & Pick<FakeDestinationOptions, 'script'>

describe('a small file, where the destination has a way for these,', () => {
  /** A run with such a destination, which reads what it is sent. */
  function sent(files: readonly PlannedFile[], { script, ...options }: Options = {}): Scene {
    const destination: FakeDestinationOptions = { small: { maxSize: 1000 }, multipart: {}, reads: 'open' }
    return transfer({ files, destination: script === undefined ? destination : { ...destination, script }, ...options })
  }
  const whats = (scene: Scene): string[] => scene.destination.calls.map(({ what }) => what)
  /** Fails the first way, and nothing else. */
  const failing =
    (error: Error) =>
    ({ what }: FakeCall): Fate =>
      what === 'small' ? error : undefined

  it('is sent that way, at the first go', async () => {
    const file = await sparseFile(10)
    await writeFile(file.absolute, '0123456789')
    await utimes(file.absolute, 1_700_000_000, 1_700_000_000.25)
    const scene = sent([{ ...file, mtimeMs: 1_700_000_000_250 }])
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([
      {
        status: 'uploaded',
        size: 10,
        mtime: '2023-11-14T22:13:20.250Z',
        bytesSent: 10,
        attempts: 1,
        parts: 1,
        etag: '"small"',
      },
    ])
    expect(scene.destination.objects.get(file.key)?.bytes.toString()).toBe('0123456789')
    expect([whats(scene), begun(scene), scene.clock.sleeps]).toEqual([['small'], [10], []])
    expect(scene.destination.breaches).toEqual([])
  })

  it('is held back with all others while the destination cannot be reached', async () => {
    const clock = createFakeClock({ skipUpTo: -1 })
    const file = await sparseFile(10)
    let isDown = false
    const script = (): Fate => {
      if (scene.destination.calls.length === 3) isDown = true
      return isDown ? failure('CONNECTION', 'refused', { unreachable: true }) : undefined
    }
    const scene: Scene = sent([...manyOf(file, 20)], { script, settings: { concurrency: 2 }, clock })
    while (!scene.events.some(({ type }) => type === 'warning')) await settled()
    for (let n = 0; n < 20; n += 1) await settled()
    const tried = scene.destination.calls.length
    expect(tried).toBeLessThanOrEqual(4)
    await clock.advance(999)
    expect(scene.destination.calls).toHaveLength(tried)
    isDown = false
    await clock.advance(4001)
    while (scene.records.length < 20) await settled()
    expect(await scene.done).toBeUndefined()
    expect(scene.of('uploaded')).toHaveLength(20)
  })

  it('is sent later where this process has too many files open, which is no failure of it', async () => {
    const file = await sparseFile(10)
    const cause = Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
    const script = ({ attempt }: FakeCall): Fate =>
      attempt <= 5 ? failure('INTERNAL', 'too many open files', { retryable: true, cause }) : undefined
    const scene = sent([file], { script, settings: { retry: { ...retry, retries: 0, retryFailed: 0 } } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1 }])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toEqual([])
  })

  it('is not looked at before that', async () => {
    const file = await sparseFile(10)
    await rm(file.absolute)
    const destination = { small: { maxSize: 1000 } }
    const scene = transfer({ files: [file], destination })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 10 }])
  })

  it.each<[name: string, size: number, over: Partial<PlannedFile>, settings: Settings, way: string]>([
    ['no bytes', 0, {}, {}, 'small'],
    ['as many bytes as may be', 1000, {}, {}, 'small'],
    ['one byte more', 1001, {}, {}, 'put'],
    ['as many bytes as go whole', 10, {}, { multipartThreshold: 10 }, 'small'],
    ['more bytes than go whole', 10, {}, { multipartThreshold: 9 }, 'put'],
    ['a size that is not known', 10, { size: undefined }, {}, 'put'],
    ['a time that is not known', 10, { mtimeMs: undefined }, {}, 'put'],
    ['a limit to its rate', 10, {}, { limitRate: MiB }, 'put'],
  ])('and has %s', async (_name, size, over, settings, way) => {
    const scene = sent([{ ...(await sparseFile(size)), ...over }], { settings })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size, bytesSent: size, attempts: 1 }])
    expect(whats(scene)).toEqual([way])
  })

  it('and is declined, goes as others do, and nothing is charged for it', async () => {
    const script = ({ what }: FakeCall): Fate => (what === 'small' ? 'decline' : undefined)
    const scene = sent([await sparseFile(10)], { script, settings: { retry: { ...retry, retries: 0 } } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1, bytesSent: 10, etag: '"whole"' }])
    expect([whats(scene), scene.clock.sleeps]).toEqual([['small', 'put'], []])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toEqual([])
  })

  it.each(changes)('that %s since the scan is sent as it is now', async (_how, size, change) => {
    const file = await scannedFile(10)
    await change(file.absolute)
    const scene = sent([file], { settings: { retry: { ...retry, retries: 0 } } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size, bytesSent: size, attempts: 1 }])
    expect(scene.destination.objects.get(file.key)?.bytes).toHaveLength(size)
    expect([begun(scene), scene.clock.sleeps]).toEqual([[10, size], []])
  })

  it('that changes again and again fails, after two readings', async () => {
    const scene = sent([await sparseFile(10)], { script: () => failure('SOURCE_CHANGED', 'it changed') })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 1, error: { code: 'SOURCE_CHANGED' } }])
    expect(whats(scene)).toEqual(['small', 'put'])
  })

  it('that vanished, or became a directory', async () => {
    const gone = await sparseFile(10)
    const directory = { ...(await sparseFile(10)), index: 2, path: 'dir' }
    await rm(gone.absolute)
    await rm(directory.absolute)
    await mkdir(directory.absolute)
    const scene = sent([gone, directory])
    await scene.done
    // Both are looked at once more: whichever the file system answers first is recorded first.
    const fates = new Map(scene.records.map(({ path, error, attempts }) => [path, [error?.code, attempts]]))
    expect(Object.fromEntries(fates)).toEqual({
      [gone.path]: ['SOURCE_NOT_FOUND', 1],
      dir: ['SOURCE_UNREADABLE', 1],
    })
  })

  it.each([
    ['answered', failure('SERVER_ERROR', 'broken', { status: 500 }), 20],
    ['not answered', failure('CONNECTION', 'reset'), 10],
  ])('and fails, %s, is tried again as others are', async (_how, error, bytesSent) => {
    const scene = sent([await sparseFile(10)], { script: failing(error) })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 2, bytesSent, etag: '"whole"' }])
    expect(scene.records[0]?.durationMs).toBe(Math.round((scene.clock.sleeps[0] ?? 0) * 1000) / 1000)
    expect([whats(scene), scene.clock.sleeps.length]).toEqual([['small', 'put'], 1])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toMatchObject([
      { attempt: 1, code: error.code, message: error.message, path: 'take-1.wav', index: 1 },
    ])
  })

  it('and changes between two attempts, is sent as it is then', async () => {
    const file = await sparseFile(10)
    const script = async ({ what }: FakeCall): Promise<Fate> => {
      if (what !== 'small') return undefined
      await truncate(file.absolute, 12)
      return failure('SERVER_ERROR', 'broken', { status: 500 })
    }
    const scene = sent([file], { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 12, bytesSent: 22, attempts: 2 }])
  })

  it('and fails, by then a large one, is begun anew in parts', async () => {
    const file = await sparseFile(10)
    const script = async ({ what }: FakeCall): Promise<Fate> => {
      if (what !== 'small') return undefined
      await truncate(file.absolute, 20 * MiB)
      return failure('CONNECTION', 'reset')
    }
    const scene = sent([file], { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 20 * MiB, parts: 3, attempts: 1 }])
    expect([whats(scene), scene.clock.sleeps]).toEqual([['small', 'create', 'part', 'part', 'part', 'complete'], []])
  })

  it('and fails for good, is not tried again', async () => {
    const scene = sent([await sparseFile(10)], { script: failing(failure('TOO_LARGE', 'no', { status: 413 })) })
    await scene.done
    expect(scene.records).toMatchObject([
      { status: 'failed', attempts: 1, bytesSent: 10, error: { code: 'TOO_LARGE' } },
    ])
    expect([whats(scene), scene.clock.sleeps]).toEqual([['small'], []])
  })

  it('and fails in all its attempts, has another pass, not by that way', async () => {
    const file = await sparseFile(10)
    const script = async ({ what, attempt }: FakeCall): Promise<Fate> => {
      if (what === 'put' && attempt > 2) return undefined
      if (attempt === 2) await truncate(file.absolute, 15)
      return failure('SERVER_ERROR', 'broken', { status: 500 })
    }
    const scene = sent([file], { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 15, attempts: 4 }])
    expect(whats(scene)).toEqual(['small', 'put', 'put', 'put'])
    expect(begun(scene)).toEqual([10, 10, 15])
  })

  it.each([
    // Milliseconds a try takes, and how many are made of a destination that cannot be reached: within ten seconds.
    [1000, 3],
    [6000, 1],
  ])('and reaches nobody in %i ms, counts among the first tries: %i', async (ms, tries) => {
    const clock = createFakeClock()
    const script = async (): Promise<Fate> => {
      await clock.advance(ms)
      return failure('CONNECTION', 'refused', { unreachable: true })
    }
    const scene = sent([await sparseFile(10)], { script, clock, settings: { retry: { ...retry, retries: 8 } } })
    expect(await scene.done).toMatchObject({ code: 'CONNECTION' })
    expect(whats(scene)).toEqual(['small', 'put', 'put'].slice(0, tries))
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: tries }])
  })

  it('is cancelled where the run is stopped, and not tried again', async () => {
    const scene = sent([await sparseFile(10)], { script: () => 'hang' })
    while (scene.destination.calls.length === 0) await settled()
    scene.stop.abort()
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'cancelled', attempts: 1, error: { code: 'CANCELLED' } }])
    expect([whats(scene), scene.destination.breaches]).toEqual([['small'], []])
  })

  it('stops the run where the destination is at fault', async () => {
    const error = failure('BUCKET_NOT_FOUND', 'no such bucket', { status: 404 })
    const scene = sent([await sparseFile(10)], { script: failing(error) })
    expect(await scene.done).toMatchObject({ code: 'BUCKET_NOT_FOUND' })
    expect(whats(scene)).toEqual(['small'])
  })
})
