import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { differences, hashOf, type Sent } from '../support/stored.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const concurrencies = [10, 100, 1000]

/** Twice as many files as go at once, up to 64 KiB each, none alike. */
async function writeTwice(ws: Workspace, concurrency: number): Promise<Map<string, { readonly sha256: string }>> {
  const sent = new Map<string, { readonly sha256: string }>()
  for (let n = 0; n < 2 * concurrency; n += 1) {
    const kind = kinds[n % kinds.length] ?? 'bin'
    const key = `${n % 10}/take-${n}.${kind}`
    const size = (n * 48_271) % 65_537
    sent.set(key, { sha256: await writeContents(ws.path(`at-${concurrency}`, key), kind, size, n) })
  }
  return sent
}

forEachServer((test) => {
  for (const concurrency of concurrencies) {
    it(`upload in --to s3://…/ --concurrency ${concurrency}  # ${2 * concurrency} files`, async () => {
      const { server, ws, withPlace } = test()
      const sent: Map<string, Sent> = await writeTwice(ws, concurrency)
      await withPlace(async (place) => {
        const report = `at-${concurrency}.jsonl`
        const line = `upload at-${concurrency} --to ${place.url} --concurrency ${concurrency} --report ${report}`
        const result = await ws.run(line, { env: server.env, limitMs: 120_000 })
        expectCode(result, 0)
        expect(await differences(place, sent)).toEqual([])
        expect((await readJournal(ws.path(report))).summary).toMatchObject({
          uploaded: 2 * concurrency,
          successRate: 1,
        })
      })
    })
  }
})

describe('a server that holds every answer until nine tenths of the requests are in', () => {
  for (const concurrency of concurrencies) {
    it(`upload in --to s3://bucket/ --concurrency ${concurrency}  # ${2 * concurrency} files`, async () => {
      const ws = await workspace()
      const s3 = await s3Fake()
      const sent = await writeTwice(ws, concurrency)
      s3.hold(Math.ceil(0.9 * concurrency))
      const line = `upload at-${concurrency} --to s3://bucket/ --concurrency ${concurrency}`
      const result = await ws.run(line, { env: s3Environment(s3), limitMs: 120_000 })
      expectCode(result, 0)
      expect(s3.counters.maxConcurrent).toBeGreaterThanOrEqual(Math.ceil(0.9 * concurrency))
      expect(s3.counters.maxConcurrent).toBeLessThanOrEqual(concurrency)
      expect(s3.keys('bucket')).toHaveLength(sent.size)
      for (const [key, { sha256 }] of sent) {
        expect(await hashOf(Readable.from([s3.read('bucket', key) ?? Buffer.alloc(0)])), key).toBe(sha256)
      }
      expect((await ws.journal()).summary).toMatchObject({ uploaded: sent.size, failed: 0, successRate: 1 })
    })
  }
})
