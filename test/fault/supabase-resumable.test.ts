import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type { MultipartUpload, Part } from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'
import { aCall, bodyOf } from '../contract/bodies.ts'
import type { Fault, SeenRequest } from '../support/supabase-fake.ts'
import { partSize, type ResumableScene, resumableScene, size } from './supabase-scene.ts'

const crc32 = checksummerOf('crc32')
const call = aCall()
const smallBody = () => bodyOf(Buffer.from('small'))

/** The nth request of a kind gets a fault, the others none. */
function nth(number: number, method: string, fault: Fault): (request: SeenRequest) => Fault | undefined {
  let count = 0
  return (request) => {
    if (request.protocol !== 'tus' || request.method !== method) return undefined
    count += 1
    return count === number ? fault : undefined
  }
}

async function allParts(scene: ResumableScene, upload: MultipartUpload, from = 1): Promise<Part[]> {
  const parts: Part[] = []
  for (let partNumber = from; partNumber <= 3; partNumber += 1) parts.push(await scene.part(upload, partNumber))
  return parts
}

/** All parts as they have to be told of, with the checksum of the whole. */
async function expectComplete(scene: ResumableScene, upload: MultipartUpload, parts: readonly Part[]): Promise<void> {
  expect(parts.map((part) => part.size)).toEqual([partSize, partSize, size - 2 * partSize])
  const info = await upload.complete(parts, call)
  const checksum = { algorithm: 'crc32', value: crc32.of(scene.bytes) }
  expect(info).toEqual({ key: scene.object.key, size, checksum })
  expect((await scene.stored())?.equals(scene.bytes)).toBe(true)
}

describe('a resumable upload', () => {
  it('sends each part once, and asks nothing besides', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const parts = await allParts(scene, upload)
    await expectComplete(scene, upload, parts)
    expect(scene.supabase.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'POST 201',
      'PATCH 204',
      'PATCH 204',
      'PATCH 204',
    ])
    expect(scene.supabase.objects.get('audio/takes/a b.wav')).toMatchObject({
      contentType: 'audio/wav',
      cacheControl: 'max-age=3600',
      protocol: 'tus',
    })
  })

  it('tells of its bytes as they leave, up to the part', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const told: number[] = []
    await scene.part(upload, 1, { onBytes: (sent) => told.push(sent) })
    expect([told.at(-1), told]).toEqual([partSize, [...told].sort((a, b) => a - b)])
  })

  it.each(['none', 'sha256', 'crc32c'] as const)('keeps the checksums that are asked for: %s', async (checksum) => {
    const scene = await resumableScene({ settings: { checksum } })
    const upload = await scene.uploads.create(scene.object, call)
    const part = await scene.part(upload, 1)
    const expected =
      checksum === 'none'
        ? undefined
        : { algorithm: checksum, value: await checksummerOf(checksum).of(scene.bytes.subarray(0, partSize)) }
    expect(part).toEqual({ partNumber: 1, size: partSize, checksum: expected })
  })

  it('keeps the properties that were asked for, and says which it cannot keep', async () => {
    const properties = { cacheControl: 'public, max-age=60', metadata: { take: '7', 'mic-type': 'a b' } }
    const scene = await resumableScene({ settings: { properties }, object: { properties } })
    const upload = await scene.uploads.create(scene.object, call)
    await expectComplete(scene, upload, await allParts(scene, upload))
    const { cacheControl, metadata } = properties
    expect(scene.supabase.objects.get('audio/takes/a b.wav')).toMatchObject({ cacheControl: 'max-age=60', metadata })
    expect(scene.warnings).toEqual([expect.stringMatching(`"${cacheControl}".*6 MiB.*"max-age=60"`)])
  })

  it('stays with the project, wherever the server takes itself to be', async () => {
    const scene = await resumableScene({ locate: (url) => url.replace(/127\.0\.0\.1:\d+/, 'elsewhere.example:1') })
    const upload = await scene.uploads.create(scene.object, call)
    expect(upload.uploadId.startsWith(`${scene.supabase.url}/storage/v1/upload/resumable/`)).toBe(true)
    await expectComplete(scene, upload, await allParts(scene, upload))
  })
})

