import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { engines } from '../support/settings.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { SupabaseFake } from '../support/supabase-fake.ts'
import { workspace } from '../support/workspace.ts'

const partSize = 6 * 2 ** 20

/** Puts other bytes under a key, as another client would. */
const replace = (supabase: SupabaseFake, path: string, text: string) => ask(supabase, 'POST', path, text)

async function ask(
  { url, key }: SupabaseFake,
  method: string,
  path: string,
  body: string | null = null,
): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'x-upsert': 'true' }
  expect((await fetch(`${url}/storage/v1/object/${path}`, { method, headers, body })).status).toBe(200)
}

describe('what is said where there is no terminal', () => {
  for (const engine of engines) {
    command(`upload in supabase://bucket/p/ --engine ${engine} -v`, async ({ ws, run }) => {
      const supabase = await supabaseFake()
      await ws.writeAll('in/a.txt')
      await ws.write('in/large.bin', bytes('bin', partSize + 1))
      const result = await run({ env: supabaseEnvironment(supabase) })
      expectCode(result, 0)
      expect(result.stdout).toBe('')
      // All of it, line by line: no library may add a word, whatever the version of Node.
      const [journal] = await ws.journals()
      const lines = result.stderr.trimEnd().split('\n')
      const expected = [
        `upload: 2 files, 6.3 MB → supabase://bucket/p/ (endpoint ${supabase.url})`,
        'uploaded in/a.txt → supabase://bucket/p/a.txt',
        'uploaded in/large.bin → supabase://bucket/p/large.bin',
        /^upload: 2\/2 files, 6\.3\/6\.3 MB \(100 %\), .*, 0 failed, 0 retries$/,
        /^✔ 2 uploaded +6\.3 MB in /,
        /^ {2}latency {2}p50 /,
        `  report   ${journal}`,
      ]
      expect(lines).toHaveLength(expected.length)
      for (const [at, line] of expected.entries()) {
        if (typeof line === 'string') expect(lines).toContain(line)
        else expect(lines[at]).toMatch(line)
      }
    })
  }

  command('upload in supabase://bucket/p/ --dry-run', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    await ws.writeAll('in/a b+c&d=e.txt')
    await ws.write('in/large.bin', bytes('bin', partSize + 1))
    // Nothing is asked of anybody: no key is needed.
    const result = await run({ env: { SUPABASE_URL: supabase.url } })
    expectCode(result, 0)
    expect(result.stdout).toContain('supabase://bucket/p/a b+c&d=e.txt')
    expect(result.stdout).toContain('supabase://bucket/p/large.bin')
    expect(supabase.requests).toEqual([])
    expect(await ws.journals()).toEqual([])
  })
})

describe('where the project is', () => {
  for (const engine of engines) {
    command(
      `upload in supabase://bucket/ --engine ${engine}`,
      async ({ ws, run }) => {
        // As behind a proxy: below a path, and a server that takes itself for another host.
        const locate = (url: string) => url.replace(/^http:\/\/[^/]+\/base/, 'https://storage.example')
        const supabase = await supabaseFake({ pathPrefix: '/base', locate })
        const data = bytes('bin', 2 * partSize + 1)
        await ws.writeAll('in/a.txt')
        await ws.write('in/large.bin', data)
        expectCode(await run({ env: supabaseEnvironment(supabase) }), 0)
        expect([...supabase.objects.keys()].toSorted()).toEqual(['bucket/a.txt', 'bucket/large.bin'])
        const large = supabase.objects.get('bucket/large.bin')
        expect(large && (await readFile(large.path)).equals(data)).toBe(true)
        expect(supabase.requests.every(({ path }) => path.startsWith('/base/storage/v1/'))).toBe(true)
      },
      'below a path, and not where it takes itself to be',
    )
  }

  command(
    'upload in supabase://bucket/ --supabase-url <url>',
    async ({ ws }) => {
      const [named, other] = [await supabaseFake(), await supabaseFake()]
      await ws.writeAll('in/a.txt')
      const env = { SUPABASE_URL: other.url, SUPABASE_KEY: named.key, SUPABASE_SERVICE_ROLE_KEY: '' }
      expectCode(await ws.run(`upload in supabase://bucket/ --supabase-url ${named.url}/`, { env }), 0)
      expect([named.objects.size, other.requests.length]).toEqual([1, 0])
    },
    'named by the flag, with the weaker of the two keys',
  )
})

