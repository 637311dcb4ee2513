import { describe, expect, it } from 'vitest'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import { notAtomic } from '../../../../src/transfer/existing/if-exists.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'
import {
  createFakeDestination,
  type FakeCall,
  type FakeDestinationOptions,
  type Fate,
} from '../../../support/fake-destination.ts'
import { failure, MiB, retry, type Scene, transfer } from '../scene.ts'
import { expectLeft, fileOf, modes, type Options, ours, send, theirs, whats } from './if-exists-scene.ts'

type Ways = Pick<FakeDestinationOptions, 'multipart' | 'small'>

const ways: readonly [name: string, size: number, ways: Ways, calls: readonly FakeCall['what'][]][] = [
  ['a small file', 10, { small: { maxSize: 1000 }, multipart: {} }, ['small']],
  ['a whole file', 10, {}, ['put']],
  ['a file in parts', 17 * MiB, { multipart: {} }, ['create', 'part', 'part', 'part', 'complete']],
]

describe.each(ways)('%s', (_name, size, destination, calls) => {
  it('that may replace what is there is sent without a question', async () => {
    const properties = { cacheControl: 'no-cache', metadata: { take: '1' } }
    const scene = send({ ...(await fileOf(size)), properties }, {}, destination)
    expect(await scene.done).toBeUndefined()
    expect(whats(scene)).toEqual(calls)
    expect(scene.destination.calls[0]).toMatchObject({ ifAbsent: false })
    expect(scene.destination.calls[0]?.properties).toBe(properties)
    expect(scene.of('uploaded')[0]).not.toHaveProperty('replaced')
  })

  it.each(modes)('of which there is nothing is sent for there being nothing: %s', async (mode) => {
    const scene = send(await fileOf(size), mode, destination)
    expect(await scene.done).toBeUndefined()
    expect(whats(scene)).toEqual(['head', ...calls])
    expect(scene.destination.calls[1]).toMatchObject({ ifAbsent: true })
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1, replaced: null }])
  })

  it.each(modes)('that is there is left as it is: %s', async (mode) => {
    const file = await fileOf(size)
    const scene = send(file, mode, destination)
    scene.destination.place(file.key, theirs(3))
    expect(await scene.done).toBeUndefined()
    expectLeft(scene, mode, 0)
    expect(scene.records).toMatchObject([{ size, bytesSent: 0, startedAt: null }])
    expect([whats(scene), scene.clock.sleeps]).toEqual([['head'], []])
    expect(scene.destination.objects.get(file.key)?.size).toBe(3)
  })

  it.each(modes)('for which somebody else was faster is left as it is: %s', async (mode) => {
    const file = await fileOf(size)
    const script = ({ what }: FakeCall): Fate => {
      if (what === 'small' || what === 'put' || what === 'complete') scene.destination.place(file.key, theirs(size))
      return undefined
    }
    const scene: Scene = send(file, mode, { ...destination, script })
    expect(await scene.done).toBeUndefined()
    expectLeft(scene, mode, 1)
    // It was not stored by an attempt that was not heard of: nothing needs to be compared.
    expect(whats(scene)).toEqual(['head', ...calls, ...(calls.includes('create') ? ['abort'] : [])])
    expect(scene.records[0]?.bytesSent).toBe(size)
  })
})

