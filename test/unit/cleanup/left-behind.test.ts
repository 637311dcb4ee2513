import { expect, it, vi } from 'vitest'
import { findLeftBehind } from '../../../src/cleanup/left-behind.ts'
import type { Destination, MultipartUploads, UnfinishedUpload } from '../../../src/destinations/destination.ts'
import { createRequests } from '../../../src/transfer/requests.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { defaultSettings } from '../../support/settings.ts'

const hour = 3_600_000
const now = 1000 * hour

const upload = (key: string, ageMs: number): UnfinishedUpload => ({
  key,
  uploadId: `id-${key}`,
  initiatedAt: new Date(now - ageMs),
})
const uploads = [upload('a', 30 * hour), upload('b', 50 * hour), upload('c', hour), upload('d', 40 * hour)]

async function find(olderThanMs: number, lastPartAt?: MultipartUploads['lastPartAt']) {
  const multipart = {
    async *list() {
      yield* uploads
    },
    ...(lastPartAt === undefined ? {} : { lastPartAt }),
  } as unknown as MultipartUploads
  const destination: Destination = { ...createFakeDestination(), multipart }
  const requests = createRequests(defaultSettings.retry, createFakeClock(), new AbortController().signal)
  const found = await findLeftBehind({ destination, prefix: '', olderThanMs, now, requests })
  return { keys: found.uploads.map(({ key }) => key), younger: found.younger }
}

it('leaves an upload that was begun long ago, and to which parts still come', async () => {
  const lastPartAt = vi.fn<NonNullable<MultipartUploads['lastPartAt']>>(async ({ key }) =>
    key === 'b' ? new Date(now - 1000) : key === 'd' ? new Date(now - 39 * hour) : undefined,
  )
  expect(await find(24 * hour, lastPartAt)).toEqual({ keys: ['d', 'a'], younger: 2 })
  expect(lastPartAt.mock.calls.map(([{ key }]) => key)).toEqual(['a', 'b', 'd'])
})

it('goes by its beginning where nothing else is known', async () => {
  expect(await find(24 * hour)).toEqual({ keys: ['b', 'd', 'a'], younger: 1 })
})

it('asks about none where all are meant', async () => {
  const lastPartAt = vi.fn(async () => new Date(now))
  expect(await find(0, lastPartAt)).toEqual({ keys: ['b', 'd', 'a', 'c'], younger: 0 })
  expect(lastPartAt).not.toHaveBeenCalled()
})
