import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { differences, type Sent } from '../support/stored.ts'

const mebibyte = 1024 * 1024
const around = (size: number) => [size - 1, size, size + 1]
const sizes = [0, 1, 1_000_000, ...around(8 * mebibyte), ...around(16 * mebibyte), 50_000_000, 100_000_000]

forEachServer((test) => {
  it('upload matrix --to s3://…/ --concurrency 8  # every kind in every size', async () => {
    const { server, ws, withPlace } = test()
    const sent = new Map<string, Sent>()
    for (const kind of kinds) {
      for (const size of sizes) {
        const name = `${kind}/${size}.${kind}`
        sent.set(name, { sha256: await writeContents(ws.path('matrix', name), kind, size) })
      }
    }
    await withPlace(async (place) => {
      const line = `upload matrix --to ${place.url} --concurrency 8 --report matrix.jsonl`
      const result = await ws.run(line, { env: server.env, limitMs: 300_000 })
      expectCode(result, 0)
      expect(await differences(place, sent)).toEqual([])
      const { files, summary } = await readJournal(ws.path('matrix.jsonl'))
      expect(files).toHaveLength(kinds.length * sizes.length)
      expect(files.every((file) => file.status === 'uploaded' && file.error === undefined)).toBe(true)
      expect(summary).toMatchObject({ uploaded: sent.size, failed: 0, successRate: 1 })
      console.log(
        `${server.name}: ${sent.size} files, ${Math.round((summary?.bytes ?? 0) / 1e6)} MB in ${Math.round(result.durationMs)} ms`,
      )
    })
  })
})
