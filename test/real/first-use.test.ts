import { copyFile, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { readCsv } from '../support/csv.ts'
import { writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { program } from '../support/run-upload.ts'
import { differences, type Sent } from '../support/stored.ts'

const example = join(dirname(program), '..', '.uploadrc.example.json')

forEachServer((test) => {
  it('cp .uploadrc.example.json .uploadrc.json; upload ./audio/*.wav --concurrency 8', async () => {
    const { server, ws, withPlace } = test()
    const sent = new Map<string, Sent>()
    const shellExpanded: string[] = []
    for (const [n, size] of [0, 44, 1_000_000, 17_000_000, 200_000, 3].entries()) {
      const name = `take ${n} #${n}.wav`
      sent.set(name, { sha256: await writeContents(ws.path('audio', name), 'bin', size, n) })
      shellExpanded.push(`./audio/${name}`)
    }
    await ws.write('audio/notes.txt')
    await withPlace(async (place) => {
      await copyFile(example, ws.path('.uploadrc.json'))
      const config = JSON.parse(await readFile(ws.path('.uploadrc.json'), 'utf8'))
      // Only what a user has to change: the bucket and the endpoint. Credentials come from the environment.
      const changed = { ...config, to: place.url, s3: { ...config.s3, endpointUrl: server.endpoint } }
      await ws.write('.uploadrc.json', JSON.stringify(changed, null, 2))
      const { AWS_ENDPOINT_URL: _, ...credentials } = server.env
      const result = await ws.runArgs([...shellExpanded, '--concurrency', '8'], { env: credentials })
      expectCode(result, 0)
      expect(await differences(place, sent)).toEqual([])

      const [jsonl, csv] = config.report as [string, string]
      const report = await readJournal(ws.path(jsonl))
      expect(report.files.map((file) => file.status)).toEqual(Array(6).fill('uploaded'))
      expect(report.run.config).toMatchObject({ concurrency: 8 })
      expect(readCsv(await ws.read(csv)).map((row) => row.status)).toEqual(Array(6).fill('uploaded'))
      expect(result.stderr).toContain('.uploadrc.json')
      expect(result.stderr).toContain(new URL(server.endpoint).host)
    })
  })
})
