import { expect, it } from 'vitest'
import type { Destination, Part } from '../../../src/destinations/destination.ts'
import { UploadError } from '../../../src/errors.ts'
import { removingUnrecorded } from '../../../src/resume/unrecorded-uploads.ts'
import type { EarlierFile } from '../../../src/transfer/earlier.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { planned } from '../transfer/scene.ts'

const since = '2026-11-22T10:00:00.000Z'
const after = new Date('2026-11-22T10:00:01Z')
const signal = new AbortController().signal
const large = planned(1, { key: 'a.wav', size: 1001 })

interface There {
  readonly uploads?: readonly { key: string; uploadId: string; initiatedAt: Date; parts?: readonly Part[] }[]
  readonly found?: EarlierFile
  readonly refused?: Error
}

function start({ uploads = [], found, refused }: There) {
  const asked: string[] = []
  const said: string[] = []
  const destination: Destination = {
    ...createFakeDestination({ multipart: {} }),
    multipart: {
      create: () => expect.fail('nothing is begun'),
      async *list(prefix) {
        asked.push(`list ${prefix}`)
        if (refused !== undefined) throw refused
        yield* uploads
      },
      resume: async (uploadId) => ({
        uploadId,
        partSize: 1,
        maxConcurrentParts: 1,
        listParts: async () => uploads.find((upload) => upload.uploadId === uploadId)?.parts ?? [],
        uploadPart: () => expect.fail('nothing is sent'),
        complete: () => expect.fail('nothing is completed'),
        abort: async () => void asked.push(`abort ${uploadId}`),
        release: async () => void asked.push(`release ${uploadId}`),
      }),
    },
  }
  const earlier = removingUnrecorded({ find: async () => found }, destination, {
    prefix: 'p/',
    since,
    multipartThreshold: 1000,
    say: (message) => said.push(message),
  })
  return { earlier, asked, said }
}

it('removes empty uploads of the key that were begun since the run began, and no others', async () => {
  const { key } = large
  const { earlier, asked } = start({
    uploads: [
      { key, uploadId: 'empty', initiatedAt: after },
      { key, uploadId: 'again', initiatedAt: after },
      { key, uploadId: 'full', initiatedAt: after, parts: [{ partNumber: 1, size: 1 }] },
      { key, uploadId: 'older', initiatedAt: new Date('2026-11-22T09:59:00Z') },
      { key: 'other', uploadId: 'other', initiatedAt: after },
    ],
  })
  expect(await earlier.find(large, signal)).toBeUndefined()
  expect(asked).toEqual(['list p/', 'abort empty', 'abort again', 'release full'])
})

it('removes those of standard input, whose size nobody knows', async () => {
  const { earlier, asked } = start({ uploads: [{ key: 'x', uploadId: 'empty', initiatedAt: after }] })
  expect(
    await earlier.find(planned(1, { path: '-', absolute: '-', key: 'x', size: undefined }), signal),
  ).toBeUndefined()
  expect(asked).toEqual(['list p/', 'abort empty'])
})

it('lists once for all files', async () => {
  const { earlier, asked } = start({})
  await Promise.all([earlier.find(large, signal), earlier.find({ ...large, key: 'b' }, signal)])
  expect(asked).toEqual(['list p/'])
})

it.each([
  ['is done', { key: 'a.wav', done: {} as NonNullable<EarlierFile['done']> }],
  ['is gone on with', { key: 'a.wav', unfinished: {} as NonNullable<EarlierFile['unfinished']> }],
])('asks nothing about a file that %s', async (_, found) => {
  const { earlier, asked } = start({ found })
  expect(await earlier.find(large, signal)).toBe(found)
  expect(asked).toEqual([])
})

it('asks nothing about a file that goes as a whole, nor when the run was cut', async () => {
  const { earlier, asked } = start({})
  await earlier.find({ ...large, size: 1000 }, signal)
  await earlier.find(large)
  expect(asked).toEqual([])
})

it('goes by the key that a file keeps', async () => {
  const { earlier, asked } = start({
    found: { key: '1-a.wav' },
    uploads: [{ key: '1-a.wav', uploadId: 'kept', initiatedAt: after }],
  })
  expect(await earlier.find(large, signal)).toEqual({ key: '1-a.wav' })
  expect(asked).toEqual(['list p/', 'abort kept'])
})

it('is no reason not to send the file where it cannot be done, and says so', async () => {
  const { earlier, said } = start({ refused: new UploadError('ACCESS_DENIED', 'access denied') })
  expect(await earlier.find(large, signal)).toBeUndefined()
  expect(said).toEqual(['an upload of a.wav that the journal does not know may be left: access denied'])
})

it.each([
  ['THROTTLED', 2],
  ['ACCESS_DENIED', 1],
] as const)('lists once more for the next file where that may help: %s', async (code, times) => {
  const { earlier, asked } = start({ refused: new UploadError(code, 'refused') })
  await earlier.find(large, signal)
  await earlier.find(large, signal)
  expect(asked).toHaveLength(times)
})

it('ends where the run is cut meanwhile', async () => {
  const { earlier } = start({ refused: new UploadError('CANCELLED', 'cut') })
  await expect(earlier.find(large, AbortSignal.abort())).rejects.toThrow('cut')
})
