import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'

describe('where it goes', () => {
  const lines = [
    'upload a.wav b.wav --to file:./out',
    'upload a.wav b.wav file:./out',
    'upload --to=file:out/ a.wav b.wav',
    'upload run a.wav b.wav file:out',
    'UPLOAD_TO=file:./out upload a.wav b.wav',
    'UPLOAD_TO=file:./not-here upload a.wav b.wav --to file:./out',
    'UPLOAD_TO=file:./not-here upload a.wav b.wav file:./out',
  ]
  for (const line of lines) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('a.wav', 'b.wav')
      expectCode(await run(), 0)
      expect(await ws.list('.')).toEqual(['a.wav', 'b.wav', 'out/a.wav', 'out/b.wav'])
    })
  }

  command(
    'upload a.wav',
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      await ws.write('.uploadrc.json', JSON.stringify({ to: 'file:./out' }))
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.wav'])
    },
    'with "to" in the config',
  )

  command(
    'upload a.wav',
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      expectCode(await run({ env: { UPLOAD_TO: `file:${ws.path('out')}` } }), 0)
      expect(await ws.list('out')).toEqual(['a.wav'])
    },
    'an absolute file: path',
  )

  for (const prefix of ['', '/', '/audio', '/audio/', '/audio/2026/']) {
    command(`upload a.wav --to s3://bucket${prefix}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('a.wav')
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.keys('bucket')).toEqual([`${prefix}/a.wav`.replace(/^\/+/, '').replaceAll('//', '/')])
      const url = (await ws.journal()).files[0]?.destination
      expect(url).toBe(`s3://bucket${prefix}/`.replace(/([^:])\/\/$/, '$1/'))
    })
  }
})

describe('destinations that are refused', () => {
  const cases: [line: string, said: (string | RegExp)[]][] = [
    ['upload a.wav', ['--to']],
    ['upload', ['nothing to upload', '--to']],
    ['upload --to file:./out', ['nothing to upload', '--help']],
    ['upload a.wav file:./out --to file:./out2', ['--to']],
    ['upload a.wav --to s3://bucket/x.wav', ['--key', 'x.wav']],
    ['upload a.wav s3://bucket/audio/x.wav', ['--key', 'x.wav']],
    ['upload a.wav --to supabase://bucket/', ['SUPABASE_URL', '--supabase-url']],
    ['upload a.wav supabase://bucket/', ['SUPABASE_URL', '--supabase-url']],
    ['upload a.wav --to supabase://bucket/ --concurrency 0', ['SUPABASE_URL', '--concurrency']],
    ['SUPABASE_URL=http://127.0.0.1:9 upload a.wav --to supabase://', ['bucket']],
    ['SUPABASE_URL=http://127.0.0.1:9 upload a.wav --to supabase://b%fc/', ['takes no "%"']],
    ['SUPABASE_URL=http://127.0.0.1:9 upload a.wav supabase://bucket/x.wav', ['--key', 'x.wav']],
    ['SUPABASE_URL=http://127.0.0.1:9 upload a.wav supabase://bucket/ --part-size 8MiB', ['--part-size', '6MiB']],
    ['SUPABASE_URL=http://127.0.0.1:9 upload a.wav supabase://bucket/ --region eu', ['--region', 'no effect']],
    ['upload a.wav s3://bucket/ --supabase-url http://127.0.0.1:9', ['--supabase-url', 'no effect']],
    ['upload a.wav --to gs://bucket/', ['s3://']],
    ['upload a.wav --to ./out', ['file:']],
    ['upload a.wav --to s3://', ['bucket']],
    ['upload a.wav --to s3:///audio', ['bucket']],
    ['upload a.wav --to s3://bucket/../x/', ['..']],
    ['upload a.wav --to file:', ['file:']],
    ['upload a.wav --to', ['--to']],
  ]
  for (const [line, said] of cases) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      expectRefused(await run(), ...said)
      expect(await ws.list('.')).toEqual(['a.wav'])
      expect(await ws.journals()).toEqual([])
    })
  }

  command(
    'upload a.wav b.wav --to s3://bucket/x.wav',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('a.wav', 'b.wav')
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.keys('bucket')).toEqual(['x.wav/a.wav', 'x.wav/b.wav'])
    },
    'of several files it is a prefix',
  )
})

describe('the file: destination', () => {
  command(
    'upload a.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.write('a.txt', 'new')
      await ws.write('out/a.txt', 'old and longer')
      await ws.write('out/kept.txt', 'kept')
      expectCode(await run(), 0)
      expect(await ws.tree('out')).toEqual({ 'a.txt': 'new', 'kept.txt': 'kept' })
    },
    'replaces what was there, leaves the rest and nothing temporary',
  )

  command(
    'upload a.txt b.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt', 'b.txt', 'out/a.txt/in-the-way')
      const result = await run()
      expectCode(result, 1)
      expect(await ws.tree('out')).toEqual({ 'a.txt/in-the-way': 'out/a.txt/in-the-way', 'b.txt': 'b.txt' })
      expect(result.stderr).toContain('a.txt')
    },
    'a directory stands where a file is to go',
  )

  command(
    'upload a.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt', 'out')
      const result = await run()
      expectCode(result, 3)
      expect(await ws.read('out')).toBe('out')
    },
    'the destination is a file',
  )
})

describe('the program itself', () => {
  command('upload --version', async ({ run }) => {
    const result = await run()
    expectCode(result, 0)
    expect(result.stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
    expect(result.stderr).toBe('')
  })

  command('upload --help', async ({ run }) => {
    const result = await run()
    expectCode(result, 0)
    for (const option of ['--to', '--concurrency', '--report', '--files-from', '--dry-run', '--exclude', '--key']) {
      expect(result.stdout).toContain(option)
    }
    expect(result.stderr).toBe('')
  })

  command('upload --hlep', async ({ run }) => {
    expectRefused(await run(), '--help')
  })

  command(
    'upload a.wav --concurency 8 --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      expectRefused(await run(), '--concurrency')
    },
    'the nearest name is offered',
  )

  for (const name of ['check', 'completion', 'report']) {
    command(`upload ${name} x`, async ({ run }) => {
      expectRefused(await run(), name, 'not yet available')
    })
  }
})
