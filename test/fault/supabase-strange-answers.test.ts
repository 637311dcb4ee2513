import { describe, expect, it } from 'vitest'
import { aCall } from '../contract/bodies.ts'
import type { Fault } from '../support/supabase-fake.ts'
import { partSize, resumableScene } from './supabase-scene.ts'

const call = aCall()
const page: Fault = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<html>Log in to the network</html>',
}

describe('an upload is not begun by', () => {
  it.each<[string, Fault]>([
    ['a web page', page],
    ['a success that names no place', { status: 201 }],
    ['one that names a directory', { status: 201, headers: { location: 'http://127.0.0.1/upload/..' } }],
    ['one that names nothing but a host', { status: 201, headers: { location: '/' } }],
    ['one that names what is no name', { status: 201, headers: { location: '/upload/a%00b' } }],
  ])('%s', async (_what, fault) => {
    const scene = await resumableScene()
    scene.supabase.intercept = () => fault
    await expect(scene.uploads.create(scene.object, call)).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
  })

  it('a redirect: the key does not follow it', async () => {
    const scene = await resumableScene()
    const location = `${scene.supabase.url}/elsewhere`
    scene.supabase.intercept = () => ({ status: 307, headers: { location } })
    await expect(scene.uploads.create(scene.object, call)).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
    expect(scene.supabase.requests).toHaveLength(1)
  })

  it('who does not know its size', async () => {
    const scene = await resumableScene({ object: { size: undefined } })
    await expect(scene.uploads.create(scene.object, call)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(scene.supabase.requests).toEqual([])
  })
})

describe('where an upload is begun', () => {
  it.each(['/storage/v1/upload/resumable/ID', 'ID', 'https://example.com/x/ID?a=b#c', 'http://[::1]:7/ID/'])(
    'may be told in any way: %s',
    async (location) => {
      const scene = await resumableScene()
      const name = Buffer.from('audio/takes/a b.wav/7').toString('base64url')
      scene.supabase.intercept = () => ({ status: 201, headers: { location: location.replace('ID', name) } })
      const { uploadId } = await scene.uploads.create(scene.object, call)
      expect(uploadId).toBe(`${scene.supabase.url}/storage/v1/upload/resumable/${name}`)
    },
  )
})

describe('how much of an upload is there', () => {
  it.each<[string, Fault]>([
    ['nothing', { status: 200 }],
    ['an offset without a length', { status: 200, headers: { 'upload-offset': '5' } }],
    ['more than there is', { status: 200, headers: { 'upload-offset': '6', 'upload-length': '5' } }],
    ['no number', { status: 200, headers: { 'upload-offset': '-1', 'upload-length': '5' } }],
    ['a web page', page],
  ])('is not told by %s', async (_what, fault) => {
    const scene = await resumableScene()
    const { uploadId } = await scene.uploads.create(scene.object, call)
    scene.supabase.intercept = () => fault
    const resumed = scene.uploads.resume(uploadId, scene.object, call)
    await expect(resumed).rejects.toMatchObject({ code: 'BAD_RESPONSE', retryable: true })
  })

  it.each([
    [401, 'CREDENTIALS_INVALID'],
    [429, 'THROTTLED'],
    [500, 'SERVER_ERROR'],
  ])('may be refused: %i', async (status, code) => {
    const scene = await resumableScene()
    const { uploadId } = await scene.uploads.create(scene.object, call)
    scene.supabase.intercept = () => ({ status })
    await expect(scene.uploads.resume(uploadId, scene.object, call)).rejects.toMatchObject({ code })
  })
})

describe('a part', () => {
  it.each<[string, Fault]>([
    ['a web page', page],
    ['a success without an offset', { status: 204 }],
    ['one of which nothing was taken', { status: 204, headers: { 'upload-offset': '0' } }],
  ])('is not stored by %s: what is there is asked for, and it goes again', async (_what, fault) => {
    const scene = await resumableScene()
    const upload = await scene.uploads.create(scene.object, call)
    scene.supabase.intercept = () => fault
    await expect(scene.part(upload, 1)).rejects.toMatchObject({ code: 'BAD_RESPONSE', retryable: true })
    scene.supabase.intercept = undefined
    expect(await scene.part(upload, 1)).toMatchObject({ partNumber: 1, size: partSize })
    expect(scene.asked('HEAD')).toBe(1)
  })

  it('of which the server takes but some goes on from there', async () => {
    const scene = await resumableScene()
    const offsets: string[] = []
    scene.supabase.intercept = ({ method, headers }) => {
      if (method !== 'PATCH') return undefined
      offsets.push(String(headers['upload-offset']))
      const upTo = offsets.length === 1 ? 1_000_000 : partSize
      return { status: 204, headers: { 'upload-offset': String(upTo) } }
    }
    const upload = await scene.uploads.create(scene.object, call)
    const told: number[] = []
    const part = await scene.part(upload, 1, { onBytes: (sent) => told.push(sent) })
    expect([offsets, part.size, told.at(-1)]).toEqual([['0', '1000000'], partSize, partSize])
    expect(scene.patched()).toEqual([partSize, partSize - 1_000_000])
  })
})

describe('requests', () => {
  it('carry the key and the version of the protocol, and say each time whether to replace', async () => {
    const scene = await resumableScene({ object: { ifAbsent: true } })
    const upload = await scene.uploads.create(scene.object, call)
    await scene.part(upload, 1)
    await scene.uploads.resume(upload.uploadId, scene.object, call)
    await upload.abort(call)
    const { key, url } = scene.supabase
    const common = { authorization: `Bearer ${key}`, apikey: key, 'tus-resumable': '1.0.0', host: new URL(url).host }
    expect(scene.supabase.requests.map(({ method, headers }) => ({ method, headers }))).toMatchObject([
      {
        method: 'POST',
        headers: { ...common, 'x-upsert': 'false', 'upload-length': String(scene.bytes.length), 'content-length': '0' },
      },
      {
        method: 'PATCH',
        headers: {
          ...common,
          'x-upsert': 'false',
          'upload-offset': '0',
          'content-length': String(partSize),
          'content-type': 'application/offset+octet-stream',
        },
      },
      { method: 'HEAD', headers: common },
      // An object that stands under the key must not keep the upload from being removed.
      { method: 'DELETE', headers: { ...common, 'x-upsert': 'true' } },
    ])
  })
})
