import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RequestTimeouts } from '../../../../src/destinations/destination.ts'
import { partSize } from '../../../../src/destinations/supabase/engine.ts'
import { UploadError } from '../../../../src/errors.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import { anObject, aSupabase, methods, onPatch, standardEngine } from './standard-scene.ts'

const size = 2 * partSize + 1000
const bytes = someBytes(size)

describe('what goes wrong with an object by tus-js-client', () => {
  it('for good removes what there is of it', async () => {
    const supabase = await aSupabase()
    supabase.intercept = onPatch(2, () => ({ status: 413, body: 'Maximum size exceeded' }))
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH', 'DELETE'])
  })

  it.each([
    ['BUCKET_NOT_FOUND', { status: 404, body: 'Bucket not found' }],
    ['TYPE_NOT_ALLOWED', { status: 415, body: 'mime type audio/wav is not supported' }],
    ['THROTTLED', { status: 429 }],
    ['BAD_RESPONSE', { status: 200, body: '<html>hello</html>' }],
    ['BAD_RESPONSE', { status: 307, headers: { location: 'https://elsewhere.example/' } }],
  ])('is told by what the server said when it began: %s', async (code, answer) => {
    const supabase = await aSupabase()
    supabase.intercept = () => answer
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code })
    expect(methods(supabase)).toEqual(['POST'])
  })

  it('is a key that expires half-way', async () => {
    const supabase = await aSupabase()
    supabase.intercept = onPatch(2, () => {
      supabase.setExpired(true)
      return undefined
    })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
  })

  it('is the file, even at its very end', async () => {
    const supabase = await aSupabase()
    const error = new UploadError('SOURCE_CHANGED', 'it was written to')
    const body = bodyOf(bytes)
    const reader = await body.openReader()
    const changing = {
      ...body,
      openReader: async () => ({
        ...reader,
        compare: async () => {
          throw error
        },
      }),
    }
    await expect(standardEngine(supabase).putObject(anObject(), changing, aCall())).rejects.toBe(error)
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH', 'DELETE'])
    expect(supabase.objects.size).toBe(0)
  })

  it('is a server that says nothing', async () => {
    const supabase = await aSupabase()
    supabase.intercept = onPatch(1, () => 'hang')
    const put = standardEngine(supabase, { idleMs: 100 }).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code: 'STALLED' })
  })

  it.each([
    ['a part', 1, { idleMs: 100, completingMs: 400 }, '0.1 s'],
    // The parts before it are answered in time, though the server has to store them.
    ['the last part, of which it makes the object', 3, { idleMs: 2000, completingMs: 2300 }, '2.3 s'],
  ])('is a server that says nothing to %s', async (_, part, patience, within) => {
    const supabase = await aSupabase()
    supabase.intercept = onPatch(part, () => 'hang')
    const limits = { limitMs: () => 60_000, answerLimitMs: () => 50, succeeded: () => {}, overdue: () => {} }
    const engine = standardEngine(supabase, patience)
    const put = engine.putObject(anObject(), bodyOf(bytes), aCall({ timeouts: limits }))
    await expect(put).rejects.toMatchObject({ code: 'STALLED', message: expect.stringContaining(within) })
  })

  it('is a part that takes too long', async () => {
    const supabase = await aSupabase()
    supabase.intercept = onPatch(1, () => 'hang')
    const timeouts: RequestTimeouts = {
      limitMs: () => 50,
      answerLimitMs: () => 60_000,
      succeeded: () => {},
      overdue: () => {},
    }
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall({ timeouts }))
    await expect(put).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('is the user, who stops it', async () => {
    const supabase = await aSupabase()
    const stop = new AbortController()
    supabase.intercept = onPatch(2, () => {
      stop.abort()
      return 'hang'
    })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall({ signal: stop.signal }))
    await expect(put).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('is the user, who stops it while the file is slow to come', async () => {
    const supabase = await aSupabase()
    const stop = new AbortController()
    const body = bodyOf(bytes, { hangAfter: { bytes: partSize + 1, onHang: () => stop.abort() } })
    const put = standardEngine(supabase).putObject(anObject(), body, aCall({ signal: stop.signal }))
    await expect(put).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'DELETE'])
  })
})

describe('a server for resumable uploads that is none', () => {
  /** Creates uploads properly, and answers PATCH and HEAD as it likes. */
  async function oddServer(others: RequestListener): Promise<{ url: string; key: string }> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.method !== 'POST') return others(request, response)
        response.writeHead(201, { location: `http://x${request.url}/abc` }).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'key' }
  }

  it.each([
    ['nothing', 0],
    ['more than it was sent', partSize + 1],
    ['all, before it was sent', size],
    ['none', undefined],
  ])('is not believed that it has %s', async (_, offset) => {
    const server = await oddServer((_, response) => {
      response.writeHead(204, offset === undefined ? {} : { 'upload-offset': String(offset) }).end()
    })
    const put = standardEngine(server).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
  })

  it('is not believed that it has a byte between two parts, which would be missing for good', async () => {
    let patches = 0
    const server = await oddServer(({ method, headers }, response) => {
      if (method === 'PATCH') patches += 1
      const reached = Number(headers['upload-offset']) + Number(headers['content-length'])
      response.writeHead(204, { 'upload-offset': String(patches === 1 ? reached + 1 : reached) }).end()
    })
    const put = standardEngine(server).putObject(anObject(), bodyOf(bytes), aCall())
    await expect(put).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
    expect(patches).toBe(1)
  })

  it('is not believed that it has all bytes where it made no object of them', async () => {
    let patches = 0
    const server = await oddServer((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'upload-offset': String(size), 'upload-length': size })
      else if (request.method === 'GET') response.writeHead(400).write('{"statusCode":"404","error":"not_found"}')
      else if (++patches === 3) request.socket.destroy()
      else response.writeHead(204, { 'upload-offset': String(Number(request.headers['upload-offset']) + partSize) })
      response.end()
    })
    const engine = standardEngine(server)
    const body = bodyOf(bytes)
    await expect(engine.putObject(anObject(), body, aCall())).rejects.toMatchObject({ code: 'CONNECTION' })
    const again = engine.putObject(anObject(), body, aCall())
    await expect(again).rejects.toMatchObject({ code: 'BAD_RESPONSE', retryable: true })
  })
})
