import { mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { openFileDestination } from '../../../src/destinations/file/index.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { transferFiles } from '../../../src/transfer/transfer.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import type { FakeCall, Fate } from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { failure, MiB, settings, sparseFile, transfer } from './scene.ts'

const bufferSize = 64 * 1024

/** What happens to a small file between the scan and its turn. */
const changes: readonly [how: string, size: number, change: (path: string) => Promise<void>][] = [
  ['grew', 17, (path) => truncate(path, 17)],
  ['grew beyond a buffer', bufferSize + 1, (path) => truncate(path, bufferSize + 1)],
  ['became a large one', 20 * MiB, (path) => truncate(path, 20 * MiB)],
  ['became shorter', 3, (path) => truncate(path, 3)],
  ['became empty', 0, (path) => truncate(path, 0)],
  ['was written to', 10, (path) => writeFile(path, '0123456789')],
  ['has another time', 10, (path) => utimes(path, 1_700_000_000, 1_700_000_000.5)],
]

describe.each(['open', 'stream'] as const)('a small file, read by %s,', (reads) => {
  it('is what the scan saw', async () => {
    const file = await sparseFile(10)
    const scene = transfer({ files: [file], destination: { reads } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 10, bytesSent: 10, attempts: 1 }])
    expect(scene.events.filter(({ type }) => type === 'file-started')).toHaveLength(1)
  })

  it.each(changes)('that %s since the scan is sent as it is now', async (_how, size, change) => {
    const file = await sparseFile(10)
    await utimes(file.absolute, 1_700_000_000, 1_700_000_000)
    const scanned = { ...file, mtimeMs: 1_700_000_000_000 }
    await change(file.absolute)
    const scene = transfer({ files: [scanned], destination: { reads, multipart: {} } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size, bytesSent: size, attempts: 1 }])
    const stored = scene.destination.objects.get(file.key)
    expect([stored?.size, stored?.bytes.length]).toEqual([size, size])
    expect(scene.events.findLast((event) => event.type === 'file-started')).toMatchObject({ size })
    expect(scene.clock.sleeps).toEqual([])
  })

  it('that changes again and again fails, after two readings', async () => {
    const file = await sparseFile(10)
    let size = 10
    const script = async (): Promise<Fate> => {
      size += 1
      await truncate(file.absolute, size)
      return failure('SOURCE_CHANGED', 'it changed')
    }
    const scene = transfer({ files: [file], destination: { reads, script } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'SOURCE_CHANGED' } }])
    expect(scene.destination.calls).toHaveLength(2)
  })

  it('that changed, by what the destination says, but is as it was, fails at once', async () => {
    const file = await sparseFile(10)
    const script = (): Fate => failure('SOURCE_CHANGED', 'it changed')
    const scene = transfer({ files: [file], destination: { reads, script } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 1, bytesSent: 10 }])
    expect(scene.destination.calls).toHaveLength(1)
  })

  it('that vanished, or became a directory', async () => {
    const gone = await sparseFile(10)
    const directory = { ...(await sparseFile(10)), index: 2, path: 'dir' }
    await rm(gone.absolute)
    await rm(directory.absolute)
    await mkdir(directory.absolute)
    const scene = transfer({ files: [gone, directory], destination: { reads } })
    await scene.done
    expect(scene.records.map(({ error }) => error?.code)).toEqual(['SOURCE_NOT_FOUND', 'SOURCE_UNREADABLE'])
  })

  it('keeps its count of attempts, and what they sent, where it changes between them', async () => {
    const file = await sparseFile(10)
    const script = async ({ attempt }: FakeCall): Promise<Fate> => {
      if (attempt > 1) return undefined
      await truncate(file.absolute, 12)
      return failure('SERVER_ERROR', 'broken', { status: 500 })
    }
    const scene = transfer({ files: [file], destination: { reads, script } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 12, attempts: 2 }])
  })
})

