import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import type { Pacer, RequestTimeouts } from '../../../../src/destinations/destination.ts'
import { partSize } from '../../../../src/destinations/supabase/engine.ts'
import { UploadError } from '../../../../src/errors.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import type { SeenRequest, SupabaseFake } from '../../../support/supabase-fake.ts'
import { anObject, aSupabase, bucket, standardEngine } from './standard-scene.ts'

const MiB = 2 ** 20
const size = 2 * partSize + 1000
const bytes = someBytes(size)
const key = anObject().key

async function expectWhole(supabase: SupabaseFake, wanted: Buffer = bytes): Promise<void> {
  const stored = supabase.objects.get(`${bucket}/${key}`)
  expect(stored).toMatchObject({ size: wanted.length, protocol: 'tus' })
  expect(await stored?.sha256()).toBe(Buffer.from(await checksummerOf('sha256').of(wanted), 'base64').toString('hex'))
}

/** What was asked for, in order. */
function methods({ requests }: SupabaseFake): readonly string[] {
  return requests.map(({ method }) => method)
}

/** Bytes of objects that came in all. */
function received({ requests }: SupabaseFake): number {
  return requests.filter(({ method }) => method === 'PATCH').reduce((sum, request) => sum + request.bytes, 0)
}

/** Does something to one PATCH alone, counted from 1. */
function onPatch(number: number, fault: SupabaseFake['intercept']): SupabaseFake['intercept'] {
  let seen = 0
  return (request: SeenRequest) => {
    if (request.method !== 'PATCH') return undefined
    seen += 1
    return seen === number ? fault?.(request) : undefined
  }
}

