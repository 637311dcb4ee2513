import { describe, expect, it } from 'vitest'
import type { Part } from '../../src/destinations/destination.ts'
import { aCall, bodyOf } from '../contract/bodies.ts'
import type { Fault } from '../support/supabase-fake.ts'
import { allParts, expectComplete, nth, partSize, resumableScene, size } from './supabase-scene.ts'

const call = aCall()

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
    await scene.destination.putObject({ ...scene.object, size: undefined }, bodyOf(Buffer.from('small')), call)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    await expect(upload?.complete(parts, call)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
  })
})

describe.each([404, 410])('a server that forgets what has become an object (%i)', (status) => {
  it('is asked for the object, where the last answer is lost', async () => {
    const scene = await resumableScene({ object: { ifAbsent: true } })
    const upload = await scene.uploads.create(scene.object, call)
    const parts = [await scene.part(upload, 1), await scene.part(upload, 2)]
    scene.supabase.intercept = ({ method }) => {
      if (method === 'PATCH') return { dropAnswer: true }
      return method === 'HEAD' ? { status } : undefined
    }
    await expect(scene.part(upload, 3)).rejects.toMatchObject({ code: 'CONNECTION' })
    await expectComplete(scene, upload, [...parts, await scene.part(upload, 3)])
    expect([scene.asked('PATCH'), scene.asked('POST')]).toEqual([3, 1])
  })

  it('is asked for the object, where the process was killed', async () => {
    const scene = await resumableScene()
    const before = await scene.uploads.create(scene.object, call)
    const parts = await allParts(scene, before)
    scene.supabase.intercept = ({ method }) => (method === 'HEAD' ? { status } : undefined)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    if (upload === undefined) throw new Error('it is gone')
    expect((await upload.listParts(call)).map((part) => part.size)).toEqual(parts.map((part) => part.size))
    await expectComplete(scene, upload, parts)
    await upload.abort(call)
    expect([scene.asked('PATCH'), scene.asked('POST'), scene.asked('DELETE')]).toEqual([3, 1, 0])
    await scene.destination.putObject({ ...scene.object, size: undefined }, bodyOf(Buffer.from('small')), call)
    expect(await scene.uploads.resume(before.uploadId, scene.object, call)).toBeUndefined()
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

describe('a part of what has become an object', () => {
  it('cannot be replaced, and the object is left', async () => {
    const scene = await resumableScene()
    const before = await scene.uploads.create(scene.object, call)
    await allParts(scene, before)
    const upload = await scene.uploads.resume(before.uploadId, scene.object, call)
    if (upload === undefined) throw new Error('it is gone')
    await expect(scene.part(upload, 1)).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 404 })
    expect([scene.patched().length, scene.asked('DELETE')]).toEqual([3, 0])
    expect((await scene.stored())?.equals(scene.bytes)).toBe(true)
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
