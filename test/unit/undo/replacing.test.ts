import { describe, expect, it, onTestFinished } from 'vitest'
import { UploadError } from '../../../src/errors.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { createRequests } from '../../../src/transfer/requests.ts'
import { keysInUse } from '../../../src/undo/replacing.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { MiB, planned, retry, settings, sparseFile } from '../transfer/scene.ts'

it('a look that fails while the next files are still scanned is told of after the scan, and nowhere else', async () => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled))

  let endScan = (): void => undefined
  const scan = new Promise<void>((resolve) => {
    endScan = resolve
  })
  async function* files(): AsyncGenerator<PlannedFile> {
    yield planned(1)
    await scan
    yield planned(2)
  }
  const { signal } = new AbortController()
  const denied = new UploadError('ACCESS_DENIED', 'not yours', { status: 403 })
  const destination = createFakeDestination({ script: () => denied })
  const requests = createRequests(retry, createFakeClock(), signal)
  const scope = { files: 2, prefix: 'audio/' }
  const first = keysInUse({ destination, settings, requests, scope, files, signal }).next()
  while (destination.calls.length === 0) await settled()
  // The failure has its turn, and the process one more in which it would speak of it.
  await settled()
  await settled()
  expect(destination.calls).toHaveLength(1)

  endScan()
  await expect(first).rejects.toBe(denied)
  await settled()
  expect(unhandled).toEqual([])
})

describe('the keys under which something is going to be replaced', () => {
  const newer = new Date(2_000_000_000_000)
  const older = new Date(0)

  it.each([
    ['overwrite', ['same', 'other', 'size', 'newer', '-']],
    ['newer', ['same', 'other', 'size', '-']],
    ['changed', ['other', 'size', 'newer', '-']],
  ] as const)('%s', async (ifExists, expected) => {
    const source = await sparseFile(10)
    const { signal } = new AbortController()
    const requests = createRequests(retry, createFakeClock(), signal)
    const zeros = { size: 10, bytes: Buffer.alloc(10), lastModified: older }
    const ones = { size: 10, bytes: Buffer.alloc(10, 1) }
    const problem = new UploadError('TOO_LARGE', 'it is too large')
    const named = (key: string, over: Partial<PlannedFile> = {}) => planned(1, { ...source, key, ...over })
    async function* files(): AsyncGenerator<PlannedFile> {
      for (const key of ['same', 'other', 'size', 'newer', 'nothing']) yield named(key)
      yield named('-', { path: '-', size: undefined, mtimeMs: undefined })
      yield named('skipped', { skip: 'excluded-by-rule' })
      yield named('failed', { problem })
    }
    for (const listsBy of [undefined, 1000]) {
      const destination = createFakeDestination(listsBy === undefined ? {} : { listsBy })
      for (const key of ['same', '-', 'skipped', 'failed']) destination.place(key, zeros)
      destination.place('other', { ...ones, lastModified: older })
      destination.place('size', { ...zeros, size: 11, lastModified: newer })
      destination.place('newer', { ...ones, lastModified: newer })
      const scope = { files: 101, prefix: '' }
      const settings = { ifExists, partSize: 8 * MiB }
      const found: string[] = []
      for await (const key of keysInUse({ destination, settings, requests, scope, files, signal })) found.push(key)
      expect(found).toEqual(expected)
      const lists = destination.calls.filter(({ what }) => what === 'list-objects')
      expect(lists).toHaveLength(listsBy === undefined ? 0 : 1)
    }
  })
})