it.each<[string, Partial<PlannedFile>, number]>([
  ['of one buffer', { size: bufferSize }, 1],
  ['of more than one buffer', { size: bufferSize + 1 }, 0],
  ['of a size that is not known', { size: undefined }, 0],
  ['of a time that is not known', { mtimeMs: undefined }, 0],
])('a file %s goes by the scan, or is looked at first', async (_name, scanned, changesSeen) => {
  const file = await sparseFile(5)
  let refused = 0
  const script = (): Fate => {
    if (refused === 1 || changesSeen === 0) return undefined
    refused += 1
    return failure('SOURCE_CHANGED', 'it changed')
  }
  const scene = transfer({ files: [{ ...file, ...scanned }], destination: { script } })
  await scene.done
  expect(scene.records).toMatchObject([{ status: 'uploaded', size: 5, bytesSent: 5 }])
  const told = scene.events.flatMap((event) => (event.type === 'file-started' ? [event.size] : []))
  expect(told).toEqual(changesSeen === 1 ? [bufferSize, 5] : [5])
})

it('a later pass looks at the file anew', async () => {
  const file = await sparseFile(10)
  const script = async ({ attempt }: FakeCall): Promise<Fate> => {
    if (attempt > 3) return undefined
    if (attempt === 3) await truncate(file.absolute, 15)
    return failure('SERVER_ERROR', 'broken', { status: 500 })
  }
  const scene = transfer({ files: [file], destination: { script } })
  await scene.done
  expect(scene.records).toMatchObject([{ status: 'uploaded', size: 15, attempts: 4 }])
  expect(scene.events.flatMap((event) => (event.type === 'file-started' ? [event.size] : []))).toEqual([10, 15])
})

describe('--limit-rate', () => {
  it.each([
    // files, bytes in each
    [1, 64 * MiB],
    [3, 20 * MiB],
    [30, 2 * MiB],
    [2000, 32 * 1024],
  ])('spreads %i files of %i bytes over their time', async (count, size) => {
    const file = await sparseFile(size)
    const limitRate = 4 * MiB
    for (const reads of ['open', 'stream'] as const) {
      const scene = transfer({
        files: Array.from({ length: count }, (_, at) => ({ ...file, index: at + 1, key: `k${at}`, path: `p${at}` })),
        destination: { reads, multipart: {} },
        settings: { limitRate, concurrency: 16 },
      })
      await scene.done
      expect(scene.of('uploaded')).toHaveLength(count)
      const expectedMs = (count * size * 1000) / limitRate
      expect(scene.clock.elapsed() / expectedMs).toBeGreaterThan(0.95)
      expect(scene.clock.elapsed() / expectedMs).toBeLessThan(1.05)
    }
  })

  it('is handed to the destination with each request', async () => {
    const small = await sparseFile(10)
    const large = { ...(await sparseFile(20 * MiB)), index: 2, key: 'large' }
    const scene = transfer({
      files: [small, large],
      destination: { multipart: {} },
      settings: { limitRate: MiB },
    })
    await scene.done
    const bodies = scene.destination.calls.filter(({ what }) => what === 'put' || what === 'part')
    expect(bodies).toHaveLength(4)
    // One for all: the limit is the whole run's.
    expect(new Set(bodies.map(({ pacer }) => pacer)).size).toBe(1)
    expect(bodies[0]?.pacer?.pieceSize).toBe(52_428)
    const unlimited = transfer({ files: [small, large], destination: { multipart: {} } })
    await unlimited.done
    expect(unlimited.destination.calls.map(({ pacer }) => pacer)).toEqual(
      unlimited.destination.calls.map(() => undefined),
    )
  })

  it.each([1, 16])('holds nobody back who is stopped, with %i slots', async (concurrency) => {
    const file = await sparseFile(100 * MiB)
    const directory = await tempDir()
    const destination = openFileDestination({ url: 'file:./out/', directory })
    const clock = createFakeClock({ skipUpTo: -1 })
    const stop = new AbortController()
    const fates: string[] = []
    const done = transferFiles({
      files: asyncOf([file]),
      destination,
      settings: { ...settings, limitRate: 1024, concurrency },
      stdin: () => Readable.from([]),
      clock,
      signal: stop.signal,
      emit: () => {},
      record: async ({ status }) => void fates.push(status),
    })
    while (clock.sleeping === 0) await settled()
    stop.abort()
    await done
    await destination.close()
    expect(fates).toEqual(['cancelled'])
    expect(clock.sleeping).toBe(0)
    // The object's own directory is made before its bytes are read; of the object there is nothing.
    expect(await readdir(directory, { recursive: true })).toEqual(['audio'])
  })
})

async function* asyncOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
