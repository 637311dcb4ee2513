import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import type { RunResult } from '../support/run-upload.ts'
import { engines } from '../support/settings.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { Fault, SeenRequest } from '../support/supabase-fake.ts'
import { listFiles, type Workspace } from '../support/workspace.ts'

const partSize = 6 * 2 ** 20
const reports = '--report r.jsonl --report r.json --report r.csv'

/** Neither the key nor a part of it may be in what was printed, or in any file the run left behind. */
async function expectNoKey(ws: Workspace, key: string, result: RunResult): Promise<void> {
  const files = await listFiles(ws.root)
  expect(files.filter((file) => file.endsWith('.jsonl')).length).toBeGreaterThanOrEqual(2)
  // The claims and the signature of a token each say enough.
  const parts = [key, ...key.split('.').slice(1)]
  for (const part of parts) {
    expect(result.stdout + result.stderr).not.toContain(part)
    for (const file of files) {
      expect((await readFile(join(ws.root, file))).includes(part), `${part} in ${file}`).toBe(false)
    }
  }
}

interface Trouble {
  readonly why: string
  readonly code: number
  readonly fault: (request: SeenRequest) => Fault
}

/** Servers and proxies quote what was sent to them. */
const quoted = ({ headers }: SeenRequest) => `wrong: authorization: ${headers.authorization}, apikey: ${headers.apikey}`

const troubles: readonly Trouble[] = [
  {
    why: 'the server quotes the request as it refuses the key',
    code: 3,
    fault: (request) => ({
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ statusCode: '403', error: 'Unauthorized', message: quoted(request) }),
    }),
  },
  {
    why: 'the server quotes the request as it fails',
    code: 1,
    fault: (request) => ({ status: 500, headers: { 'content-type': 'text/plain' }, body: quoted(request) }),
  },
  {
    why: 'a proxy quotes the request in a page',
    code: 1,
    fault: (request) => ({
      status: 400,
      headers: { 'content-type': 'text/html' },
      body: `<html><pre>${quoted(request)}</pre></html>`,
    }),
  },
]

describe('the key is shown nowhere and kept nowhere', () => {
  for (const engine of engines) {
    const line = `upload in supabase://bucket/ --engine ${engine} -v --json ${reports} --retries 1 --retry-delay 1ms`

    command(
      line,
      async ({ ws, run }) => {
        const supabase = await supabaseFake()
        await writeFiles(ws)
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 0)
        await expectNoKey(ws, supabase.key, result)
      },
      'all goes well',
    )

    for (const { why, code, fault } of troubles) {
      command(
        line,
        async ({ ws, run }) => {
          const supabase = await supabaseFake()
          supabase.intercept = fault
          await writeFiles(ws)
          for (const key of [
            supabase.key,
            'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz',
            'OfNoFormThatIsKnown0123456789',
          ]) {
            const result = await run({ env: { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE_KEY: key } })
            expectCode(result, code)
            await expectNoKey(ws, key, result)
          }
          const quotes = supabase.requests.map(({ headers }) => headers.apikey)
          expect(new Set(quotes).size).toBe(3)
        },
        why,
      )
    }
  }
})

async function writeFiles(ws: Workspace): Promise<void> {
  await ws.writeAll('in/a.txt', 'in/b.txt')
  await ws.write('in/large.bin', bytes('bin', partSize + 1))
}
