import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { MultipartUploads, ObjectInfo, PartBody } from '../../../src/destinations/destination.ts'
import { createByteMeter } from '../../../src/transfer/byte-meter.ts'
import { type MultipartOptions, uploadInParts } from '../../../src/transfer/multipart.ts'
import { createScheduler, type Scheduler } from '../../../src/transfer/pace/scheduler.ts'
import { createLocalBytes } from '../../../src/transfer/reading/local-bytes.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import {
  createFakeDestination,
  type FakeCall,
  type FakeDestination,
  type Fate,
} from '../../support/fake-destination.ts'
import { failure, retry } from './scene.ts'

const object = { key: 'audio/long.wav', contentType: 'audio/wav', partSize: 10 }

interface SceneOptions {
  readonly size?: number
  readonly script?: (call: FakeCall) => Fate | Promise<Fate>
  readonly concurrency?: number
  readonly partConcurrency?: number
  readonly maxConcurrentParts?: number
  readonly isSequential?: boolean
  /** Slots that files have taken beside the one of this upload. */
  readonly busy?: number
}

interface Scene {
  readonly destination: FakeDestination
  readonly scheduler: Scheduler
  readonly stop: AbortController
  readonly done: Promise<ObjectInfo>
  /** Parts done, as told. */
  readonly told: readonly number[]
  readonly meter: ReturnType<typeof createByteMeter>
  readonly clock: ReturnType<typeof createFakeClock>
  /** Ends one of the busy slots' work. */
  readonly free: () => void
}

/** An upload in a slot of its own, as a file has it. */
function upload(options: SceneOptions = {}): Scene {
  const { size = 95, concurrency = 4, partConcurrency = Number.POSITIVE_INFINITY, busy = 0, script } = options
  const { maxConcurrentParts, isSequential = false } = options
  const destination = createFakeDestination({
    ...(script && { script }),
    multipart: maxConcurrentParts === undefined ? { isSequential } : { maxConcurrentParts, isSequential },
  })
  const scheduler = createScheduler(concurrency)
  const clock = createFakeClock()
  const stop = new AbortController()
  const told: number[] = []
  const meter = createByteMeter(() => {})
  const frees: (() => void)[] = []
  for (let n = 0; n < busy; n += 1) {
    void scheduler.start(
      () =>
        new Promise((resolve) => {
          frees.push(resolve)
        }),
    )
  }
  const done = new Promise<ObjectInfo>((resolve, reject) => {
    void scheduler.start(() =>
      uploadInParts({
        uploads: destination.multipart as MultipartUploads,
        object,
        size,
        rangeBody: unread,
        partConcurrency,
        scheduler,
        meter,
        pacer: undefined,
        retry: { policy: retry, clock, signal: stop.signal, onRetry: () => {} },
        onPart: (parts) => void told.push(parts),
        ...newUpload(size),
      }).then(resolve, reject),
    )
  })
  // Looked at later; until then a rejection must not count as unhandled.
  done.catch(() => {})
  return { destination, scheduler, stop, done, told, meter, clock, free: () => frees.shift()?.() }
}

/** What is asked of an upload that nobody began before, and that nobody will go on with. */
function newUpload(
  size: number,
): Pick<
  MultipartOptions,
  'facts' | 'bytes' | 'unfinished' | 'head' | 'say' | 'onBegun' | 'onTakenUp' | 'onStored' | 'onEnded'
> {
  return {
    facts: { absolute: '/nowhere', size, mtimeMs: 0 },
    bytes: createLocalBytes(),
    unfinished: undefined,
    head: async () => undefined,
    say: () => {},
    onBegun: async () => {},
    onTakenUp: async () => {},
    onStored: async () => {},
    onEnded: () => {},
  }
}

function unread(_start: number, size: number): PartBody {
  const refuse = (): never => expect.fail('a body was read')
  return { size, open: refuse, stream: refuse, readAll: refuse, openReader: refuse }
}

const slowly = async (): Promise<Fate> => {
  await settled()
  return undefined
}

function parts({ destination }: Scene): FakeCall[] {
  return destination.calls.filter((call) => call.what === 'part')
}

