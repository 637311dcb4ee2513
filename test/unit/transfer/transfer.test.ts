import { mkdir, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import type { UploadError } from '../../../src/errors.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { patienceAfterStopMs } from '../../../src/transfer/trouble/patience.ts'
import { createFakeClock, seededRandom, settled } from '../../support/fake-clock.ts'
import type { FakeCall, Fate } from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { failure, fates, MiB, manyOf, planned, retry, type Scene, settings, sparseFile, transfer } from './scene.ts'

// A look at a file takes no time here: otherwise the clock, which leaps on, would count hours while it is under way.
vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>()
  const stat = (path: string, done: (error: unknown, stats?: unknown) => void): void => {
    try {
      done(null, original.statSync(path))
    } catch (error) {
      done(error)
    }
  }
  return { ...original, stat }
})

/** Resolves once so many calls have been made. */
async function calls({ destination }: Scene, count: number): Promise<void> {
  while (destination.calls.length < count) await settled()
}

const accessDenied = () => failure('ACCESS_DENIED', 'no', { status: 403 })
const noConnection = () => failure('CONNECTION', 'refused')

describe('transferFiles', () => {
  it('sends every file', async () => {
    const file = await sparseFile(10)
    const scene = transfer({ files: manyOf(file, 3) })
    expect(await scene.done).toBeUndefined()
    expect(fates(scene.records)).toEqual({
      'take-1.wav': 'uploaded',
      'take-2.wav': 'uploaded',
      'take-3.wav': 'uploaded',
    })
    expect([...scene.destination.objects.keys()]).toEqual(['audio/take-1.wav', 'audio/take-2.wav', 'audio/take-3.wav'])
    expect(scene.destination.breaches).toEqual([])
  })

  it('has nothing to do where there is nothing', async () => {
    const scene = transfer({ files: [] })
    expect([await scene.done, scene.records, scene.events]).toEqual([undefined, [], []])
  })

  it('tells of each file in order, and of its end only once it is recorded', async () => {
    const file = await sparseFile(10)
    const order: string[] = []
    const scene = transfer({
      files: [file],
      record: async () => {
        await settled()
        order.push('recorded')
      },
    })
    await scene.done
    expect(scene.events.map((event) => event.type)).toEqual(['file-started', 'file-progress', 'file'])
    expect(order).toEqual(['recorded'])
  })

  it.each([1, 2, 5])('sends %i at once and no more', async (concurrency) => {
    const file = await sparseFile(10)
    const script = async (): Promise<Fate> => {
      while (scene.destination.mostRequests < concurrency) await settled()
      await settled()
      return undefined
    }
    const scene: Scene = transfer({ files: manyOf(file, 40), destination: { script }, settings: { concurrency } })
    await scene.done
    expect([scene.destination.mostRequests, scene.of('uploaded').length]).toEqual([concurrency, 40])
  })

  it('sends 32 at once where the number is left to it', async () => {
    const file = await sparseFile(10)
    const scene = transfer({
      files: manyOf(file, 100),
      destination: { script: () => 'hang' },
      settings: { concurrency: 'auto' },
    })
    await calls(scene, 32)
    for (let turn = 0; turn < 20; turn += 1) await settled()
    expect(scene.destination.requests).toBe(32)
    scene.stop.abort()
    await scene.done
  })

  describe('where the server refuses what is too much', () => {
    /** Refuses the first request for each of the first files. */
    const refusing = (files: number) => ({
      script: ({ key, attempt }: FakeCall): Fate =>
        attempt === 1 && Number(/\d+/.exec(key)) <= files ? failure('THROTTLED', 'busy', { status: 503 }) : undefined,
    })

    it('slows the whole run, says so, and sends everything', async () => {
      const file = await sparseFile(10)
      const scene = transfer({
        files: manyOf(file, 200),
        destination: refusing(32),
        settings: { concurrency: 'auto' },
      })
      expect(await scene.done).toBeUndefined()
      expect(scene.of('uploaded')).toHaveLength(200)
      const changes = scene.events.filter(({ type }) => type === 'concurrency')
      expect(changes[0]).toEqual({
        type: 'concurrency',
        from: 32,
        to: 16,
        reason: 'the server asked for fewer requests',
      })
      // New files wait too, in order, at a rate that grows from one a second.
      expect(Math.max(...scene.clock.sleeps)).toBeGreaterThan(900)
      expect(scene.records.filter(({ durationMs }) => (durationMs ?? 0) > 5000)).toEqual([])
    })

    it('keeps the number where one was asked for', async () => {
      const file = await sparseFile(10)
      const scene = transfer({ files: manyOf(file, 200), destination: refusing(32), settings: { concurrency: 8 } })
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(200)
      expect(scene.events.filter(({ type }) => type === 'concurrency')).toEqual([])
    })

    it('makes all wait where it refuses one after the other', async () => {
      const file = await sparseFile(10)
      const clock = createFakeClock({ skipUpTo: -1 })
      const script = ({ attempt, key }: FakeCall): Fate =>
        attempt === 1 && /take-[123]\./.test(key)
          ? failure('THROTTLED', 'busy', { status: 503, retryAfterMs: 800 })
          : undefined
      const scene = transfer({ files: manyOf(file, 20), destination: { script }, settings: { concurrency: 3 }, clock })
      while (clock.sleeping < 3) await settled()
      const begun = scene.destination.calls.length
      await clock.advance(799)
      expect(scene.destination.calls).toHaveLength(begun)
      for (let n = 0; n < 20; n += 1) await clock.advance(200)
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(20)
    })

    it('slows only the file that was refused by chance', async () => {
      const file = await sparseFile(10)
      const clock = createFakeClock({ skipUpTo: -1 })
      const script = ({ attempt, key }: FakeCall): Fate =>
        attempt === 1 && /take-5\./.test(key) ? failure('THROTTLED', 'busy', { status: 503 }) : undefined
      const scene = transfer({ files: manyOf(file, 20), destination: { script }, settings: { concurrency: 3 }, clock })
      while (scene.of('uploaded').length < 19) await settled()
      expect(clock.sleeping).toBe(1)
      await clock.advance(200)
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(20)
    })

    it('ends at once when it is stopped while files wait for their turn', async () => {
      const file = await sparseFile(10)
      const scene = transfer({
        files: manyOf(file, 100),
        destination: refusing(100),
        settings: { concurrency: 'auto' },
        clock: createFakeClock({ skipUpTo: -1 }),
      })
      while (!scene.events.some(({ type }) => type === 'concurrency')) await settled()
      for (let n = 0; n < 30; n += 1) await scene.clock.advance(10)
      scene.stop.abort()
      expect(await scene.done).toBeUndefined()
      expect(scene.of('uploaded').length + scene.of('cancelled').length).toBe(100)
      expect(scene.of('cancelled').length).toBeGreaterThan(50)
    })
  })

  it('asks the plan for no more than it can send', async () => {
    const file = await sparseFile(10)
    let asked = 0
    function* files(): Generator<PlannedFile> {
      for (const one of manyOf(file, 1000)) {
        asked += 1
        yield one
      }
    }
    const scene = transfer({ files: files(), destination: { script: () => 'hang' } })
    await calls(scene, 4)
    for (let turn = 0; turn < 20; turn += 1) await settled()
    expect(asked).toBe(5)
    scene.stop.abort()
    await scene.done
    expect(scene.of('cancelled')).toHaveLength(1000)
  })

  describe('one bad file', () => {
    it('that cannot be read stops no other', async () => {
      const good = await sparseFile(10)
      const gone = await sparseFile(10)
      await rm(gone.absolute)
      const directory = await tempDir()
      await mkdir(directory, { recursive: true })
      const files = [
        good,
        planned(2, { absolute: gone.absolute }),
        planned(3, { absolute: directory }),
        planned(4, { problem: failure('KEY_INVALID', 'it has a control character') }),
        { ...good, index: 5, path: 'take-5.wav', key: 'audio/take-5.wav' },
      ]
      const scene = transfer({ files, destination: { reads: 'open' } })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({
        'take-1.wav': 'uploaded',
        'take-2.wav': 'failed SOURCE_NOT_FOUND',
        'take-3.wav': 'failed SOURCE_UNREADABLE',
        'take-4.wav': 'failed KEY_INVALID',
        'take-5.wav': 'uploaded',
      })
      const refused = scene.records.find((record) => record.path === 'take-4.wav')
      expect(refused).toMatchObject({ attempts: 0, startedAt: null, durationMs: null, bytesSent: 0 })
    })

    it('that changes is read as it is when its turn comes', async () => {
      const file = await sparseFile(10)
      const scene = transfer({ files: [{ ...file, size: 99, mtimeMs: 5 }], destination: { reads: 'open' } })
      await scene.done
      expect(scene.records).toMatchObject([{ status: 'uploaded', size: 10, bytesSent: 10 }])
    })

    it('that is too large for the destination is not begun', async () => {
      const file = await sparseFile(1001)
      const scene = transfer({ files: [file], destination: { limits: { maxObjectSize: 1000 } } })
      await scene.done
      expect(scene.destination.calls).toEqual([])
      expect(scene.records[0]?.error).toMatchObject({ code: 'TOO_LARGE', message: expect.stringContaining('1000') })
    })

    it.each([1000, 1001])('of 1000 bytes, or nearly, fits: limit %i', async (maxObjectSize) => {
      const scene = transfer({ files: [await sparseFile(1000)], destination: { limits: { maxObjectSize } } })
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(1)
    })

    it('that nobody foresaw fails by itself', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes('take-2.') ? new TypeError('oops') : undefined)
      const scene = transfer({ files: manyOf(file, 3), destination: { script } })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toMatchObject({ 'take-2.wav': 'failed INTERNAL', 'take-3.wav': 'uploaded' })
    })
  })

  describe('failures that pass', () => {
    it('are tried again, and the record tells of all of it', async () => {
      const file = await sparseFile(10)
      const script = ({ attempt }: FakeCall): Fate =>
        attempt < 3 ? failure('THROTTLED', 'slow down', { status: 503, retryAfterMs: 1000 }) : undefined
      const scene = transfer({ files: [file], destination: { script } })
      await scene.done
      expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 3, bytesSent: 30, size: 10 }])
      expect(scene.records[0]?.durationMs).toBeGreaterThanOrEqual(2000)
      expect(scene.events.filter((event) => event.type === 'file-retry')).toMatchObject([
        { attempt: 1, code: 'THROTTLED', message: 'slow down', path: 'take-1.wav', index: 1 },
        { attempt: 2, code: 'THROTTLED' },
      ])
    })

    it('get another pass after all others, and go on counting', async () => {
      const file = await sparseFile(10)
      const script = ({ key, attempt }: FakeCall): Fate =>
        key.includes('take-1.') && attempt <= 3 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
      const scene = transfer({ files: manyOf(file, 5), destination: { script }, settings: { concurrency: 1 } })
      expect(await scene.done).toBeUndefined()
      expect(scene.records.map((record) => record.path)).toEqual([2, 3, 4, 5, 1].map((n) => `take-${n}.wav`))
      const [first] = scene.records
      expect(scene.records.at(-1)).toMatchObject({ status: 'uploaded', attempts: 4, bytesSent: 40 })
      // It was begun before all others, and ended after them.
      expect(scene.records.at(-1)?.startedAt?.localeCompare(first?.startedAt ?? '')).toBe(-1)
      expect(scene.events.filter((event) => event.type === 'file-deferred')).toMatchObject([
        { index: 1, path: 'take-1.wav', code: 'SERVER_ERROR', message: 'broken' },
      ])
    })

    it.each([0, 1, 2])('fail for good after %i more passes', async (retryFailed) => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate =>
        key.includes('take-1.') ? failure('TIMEOUT', 'too slow', { status: 408 }) : undefined
      const scene = transfer({
        files: manyOf(file, 3),
        destination: { script },
        settings: { retry: { ...retry, retryFailed } },
      })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({
        'take-1.wav': 'failed TIMEOUT',
        'take-2.wav': 'uploaded',
        'take-3.wav': 'uploaded',
      })
      expect(scene.destination.calls.filter((call) => call.key.includes('take-1.'))).toHaveLength(3 * (1 + retryFailed))
    })

    it('that cannot pass get no other pass', async () => {
      const file = await sparseFile(10)
      const scene = transfer({
        files: [file],
        destination: { script: () => failure('TOO_LARGE', 'no', { status: 413 }) },
      })
      await scene.done
      expect([scene.destination.calls.length, fates(scene.records)]).toEqual([1, { 'take-1.wav': 'failed TOO_LARGE' }])
    })
  })

  describe('a destination that cannot be reached', () => {
    it('is tried three times, soon; the cause is said once', async () => {
      const file = await sparseFile(10)
      const scene = transfer({
        files: manyOf(file, 50),
        destination: { script: noConnection },
        settings: { retry: { ...retry, retries: 8, retryDelayMs: 200, retryMaxDelayMs: 20_000 } },
      })
      expect(await scene.done).toMatchObject({ code: 'CONNECTION' })
      expect(Math.max(...scene.destination.calls.map((call) => call.attempt))).toBe(3)
      expect(scene.clock.elapsed()).toBeLessThan(10_000)
      expect([scene.of('failed').length, scene.of('cancelled').length]).toEqual([1, 49])
    })

    it('with connections that time out after three seconds: within ten', async () => {
      const file = await sparseFile(10)
      const clock = createFakeClock()
      const script = async (): Promise<Fate> => {
        await clock.advance(3000)
        return failure('CONNECTION', 'timed out', { unreachable: true })
      }
      const scene = transfer({
        files: [file],
        destination: { script },
        settings: { retry: { ...retry, retries: 8 } },
        clock,
      })
      expect(await scene.done).toMatchObject({ code: 'CONNECTION' })
      expect([scene.destination.calls.length, clock.elapsed() < 10_000]).toEqual([3, true])
    })

    it('is not one that began an upload, and whose connections break at the first parts', async () => {
      const file = await sparseFile(20 * MiB)
      const script = ({ what, attempt }: FakeCall): Fate =>
        what === 'part' && attempt <= 5 ? failure('CONNECTION', 'reset') : undefined
      const scene = transfer({
        files: [file],
        destination: { script, multipart: {} },
        settings: { retry: { ...retry, retries: 8, retryFailed: 0 } },
      })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({ 'take-1.wav': 'uploaded' })
    })

    it('later on is waited for, at no cost to any file', async () => {
      const file = await sparseFile(10)
      let isDown = false
      const script = (): Fate => {
        if (scene.destination.calls.length === 5) isDown = true
        return isDown ? failure('CONNECTION', 'refused', { unreachable: true }) : undefined
      }
      const clock = createFakeClock({ skipUpTo: -1 })
      const scene: Scene = transfer({
        files: manyOf(file, 30),
        destination: { script },
        settings: { concurrency: 4, retry: { ...retry, retries: 0, retryFailed: 0 } },
        clock,
      })
      while (!scene.events.some(({ type }) => type === 'warning')) await settled()
      for (let n = 0; n < 20; n += 1) await settled()
      const before = scene.destination.calls.length
      for (let second = 0; second < 120; second += 1) await clock.advance(1000)
      const probes = scene.destination.calls.length - before
      expect(probes).toBeGreaterThanOrEqual(120 / 5 - 1)
      expect(probes).toBeLessThanOrEqual(120)
      isDown = false
      await clock.advance(5000)
      expect(await scene.done).toBeUndefined()
      expect(scene.of('uploaded')).toHaveLength(30)
      const warnings = scene.events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
      expect(warnings).toEqual([
        expect.stringMatching(/^the destination cannot be reached; waiting for it until .*: refused$/),
        expect.stringMatching(/^the destination can be reached again, after 2m 0\ds$/),
      ])
      expect(scene.destination.breaches).toEqual([])
    })

    it('later on, and for good, ends the run: said once, the rest to go on with', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate =>
        key.includes('take-1.') ? undefined : failure('CONNECTION', 'refused', { unreachable: true })
      const clock = createFakeClock({ skipUpTo: -1 })
      const scene = transfer({
        files: manyOf(file, 30),
        destination: { script },
        settings: { concurrency: 1, retry: { ...retry, retryMaxTimeMs: 60_000 } },
        clock,
      })
      while (clock.sleeping === 0) await settled()
      for (let second = 0; second < 60; second += 1) await clock.advance(1000)
      expect(await scene.done).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('refused') })
      expect([scene.of('uploaded').length, scene.of('failed').length, scene.of('cancelled').length]).toEqual([1, 0, 29])
      expect(clock.sleeping).toBe(0)
    })

    it('holds the parts of large files back too, and sends again only those that were in flight', async () => {
      const file = await sparseFile(100 * MiB)
      let isDown = false
      let cut = 0
      let begun = 0
      const script = ({ what }: FakeCall): Fate => {
        if (what === 'part') begun += 1
        if (begun === 7 && cut === 0) isDown = true
        if (!isDown) return undefined
        cut += 1
        return cut <= 3 ? failure('CONNECTION', 'reset') : failure('CONNECTION', 'refused', { unreachable: true })
      }
      const clock = createFakeClock({ skipUpTo: -1 })
      const scene: Scene = transfer({ files: [file], destination: { script, multipart: {} }, clock })
      while (clock.sleeping === 0) await settled()
      for (let second = 0; second < 30; second += 1) await clock.advance(1000)
      isDown = false
      const sentBefore = scene.destination.calls.length
      for (let second = 0; second < 10; second += 1) await clock.advance(1000)
      expect(await scene.done).toBeUndefined()
      expect(scene.of('uploaded')).toHaveLength(1)
      // Of 13 parts, six had arrived; the end comes with one call more.
      expect(scene.destination.calls.length - sentBefore).toBe(13 - 6 + 1)
      expect(scene.destination.calls.filter(({ what }) => what === 'create')).toHaveLength(1)
    })

    it('is not taken for that where connections break, but those are tried for as long as a cut may last', async () => {
      const file = await sparseFile(10)
      let isDown = false
      let isBack = false
      const script = ({ key }: FakeCall): Fate => {
        if (key.includes('take-2.') && !isBack) isDown = true
        return isDown ? failure('CONNECTION', 'reset') : undefined
      }
      const clock = createFakeClock({ skipUpTo: -1 })
      const scene = transfer({
        files: manyOf(file, 6),
        destination: { script },
        settings: { concurrency: 1, retry: { ...retry, retryFailed: 0 } },
        clock,
      })
      while (clock.sleeping === 0) await settled()
      for (let n = 0; n < 300; n += 1) await clock.advance(100)
      expect([scene.of('uploaded').length, scene.of('failed').length]).toEqual([1, 0])
      isDown = false
      isBack = true
      for (let n = 0; n < 20; n += 1) await clock.advance(100)
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(6)
    })

    it('later on, where nobody says that it cannot be reached, is a matter of each file', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes('take-1.') ? undefined : noConnection())
      const scene = transfer({
        files: manyOf(file, 3),
        destination: { script },
        settings: { concurrency: 1, retry: { ...retry, retries: 5, retryFailed: 0 } },
      })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({
        'take-1.wav': 'uploaded',
        'take-2.wav': 'failed CONNECTION',
        'take-3.wav': 'failed CONNECTION',
      })
      const made = (name: string) => scene.destination.calls.filter(({ key }) => key.includes(name)).length
      // For a minute it may be a cut; after that each file has its retries, and no more.
      expect([made('take-2.') > 6, made('take-3.')]).toEqual([true, 6])
    })
  })

  describe('a destination at fault', () => {
    it.each(['BUCKET_NOT_FOUND', 'CREDENTIALS_INVALID', 'CREDENTIALS_EXPIRED', 'CLOCK_SKEW'] as const)(
      '%s stops the run, after successes too',
      async (code) => {
        const file = await sparseFile(10)
        const script = ({ key }: FakeCall): Fate =>
          key.includes('take-1.') ? undefined : failure(code, 'at fault', { status: 403 })
        const scene = transfer({ files: manyOf(file, 20), destination: { script }, settings: { concurrency: 1 } })
        expect(await scene.done).toMatchObject({ code, message: 'at fault' })
        expect(fates(scene.records)).toMatchObject({
          'take-1.wav': 'uploaded',
          'take-2.wav': `failed ${code}`,
          'take-3.wav': 'cancelled',
          'take-20.wav': 'cancelled',
        })
        expect(scene.records).toHaveLength(20)
        expect(scene.of('cancelled')[0]?.error).toMatchObject({ code: 'CANCELLED', retryable: true })
      },
    )

    it('cuts what is in flight', async () => {
      const file = await sparseFile(10)
      const script = async ({ key }: FakeCall): Promise<Fate> => {
        if (!key.includes('take-3.')) return 'hang'
        await settled()
        return failure('CREDENTIALS_INVALID', 'wrong secret', { status: 403 })
      }
      const scene = transfer({ files: manyOf(file, 10), destination: { script } })
      expect(await scene.done).toMatchObject({ code: 'CREDENTIALS_INVALID' })
      expect([scene.of('failed').length, scene.of('cancelled').length]).toEqual([1, 9])
    })

    it.each([
      // files, failed, cancelled
      [1, 1, 0],
      [2, 1, 1],
      [9, 1, 8],
      [10, 1, 9],
      [11, 1, 10],
      [500, 1, 499],
    ])('access denied to all of %i files stops the run', async (count, failed, cancelled) => {
      const file = await sparseFile(10)
      const scene = transfer({ files: manyOf(file, count), destination: { script: accessDenied } })
      expect(await scene.done).toMatchObject({ code: 'ACCESS_DENIED' })
      expect([scene.of('failed').length, scene.of('cancelled').length]).toEqual([failed, cancelled])
      expect(scene.destination.calls.length).toBeLessThanOrEqual(10 + settings.concurrency)
      expect(new Set(scene.records.map((record) => record.path)).size).toBe(count)
    })

    it.each([1, 2, 9, 10, 15])('access denied to all but number %i of 15 is theirs alone', async (good) => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes(`take-${good}.`) ? undefined : accessDenied())
      const scene = transfer({ files: manyOf(file, 15), destination: { script }, settings: { concurrency: 1 } })
      const stopped = await scene.done
      if (good <= 10) {
        expect(stopped).toBeUndefined()
        expect([scene.of('uploaded').length, scene.of('failed').length]).toEqual([1, 14])
      } else {
        expect(stopped).toMatchObject({ code: 'ACCESS_DENIED' })
        expect([scene.of('failed').length, scene.of('cancelled').length]).toEqual([1, 14])
      }
      expect(scene.records).toHaveLength(15)
    })

    it('waits with its verdict for files that are put off', async () => {
      const file = await sparseFile(10)
      const script = ({ key, attempt }: FakeCall): Fate => {
        if (!key.includes('take-3.')) return accessDenied()
        return attempt <= 3 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
      }
      const scene = transfer({ files: manyOf(file, 3), destination: { script } })
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({
        'take-1.wav': 'failed ACCESS_DENIED',
        'take-2.wav': 'failed ACCESS_DENIED',
        'take-3.wav': 'uploaded',
      })
    })

    it('does not blame it for files that could not be read', async () => {
      const files = Array.from({ length: 30 }, (_, at) => planned(at + 1, { absolute: '/nowhere/at/all' }))
      const scene = transfer({ files, destination: { reads: 'open' } })
      expect(await scene.done).toBeUndefined()
      expect(scene.of('failed')).toHaveLength(30)
    })
  })

  describe('a stop from outside', () => {
    it('cuts what is in flight and lists the rest', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes('take-1.') ? undefined : 'hang')
      const scene = transfer({ files: manyOf(file, 20), destination: { script } })
      await calls(scene, 5)
      scene.stop.abort('SIGINT')
      expect(await scene.done).toBeUndefined()
      expect([scene.of('uploaded').length, scene.of('cancelled').length]).toEqual([1, 19])
      expect(scene.records.filter((record) => record.attempts === 0)).toHaveLength(15)
      expect(scene.destination.breaches).toEqual([])
    })

    it('before anything is sent: all are listed, none is tried', async () => {
      const file = await sparseFile(10)
      const scene = transfer({ files: manyOf(file, 3) })
      scene.stop.abort()
      expect(await scene.done).toBeUndefined()
      expect([scene.destination.calls, scene.of('cancelled').length]).toEqual([[], 3])
    })

    it('in the pause before a retry', async () => {
      const file = await sparseFile(10)
      const clock = createFakeClock({ skipUpTo: -1 })
      const scene = transfer({
        files: manyOf(file, 4),
        destination: { script: () => failure('THROTTLED', 'slow down', { status: 503, retryAfterMs: 30_000 }) },
        clock,
      })
      while (clock.sleeping < 4) await settled()
      scene.stop.abort()
      expect(await scene.done).toBeUndefined()
      expect([scene.of('cancelled').length, clock.sleeping]).toEqual([4, 0])
    })

    it('while files wait for another pass', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate =>
        key.includes('take-3.') ? 'hang' : failure('SERVER_ERROR', 'broken', { status: 500 })
      const scene = transfer({ files: manyOf(file, 3), destination: { script } })
      while (scene.events.filter((event) => event.type === 'file-deferred').length < 2) await settled()
      scene.stop.abort()
      await scene.done
      expect(fates(scene.records)).toEqual({
        'take-1.wav': 'cancelled',
        'take-2.wav': 'cancelled',
        'take-3.wav': 'cancelled',
      })
      expect(scene.records.find((record) => record.path === 'take-1.wav')).toMatchObject({ attempts: 3, bytesSent: 30 })
    })

    it('while access is denied to all so far', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes('take-3.') ? 'hang' : accessDenied())
      const scene = transfer({ files: manyOf(file, 3), destination: { script } })
      await calls(scene, 3)
      await settled()
      scene.stop.abort()
      expect(await scene.done).toBeUndefined()
      expect(scene.of('cancelled')).toHaveLength(3)
    })

    it('while standard input is read', async () => {
      const scene = transfer({
        files: [planned(1, { path: '-', absolute: '-', size: undefined })],
        stdin: () => new Readable({ read() {} }),
      })
      for (let turn = 0; turn < 20; turn += 1) await settled()
      scene.stop.abort()
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).toEqual({ '-': 'cancelled' })
    })

    it('does not wait for ever for a request that does not hear of it', async () => {
      const file = await sparseFile(10)
      const script = ({ key }: FakeCall): Fate => (key.includes('take-2.') ? 'deaf' : 'hang')
      const scene = transfer({ files: manyOf(file, 6), destination: { script } })
      await calls(scene, 4)
      scene.stop.abort()
      while (scene.clock.sleeping === 0 || scene.records.length < 5) await settled()
      await scene.clock.advance(patienceAfterStopMs)
      expect(await scene.done).toBeUndefined()
      expect(fates(scene.records)).not.toHaveProperty('take-2.wav')
      expect(scene.of('cancelled')).toHaveLength(5)
    })

    it('records nothing after its patience ended', async () => {
      const file = await sparseFile(10)
      let answer = (_fate: Fate): void => {}
      const script = (): Promise<Fate> =>
        new Promise((resolve) => {
          answer = resolve
        })
      const scene = transfer({ files: [file], destination: { script } })
      await calls(scene, 1)
      scene.stop.abort()
      while (scene.clock.sleeping === 0) await settled()
      await scene.clock.advance(patienceAfterStopMs)
      await scene.done
      answer(undefined)
      for (let turn = 0; turn < 10; turn += 1) await settled()
      expect([scene.records, scene.events.filter((event) => event.type === 'file')]).toEqual([[], []])
    })

    it('lists what was never begun for three seconds at most', async () => {
      const file = await sparseFile(10)
      const clock = createFakeClock()
      const listed: string[] = []
      const record = async ({ path }: { path: string }): Promise<void> => {
        listed.push(path)
        await clock.advance(10)
      }
      const scene = transfer({ files: manyOf(file, 1000), record, clock })
      scene.stop.abort()
      await scene.done
      expect(listed.length).toBeGreaterThan(290)
      expect(listed.length).toBeLessThan(310)
    })
  })

  describe('a fault of the run itself', () => {
    it('a journal that cannot be written stops it', async () => {
      const file = await sparseFile(10)
      const broken = failure('INTERNAL', 'the journal cannot be written')
      let written = 0
      const record = async (): Promise<void> => {
        written += 1
        if (written > 3) throw broken
      }
      const scene = transfer({ files: manyOf(file, 50), record, settings: { concurrency: 1 } })
      expect(await scene.done).toBe(broken)
      // What is not in the journal has not been told of either.
      expect(scene.events.filter((event) => event.type === 'file')).toHaveLength(3)
      expect(scene.destination.calls).toHaveLength(4)
    })

    it('a plan that breaks off stops it', async () => {
      const file = await sparseFile(10)
      async function* files(): AsyncGenerator<PlannedFile> {
        yield* manyOf(file, 2)
        await settled()
        throw Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO' })
      }
      const scene = transfer({ files: files(), destination: { script: () => 'hang' } })
      expect(await scene.done).toMatchObject({
        code: 'INTERNAL',
        message: 'EIO: i/o error, scandir',
      } satisfies Partial<UploadError>)
      expect(fates(scene.records)).toEqual({ 'take-1.wav': 'cancelled', 'take-2.wav': 'cancelled' })
    })

    it('whatever else goes wrong stops it, rather than leaving it without an end', async () => {
      const file = await sparseFile(10)
      const emit = ({ type }: { type: string }): void => {
        if (type === 'file') throw new Error('a broken bar')
      }
      const scene = transfer({ files: manyOf(file, 3), emit })
      expect(await scene.done).toMatchObject({ code: 'INTERNAL', message: 'a broken bar' })
      expect(scene.records).toHaveLength(3)
    })
  })

  describe('standard input', () => {
    const stdinFile = planned(1, { path: '-', absolute: '-', source: 'stdin', size: undefined, mtimeMs: undefined })

    it('is sent with the size it turns out to have', async () => {
      const scene = transfer({
        files: [stdinFile],
        stdin: () => Readable.from(['some ', 'bytes']),
        destination: { reads: 'open' },
      })
      expect(await scene.done).toBeUndefined()
      expect(scene.records).toMatchObject([{ status: 'uploaded', path: '-', size: 10, mtime: null }])
      expect(scene.destination.objects.get(stdinFile.key)?.bytes.toString()).toBe('some bytes')
    })

    it('is sent again in another pass, whole', async () => {
      const script = ({ attempt }: FakeCall): Fate =>
        attempt <= 3 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
      const scene = transfer({
        files: [stdinFile],
        stdin: () => Readable.from(['some bytes']),
        destination: { script, reads: 'stream' },
      })
      expect(await scene.done).toBeUndefined()
      expect(scene.destination.objects.get(stdinFile.key)?.bytes.toString()).toBe('some bytes')
      expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 4 }])
    })
  })

  it('leaves no listener on the signal it was given that would warn of a leak', async () => {
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const file = await sparseFile(10)
    const scene = transfer({
      files: manyOf(file, 100),
      destination: { script: () => 'hang' },
      settings: { concurrency: 100 },
    })
    await calls(scene, 100)
    scene.stop.abort()
    await scene.done
    await settled()
    process.off('warning', warned)
    expect(warnings).toEqual([])
  })
})

