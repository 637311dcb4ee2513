import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { differences, type Sent } from '../support/stored.ts'

const size = 100_000_000

forEachServer((test) => {
  it('upload large --to s3://…/ --concurrency 100  # 20 files of 100 MB', async () => {
    const { server, ws, withPlace } = test()
    const sent = new Map<string, Sent>()
    for (let n = 0; n < 20; n += 1) {
      const name = `take-${n}.bin`
      sent.set(name, { sha256: await writeContents(ws.path('large', name), 'bin', size, n) })
    }
    await withPlace(async (place) => {
      const line = `upload large --to ${place.url} --concurrency 100 --report large.jsonl`
      const result = await ws.run(line, { env: server.env, limitMs: 300_000 })
      expectCode(result, 0)
      expect(await differences(place, sent)).toEqual([])
      const { files, summary } = await readJournal(ws.path('large.jsonl'))
      expect(files.every((file) => file.parts === 12)).toBe(true)
      expect(summary).toMatchObject({ uploaded: 20, failed: 0, successRate: 1, bytes: 20 * size })
      console.log(
        `${server.name}: 2 GB in ${Math.round(result.durationMs)} ms, ${Math.round((summary?.peakRssBytes ?? 0) / 1e6)} MB of memory at most`,
      )
    })
  })
})
