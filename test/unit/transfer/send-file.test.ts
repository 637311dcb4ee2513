import { mkdir, readdir, rm, truncate } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { openFileDestination } from '../../../src/destinations/file/index.ts'
import { transferFiles } from '../../../src/transfer/transfer.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import type { FakeCall, Fate } from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { begun, changes, scannedFile } from './scanned-file.ts'
import { failure, MiB, settings, sparseFile, transfer } from './scene.ts'

describe.each(['open', 'stream'] as const)('a file, read by %s,', (reads) => {
  it('is begun once', async () => {
    const file = await sparseFile(10)
    const scene = transfer({ files: [file], destination: { reads } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 10, bytesSent: 10, attempts: 1 }])
    expect(begun(scene)).toEqual([10])
  })

  it.each(changes)('that %s since the scan is sent as it is now', async (_how, size, change) => {
    const file = await scannedFile(10)
    await change(file.absolute)
    const scene = transfer({ files: [file], destination: { reads, multipart: {} } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size, bytesSent: size, attempts: 1 }])
    const stored = scene.destination.objects.get(file.key)
    expect([stored?.size, stored?.bytes.length]).toEqual([size, size])
    expect(begun(scene)).toEqual([size])
    expect(scene.clock.sleeps).toEqual([])
  })

  it('that changes while it is sent fails at once', async () => {
    const file = await sparseFile(10)
    const script = async (): Promise<Fate> => {
      await truncate(file.absolute, 11)
      return failure('SOURCE_CHANGED', 'it changed')
    }
    const scene = transfer({ files: [file], destination: { reads, script } })
    await scene.done
    expect(scene.records).toMatchObject([
      { status: 'failed', attempts: 1, bytesSent: 10, error: { code: 'SOURCE_CHANGED' } },
    ])
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
    // Both are looked at at once.
    const codes = new Map(scene.records.map(({ path, error }) => [path, error?.code]))
    expect([codes.get(gone.path), codes.get('dir')]).toEqual(['SOURCE_NOT_FOUND', 'SOURCE_UNREADABLE'])
  })
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
  expect(begun(scene)).toEqual([10, 15])
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
      lanes: [{ destination, settings }],
      settings: { ...settings, limitRate: 1024, concurrency },
      stdin: () => Readable.from([]),
      clock,
      signal: stop.signal,
      emit: () => {},
      record: async (record) => void (record.type === 'file' && fates.push(record.status)),
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