describe.each(ways.slice(0, 2))('%s whose answer is lost', (_name, size, destination) => {
  /** The first attempt ends with `error`, and something is there by then. */
  async function lost(
    mode: 'skip' | 'fail',
    error: Error,
    there: (file: PlannedFile, scene: Scene) => void,
    options: Options = {},
  ): Promise<Scene> {
    const file = await fileOf(size)
    let isFirst = true
    const script = ({ what }: FakeCall): Fate => {
      if (what === 'head' || !isFirst) return undefined
      isFirst = false
      there(file, scene)
      return error
    }
    const scene: Scene = send(file, mode, { ...destination, ...options, script })
    expect(await scene.done).toBeUndefined()
    return scene
  }

  it.each([
    failure('CONNECTION', 'reset'),
    failure('TIMEOUT', 'late'),
    failure('STALLED', 'silent'),
    failure('SERVER_ERROR', 'broken', { status: 500 }),
    failure('BAD_RESPONSE', 'it broke off', { status: 200 }),
    failure('CHECKSUM_MISMATCH', 'it is said to be of other bytes'),
  ])('($code) is uploaded where it is the one that is there', async (error) => {
    for (const mode of modes) {
      const scene = await lost(mode, error, ({ key }, { destination }) => destination.place(key, ours(size)))
      expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 2, replaced: null }])
      expect(whats(scene).slice(2)).toEqual(['put', 'head'])
    }
  })

  it.each(modes)('is not where another of its size is there: %s', async (mode) => {
    const scene = await lost(mode, failure('CONNECTION', 'reset'), ({ key }, { destination }) =>
      destination.place(key, theirs(size)),
    )
    expectLeft(scene, mode, 2)
  })

  it.each(modes)('is not where one of another size is there: %s', async (mode) => {
    const scene = await lost(mode, failure('CONNECTION', 'reset'), ({ key }, { destination }) =>
      destination.place(key, theirs(size + 1)),
    )
    expectLeft(scene, mode, 2)
  })

  it.each([
    ['since', 0, 'uploaded'],
    ['just before, by another clock', -4000, 'uploaded'],
    ['before', -6000, 'failed'],
  ])('goes by time where nothing can be compared: %s', async (_when, ms, status) => {
    const clock = createFakeClock()
    const lastModified = new Date(clock.now() + ms)
    const there = { size, bytes: Buffer.of(), lastModified }
    const error = failure('CONNECTION', 'reset')
    const scene = await lost('fail', error, ({ key }, { destination }) => destination.place(key, there), { clock })
    expect(scene.records).toMatchObject([{ status, attempts: 2 }])
  })

  it('is not taken for its own where neither bytes nor a time are told', async () => {
    const there = { size, bytes: Buffer.of() }
    const scene = await lost('fail', failure('CONNECTION', 'reset'), ({ key }, { destination }) =>
      destination.place(key, there),
    )
    expectLeft(scene, 'fail', 2)
  })

  it.each([
    failure('THROTTLED', 'slow down', { status: 503 }),
    failure('SERVER_ERROR', 'somebody else is at it', { status: 409 }),
    failure('CHECKSUM_MISMATCH', 'the server refuses the bytes', { status: 400 }),
  ])('is not asked for where nothing can have been stored: $message', async (error) => {
    const scene = await lost('fail', error, ({ key }, { destination }) => destination.place(key, ours(size)))
    expectLeft(scene, 'fail', 2)
    expect(whats(scene).slice(2)).toEqual(['put'])
  })

  it('fails where its own bytes arrived as others, and is not sent again', async () => {
    const mismatch = failure('CHECKSUM_MISMATCH', 'the server stored other bytes than were sent')
    for (const there of [theirs(size), { size, bytes: Buffer.of(), lastModified: new Date() }]) {
      const scene = await lost('skip', mismatch, ({ key }, { destination }) => destination.place(key, there))
      const { code, message } = mismatch
      expect(scene.records).toMatchObject([{ status: 'failed', error: { code, message, retryable: false } }])
      expect(scene.events.filter(({ type }) => type === 'file-deferred')).toEqual([])
    }
  })

  it('is found out in a later pass, too', async () => {
    const scene = await lost(
      'fail',
      failure('CONNECTION', 'reset'),
      ({ key }, { destination }) => destination.place(key, ours(size)),
      { settings: { retry: { ...retry, retries: 0 } } },
    )
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 2 }])
    expect(scene.events.filter(({ type }) => type === 'file-deferred')).toHaveLength(1)
    expect(whats(scene).slice(2)).toEqual(['put', 'head'])
  })
})

