import { createHash } from 'node:crypto'
import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
const sha256 = (data: Uint8Array | undefined) =>
  data === undefined ? undefined : createHash('sha256').update(data).digest('hex')

describe('objects in S3', () => {
  command('upload in --to s3://bucket/audio/ --concurrency 8', async ({ ws, run }) => {
    const s3 = await s3Fake()
    const sizes = [0, 1, 65_536, 8 * mebibyte - 1, 16 * mebibyte, 16 * mebibyte + 1, 24 * mebibyte]
    for (const size of sizes) await ws.write(`in/${size}.bin`, bytes('bin', size))
    expectCode(await run({ env: s3Environment(s3) }), 0)
    for (const size of sizes) {
      const stored = s3.read('bucket', `audio/${size}.bin`)
      expect(stored?.length).toBe(size)
      expect(sha256(stored)).toBe(sha256(bytes('bin', size)))
    }
    expect(s3.uploads.size).toBe(0)
    const { files } = await ws.journal()
    const parts = Object.fromEntries(files.map((file) => [file.size, file.parts]))
    expect(parts).toMatchObject({ 0: 1, 1: 1, [16 * mebibyte]: 1, [16 * mebibyte + 1]: 3, [24 * mebibyte]: 3 })
    for (const file of files) expect(file).toMatchObject({ status: 'uploaded', bytesSent: file.size, engine: 'fast' })
  })

  for (const engine of engines) {
    command(`upload in --to s3://bucket/audio/ --concurrency 8 --engine ${engine}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      const data = bytes('bin', 17 * mebibyte)
      await ws.write('in/large.bin', data)
      // More than the fast engine sends in its first thread.
      const names = Array.from({ length: 600 }, (_, n) => `${n} #%ü.txt`)
      await ws.writeAll(...names.map((name) => `in/${name}`))
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.keys('bucket')).toEqual(['audio/large.bin', ...names.map((name) => `audio/${name}`)].sort())
      for (const name of names) expect(s3.read('bucket', `audio/${name}`)?.toString()).toBe(`in/${name}`)
      expect(sha256(s3.read('bucket', 'audio/large.bin'))).toBe(sha256(data))
      const sent = s3.requests.filter(({ operation }) => operation === 'PutObject')
      const checked = sent.filter(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined)
      expect(checked).toHaveLength(engine === 'fast' ? 600 : 0)
      const { files } = await ws.journal()
      expect(new Set(files.map((file) => file.engine))).toEqual(new Set([engine]))
      expect(files).toHaveLength(601)
    })
  }

  command('upload in --to s3://bucket/ --part-size 5MiB --multipart-threshold 6MB', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.write('in/five.bin', bytes('bin', 5 * mebibyte))
    await ws.write('in/seven.bin', bytes('bin', 7 * mebibyte))
    expectCode(await run({ env: s3Environment(s3) }), 0)
    const parts = s3.requests.filter((request) => request.operation === 'UploadPart')
    expect(parts.map((request) => [request.key, request.partNumber]).sort()).toEqual([
      ['seven.bin', 1],
      ['seven.bin', 2],
    ])
    expect(sha256(s3.read('bucket', 'seven.bin'))).toBe(sha256(bytes('bin', 7 * mebibyte)))
  })

  command(
    'upload - --key big.bin --to s3://bucket/in',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const data = bytes('txt', 20_000_001)
      expectCode(await run({ env: s3Environment(s3), stdin: data }), 0)
      expect(sha256(s3.read('bucket', 'in/big.bin'))).toBe(sha256(data))
      expect((await ws.journal()).summary).toMatchObject({ uploaded: 1, bytes: data.length })
    },
    '20 MB',
  )

  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const types: Record<string, string | RegExp> = {
        'a.wav': /^audio\/(x-)?wav$/,
        'b.json': /^application\/json/,
        'c.csv': /^text\/csv/,
        'd.md': /^text\/markdown/,
        'e.py': /python/,
        'f.PNG': 'image/png',
        'g.txt': /^text\/plain/,
        'h.nobody-knows': 'application/octet-stream',
        Makefile: 'application/octet-stream',
        'i.tar.gz': /gzip/,
      }
      await ws.writeAll(...Object.keys(types).map((name) => `in/${name}`))
      expectCode(await run({ env: s3Environment(s3) }), 0)
      for (const [name, type] of Object.entries(types)) {
        expect.soft(s3.object('bucket', name)?.headers['content-type'], name).toMatch(type)
      }
      expect(s3.object('bucket', 'i.tar.gz')?.headers['content-encoding']).toBeUndefined()
    },
    'content types by name',
  )
})

