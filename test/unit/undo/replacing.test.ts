import { expect, it, onTestFinished } from 'vitest'
import { UploadError } from '../../../src/errors.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { createRequests } from '../../../src/transfer/requests.ts'
import { keysInUse } from '../../../src/undo/replacing.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { planned, retry } from '../transfer/scene.ts'

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
  const first = keysInUse({ destination, requests, prefix: 'audio/', count: 2, files, signal }).next()
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