describe.each([1, 8, 100])('2,000 files with failures by chance, %i at once', (concurrency) => {
  it.each([1, 2, 3])('end exactly once each (seed %i)', async (seed) => {
    const random = seededRandom(seed * 1000 + concurrency)
    const small = await sparseFile(10)
    const large = await sparseFile(40 * MiB)
    const gone = planned(0, { absolute: '/nowhere/at/all', size: MiB })
    function* files(): Generator<PlannedFile> {
      for (let index = 1; index <= 2000; index += 1) {
        const drawn = random()
        const problem = drawn < 0.02 ? { problem: failure('KEY_INVALID', 'no') } : {}
        const { absolute, size, mtimeMs } = drawn < 0.05 ? gone : drawn < 0.15 ? large : small
        yield planned(index, { absolute, size, mtimeMs, ...problem })
      }
    }
    const codes = [
      'THROTTLED',
      'CONNECTION',
      'TIMEOUT',
      'SERVER_ERROR',
      'TOO_LARGE',
      'ACCESS_DENIED',
      'CHECKSUM_MISMATCH',
    ] as const
    const script = async ({ what, key }: FakeCall): Promise<Fate> => {
      for (let turns = Math.floor(random() * 3); turns > 0; turns -= 1) await settled()
      const isFirst = key.includes('take-1.')
      // An upload that may neither be removed nor be taken up again stays, and is nobody's.
      if (isFirst || random() > 0.3 || what === 'abort' || what === 'resume') return undefined
      return failure(codes[Math.floor(random() * codes.length)] ?? 'INTERNAL', 'by chance', { status: 500 })
    }
    const scene = transfer({
      files: files(),
      destination: { script, multipart: {} },
      settings: { concurrency },
      clock: createFakeClock({ seed }),
    })
    expect(await scene.done).toBeUndefined()

    const { destination } = scene
    expect(destination.breaches).toEqual([])
    // What is left half-sent is told, so that somebody comes back for it.
    const kept = scene.events.filter((event) => event.type === 'file' && event.keepsUpload)
    expect([destination.requests, destination.openUploads]).toEqual([0, kept.length])
    expect(destination.mostRequests).toBeLessThanOrEqual(concurrency)
    expect(destination.mostRequests).toBeGreaterThan(concurrency / 2)
    expect(new Set(scene.records.map((record) => record.path)).size).toBe(2000)
    expect(scene.records).toHaveLength(2000)
    expect(scene.of('uploaded').length + scene.of('failed').length).toBe(2000)
    expect(new Set(scene.of('uploaded').map((record) => record.key))).toEqual(new Set(destination.objects.keys()))
    const ended = scene.events.filter((event) => event.type === 'file')
    expect(ended.map((event) => event.file)).toEqual(scene.records)
    // Each of these is a likely fate, so a run without it has not been tried.
    expect(new Set(scene.of('failed').map((record) => record.error?.code))).toContain('SOURCE_NOT_FOUND')
    expect(scene.records.some((record) => record.attempts > retry.retries + 1 && record.status === 'uploaded')).toBe(
      true,
    )
  })
})
