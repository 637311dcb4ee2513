import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../../src/observe/records.ts'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import type { FakeCall, Fate } from '../../../support/fake-destination.ts'
import { MiB, type Scene } from '../scene.ts'
import { expectLeft, fileOf, modes, ours, send, theirs, whats } from './if-exists-scene.ts'

describe('a file whose half-sent upload is gone', () => {
  const lost = { uploadId: 'gone', partSize: 8 * MiB, size: 17 * MiB, mtime: undefined, parts: [] }

  it.each([
    ['skip', [], { status: 'skipped', reason: 'exists' }],
    ['fail', [], { status: 'failed', error: { code: 'ALREADY_EXISTS' } }],
    ['overwrite', ['create'], { status: 'uploaded' }],
  ] as const)('is begun anew only where there is nothing by now: %s', async (ifExists, begun, record) => {
    const file = await fileOf(17 * MiB)
    const earlier = { find: async () => ({ key: file.key, unfinished: lost }) }
    const scene = send(file, { ifExists }, { multipart: {}, earlier })
    scene.destination.place(file.key, theirs(3))
    await scene.done
    expect(scene.records).toMatchObject([record])
    expect(whats(scene).filter((what) => what === 'create')).toEqual(begun)
    const free = send(file, { ifExists }, { multipart: {}, earlier })
    await free.done
    expect(free.of('uploaded')).toHaveLength(1)
  })

  it('in the middle of it, is not sent once more for nothing', async () => {
    const file = await fileOf(17 * MiB)
    const script = ({ what, attempt }: FakeCall): Fate => {
      if (what !== 'complete' || attempt > 1) return undefined
      scene.destination.place(file.key, theirs(3))
      scene.destination.lose(`upload of ${file.key}`)
      return undefined
    }
    const scene: Scene = send(file, 'fail', { multipart: {}, script })
    await scene.done
    expectLeft(scene, 'fail', 1)
    expect(whats(scene).filter((what) => what === 'create')).toHaveLength(1)
  })
})

describe('a file that was passed over before for what was there', () => {
  const passedOver = (file: PlannedFile, reason: FileRecord['reason'] = 'exists'): FileRecord => ({
    type: 'file',
    path: file.path,
    source: file.source,
    key: file.key,
    destination: 'fake://bucket/',
    size: file.size ?? 0,
    mtime: new Date(file.mtimeMs ?? 0).toISOString(),
    status: 'skipped',
    reason,
    attempts: 0,
    startedAt: null,
    durationMs: null,
    bytesSent: 0,
    bytesPerSecond: null,
    parts: 0,
    engine: 'standard',
    contentType: 'audio/wav',
  })

  it.each([
    ['skip', [], { status: 'skipped', reason: 'exists' }],
    ['fail', ['head'], { status: 'failed', error: { code: 'ALREADY_EXISTS' } }],
    ['overwrite', ['put'], { status: 'uploaded' }],
  ] as const)('when the run goes on with %s', async (ifExists, calls, record) => {
    const file = await fileOf(10)
    const done = passedOver(file)
    const scene = send(file, { ifExists }, { earlier: { find: async () => ({ key: file.key, done }) } })
    scene.destination.place(file.key, theirs(5))
    await scene.done
    expect(whats(scene)).toEqual(calls)
    expect(scene.records).toMatchObject([record])
  })

  it.each([
    ['not-newer', 'newer', ['head', 'put'], { status: 'uploaded', replaced: { size: 5 } }],
    ['unchanged', 'changed', [], { status: 'skipped', reason: 'unchanged' }],
    ['unchanged', 'newer', ['head', 'put'], { status: 'uploaded', replaced: { size: 5 } }],
    ['unchanged', 'skip', ['head'], { status: 'skipped', reason: 'exists' }],
    ['unchanged', 'overwrite', ['put'], { status: 'uploaded' }],
    ['exists', 'changed', ['head', 'put'], { status: 'uploaded', replaced: { size: 5 } }],
  ] as const)('as %s, when the run goes on with %s', async (reason, ifExists, calls, record) => {
    const file = await fileOf(10)
    const done = passedOver(file, reason)
    const scene = send(file, { ifExists }, { earlier: { find: async () => ({ key: file.key, done }) } })
    scene.destination.place(file.key, theirs(5))
    await scene.done
    expect(whats(scene)).toEqual(calls)
    expect(scene.records).toMatchObject([record])
  })

  it('as unchanged is compared again where it has another time since', async () => {
    const file = await fileOf(10)
    const done = { ...passedOver(file, 'unchanged'), mtime: new Date(0).toISOString() }
    const scene = send(file, 'changed', { earlier: { find: async () => ({ key: file.key, done }) } })
    scene.destination.place(file.key, ours(10))
    await scene.done
    expect(whats(scene)).toEqual(['head'])
    expect(scene.records).toMatchObject([{ status: 'skipped', reason: 'unchanged' }])
  })

  it('is passed over by a run that is cut, too', async () => {
    const file = await fileOf(10)
    const done = passedOver(file)
    for (const [ifExists, status] of [
      ['skip', 'skipped'],
      ['fail', 'cancelled'],
    ] as const) {
      const scene = send(file, { ifExists }, { earlier: { find: async () => ({ key: file.key, done }) } })
      scene.stop.abort()
      await scene.done
      expect(scene.records).toMatchObject([{ status }])
    }
  })
})

describe('a run that is continued', () => {
  const begunAtMs = Date.UTC(2026, 10, 22, 7)
  const since = new Date(begunAtMs - 1000)
  const before = new Date(begunAtMs - 10_000)
  const earlier = { begunAtMs, find: async () => undefined }

  it.each(modes)('knows what it had stored and not yet written down: %s', async (mode) => {
    const file = await fileOf(10)
    const scene = send(file, mode, { earlier })
    scene.destination.place(file.key, { ...ours(10), lastModified: since })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([
      { status: 'skipped', reason: 'already-uploaded', replaced: null, size: 10, attempts: 0, bytesSent: 0 },
    ])
    expect(scene.records[0]?.checksum?.algorithm).toBe('crc32')
    expect(whats(scene)).toEqual(['head'])
  })

  it.each([
    ['was there before', { ...ours(10), lastModified: before }],
    ['has other bytes', { ...theirs(10), lastModified: since }],
    ['has another size', { ...theirs(11), lastModified: since }],
    ['cannot be compared', { size: 10, bytes: Buffer.of(), lastModified: since }],
    ['came nobody knows when', ours(10)],
  ])('does not take for its own what %s', async (_what, there) => {
    for (const mode of modes) {
      const file = await fileOf(10)
      const scene = send(file, mode, { earlier })
      scene.destination.place(file.key, there)
      await scene.done
      expectLeft(scene, mode, 0)
    }
  })
})
