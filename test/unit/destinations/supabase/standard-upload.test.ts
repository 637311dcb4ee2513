import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import { UploadError } from '../../../../src/errors.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { anObject, aSupabase, bucket, standardEngine } from './standard-scene.ts'

describe('an object of up to 6 MiB by supabase-js', () => {
  it.each([0, 1, 70_000, 6 * 2 ** 20])('arrives as it is: %d bytes', async (size) => {
    const supabase = await aSupabase()
    const bytes = someBytes(size)
    const sent: number[] = []
    const call = aCall({ onBytes: (count) => sent.push(count) })
    const info = await standardEngine(supabase).putObject(anObject(), bodyOf(bytes), call)
    const stored = supabase.objects.get(`${bucket}/in/take 1.wav`)
    expect(stored).toMatchObject({ size, contentType: 'audio/wav', cacheControl: 'max-age=3600', protocol: 'rest' })
    expect(await stored?.sha256()).toBe(Buffer.from(await sha256(bytes), 'base64').toString('hex'))
    expect(info).toEqual({
      key: 'in/take 1.wav',
      size,
      checksum: { algorithm: 'crc32', value: await checksummerOf('crc32').of(bytes) },
    })
    expect(sent).toEqual([size])
    expect(supabase.requests).toHaveLength(1)
    expect(supabase.requests[0]).toMatchObject({ method: 'POST', bytes: size })
    expect(supabase.requests[0]?.headers).toMatchObject({ 'content-length': String(size), 'x-upsert': 'true' })
  })

  it.each(['a b+c&d=e?.wav', "it's (one)!*.wav", 'a/b,c/@:$;.wav'])('has its own name: %s', async (key) => {
    const supabase = await aSupabase()
    await standardEngine(supabase).putObject(anObject({ key }), bodyOf(someBytes(10)), aCall())
    expect([...supabase.objects.keys()]).toEqual([`${bucket}/${key}`])
  })

  it('keeps its properties', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    const put = (key: string, cacheControl: string) =>
      engine.putObject(
        anObject({ key, properties: { cacheControl, metadata: { take: '1' } } }),
        bodyOf(someBytes(10)),
        aCall(),
      )
    await put('seconds', 'max-age=60')
    await put('words', 'no-cache, private')
    await put('both', 'max-age=60, public')
    const kept = [...supabase.objects.values()].map(({ key, cacheControl, metadata }) => [key, cacheControl, metadata])
    expect(kept).toEqual([
      ['seconds', 'max-age=60', { take: '1' }],
      ['words', 'no-cache, private', { take: '1' }],
      ['both', 'max-age=60, public', { take: '1' }],
    ])
  })

  it.each(['none', 'crc32c', 'sha256'] as const)('has the checksum that was asked for: %s', async (checksum) => {
    const supabase = await aSupabase()
    const bytes = someBytes(1000)
    const info = await standardEngine(supabase, { checksum }).putObject(anObject(), bodyOf(bytes), aCall())
    const value = checksum === 'none' ? undefined : await checksummerOf(checksum).of(bytes)
    expect(info.checksum).toEqual(value === undefined ? undefined : { algorithm: checksum, value })
  })

  it('is left as it is where it is there already', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    await engine.putObject(anObject({ ifAbsent: true }), bodyOf(someBytes(10)), aCall())
    const again = engine.putObject(anObject({ ifAbsent: true }), bodyOf(someBytes(20)), aCall())
    await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
    expect(supabase.objects.get(`${bucket}/in/take 1.wav`)?.size).toBe(10)
  })

  it('makes no request after another', async () => {
    const supabase = await aSupabase()
    const engine = standardEngine(supabase)
    for (let n = 0; n < 5; n += 1) await engine.putObject(anObject({ key: `${n}` }), bodyOf(someBytes(10)), aCall())
    expect(supabase.requests).toHaveLength(5)
    expect(supabase.connections).toBe(1)
  })
})