describe('a connection that is reset in the middle of a part', () => {
  it.each([1, 2, 3])('(%i): the bytes that arrived are not sent again', async (partNumber) => {
    const scene = await resumableScene()
    scene.supabase.intercept = nth(partNumber, 'PATCH', { resetAfter: 50_000 })
    const upload = await scene.uploads.create(scene.object, call)
    const parts: Part[] = []
    for (let number = 1; number < partNumber; number += 1) parts.push(await scene.part(upload, number))
    await expect(scene.part(upload, partNumber)).rejects.toMatchObject({ code: 'CONNECTION', retryable: true })
    const told: number[] = []
    let before = 0
    const onBytes = (sent: number, there = 0): void => {
      told.push(sent)
      before += there
    }
    parts.push(await scene.part(upload, partNumber, { onBytes }))
    parts.push(...(await allParts(scene, upload, partNumber + 1)))
    await expectComplete(scene, upload, parts)
    expect([told[0], before, told.at(-1)]).toEqual([50_000, 50_000, parts[partNumber - 1]?.size])
    expect(scene.patched().reduce((sum, sent) => sum + sent)).toBe(size)
    expect(scene.asked('HEAD')).toBe(1)
  })

  it('goes on in the middle in another process, too', async () => {
    const scene = await resumableScene()
    scene.supabase.intercept = nth(2, 'PATCH', { resetAfter: 4_000_000 })
    const before = await scene.uploads.create(scene.object, call)
    const first = await scene.part(before, 1)
    await expect(scene.part(before, 2)).rejects.toMatchObject({ code: 'CONNECTION' })
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    if (upload === undefined) throw new Error('it is gone')
    expect(await upload.listParts(call)).toEqual([
      { partNumber: 1, size: partSize },
      { partNumber: 2, size: 4_000_000 },
    ])
    await expectComplete(scene, upload, [first, ...(await allParts(scene, upload, 2))])
    expect(scene.patched()).toEqual([partSize, 4_000_000, partSize - 4_000_000, size - 2 * partSize])
  })
})

describe('an answer that is lost', () => {
  it.each([1, 2])('to part %i: what arrived is not sent again', async (partNumber) => {
    const scene = await resumableScene()
    scene.supabase.intercept = nth(partNumber, 'PATCH', { dropAnswer: true })
    const upload = await scene.uploads.create(scene.object, call)
    const parts: Part[] = []
    for (let number = 1; number < partNumber; number += 1) parts.push(await scene.part(upload, number))
    await expect(scene.part(upload, partNumber)).rejects.toMatchObject({ code: 'CONNECTION' })
    parts.push(...(await allParts(scene, upload, partNumber)))
    await expectComplete(scene, upload, parts)
    expect(scene.asked('PATCH')).toBe(3)
  })

  it.each([false, true])('to the last part: the object is there, and is made once (ifAbsent: %s)', async (ifAbsent) => {
    const scene = await resumableScene({ object: { ifAbsent } })
    scene.supabase.intercept = nth(3, 'PATCH', { dropAnswer: true })
    const upload = await scene.uploads.create(scene.object, call)
    const parts = [await scene.part(upload, 1), await scene.part(upload, 2)]
    await expect(scene.part(upload, 3)).rejects.toMatchObject({ code: 'CONNECTION' })
    await expectComplete(scene, upload, [...parts, await scene.part(upload, 3)])
    expect([scene.asked('PATCH'), scene.asked('POST'), scene.supabase.objects.size]).toEqual([3, 1, 1])
  })

  it('to the last part, and the process was killed: it is taken as it is', async () => {
    const scene = await resumableScene()
    const before = await scene.uploads.create(scene.object, call)
    const parts = await allParts(scene, before)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    if (upload === undefined) throw new Error('it is gone')
    expect((await upload.listParts(call)).map((part) => part.size)).toEqual(parts.map((part) => part.size))
    await expectComplete(scene, upload, parts)
    expect(scene.asked('PATCH')).toBe(3)
  })

  it('of a server that has all bytes and made no object of them: the upload is lost', async () => {
    const scene = await resumableScene()
    const before = await scene.uploads.create(scene.object, call)
    const parts = await allParts(scene, before)
    // The object that stands there now is another's.
    await scene.destination.putObject({ ...scene.object, size: undefined }, smallBody(), call)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    await expect(upload?.complete(parts, call)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
  })
})

describe('an upload that another request holds', () => {
  it('is waited for: the part may be sent later', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const parts = [await scene.part(upload, 1)]
    const release = scene.supabase.lockUpload(scene.supabase.uploads[0]?.url ?? '')
    const locked = { code: 'SERVER_ERROR', retryable: true, status: 423 }
    await expect(scene.part(upload, 2)).rejects.toMatchObject(locked)
    await expect(scene.part(upload, 2)).rejects.toMatchObject(locked)
    await expect(scene.uploads.resume(upload.uploadId, scene.object, call)).rejects.toMatchObject(locked)
    release()
    parts.push(...(await allParts(scene, upload, 2)))
    await expectComplete(scene, upload, parts)
  })
})