describe('an object of more than 6 MiB by tus-js-client', () => {
  it('arrives as it is, in parts of 6 MiB', async () => {
    const supabase = await aSupabase()
    supabase.makeBucket(bucket, { wantsWholeParts: true })
    const counts: number[] = []
    const call = aCall({ onBytes: (count) => counts.push(count) })
    const properties = { cacheControl: 'max-age=60', metadata: { take: 'é' } }
    const info = await standardEngine(supabase).putObject(anObject({ properties }), bodyOf(bytes), call)
    await expectWhole(supabase)
    expect(info).toEqual({ key, size, checksum: { algorithm: 'crc32', value: await checksummerOf('crc32').of(bytes) } })
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH'])
    expect(supabase.requests.slice(1).map((request) => request.bytes)).toEqual([partSize, partSize, 1000])
    for (const { headers } of supabase.requests) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${supabase.key}`,
        apikey: supabase.key,
        'x-upsert': 'true',
      })
    }
    expect(counts).toEqual([partSize, 2 * partSize, size])
    const stored = supabase.objects.get(`${bucket}/${key}`)
    expect(stored).toMatchObject({ contentType: 'audio/wav', cacheControl: 'max-age=60', metadata: { take: 'é' } })
  })

  it('may end where a part ends', async () => {
    const supabase = await aSupabase()
    const whole = someBytes(2 * partSize)
    await standardEngine(supabase).putObject(anObject(), bodyOf(whole), aCall())
    await expectWhole(supabase, whole)
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH'])
  })

  it('goes to the project, whatever host its address names', async () => {
    const supabase = await aSupabase({ locate: (url) => url.replace(/^http:\/\/[^/]+/, 'https://elsewhere.example') })
    await standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall())
    await expectWhole(supabase)
  })

  it('is left as it is where it is there already', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    await engine.putObject(anObject({ ifAbsent: true }), bodyOf(bytes), aCall())
    const again = engine.putObject(anObject({ ifAbsent: true }), bodyOf(someBytes(size, 2)), aCall())
    await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
    await expectWhole(supabase)
  })

  it.each(['none', 'sha256'] as const)('has the checksum that was asked for: %s', async (checksum) => {
    const supabase = await aSupabase()
    const info = await standardEngine(supabase, { checksum }).putObject(anObject(), bodyOf(bytes), aCall())
    const value = checksum === 'none' ? undefined : await checksummerOf(checksum).of(bytes)
    expect(info.checksum).toEqual(value === undefined ? undefined : { algorithm: checksum, value })
  })

  it('comes no faster than it may', async () => {
    const supabase = await aSupabase()
    const taken: number[] = []
    const pacer: Pacer = { pieceSize: MiB, take: async (count) => void taken.push(count) }
    await standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall({ pacer }))
    await expectWhole(supabase)
    expect(taken).toEqual([...Array(12).fill(MiB), 1000])
  })

  it('teaches how long requests take by its parts alone', async () => {
    const supabase = await aSupabase()
    const learnt: number[] = []
    const timeouts: RequestTimeouts = {
      limitMs: () => 60_000,
      answerLimitMs: () => 60_000,
      succeeded: (count) => void learnt.push(count),
      overdue: () => {},
    }
    await standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall({ timeouts }))
    expect(learnt).toEqual([partSize, partSize, 1000])
  })

  it('says once what a cache control cannot be kept', async () => {
    const supabase = await aSupabase()
    const warnings: string[] = []
    const properties = { cacheControl: 'private' }
    standardEngine(supabase, { properties, onWarning: (message) => void warnings.push(message) })
    expect(warnings).toEqual([expect.stringContaining('"private"')])
  })
})

describe('the next attempt at an object by tus-js-client', () => {
  it('goes on where the connection broke, with bytes counted that are there', async () => {
    const supabase = await aSupabase()
    supabase.makeBucket(bucket, { wantsWholeParts: true })
    const engine = standardEngine(supabase)
    const body = bodyOf(bytes)
    const object = anObject()
    supabase.intercept = onPatch(2, () => ({ resetAfter: MiB }))
    await expect(engine.putObject(object, body, aCall())).rejects.toMatchObject({ code: 'CONNECTION' })
    const counts: number[] = []
    const info = await engine.putObject(object, body, aCall({ onBytes: (count) => counts.push(count) }))
    await expectWhole(supabase)
    expect(info.checksum?.value).toBe(await checksummerOf('crc32').of(bytes))
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH', 'HEAD', 'PATCH', 'PATCH'])
    expect(counts).toEqual([partSize + MiB, 2 * partSize, size])
    expect(received(supabase)).toBe(size)
  })

  it('begins anew with another body, and removes what there was', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    supabase.intercept = onPatch(2, () => 'reset')
    await engine.putObject(anObject(), bodyOf(bytes), aCall()).catch(() => {})
    const changed = someBytes(size, 7)
    await engine.putObject(anObject(), bodyOf(changed), aCall())
    await expectWhole(supabase, changed)
    expect(methods(supabase)).toEqual(['POST', 'PATCH', 'PATCH', 'DELETE', 'POST', 'PATCH', 'PATCH', 'PATCH'])
  })

  it.each([false, true])('begins anew where the upload has expired; gone: %s', async (gone) => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    const body = bodyOf(bytes)
    supabase.intercept = onPatch(2, () => 'reset')
    await engine.putObject(anObject(), body, aCall()).catch(() => {})
    supabase.expireUpload(supabase.uploads[0]?.url ?? '', { gone })
    const info = await engine.putObject(anObject(), body, aCall())
    await expectWhole(supabase)
    expect(info.checksum?.value).toBe(await checksummerOf('crc32').of(bytes))
    expect(methods(supabase).slice(3)).toEqual(['HEAD', 'POST', 'PATCH', 'PATCH', 'PATCH'])
  })

  it('sends nothing again where only the last answer was lost', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    const body = bodyOf(bytes)
    supabase.intercept = onPatch(3, () => ({ dropAnswer: true }))
    await expect(engine.putObject(anObject(), body, aCall())).rejects.toMatchObject({ code: 'CONNECTION' })
    await engine.putObject(anObject(), body, aCall())
    await expectWhole(supabase)
    expect(received(supabase)).toBe(size)
  })

  it('waits for a lock, and keeps what is there', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    const body = bodyOf(bytes)
    supabase.intercept = onPatch(2, () => ({ resetAfter: MiB }))
    await engine.putObject(anObject(), body, aCall()).catch(() => {})
    const unlock = supabase.lockUpload(supabase.uploads[0]?.url ?? '')
    await expect(engine.putObject(anObject(), body, aCall())).rejects.toMatchObject({ retryable: true, status: 423 })
    unlock()
    await engine.putObject(anObject(), body, aCall())
    await expectWhole(supabase)
    expect(received(supabase)).toBe(size)
  })

  it('keeps what is there while the server has trouble', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    const body = bodyOf(bytes)
    supabase.intercept = onPatch(2, () => ({ resetAfter: MiB }))
    await engine.putObject(anObject(), body, aCall()).catch(() => {})
    supabase.intercept = ({ method }) => (method === 'HEAD' ? { status: 503 } : undefined)
    await expect(engine.putObject(anObject(), body, aCall())).rejects.toMatchObject({ code: 'SERVER_ERROR' })
    supabase.intercept = undefined
    await engine.putObject(anObject(), body, aCall())
    await expectWhole(supabase)
    expect(received(supabase)).toBe(size)
  })
})

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
