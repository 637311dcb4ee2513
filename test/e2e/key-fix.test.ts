import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { readCsv } from '../support/csv.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'

/** Names beside a plain one, and the keys they get; the last is a name that reads as the key of another. */
const odd: Readonly<Record<string, string>> = {
  'track #1.wav': 'track =231.wav',
  '\u00e9.wav': '=C3=A9.wav',
  '100%.wav': '100=25.wav',
  '\u{1f3b5}/a.wav': '=F0=9F=8E=B5/a.wav',
  '=C3=A9.wav': '=3DC3=3DA9.wav',
}
const names = [...Object.keys(odd), 'a b+c&d=e.wav']
const refused = Object.keys(odd).filter((name) => !name.startsWith('='))

describe('keys that Supabase cannot hold', () => {
  command('upload in --to supabase://bucket/p/', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    await ws.writeAll(...names.map((name) => `in/${name}`))
    const result = await run({ env: supabaseEnvironment(supabase) })
    expectCode(result, 1)
    expect(result.stderr).toContain('KEY_INVALID')
    expect(result.stderr).toContain('--key-fix')
    const { files } = await ws.journal()
    const failed = files.filter(({ status }) => status === 'failed')
    expect(failed.map(({ source }) => source).toSorted()).toEqual(refused.toSorted())
    expect([...supabase.objects.keys()].toSorted()).toEqual(['bucket/p/=C3=A9.wav', 'bucket/p/a b+c&d=e.wav'])
    expect(supabase.requests.filter(({ path }) => path.includes('track'))).toEqual([])
  })

  command('upload in --to supabase://bucket/p/ --key-fix --report r.jsonl --report r.csv', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    await ws.writeAll(...names.map((name) => `in/${name}`))
    const result = await run({ env: supabaseEnvironment(supabase) })
    expectCode(result, 0)
    expect(result.stderr).toContain('--key-fix: 5 keys were changed: ')
    const keys = names.map((name) => `p/${odd[name] ?? name}`)
    expect([...supabase.objects.keys()].toSorted()).toEqual(keys.map((key) => `bucket/${key}`).toSorted())
    const lines = (await ws.read('r.jsonl')).trim().split('\n')
    const files = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'file')
    expect(Object.fromEntries(files.map(({ source, originalKey }) => [source, originalKey]))).toEqual(
      Object.fromEntries(names.map((name) => [name, name in odd ? `p/${name}` : undefined])),
    )
    const rows = readCsv(await ws.read('r.csv'))
    expect(rows.map((row) => row.key?.replace(/^'/, '')).toSorted()).toEqual(keys.toSorted())
  })

  command('upload in --to supabase://bucket/ --key-fix -v --dry-run', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    await ws.writeAll(...names.map((name) => `in/${name}`))
    const result = await run({ env: supabaseEnvironment(supabase) })
    expectCode(result, 0)
    const lines = result.stdout.split('\n')
    for (const [name, key] of Object.entries(odd)) {
      const line = lines.find((line) => line.includes(`→ supabase://bucket/${key} `)) ?? ''
      expect(line).toContain(`(its key would have been ${name})`)
    }
    expect(result.stderr).toContain('5 keys were changed')
    expect(supabase.requests).toEqual([])
  })

  command(
    'upload in --to supabase://bucket/ --key-fix --json',
    async ({ ws, run }) => {
      const supabase = await supabaseFake()
      await ws.writeAll('in/#.wav')
      const env = supabaseEnvironment(supabase)
      expectCode(await run({ env }), 0)
      const again = await ws.run('upload in --to supabase://bucket/ --key-fix --json --if-exists skip', { env })
      expectCode(again, 0)
      const file = again.stdout.split('\n').find((line) => line.includes('"type":"file"'))
      expect(JSON.parse(file ?? '')).toMatchObject({ key: '=23.wav', originalKey: '#.wav', status: 'skipped' })
    },
    'the same key in every run',
  )

  command(
    'upload in --to file:./out --key-fix',
    async ({ ws, run }) => {
      await ws.writeAll('in/track #1.wav')
      const result = await run()
      expectCode(result, 0)
      expect(await ws.list('out')).toEqual(['track #1.wav'])
      expect(result.stderr).not.toContain('changed')
    },
    'where nothing is to be changed',
  )

  command(
    'upload in --to supabase://bucket/ --key-fix',
    async ({ ws, run }) => {
      const supabase = await supabaseFake()
      await ws.writeAll('in/caf\u00e9.wav', 'in/cafe\u0301.wav')
      if ((await ws.list('in')).length === 1) {
        console.log('Not tried: this file system takes both forms of a name for one file.')
        return
      }
      expectRefused(await run({ env: supabaseEnvironment(supabase) }), 'would both become caf=C3=A9.wav')
      expect(supabase.requests).toEqual([])
    },
    'two spellings of one name',
  )
})

describe('part sizes', () => {
  command(
    'upload a.wav --to supabase://bucket/ -v',
    async ({ ws, run }) => {
      const supabase = await supabaseFake()
      await ws.writeAll('a.wav')
      const result = await run({ env: { ...supabaseEnvironment(supabase), UPLOAD_PART_SIZE: '64MiB' } })
      expectCode(result, 0)
      expect(result.stderr).toContain('UPLOAD_PART_SIZE is ignored: Supabase takes files up to 6MiB as a whole')
      const { config } = (await ws.journal()).run
      expect(config).toMatchObject({ partSize: 6 * 2 ** 20, multipartThreshold: 6 * 2 ** 20 })
      expect(config).toMatchObject({ supabase: { url: supabase.url } })
      expect(JSON.stringify(await ws.journal())).not.toContain(supabase.key)
      expect(result.stderr).not.toContain(supabase.key)
    },
    'of no use there, given for destinations in general',
  )
})