const conflict: Fault = { status: 409, body: 'Upload-Offset conflict\n', headers: { 'content-type': 'text/plain' } }

describe('an offset that is another than the server has', () => {
  it('is asked for at once, and the part goes on', async () => {
    const scene = await resumableScene()
    scene.supabase.intercept = nth(2, 'PATCH', conflict)
    const upload = await scene.uploads.create(scene.object, call)
    await expectComplete(scene, upload, await allParts(scene, upload))
    expect([scene.asked('HEAD'), scene.asked('PATCH')]).toEqual([1, 4])
  })

  it('is asked for once only: then the attempt has failed', async () => {
    const scene = await resumableScene()
    scene.supabase.intercept = ({ method }) => (method === 'PATCH' ? conflict : undefined)
    const upload = await scene.uploads.create(scene.object, call)
    await expect(scene.part(upload, 1)).rejects.toMatchObject({ code: 'BAD_RESPONSE', retryable: true, status: 409 })
    expect([scene.asked('HEAD'), scene.asked('PATCH')]).toEqual([1, 2])
  })

  it('because somebody else sends it too: one of the two gives way', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const other = await scene.uploads.resume(upload.uploadId, scene.object, call)
    if (other === undefined) throw new Error('it is gone')
    await scene.part(other, 1)
    await scene.part(other, 2)
    await expect(scene.part(upload, 1)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      status: undefined,
      message: expect.stringContaining('another process sends the same upload'),
    })
  })

  it('because the server lost what it had: the upload is lost', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    await expect(scene.part(upload, 2)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
    expect(await scene.uploads.resume(upload.uploadId, scene.object, call)).toBeUndefined()
  })

  it('since a part that is there is to be replaced: that cannot be, and the upload is lost', async () => {
    const scene = await resumableScene()
    const before = await scene.uploads.create(scene.object, call)
    await scene.part(before, 1)
    await scene.part(before, 2)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    if (upload === undefined) throw new Error('it is gone')
    await expect(scene.part(upload, 1)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
    expect(scene.patched()).toHaveLength(2)
    expect([scene.asked('DELETE'), await scene.uploads.resume(before.uploadId, scene.object, call)]).toEqual([
      1,
      undefined,
    ])
  })
})

describe.each([false, true])('an upload that has expired (gone: %s)', (gone) => {
  it('is none to go on with', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    scene.supabase.expireUpload(upload.uploadId, { gone })
    expect(await scene.uploads.resume(upload.uploadId, scene.object, call)).toBeUndefined()
    await upload.abort(call)
  })

  it('in the middle is lost', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    scene.supabase.expireUpload(upload.uploadId, { gone })
    await expect(scene.part(upload, 2)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
    await expect(scene.part(upload, 2)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
    await expect(upload.complete([], call)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
  })
})

describe('a key to the project that expires half-way', () => {
  it('is told as such, and the upload goes on where it was', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const parts = [await scene.part(upload, 1)]
    scene.supabase.setExpired(true)
    const expired = { code: 'CREDENTIALS_EXPIRED', retryable: false }
    await expect(scene.part(upload, 2)).rejects.toMatchObject(expired)
    await expect(scene.uploads.create(scene.object, call)).rejects.toMatchObject(expired)
    scene.supabase.setExpired(false)
    parts.push(...(await allParts(scene, upload, 2)))
    await expectComplete(scene, upload, parts)
    expect(scene.asked('POST')).toBe(2)
  })

  it('is not taken for an upload that is gone, by a server that asks for it there, too', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    scene.supabase.setExpired(true)
    scene.supabase.intercept = ({ method }) => (method === 'HEAD' ? { status: 400 } : undefined)
    await expect(scene.uploads.resume(upload.uploadId, scene.object, call)).rejects.toMatchObject({
      code: 'CREDENTIALS_EXPIRED',
    })
    scene.supabase.setExpired(false)
    expect(await scene.uploads.resume(upload.uploadId, scene.object, call)).toBeUndefined()
  })
})

