import { chmod, mkdir, symlink } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { readJournal } from '../support/journal.ts'

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
    ['a rule with an unknown key', config({ rules: [{}, { mtch: '*' }] }), ['rules[1].mtch', 'match']],
    ['a rule with a wrong value', config({ rules: [{ minSize: 'big' }] }), ['rules[0].minSize', '"big"', '10MB']],
    ['a route with what holds for the run', config({ routes: [{ concurrency: 1 }] }), ['routes[0].concurrency']],
    ['a secret in a route', config({ routes: [{ s3: { secretAccessKey: 'x'.repeat(40) } }] }), ['routes[0].s3.secret']],
    ['a preset nobody asked for', config({ presets: { a: { retires: 1 } } }), ['presets.a.retires', 'retries']],
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

describe('rules', () => {
  command('upload in', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b.log', 'in/sub/c.LOG', 'in/big.csv')
    await ws.write(
      '.uploadrc.json',
      config({
        to: 'file:./out',
        report: 'r.jsonl',
        rules: [
          { match: '*.log', skip: true },
          { type: 'text/csv', minSize: 1, contentType: 'text/x-csv' },
          { match: '*', contentType: 'text/x-other' },
        ],
      }),
    )
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.txt', 'big.csv', 'sub/c.LOG'])
    const { files, run: line } = await readJournal(ws.path('r.jsonl'))
    expect(Object.fromEntries(files.map((file) => [file.source, file.reason ?? file.contentType]))).toEqual({
      'a.txt': 'text/x-other',
      'b.log': 'excluded-by-rule',
      'big.csv': 'text/x-csv',
      'sub/c.LOG': 'text/x-other',
    })
    expect(line.config.rules).toMatchObject([{ name: 'rules[0]', when: { match: ['*.log'] }, skip: true }, {}, {}])
  })
})

describe('presets', () => {
  const settings = {
    to: 'file:./out',
    concurrency: 2,
    rules: [{ match: '*.txt', skip: true }],
    presets: { nightly: { concurrency: 3, retries: 1, to: 'file:./nightly', rules: [] }, weekly: {} },
  }

  for (const line of ['upload in --preset nightly --retries 2', 'UPLOAD_PRESET=nightly upload in --retries 2']) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      await ws.write('.uploadrc.json', config(settings))
      expectCode(await run({ env: { UPLOAD_CONCURRENCY: '4' } }), 0)
      expect(await ws.list('nightly')).toEqual(['a.txt'])
      expect((await ws.journal()).run.config).toMatchObject({ concurrency: 4, retry: { retries: 2 }, rules: [] })
    })
  }

  command(
    'UPLOAD_PRESET=split UPLOAD_CONFIG=own.json upload in/0.txt in/a.html -c 1 --max-failures 1',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.html')
      await symlink('nowhere', ws.path('in/0.txt'))
      const split = { routes: [{ match: '*.html', to: 'file:./pages' }] }
      await ws.write('own.json', config({ to: 'file:./out', presets: { split } }))
      expectCode(await run(), 4)
      expectCode(await ws.run('upload --resume --max-failures 9'), 1)
      expect(await ws.list('pages')).toEqual(['a.html'])
    },
    'goes on by the same preset of the same config, whatever the environment says by then',
  )

  command('upload in --preset nigtly', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    await ws.write('.uploadrc.json', config(settings))
    expectRefused(await run(), '--preset: found "nigtly"', 'nightly, weekly', 'did you mean nightly?')
  })

  command('upload in --to file:./out --preset nightly', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    expectRefused(await run(), '--preset', 'no config', 'upload init')
  })
})
