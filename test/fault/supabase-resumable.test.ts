import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import { UploadError } from '../../src/errors.ts'
import { aCall, bodyOf } from '../contract/bodies.ts'
import { allParts, expectComplete, nth, partSize, resumableScene } from './supabase-scene.ts'

const call = aCall()
const smallBody = () => bodyOf(Buffer.from('small'))

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

  it('gives the server longer to answer the last part: it makes the object of all of them', async () => {
    const scene = await resumableScene({ patience: { idleWhileCompleting: 400 } })
    const timeouts = { limitMs: () => 60_000, answerLimitMs: () => 300, succeeded: () => {}, overdue: () => {} }
    const upload = await scene.uploads.create(scene.object, call)
    scene.supabase.intercept = ({ method }) => (method === 'PATCH' ? 'hang' : undefined)
    await expect(scene.part(upload, 1, { timeouts })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('within 0.3 s'),
    })
    scene.supabase.intercept = undefined
    for (const partNumber of [1, 2]) await scene.part(upload, partNumber)
    scene.supabase.intercept = ({ method }) => (method === 'PATCH' ? 'hang' : undefined)
    await expect(scene.part(upload, 3, { timeouts })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('within 0.4 s'),
    })
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

  it('does so for whoever knows no more than its address; what became an object is left', async () => {
    const scene = await resumableScene()
    const { key } = scene.object
    const begun = await scene.uploads.create(scene.object, call)
    const made = await scene.uploads.create(scene.object, call)
    await allParts(scene, made)
    for (const { uploadId } of [begun, made, begun]) {
      await scene.uploads.remove?.({ key, uploadId, initiatedAt: new Date(0) }, call)
    }
    expect(scene.asked('DELETE')).toBe(1)
    expect(await scene.uploads.resume(begun.uploadId, scene.object, call)).toBeUndefined()
    expect((await scene.stored())?.equals(scene.bytes)).toBe(true)
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
