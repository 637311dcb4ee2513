import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import type { Pacer, RequestTimeouts } from '../../../../src/destinations/destination.ts'
import { partSize } from '../../../../src/destinations/supabase/engine.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import type { SupabaseFake } from '../../../support/supabase-fake.ts'
import { anObject, aSupabase, bucket, methods, onPatch, standardEngine } from './standard-scene.ts'

const MiB = 2 ** 20
const size = 2 * partSize + 1000
const bytes = someBytes(size)
const key = anObject().key

async function expectWhole(supabase: SupabaseFake, wanted: Buffer = bytes): Promise<void> {
  const stored = supabase.objects.get(`${bucket}/${key}`)
  expect(stored).toMatchObject({ size: wanted.length, protocol: 'tus' })
  expect(await stored?.sha256()).toBe(Buffer.from(await checksummerOf('sha256').of(wanted), 'base64').toString('hex'))
}

/** Bytes of objects that came in all. */
function received({ requests }: SupabaseFake): number {
  return requests.filter(({ method }) => method === 'PATCH').reduce((sum, request) => sum + request.bytes, 0)
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

  it('teaches how long requests take by its parts alone, but for the last, after which the object is made', async () => {
    const supabase = await aSupabase()
    const learnt: number[] = []
    const timeouts: RequestTimeouts = {
      limitMs: () => 60_000,
      answerLimitMs: () => 60_000,
      succeeded: (count) => void learnt.push(count),
      overdue: () => {},
    }
    await standardEngine(supabase).putObject(anObject(), bodyOf(bytes), aCall({ timeouts }))
    expect(learnt).toEqual([partSize, partSize])
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
