import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { readJournal } from '../support/journal.ts'
import { engines } from '../support/settings.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { SupabaseFake } from '../support/supabase-fake.ts'
import { makeWorkspace } from '../support/workspace.ts'

const partSize = 6 * 2 ** 20
const count = 1000
const seldom = [0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 20_000_000, 20_000_001, 100_000_000]

/** Awkward, but what Supabase takes: each goes through a URL, a header, or a signature in another form. */
const names = ['a b+c&d=e?', "it's (1)!", '-$@;:,', '*', '=20', '  two  blanks', 'a=b&c', '+', '...', '&amp;', ':8080']

const routes = [
  {
    url: 'supabase://bucket/takes/',
    env: (supabase: SupabaseFake) => supabaseEnvironment(supabase),
  },
  {
    url: 's3://bucket/takes/',
    env: ({ s3 }: SupabaseFake) => ({
      AWS_ENDPOINT_URL: s3.endpointUrl,
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    }),
  },
]

describe(`${count} files of up to 100 MB to Supabase`, () => {
  /** Hex SHA-256 by key. */
  const sent = new Map<string, string>()
  let bytes = 0
  let ws: Awaited<ReturnType<typeof makeWorkspace>>

  beforeAll(async () => {
    ws = await makeWorkspace()
    for (let n = 0; n < count; n += 1) {
      // The large ones are spread over the run.
      const size = n % 50 === 7 ? (seldom[Math.floor(n / 50) % seldom.length] ?? 0) : (n * 48_271) % 65_537
      const kind = kinds[n % kinds.length] ?? 'bin'
      const name = `day ${n % 10}/${names[n] ?? `take-${n}`}.${kind}`
      sent.set(`bucket/takes/${name}`, await writeContents(ws.path('in', name), kind, size, n))
      bytes += size
    }
  })
  afterAll(() => ws.remove())

  for (const { url, env } of routes) {
    for (const engine of engines) {
      it(`upload in ${url} --engine ${engine}`, async () => {
        const supabase = await supabaseFake()
        const report = `${url.slice(0, 2)}-${engine}.jsonl`
        const line = `upload in ${url} --engine ${engine} --report ${report}`
        const result = await ws.run(line, { env: env(supabase), limitMs: 300_000 })
        expectCode(result, 0)
        const { files, summary } = await readJournal(ws.path(report))
        console.log(
          `Supabase, ${url.replace(/:.*/, '')}, ${engine}: ${count} files, ${Math.round(bytes / 1e6)} MB in ${Math.round(result.durationMs)} ms, ${supabase.requests.length} requests on ${supabase.connections} connections, ${Math.round((summary?.peakRssBytes ?? 0) / 1e6)} MB of memory at most`,
        )
        expect(summary).toMatchObject({ uploaded: count, failed: 0, retries: 0, successRate: 1, bytes })
        expect(files.every((file) => file.status === 'uploaded' && file.engine === engine)).toBe(true)
        const differing: string[] = []
        for (const [name, sha256] of sent) {
          if ((await supabase.objects.get(name)?.sha256()) !== sha256) differing.push(name)
        }
        expect(differing).toEqual([])
        expect(supabase.objects.size).toBe(count)
        expect(supabase.uploads.every(({ isFinished }) => isFinished)).toBe(true)
        expect(supabase.s3.uploads.size).toBe(0)
      })
    }
  }
})
