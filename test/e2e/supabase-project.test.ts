import { describe, expect } from 'vitest'
import { type CommandTest, command, expectCode, expectRefused } from '../support/command.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'

/** Nobody listens there. */
const elsewhere = { SUPABASE_URL: 'http://127.0.0.1:9', UPLOAD_RETRIES: '0' }

describe('which project a run goes to', () => {
  const named = JSON.stringify
  const ways: [line: string, place: 'environment' | 'config' | 'flag'][] = [
    ['upload a.wav --to supabase://bucket/x/', 'environment'],
    ['upload a.wav supabase://bucket/x/ --config c.json', 'config'],
    ['upload a.wav supabase://bucket/x/ --supabase-url', 'flag'],
  ]
  for (const [line, place] of ways) {
    command(
      line,
      async ({ ws }) => {
        const supabase = await supabaseFake()
        await ws.writeAll('a.wav')
        await ws.write('c.json', named({ supabase: { url: supabase.url } }))
        const env = {
          SUPABASE_SERVICE_ROLE_KEY: supabase.key,
          ...(place === 'environment' && supabaseEnvironment(supabase)),
        }
        expectCode(await ws.run(place === 'flag' ? `${line} ${supabase.url}/` : line, { env }), 0)
        expect([...supabase.objects.keys()]).toEqual(['bucket/x/a.wav'])
        const { run } = await ws.journal()
        expect(run.config).toMatchObject({ supabase: { url: supabase.url } })
        expect(JSON.stringify(run)).not.toContain(supabase.key)
      },
      `named by the ${place}`,
    )
  }
})

describe('a run is looked at again only where it went', () => {
  async function uploaded({ ws }: CommandTest) {
    const supabase = await supabaseFake()
    await ws.writeAll('a.wav', 'b.wav')
    const env = supabaseEnvironment(supabase)
    expectCode(await ws.run('upload a.wav b.wav --to supabase://bucket/ --report r.jsonl', { env }), 0)
    return { supabase, env, before: supabase.requests.length }
  }

  for (const what of ['verify', 'undo --yes']) {
    command(`upload ${what} r.jsonl`, async (test) => {
      const { supabase, env, before } = await uploaded(test)
      const { url, key } = supabase
      const lacking = await test.run({ env: { SUPABASE_SERVICE_ROLE_KEY: key } })
      expectRefused(lacking, url, 'SUPABASE_URL', '--supabase-url')
      expectRefused(await test.run({ env: { ...env, ...elsewhere } }), url, elsewhere.SUPABASE_URL)
      expect(supabase.requests).toHaveLength(before)
    })
  }

  command('upload verify r.jsonl', async (test) => {
    const { env } = await uploaded(test)
    expectCode(await test.run({ env }), 0)
  })

  command('upload --resume', async ({ ws, run }) => {
    const supabase = await supabaseFake()
    await ws.writeAll('a.wav', 'b.wav')
    supabase.intercept = ({ path }) => (path.endsWith('b.wav') ? { status: 500, headers: {}, body: 'oops' } : undefined)
    const env = supabaseEnvironment(supabase)
    const first = await ws.run('upload a.wav b.wav --to supabase://bucket/ --retries 0 --retry-failed 0', { env })
    expectCode(first, 1)
    supabase.intercept = undefined

    expectRefused(await run(), supabase.url, 'SUPABASE_URL')
    expectRefused(await run({ env: { ...env, ...elsewhere } }), supabase.url, elsewhere.SUPABASE_URL)
    expectCode(await run({ env }), 0)
    expect([...supabase.objects.keys()].toSorted()).toEqual(['bucket/a.wav', 'bucket/b.wav'])
    expect(supabase.requests.filter(({ path, method }) => method === 'POST' && path.endsWith('a.wav'))).toHaveLength(1)
  })

  command('upload cleanup supabase://bucket/', async ({ run }) => {
    expectRefused(await run(), 'Supabase does not list unfinished resumable uploads', '24 hours')
  })
})
