import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'

describe('what a run has uploaded', () => {
  for (const engine of engines) {
    command(`upload in s3://bucket/p/ --engine ${engine} --report r.jsonl --verify`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      const env = s3Environment(s3)
      await ws.writeAll('in/a.wav', 'in/b.wav', 'in/c.wav')
      await ws.write('in/large.bin', Buffer.alloc(17 * 2 ** 20, 7))
      expectCode(await run({ env }), 0)
      const all = await ws.run('upload verify r.jsonl --concurrency 4', { env })
      expectCode(all, 0)
      expect(all.stdout).toBe('as uploaded    4\ndifferent      0\n')
      expect(all.stderr).toBe('upload: 4 objects as uploaded at s3://bucket/p/\n')

      s3.put('bucket', 'p/a.wav', Buffer.from('other'))
      s3.put('bucket', 'p/b.wav', Buffer.from('IN/b.wav'))
      const changed = await ws.run('upload verify r.jsonl --json', { env })
      expectCode(changed, 5)
      const lines = changed.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      const results = Object.fromEntries(lines.map(({ key, result, what }) => [key, what ?? result]))
      expect(results).toMatchObject({ 'p/a.wav': 'size', 'p/c.wav': 'same', 'p/large.bin': 'same' })
      expect(['etag', 'checksum']).toContain(results['p/b.wav'])
    })
  }

  command(
    'upload verify r.jsonl --concurrency 4',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const names = Array.from({ length: 40 }, (_, at) => `in/${at}.wav`)
      await ws.writeAll(...names)
      expectCode(await ws.run('upload in s3://bucket/ --report r.jsonl', { env: s3Environment(s3) }), 0)
      const before = s3.requests.length
      s3.script = () => ({ status: 403, body: '' })
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 3)
      expect(result.stderr).toMatch(
        /^upload: stopped: access denied: the credentials need s3:GetObject and s3:ListBucket on bucket "bucket"/,
      )
      expect(result.stdout).toMatch(/^as uploaded {5}0\ndifferent {7}0\nnot known/)
      expect(s3.requests.length - before).toBeLessThan(40)
    },
    'with keys that may not read',
  )
})