describe('how many requests at once', () => {
  for (const concurrency of [1, 3, 16]) {
    command(`upload in --to s3://bucket/ --concurrency ${concurrency}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      s3.hold(concurrency)
      await ws.writeAll(...Array.from({ length: 40 }, (_, n) => `in/${n}.txt`))
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 0)
      expect(result.stderr).not.toMatch(/\(node:\d+\)/)
      expect(s3.counters.maxConcurrent).toBe(concurrency)
      expect(s3.keys('bucket')).toHaveLength(40)
    })
  }

  command(
    'upload in --to s3://bucket/ --concurrency 6 --part-size 5MiB',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      for (let n = 0; n < 3; n += 1) await ws.write(`in/${n}.bin`, bytes('bin', 32 * mebibyte, n))
      await ws.writeAll(...Array.from({ length: 20 }, (_, n) => `in/${n}.txt`))
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.counters.maxConcurrent).toBeLessThanOrEqual(6)
      for (let n = 0; n < 3; n += 1) {
        expect(sha256(s3.read('bucket', `${n}.bin`))).toBe(sha256(bytes('bin', 32 * mebibyte, n)))
      }
    },
    'files and parts together',
  )
})

describe('how the server is reached', () => {
  command(
    'upload a.txt --to s3://bucket/ --endpoint-url <url> --region us-east-1',
    async ({ ws }) => {
      const s3 = await s3Fake()
      await ws.writeAll('a.txt')
      const { AWS_ENDPOINT_URL: _, AWS_REGION: __, ...env } = s3Environment(s3)
      const line = `upload a.txt --to s3://bucket/ --endpoint-url ${s3.url} --region us-east-1`
      const result = await ws.run(line, { env })
      expectCode(result, 0)
      expect(s3.requests[0]?.target).toMatch(/^\/bucket\/a\.txt/)
      expect(result.stderr).toContain(`127.0.0.1:${s3.port}`)
    },
    'path style at a custom endpoint, which the start line names',
  )

  command(
    'upload a.txt --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('a.txt')
      const { AWS_REGION: _, ...env } = s3Environment(s3)
      expectCode(await run({ env }), 0)
    },
    'a custom endpoint needs no region',
  )

  command('upload a.txt --to s3://bucket/ --profile other', async ({ ws, run }) => {
    const s3 = await s3Fake()
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, ...env } = s3Environment(s3)
    await ws.write('../.aws/credentials', `[other]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\n`)
    await ws.writeAll('a.txt')
    expectCode(await run({ env }), 0)
    expect(s3.keys('bucket')).toEqual(['a.txt'])
  })

  command('upload a.txt --to s3://bucket/ --no-sign-request', async ({ ws, run }) => {
    // Nothing signed will do here: credentials that nobody can have.
    const open = await s3Fake({ credentials: { accessKeyId: '', secretAccessKey: '' } })
    await ws.writeAll('a.txt')
    await run({ env: { AWS_ENDPOINT_URL: open.url, AWS_REGION: 'us-east-1' } })
    expect(open.requests.length).toBeGreaterThan(0)
    expect(open.requests.every((request) => request.headers.authorization === undefined)).toBe(true)
  })

  command(
    'upload a.txt --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake({ regions: { bucket: 'eu-central-1' } })
      await ws.writeAll('a.txt')
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.keys('bucket')).toEqual(['a.txt'])
    },
    'the bucket lives in another region',
  )
})