describe('what goes wrong with an upload by supabase-js', () => {
  it('is told by what the server said of it, its headers included', async () => {
    const supabase = await aSupabase()
    supabase.intercept = () => ({ status: 429, headers: { 'retry-after': '7' }, body: '{"message":"slow"}' })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'THROTTLED', retryAfterMs: 7000 })
  })

  it('is the key, where it has expired, and the message does not hold it', async () => {
    const supabase = await aSupabase()
    supabase.setExpired(true)
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    const error = await put.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
    expect(String(error)).not.toContain(supabase.key)
  })

  it.each([
    ['a web page', '<html>hello</html>'],
    ['an empty body', ''],
    ['nothing', 'null'],
    ["another program's answer", '{"ok":true}'],
  ])('is a success that is none: %s', async (_, body) => {
    const supabase = await aSupabase()
    supabase.intercept = () => ({ status: 200, body })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
  })

  it('is a connection that breaks', async () => {
    const supabase = await aSupabase()
    supabase.intercept = () => ({ resetAfter: 100_000 })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(3 * 2 ** 20)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'CONNECTION', retryable: true })
  })

  it('is a server that is not there', async () => {
    const supabase = await aSupabase()
    await supabase.close()
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'CONNECTION', unreachable: true })
  })

  it('is a server that says nothing', async () => {
    const supabase = await aSupabase()
    supabase.intercept = () => 'hang'
    const put = standardEngine(supabase, { idleMs: 50 }).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'STALLED' })
  })

  it('is the file', async () => {
    const supabase = await aSupabase()
    const error = new UploadError('SOURCE_CHANGED', 'it became shorter')
    const body = bodyOf(someBytes(200_000), { failAfter: { bytes: 70_000, error } })
    await expect(standardEngine(supabase).putObject(anObject(), body, aCall())).rejects.toBe(error)
    expect(supabase.objects.size).toBe(0)
  })

  it.each([999, 1001])('is a file of another size: %d bytes', async (size) => {
    const supabase = await aSupabase()
    const body = bodyOf(someBytes(size), { size: 1000 })
    const put = standardEngine(supabase).putObject(anObject(), body, aCall())
    await expect(put).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(supabase.objects.size).toBe(0)
  })

  it('is a file that is not there, and a server neither', async () => {
    const missing = join(await tempDir(), 'missing')
    const body = { ...bodyOf(someBytes(10)), stream: () => createReadStream(missing) }
    const gone = await aSupabase()
    await gone.close()
    const put = standardEngine(gone).putObject(anObject(), body, aCall())
    await expect(put).rejects.toBeInstanceOf(UploadError)
  })

  it('is the user, who stops it', async () => {
    const supabase = await aSupabase()
    const stop = new AbortController()
    supabase.intercept = () => {
      stop.abort()
      return 'hang'
    }
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall({ signal: stop.signal }))
    await expect(put).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('is the user, who stops it while the file is slow to come', async () => {
    const supabase = await aSupabase()
    const stop = new AbortController()
    const body = bodyOf(someBytes(200_000), { hangAfter: { bytes: 70_000, onHang: () => stop.abort() } })
    const put = standardEngine(supabase).putObject(anObject(), body, aCall({ signal: stop.signal }))
    await expect(put).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('is a redirect, which the key does not follow', async () => {
    const elsewhere = createServer((_, answer) => void answer.end('{"Key":"k"}'))
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void elsewhere.close())
    const asked = vi.fn()
    elsewhere.on('request', asked)
    const supabase = await aSupabase()
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
    supabase.intercept = () => ({ status: 307, headers: { location } })
    const put = standardEngine(supabase).putObject(anObject(), bodyOf(someBytes(10)), aCall())
    await expect(put).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
    expect(asked).not.toHaveBeenCalled()
  })
})

async function sha256(bytes: Uint8Array): Promise<string> {
  return checksummerOf('sha256').of(bytes)
}