describe('the question before', () => {
  it('is asked again where it fails, which is no attempt at the file', async () => {
    const script = ({ what, attempt }: FakeCall): Fate =>
      what === 'head' && attempt === 1 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
    const scene = send(await fileOf(10), 'skip', { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1 }])
    expect([whats(scene), scene.clock.sleeps.length]).toEqual([['head', 'head', 'put'], 1])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toMatchObject([{ attempt: 1, message: 'broken' }])
  })

  it('decides about the file where it fails for good, and nothing is sent', async () => {
    const script = (): Fate => failure('SERVER_ERROR', 'broken', { status: 500 })
    const scene = send(await fileOf(10), 'skip', { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 0, error: { code: 'SERVER_ERROR' } }])
    expect(new Set(whats(scene))).toEqual(new Set(['head']))
  })

  it.each([
    ['atomic', ['head', 'put'], { status: 'uploaded' }],
    ['unknown', ['head'], { status: 'failed', error: { code: 'ACCESS_DENIED' } }],
    ['checked', ['head'], { status: 'failed', error: { code: 'ACCESS_DENIED' } }],
  ] as const)('may be denied where the destination itself decides: %s', async (ifAbsent, calls, record) => {
    const script = ({ what }: FakeCall): Fate => (what === 'head' ? failure('ACCESS_DENIED', 'no') : undefined)
    const scene = send(await fileOf(10), 'skip', { script, ifAbsent })
    await scene.done
    expect(whats(scene)).toEqual(calls)
    expect(scene.records).toMatchObject([record])
  })

  it('is cut by a stop', async () => {
    const scene = send(await fileOf(10), 'skip', { script: () => 'hang' })
    while (scene.destination.calls.length === 0) await settled()
    scene.stop.abort()
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'cancelled', attempts: 0 }])
    expect(whats(scene)).toEqual(['head'])
  })

  it('is not asked about a file that is half there: it goes on', async () => {
    const file = await fileOf(17 * MiB)
    const first = send(file, 'fail', {
      multipart: {},
      script: ({ partNumber, attempt }) => (partNumber === 3 && attempt === 1 ? 'hang' : undefined),
    })
    while (!first.lines.some((line) => line.type === 'part' && line.partNumber === 2)) await settled()
    first.stop.abort()
    await first.done
    const unfinished = {
      uploadId: `upload of ${file.key}`,
      partSize: 8 * MiB,
      size: file.size,
      mtime: first.records[0]?.mtime ?? undefined,
      parts: first.lines.flatMap((line) => (line.type === 'part' ? [line] : [])),
    }
    const before = first.destination.calls.length
    const scene = transfer({
      files: [file],
      onto: first.destination,
      settings: { ifExists: 'fail' },
      earlier: { find: async () => ({ key: file.key, unfinished }) },
    })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', replaced: null }])
    expect(whats(scene).slice(before)).not.toContain('head')
  })
})

describe('an object that was in the way and is gone', () => {
  it('leaves room for the file, in another pass', async () => {
    const file = await fileOf(10)
    const script = ({ what, attempt }: FakeCall): Fate => {
      if (what !== 'put' || attempt === 3) return undefined
      if (attempt === 1) return failure('CONNECTION', 'reset')
      return failure('ALREADY_EXISTS', 'it exists', { status: 412 })
    }
    const scene = send(file, 'fail', { script })
    await scene.done
    expect(whats(scene)).toEqual(['head', 'put', 'put', 'head', 'put'])
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
  })
})

describe('notAtomic', () => {
  const url = 's3://bucket/'
  const of = (ifAbsent: 'atomic' | 'unknown' | 'checked') => ({ ...createFakeDestination({ ifAbsent }), url })

  it('has nothing to say where the destination decides, or everything may be replaced', () => {
    expect(notAtomic(of('atomic'), 'skip')).toBeUndefined()
    for (const mode of ['overwrite', 'newer', 'changed'] as const)
      expect(notAtomic(of('checked'), mode)).toBeUndefined()
  })

  it('says what is not kept, and why', () => {
    expect(notAtomic(of('checked'), 'skip')).toMatch(/^--if-exists skip: s3:\/\/bucket\/ looks .* overwritten$/)
    expect(notAtomic(of('unknown'), 'fail')).toMatch(/^--if-exists fail: .*whether s3:\/\/bucket\/ enforces that/)
  })
})
