import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'

describe('--dry-run', () => {
  command("upload audio 'b c.txt' --to file:./out --dry-run", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/x/b.wav', 'b c.txt')
    const result = await run()
    expectCode(result, 0)
    for (const key of ['a.wav', 'x/b.wav', 'b c.txt']) {
      expect(result.stdout.split('\n').filter((line) => line.includes(`out/${key}`))).toHaveLength(1)
    }
    expect(await ws.list('.')).toEqual(['audio/a.wav', 'audio/x/b.wav', 'b c.txt'])
    expect(await ws.journals()).toEqual([])
  })

  command('upload audio --to s3://bucket/x/ --dry-run', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll('audio/a.wav', 'audio/b.wav')
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 0)
    expect(result.stdout).toContain('s3://bucket/x/a.wav')
    expect(result.stdout).toContain('s3://bucket/x/b.wav')
    expect(s3.requests.filter((request) => !['HEAD', 'GET'].includes(request.method))).toEqual([])
    expect(s3.keys('bucket')).toEqual([])
  })

  command(
    'upload audio --to file:./out --dry-run --report r.jsonl',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual([])
    },
    'a report or none, but nothing sent',
  )

  for (const [order, expected] of [
    ['scan', ['a.wav', 'b.wav', 'c.wav', 'd.wav']],
    ['size', ['c.wav', 'a.wav', 'd.wav', 'b.wav']],
    ['mixed', ['c.wav', 'b.wav', 'a.wav', 'd.wav']],
  ] as const) {
    command(
      `upload audio --to file:./out --order ${order} --limit-rate 1GiB --dry-run`,
      async ({ ws, run }) => {
        for (const [name, size] of Object.entries({ a: 50, b: 10, c: 90, d: 30 })) {
          await ws.write(`audio/${name}.wav`, 'x'.repeat(size))
        }
        const result = await run()
        expectCode(result, 0)
        expect(result.stdout.match(/[a-d]\.wav$/gm)).toEqual(expected)
      },
      'the order is that of sending',
    )
  }

  command(
    'upload audio video --to file:./out --dry-run',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav', 'video/a.wav')
      expectRefused(await run(), 'audio/a.wav', 'video/a.wav')
    },
    'a collision is found',
  )

  command(
    'upload names --to file:./out --dry-run',
    async ({ ws, run }) => {
      if (process.platform === 'win32') {
        console.log('Not tried on Windows: names with control characters.')
        return
      }
      await ws.writeAll('names/fine.txt', 'names/esc\u001b[31m.txt')
      const result = await run()
      expect(result.stdout).toContain('fine.txt')
      expect(result.stdout + result.stderr).toContain('KEY_INVALID')
      expect(result.stdout + result.stderr).not.toContain('\u001b[31m')
    },
    'what would fail is shown',
  )

  command('UPLOAD_DRY_RUN=1 upload a.wav --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.wav')
    const result = await run()
    expectCode(result, 0)
    expect(result.stdout).toContain('a.wav')
    expect(await ws.list('out')).toEqual([])
  })
})
