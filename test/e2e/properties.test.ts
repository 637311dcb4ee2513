import { stat, utimes } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'

const MiB = 2 ** 20
const large = Buffer.alloc(6 * MiB, 'x')

describe('what is kept with objects', () => {
  for (const engine of engines) {
    command(
      `upload in --to s3://bucket/ --engine ${engine} --part-size 5MiB --multipart-threshold 5MiB --content-encoding gzip --content-disposition attachment --tag 'project=a b' --tag owner=me --storage-class STANDARD_IA --acl bucket-owner-full-control --sse aws:kms --sse-kms-key-id alias/mine --preserve mtime`,
      async ({ ws, run }) => {
        const s3 = await s3Fake()
        await ws.writeAll('in/a.txt')
        await ws.write('in/large.bin', large)
        for (const name of ['a.txt', 'large.bin']) {
          await utimes(ws.path('in', name), 1_763_800_000.25, 1_763_800_000.25)
        }
        expectCode(await run({ env: s3Environment(s3) }), 0)
        for (const key of ['a.txt', 'large.bin']) {
          expect(s3.object('bucket', key)?.headers, key).toMatchObject({
            'content-encoding': 'gzip',
            'content-disposition': 'attachment',
            'x-amz-tagging': 'project=a%20b&owner=me',
            'x-amz-storage-class': 'STANDARD_IA',
            'x-amz-acl': 'bucket-owner-full-control',
            'x-amz-server-side-encryption': 'aws:kms',
            'x-amz-server-side-encryption-aws-kms-key-id': 'alias/mine',
            'x-amz-meta-mtime': '1763800000.25',
          })
        }
        expect(s3.object('bucket', 'a.txt')?.headers['content-type']).toBe('text/plain; charset=utf-8')
        expect((await ws.journal()).run.config).toMatchObject({
          preserve: 'mtime',
          properties: { sse: 'aws:kms', tags: { project: 'a b' } },
        })
      },
    )
  }

  command('upload in --to file:./out --preserve mtime', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b/c.txt')
    await ws.write('in/large.bin', Buffer.alloc(17 * MiB))
    for (const name of ['a.txt', 'b/c.txt', 'large.bin']) await utimes(ws.path('in', name), 1e9, 1e9)
    expectCode(await run(), 0)
    for (const name of ['a.txt', 'b/c.txt', 'large.bin']) {
      expect((await stat(ws.path('out', name))).mtimeMs).toBe(1e12)
    }
  })

  command('upload in --to file:./out --preserve mtime --if-exists newer', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
    await utimes(ws.path('in/a.txt'), 1_763_800_000.123_456, 1_763_800_000.123_456)
    await utimes(ws.path('in/b.txt'), 1_763_800_000.999_999, 1_763_800_000.999_999)
    expectCode(await run(), 0)
    const again = await run()
    expectCode(again, 0)
    expect(again.stderr).toContain('0 uploaded  3 skipped')
  })

  command(
    'upload in --to s3://bucket/ --sse aws:kms --part-size 5MiB --multipart-threshold 5MiB',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const env = s3Environment(s3)
      await ws.writeAll('in/a.txt')
      await ws.write('in/large.bin', large)
      const sent = () => s3.requests.filter(({ operation }) => /^(?:PutObject|UploadPart)$/.test(operation)).length
      expectCode(await run({ env }), 0)
      const [report] = await ws.journals()
      expectCode(await ws.runArgs(['verify', report as string], { env }), 0)
      const once = sent()
      const server = 'upload --resume-from server in --to s3://bucket/ --sse aws:kms'
      expectCode(await ws.run(server, { env }), 0)
      expect(sent()).toBe(once)
      // With nothing to compare, to send once more is the safe way.
      expectCode(await run({ env: { ...env, UPLOAD_CHECKSUM: 'none' } }), 0)
      expectCode(await ws.run(server, { env: { ...env, UPLOAD_CHECKSUM: 'none' } }), 0)
      expect(s3.keys('bucket')).toEqual(['a.txt', 'large.bin'])
      expect(s3.read('bucket', 'large.bin')?.equals(large)).toBe(true)
    },
    'an ETag that is no MD5 sum',
  )
})

describe('what a destination cannot keep', () => {
  const env = { SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_SERVICE_ROLE_KEY: 'k' }

  command(
    'upload in --to supabase://bucket/ --content-encoding gzip --content-disposition inline --tag a=b --storage-class GLACIER --acl private --sse AES256',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      const flags = ['content-encoding', 'content-disposition', 'tag', 'storage-class', 'acl', 'sse']
      const said = flags.map((flag) => `--${flag}: has no effect for supabase:// destinations; leave it out`)
      expectRefused(await run({ env }), ...said)
    },
  )

  command('UPLOAD_SSE=AES256 upload in --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    expectRefused(await run(), 'UPLOAD_SSE: has no effect for file: destinations; leave it out')
    expect(await ws.list('out')).toEqual([])
  })

  command('upload in --to file:./out -v', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    await ws.write(
      '.uploadrc.json',
      JSON.stringify({ storageClass: 'GLACIER', rules: [{ match: '*.txt', tag: 'a=b' }] }),
    )
    const result = await run()
    expectCode(result, 0)
    expect(result.stderr).toContain('storageClass is ignored: it has no effect for file: destinations')
    expect(result.stderr).toContain('tag is ignored: it has no effect for file: destinations')
    expect((await ws.journal()).run.config).not.toHaveProperty('properties.storageClass')
    await ws.write('.uploadrc.json', JSON.stringify({ rules: [{ match: '*.txt', sse: 'AES256' }] }))
    expectRefused(await run(), 'sse: has no effect for file: destinations, where files would go without it')
  })

  command(
    'upload in --to s3://bucket/ --sse-kms-key-id k --preserve mtime --metadata mtime=1 --acl everybody --tag a',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      expectRefused(
        await run(),
        '--sse-kms-key-id: a key of KMS is used by sse aws:kms or aws:kms:dsse alone',
        '--metadata: mtime is what --preserve mtime keeps there',
        '--acl: found "everybody", expected private',
        '--tag: found "a", expected NAME=VALUE',
      )
    },
  )
})