describe('an object that exists', () => {
  it('is not replaced where that was ruled out, not even by the last part', async () => {
    const scene = await resumableScene({ object: { ifAbsent: true } })
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    await scene.destination.putObject({ ...scene.object, size: undefined }, smallBody(), call)
    const exists = { code: 'ALREADY_EXISTS', retryable: false }
    await expect(scene.part(upload, 2)).rejects.toMatchObject(exists)
    await expect(scene.uploads.create(scene.object, call)).rejects.toMatchObject(exists)
    await upload.abort(call)
    expect((await scene.stored())?.toString()).toBe('small')
    expect(await scene.uploads.resume(upload.uploadId, scene.object, call)).toBeUndefined()
  })

  it('is replaced otherwise', async () => {
    const scene = await resumableScene()
    await scene.destination.putObject({ ...scene.object, size: undefined }, smallBody(), call)
    const upload = await scene.uploads.create(scene.object, call)
    await expectComplete(scene, upload, await allParts(scene, upload))
  })
})

describe('to give an upload up', () => {
  it('removes it; a second time is no error', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    await upload.abort(call)
    await upload.abort(call)
    expect(await scene.uploads.resume(upload.uploadId, scene.object, call)).toBeUndefined()
  })

  it('leaves alone what became an object, though its last answer was lost', async () => {
    const scene = await resumableScene()
    scene.supabase.intercept = nth(3, 'PATCH', { dropAnswer: true })
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    await scene.part(upload, 2)
    await expect(scene.part(upload, 3)).rejects.toMatchObject({ code: 'CONNECTION' })
    await upload.abort(call)
    expect(scene.asked('DELETE')).toBe(0)
    expect((await scene.stored())?.equals(scene.bytes)).toBe(true)
  })
})

describe('an upload that is named by somebody else', () => {
  it.each([
    ['at another host', (url: string) => url.replace(/127\.0\.0\.1/, 'localhost')],
    ['at another path', (url: string) => url.replace('/resumable/', '/resumable/sign/')],
    ['with more than a name', (url: string) => `${url}/../x`],
    ['by no address', () => 'x'],
  ])('%s gets neither a request nor the key', async (_where, change) => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const before = scene.supabase.requests.length
    expect(await scene.uploads.resume(change(upload.uploadId), scene.object, call)).toBeUndefined()
    expect(scene.supabase.requests.length).toBe(before)
  })

  it('and is one of another object is none to go on with', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    expect(await scene.uploads.resume(upload.uploadId, { ...scene.object, key: 'takes/b.wav' }, call)).toBeUndefined()
  })
})

describe('a body that fails', () => {
  it('is told as it is, and what was sent before stays', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const error = new UploadError('SOURCE_CHANGED', 'it became shorter')
    const body = bodyOf(scene.bytes.subarray(0, partSize), { failAfter: { bytes: 2_000_000, error } })
    await expect(upload.uploadPart(1, body, call)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    await expectComplete(scene, upload, await allParts(scene, upload))
  })

  it('is cut with the run, however long it takes', async () => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    const stop = new AbortController()
    const body = bodyOf(scene.bytes.subarray(0, partSize), {
      hangAfter: { bytes: 2_000_000, onHang: () => stop.abort() },
    })
    await expect(upload.uploadPart(1, body, aCall({ signal: stop.signal }))).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })
})