async function partsInFlight(scene: Scene, count: number): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settled()
  expect(scene.destination.requests).toBe(count)
}

describe('uploadInParts', () => {
  it.each([
    // size, parts, bytes of the last
    [0, 1, 0],
    [1, 1, 1],
    [10, 1, 10],
    [11, 2, 1],
    [95, 10, 5],
    [100, 10, 10],
  ])('%i bytes go in %i parts, in order of their number', async (size, count, last) => {
    const scene = upload({ size, script: slowly })
    const numbers = Array.from({ length: count }, (_, at) => at + 1)
    expect(await scene.done).toMatchObject({ size, etag: `"parts-${numbers.join('-')}"` })
    expect(parts(scene).map((call) => call.partNumber)).toEqual(numbers)
    expect(parts(scene).at(-1)?.size).toBe(last)
    expect(scene.told).toEqual(numbers)
    expect([scene.meter.current, scene.meter.total]).toEqual([size, size])
    expect([scene.destination.breaches, scene.destination.openUploads]).toEqual([[], 0])
  })

  it('completes with the parts in order, however they end', async () => {
    const script = async ({ what, partNumber }: FakeCall): Promise<Fate> => {
      if (what === 'part') for (let turns = 20 - 2 * (partNumber ?? 0); turns > 0; turns -= 1) await settled()
      return undefined
    }
    const scene = upload({ script, concurrency: 10 })
    expect(await scene.done).toMatchObject({ etag: '"parts-1-2-3-4-5-6-7-8-9-10"' })
  })

  describe('parts at a time', () => {
    it.each([
      // slots, busy, --part-concurrency, what the destination wants, expected
      [4, 0, Number.POSITIVE_INFINITY, 1000, 4],
      [4, 3, Number.POSITIVE_INFINITY, 1000, 1],
      [4, 2, Number.POSITIVE_INFINITY, 1000, 2],
      [100, 0, Number.POSITIVE_INFINITY, 1000, 10],
      [100, 0, 3, 1000, 3],
      [100, 0, 1, 1000, 1],
      [100, 0, Number.POSITIVE_INFINITY, 2, 2],
      [100, 0, 5, 1, 1],
      [1, 0, 5, 5, 1],
    ])(
      '%i slots, %i taken, at most %d, the destination %i: %i',
      async (concurrency, busy, partConcurrency, maxConcurrentParts, expected) => {
        const script = ({ what }: FakeCall): Fate => (what === 'part' ? 'hang' : undefined)
        const scene = upload({ concurrency, busy, partConcurrency, maxConcurrentParts, script })
        await partsInFlight(scene, expected)
        scene.stop.abort()
        await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
        expect(scene.destination.mostRequests).toBe(expected)
      },
    )

    it('take slots that become free', async () => {
      const gates: (() => void)[] = []
      const script = ({ what }: FakeCall): Fate | Promise<Fate> =>
        what === 'part' ? new Promise((resolve) => gates.push(() => resolve(undefined))) : undefined
      const scene = upload({ script, concurrency: 4, busy: 3 })
      await partsInFlight(scene, 1)
      scene.free()
      scene.free()
      // Looked at when a part ends.
      await partsInFlight(scene, 1)
      gates.shift()?.()
      await partsInFlight(scene, 3)
      scene.free()
      gates.shift()?.()
      await partsInFlight(scene, 4)
      while (scene.destination.objects.size === 0) {
        gates.shift()?.()
        await settled()
      }
      await scene.done
      expect(scene.destination.mostRequests).toBe(4)
    })

    it('give their slots to files that wait, but for their own', async () => {
      const gates: (() => void)[] = []
      const script = ({ what }: FakeCall): Fate | Promise<Fate> =>
        what === 'part' ? new Promise((resolve) => gates.push(() => resolve(undefined))) : undefined
      const scene = upload({ script, concurrency: 3 })
      await partsInFlight(scene, 3)
      const begun: number[] = []
      const files = (async () => {
        for (const file of [1, 2, 3]) {
          await scene.scheduler.start(() => {
            begun.push(file)
            return new Promise(() => {})
          })
        }
      })()
      // The upload's own part, and the two in spare slots.
      for (let ended = 0; ended < 3; ended += 1) {
        gates.shift()?.()
        await settled()
      }
      await partsInFlight(scene, 1)
      expect(begun).toEqual([1, 2])
      while (scene.destination.objects.size === 0) {
        gates.shift()?.()
        await settled()
      }
      await scene.done
      await files
      expect(begun).toEqual([1, 2, 3])
    })
  })

  describe('a part that fails', () => {
    it('is tried again alone, and its bytes count once', async () => {
      const script = ({ what, partNumber, attempt }: FakeCall): Fate =>
        what === 'part' && partNumber === 3 && attempt < 3 ? failure('CONNECTION', 'reset') : undefined
      const scene = upload({ script })
      await scene.done
      expect(parts(scene).filter((call) => call.partNumber === 3)).toHaveLength(3)
      expect(parts(scene)).toHaveLength(12)
      expect([scene.meter.current, scene.meter.total]).toEqual([95, 115])
      expect(scene.destination.breaches).toEqual([])
    })

    it('for good cuts the others, takes no new ones and removes the upload', async () => {
      const script = async ({ what, partNumber }: FakeCall): Promise<Fate> => {
        if (what !== 'part') return undefined
        if (partNumber !== 2) return 'hang'
        await settled()
        return failure('QUOTA_EXCEEDED', 'full', { status: 507 })
      }
      const scene = upload({ script })
      await expect(scene.done).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', message: 'full' })
      expect(parts(scene).map((call) => call.partNumber)).toEqual([1, 2, 3, 4])
      expect(scene.destination.calls.at(-1)).toMatchObject({ what: 'abort' })
      expect(scene.destination.calls.some((call) => call.what === 'complete')).toBe(false)
      expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([0, []])
      await scene.scheduler.idle()
    })

    it('for good cuts others in their pause', async () => {
      const script = async ({ what, partNumber, attempt }: FakeCall): Promise<Fate> => {
        if (what !== 'part') return undefined
        if (partNumber === 1) return failure('THROTTLED', 'slow down', { status: 503, retryAfterMs: 60_000 })
        while (attempt === 1 && clock.sleeping === 0) await settled()
        return failure('TOO_LARGE', 'no', { status: 413 })
      }
      const scene = upload({ script, concurrency: 2 })
      const { clock } = scene
      await expect(scene.done).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect([clock.sleeping, parts(scene).length]).toEqual([0, 2])
    })

    it('has a new budget after each part that arrives', async () => {
      // Part 1 fails after each of the others: nine times, where two are allowed in a row.
      let arrived = 0
      const script = async ({ what, partNumber }: FakeCall): Promise<Fate> => {
        if (what !== 'part') return undefined
        if (partNumber !== 1) {
          const turn = arrived
          while (parts(scene).filter((call) => call.partNumber === 1).length <= turn) await settled()
          arrived += 1
          return undefined
        }
        const before = arrived
        while (arrived === before && arrived < 9) await settled()
        await settled()
        return before < 9 ? failure('CONNECTION', 'reset') : undefined
      }
      const scene: Scene = upload({ script, concurrency: 2 })
      await scene.done
      expect(parts(scene).filter((call) => call.partNumber === 1).length).toBeGreaterThan(retry.retries + 1)
    })
  })

  describe('a stop', () => {
    it('cuts the parts and removes an upload of which nothing has arrived, with a signal of its own', async () => {
      const scene = upload({ script: ({ what }) => (what === 'part' ? 'hang' : undefined) })
      await partsInFlight(scene, 4)
      scene.stop.abort()
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      const last = scene.destination.calls.at(-1)
      expect([last?.what, last?.signal.aborted]).toEqual(['abort', false])
      expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([0, []])
    })

    it('cuts the parts and keeps the upload, to be gone on with', async () => {
      const script = ({ what, partNumber }: FakeCall): Fate =>
        what === 'part' && partNumber !== 3 ? 'hang' : undefined
      const scene = upload({ script })
      await partsInFlight(scene, 4)
      scene.stop.abort()
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(scene.destination.calls.some((call) => call.what === 'abort')).toBe(false)
      expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([1, []])
    })

    it('keeps an upload of which nothing but a piece of a part may have arrived, where that is of use', async () => {
      const script = ({ what }: FakeCall): Fate => (what === 'part' ? 'hang' : undefined)
      const scene = upload({ script, maxConcurrentParts: 1, isSequential: true })
      await partsInFlight(scene, 1)
      scene.stop.abort()
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([1, []])
    })

    it('between the last part and completing it', async () => {
      const script = ({ what, partNumber }: FakeCall): Fate => {
        if (what === 'part' && partNumber === 10) scene.stop.abort()
        return undefined
      }
      const scene: Scene = upload({ script, concurrency: 1 })
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      expect([scene.destination.calls.at(-1)?.what, scene.destination.openUploads]).toEqual(['part', 1])
    })

    it('while it is begun, all the same: no part is sent', async () => {
      const script = ({ what }: FakeCall): Fate => {
        if (what === 'create') scene.stop.abort()
        return undefined
      }
      const scene: Scene = upload({ script })
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(scene.destination.calls.map((call) => call.what)).toEqual(['create', 'abort'])
      expect(scene.destination.breaches).toEqual([])
    })

    it('is not waited for any longer than the upload lasts', async () => {
      const scene = upload()
      await scene.done
      expect(getEventListeners(scene.stop.signal, 'abort')).toEqual([])
    })

    it('while it is begun: there is nothing to remove', async () => {
      const scene = upload({ script: () => 'hang' })
      await settled()
      scene.stop.abort()
      await expect(scene.done).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(scene.destination.calls.map((call) => call.what)).toEqual(['create'])
    })
  })

  it.each(['create', 'complete'] as const)('%s is tried again where that may help', async (step) => {
    const script = ({ what, attempt }: FakeCall): Fate =>
      what === step && attempt < 3 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
    const scene = upload({ script })
    expect(await scene.done).toMatchObject({ size: 95 })
    expect(scene.destination.calls.filter((call) => call.what === step)).toHaveLength(3)
    expect(scene.destination.openUploads).toBe(0)
  })

  it('became an object of other bytes: it is not completed again, nor kept to go on with', async () => {
    const { done, destination } = upload({
      script: ({ what }) => (what === 'complete' ? failure('CHECKSUM_MISMATCH', 'other bytes') : undefined),
    })
    await expect(done).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH', retryable: true })
    expect(destination.calls.filter(({ what }) => what === 'complete')).toHaveLength(1)
    expect(destination.calls.at(-1)?.what).toBe('abort')
  })

  it('cannot be completed: what was sent is removed', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'complete' ? failure('KEY_INVALID', 'no', { status: 400 }) : undefined
    const scene = upload({ script })
    await expect(scene.done).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect([scene.destination.calls.at(-1)?.what, scene.destination.openUploads]).toEqual(['abort', 0])
  })

  it('cannot be removed either: the first cause is the one told', async () => {
    const script = ({ what }: FakeCall): Fate => {
      if (what === 'abort') return failure('SERVER_ERROR', 'broken', { status: 500 })
      return what === 'complete' ? failure('KEY_INVALID', 'no', { status: 400 }) : undefined
    }
    const scene = upload({ script })
    await expect(scene.done).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(scene.destination.calls.filter((call) => call.what === 'abort')).toHaveLength(1)
  })

  it('goes by the part size of the upload, which may be an older one', async () => {
    const destination = createFakeDestination({ multipart: {} })
    const uploads: MultipartUploads = {
      resume: async () => undefined,
      create: async (asked, call) =>
        (destination.multipart as MultipartUploads).create({ ...asked, partSize: 50 }, call),
    }
    const clock = createFakeClock()
    const scheduler = createScheduler(1)
    await uploadInParts({
      uploads,
      object,
      size: 95,
      rangeBody: unread,
      partConcurrency: 1,
      scheduler,
      meter: createByteMeter(() => {}),
      pacer: undefined,
      retry: { policy: retry, clock, signal: new AbortController().signal, onRetry: () => {} },
      onPart: () => {},
      ...newUpload(95),
    })
    const sent = destination.calls.filter((call) => call.what === 'part')
    expect(sent.map((call) => call.size)).toEqual([50, 45])
  })
})
