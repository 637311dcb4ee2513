import { appendFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { EarlierFile } from '../../../src/transfer/earlier.ts'
import type { FakeCall } from '../../support/fake-destination.ts'
import { fileRecord } from '../observe/events.ts'
import { begun, changes, scannedFile } from './scanned-file.ts'
import { settings, transfer } from './scene.ts'

/** A file whose key was made of the bytes it had then. */
async function pinned(): Promise<PlannedFile> {
  return { ...(await scannedFile(10)), key: 'sum-of-these-bytes', pinned: true }
}

const ways = [
  ['as a small file', { reads: 'open' as const, small: { maxSize: 1000 } }],
  ['as any file', { reads: 'open' as const }],
] as const

describe.each(ways)('a file whose key was made of its bytes, sent %s', (_, destination) => {
  it('is sent as long as it is what it was', async () => {
    const scene = transfer({ files: [await pinned()], destination })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', key: 'sum-of-these-bytes', size: 10 }])
  })

  it.each(changes)('fails where it %s since, also under --on-change retry', async (_, __, change) => {
    const file = await pinned()
    await change(file.absolute)
    for (const onChange of ['fail', 'retry'] as const) {
      const scene = transfer({ files: [file], destination, settings: { onChange } })
      await scene.done
      expect(scene.records).toMatchObject([{ status: 'failed', attempts: 1, error: { code: 'SOURCE_CHANGED' } }])
      expect(scene.destination.objects.size).toBe(0)
    }
  })
})

it('fails where it changes while it is sent', async () => {
  const file = await pinned()
  const script = async ({ what }: FakeCall): Promise<undefined> => {
    if (what === 'create') await appendFile(file.absolute, 'x')
  }
  const inParts = { ...settings, partSize: 4, multipartThreshold: 4, onChange: 'retry' as const }
  const multipart = { reads: 'open' as const, multipart: {}, limits: { minPartSize: 1 }, script }
  const scene = transfer({ files: [file], settings: inParts, destination: multipart })
  await scene.done
  expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'SOURCE_CHANGED' } }])
  expect(begun(scene)).toEqual([10])
  expect([scene.destination.objects.size, scene.destination.openUploads]).toEqual([0, 0])
})

describe('a key that an earlier invocation made of the bytes', () => {
  const mtime = '2023-11-14T22:13:20.000Z'
  const done = (over: Partial<EarlierFile['done']>) =>
    fileRecord({ key: 'earlier-key', size: 10, mtime, ...over }) as EarlierFile['done']

  it('stays that of a file that still has them', async () => {
    const scene = transfer({
      files: [await pinned()],
      earlier: {
        find: async () => ({ key: 'earlier-key', originalKey: undefined, done: done({}), unfinished: undefined }),
      },
    })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'skipped', reason: 'already-uploaded', key: 'earlier-key' }])
  })

  it.each([{ size: 11 }, { mtime: '2023-11-14T22:13:21.000Z' }])(
    'is not that of a file with others: %j',
    async (over) => {
      const found = { key: 'earlier-key', originalKey: undefined, done: done(over), unfinished: undefined }
      const scene = transfer({ files: [await pinned()], earlier: { find: async () => found } })
      await scene.done
      expect(scene.records).toMatchObject([{ status: 'uploaded', key: 'sum-of-these-bytes' }])
    },
  )

  it('is not that of a file that failed', async () => {
    const found = { key: 'earlier-key', originalKey: undefined, done: undefined, unfinished: undefined }
    const scene = transfer({ files: [await pinned()], earlier: { find: async () => found } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', key: 'sum-of-these-bytes' }])
  })

  it('is not listed for a file with others that a stopped run never came to', async () => {
    const found = { key: 'earlier-key', originalKey: undefined, done: done({ size: 11 }), unfinished: undefined }
    const scene = transfer({ files: [await pinned()], earlier: { find: async () => found } })
    scene.stop.abort()
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'cancelled', key: 'sum-of-these-bytes' }])
  })
})