describe('after a run', () => {
  for (const engine of engines) {
    it(`upload verify r.jsonl  # of --engine ${engine}`, async () => {
      const supabase = await supabaseFake()
      const ws = await workspace()
      const env = supabaseEnvironment(supabase)
      await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c d.txt')
      await ws.write('in/large.bin', bytes('bin', partSize + 1))
      expectCode(
        await ws.run(`upload in supabase://bucket/p/ --engine ${engine} --report r.jsonl --verify`, { env }),
        0,
      )
      const all = await ws.run('upload verify r.jsonl', { env })
      expectCode(all, 0)
      // Supabase names no ETag of what it takes, and keeps no checksum of it.
      expect(all.stdout).toBe('as uploaded    0\nby size alone  4\ndifferent      0\n')

      await replace(supabase, 'bucket/p/a.txt', 'another size')
      await ask(supabase, 'DELETE', 'bucket/p/c%20d.txt')
      const changed = await ws.run(`upload verify r.jsonl --json`, { env })
      expectCode(changed, 5)
      const lines = changed.stdout.trim().split('\n')
      const results = lines.map((line) => JSON.parse(line)).map(({ key, result, what }) => [key, what ?? result])
      expect(Object.fromEntries(results)).toMatchObject({
        'p/a.txt': 'size',
        'p/b.txt': 'same',
        'p/c d.txt': 'missing',
        'p/large.bin': 'same',
      })
    })

    it(`upload undo r.jsonl --yes  # of --engine ${engine}`, async () => {
      const supabase = await supabaseFake()
      const ws = await workspace()
      const env = supabaseEnvironment(supabase)
      await replace(supabase, 'bucket/p/b%20c.txt', 'was here')
      await ws.writeAll('in/a d.txt', 'in/b c.txt')
      await ws.write('in/large.bin', bytes('bin', partSize + 1))
      const line = `upload in supabase://bucket/p/ --engine ${engine} --if-exists skip --report r.jsonl`
      expectCode(await ws.run(line, { env }), 0)
      expect(supabase.objects.size).toBe(3)
      const result = await ws.run(`upload undo r.jsonl --yes`, { env })
      expectCode(result, 0)
      expect(result.stderr).toBe('upload: 2 undone\n')
      expect([...supabase.objects.keys()]).toEqual(['bucket/p/b c.txt'])
    })
  }

  command('upload in supabase://bucket/p/ --undo-on-failure', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    supabase.makeBucket('bucket', { allowedMimeTypes: ['audio/*'] })
    await ws.writeAll('in/a.wav', 'in/b c.wav', 'in/readme.txt')
    await ws.write('in/large.wav', bytes('bin', partSize + 1))
    const result = await run({ env: supabaseEnvironment(supabase) })
    expectCode(result, 1)
    expect(result.stderr).toMatch(/TYPE_NOT_ALLOWED +1 /)
    expect([...supabase.objects.keys()]).toEqual([])
    expect(supabase.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(3)
  })

  it('neither asks another project than the one the run went to', async () => {
    const [then, now] = [await supabaseFake(), await supabaseFake()]
    const ws = await workspace()
    await ws.writeAll('in/a.txt')
    const line = 'upload in supabase://bucket/ --if-exists skip --report r.jsonl'
    expectCode(await ws.run(line, { env: supabaseEnvironment(then) }), 0)
    const before = then.requests.length
    for (const after of ['verify r.jsonl', 'undo r.jsonl --yes']) {
      expectRefused(await ws.run(`upload ${after}`, { env: supabaseEnvironment(now) }), then.url, now.url)
    }
    expect([then.requests.length, now.requests.length]).toEqual([before, 0])
  })

  command('upload cleanup supabase://bucket/', async ({ run }) => {
    const supabase = await supabaseFake()
    const result = await run({ env: supabaseEnvironment(supabase) })
    expect(result.stdout + result.stderr).toContain('24 hours')
    expect(supabase.requests).toEqual([])
  })
})
