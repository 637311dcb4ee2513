import { chmod, mkdir } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

const config = (value: unknown) => JSON.stringify(value, null, 2)

describe('which config file is read', () => {
  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.writeAll('deep/er/a.txt')
      await ws.write('.uploadrc.json', config({ to: 'file:./far' }))
      await ws.write('deep/.uploadrc.json', config({ to: 'file:./near' }))
      const result = await run({ cwd: ws.path('deep/er') })
      expectCode(result, 0)
      expect(await ws.list('.')).toEqual(
        ['.uploadrc.json', 'deep/.uploadrc.json', 'deep/er/a.txt', 'deep/er/near/a.txt'].sort(),
      )
      expect(result.stderr).toContain('deep/.uploadrc.json')
    },
    'the nearest upwards, named in the start line',
  )

  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.writeAll('repo/sub/a.txt')
      await mkdir(ws.path('repo/.git'))
      await ws.write('.uploadrc.json', config({ to: 'file:./out' }))
      expectRefused(await run({ cwd: ws.path('repo/sub') }), '--to')
    },
    "none above the repository's root",
  )

  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.write('../../.uploadrc.json', config({ to: 'file:./out' }))
      await ws.writeAll('a.txt')
      expectRefused(await run(), '--to')
    },
    'none above the home directory',
  )

  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.write('../.uploadrc.json', config({ to: 'file:./out' }))
      await ws.writeAll('a.txt')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.txt'])
    },
    'the one in the home directory',
  )

  for (const line of ['upload a.txt --config other.json', 'UPLOAD_CONFIG=other.json upload a.txt']) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ to: 'file:./wrong', nonsense: 1 }))
      await ws.write('other.json', config({ to: 'file:./out' }))
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.txt'])
    })
  }

  command('upload a.txt --config gone.json --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    expectRefused(await run(), 'gone.json')
  })
})

describe('config files that are refused', () => {
  command(
    'upload a.txt --to file:./out',
    async ({ ws, run }) => {
      if (process.platform === 'win32') {
        console.log('Not tried on Windows: file modes.')
        return
      }
      await ws.writeAll('a.txt')
      await chmod(await ws.write('.uploadrc.json', config({ concurrency: 8 })), 0o666)
      expectRefused(await run(), '.uploadrc.json', /writ/)
      expect(await ws.list('out')).toEqual([])
    },
    'writable by everybody',
  )

  command(
    'upload a.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      const wrong = { concurrency: 'many', partSize: '3 potatoes', retires: 3, progress: 'fancy', report: ['r.doc'] }
      await ws.write('.uploadrc.json', config(wrong))
      expectRefused(
        await run(),
        '.uploadrc.json',
        ...['concurrency', 'partSize', 'retires', 'retries', 'progress', 'bars', 'r.doc'],
      )
    },
    'every fault at once, with the nearest name',
  )

  command(
    'upload a.txt --to file:./out --concurrency 0 --part-size tiny',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ retires: 3 }))
      const result = await run({ env: { UPLOAD_RETRIES: 'often' } })
      expectRefused(result, '--concurrency', '--part-size', 'UPLOAD_RETRIES', 'retires')
    },
    'of flags, environment and file together',
  )

  const refused: [what: string, text: string, said: (string | RegExp)[]][] = [
    ['no JSON', '{ "to": "file:./out", }', ['JSON']],
    ['no object', '["file:./out"]', ['.uploadrc.json']],
    ['empty', '', ['.uploadrc.json']],
    ['a secret', config({ secretAccessKey: 'x'.repeat(40) }), ['secretAccessKey']],
    ['a secret in a place of its own', config({ s3: { secretAccessKey: 'abc' } }), ['secretAccessKey']],
    ['an unknown key below s3', config({ s3: { endpointURL: 'http://127.0.0.1:1' } }), ['endpointUrl']],
    ['a wrong type', config({ json: 'yes' }), ['json']],
    [
      'a project for the key in the environment, named by a file found by search',
      config({ supabase: { url: 'https://abcdefgh.supabase.co' } }),
      ['supabase.url', '--config', 'SUPABASE_URL'],
    ],
    ['the same at its top', config({ supabaseUrl: 'https://abcdefgh.supabase.co' }), ['supabaseUrl', '--config']],
    ['a key for Supabase', config({ supabase: { serviceRoleKey: 'x'.repeat(40) } }), ['SUPABASE_SERVICE_ROLE_KEY']],
    ['TLS switched off by a file found by search', config({ noVerifySsl: true }), ['noVerifySsl', '--config']],
  ]
  for (const [what, text, said] of refused) {
    command(
      'upload a.txt --to file:./out',
      async ({ ws, run }) => {
        await ws.writeAll('a.txt')
        await ws.write('.uploadrc.json', text)
        const result = await run()
        expectRefused(result, '.uploadrc.json', ...said)
        expect(result.stderr).not.toContain('x'.repeat(40))
        expect(await ws.list('out')).toEqual([])
      },
      what,
    )
  }
})

describe('what a config may hold', () => {
  command('upload in', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b.log', 'in/c.tmp')
    await ws.write(
      '.uploadrc.json',
      config({
        $schema: 'https://example.com/schema.json',
        to: 'file:./out',
        exclude: ['*.log', '*.tmp'],
        concurrency: 3,
        partSize: '10MiB',
        retryDelay: '50ms',
        report: ['r.jsonl', 'r.csv'],
        s3: { endpointUrl: 'http://127.0.0.1:9', region: 'eu-central-1', pathStyle: 'on' },
      }),
    )
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.txt'])
    expect((await ws.list('.')).filter((name) => name.startsWith('r.'))).toEqual(['r.csv', 'r.jsonl', 'r.summary.csv'])
    expect((await ws.journal()).run.config).toMatchObject({
      concurrency: 3,
      partSize: 10 * 1024 * 1024,
      retry: { retryDelayMs: 50 },
      s3: { endpointUrl: 'http://127.0.0.1:9', region: 'eu-central-1', pathStyle: 'on' },
    })
  })
})
