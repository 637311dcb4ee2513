import { createReadStream } from 'node:fs'
import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { engines } from '../support/settings.ts'
import { differences, type Sent } from '../support/stored.ts'

const mebibyte = 1024 * 1024
const around = (size: number) => [size - 1, size, size + 1]

forEachServer((test) => {
  it.each(engines)(
    'upload in --to s3://…/ --engine %s  # sizes around parts and the multipart threshold',
    async (engine) => {
      const { server, ws, withPlace } = test()
      const sent = new Map<string, Sent>()
      for (const size of [0, 1, ...around(8 * mebibyte), ...around(16 * mebibyte), ...around(24 * mebibyte)]) {
        sent.set(`${size}.bin`, { sha256: await writeContents(ws.path('sizes', `${size}.bin`), 'bin', size) })
      }
      await withPlace(async (place) => {
        const line = `upload sizes --to ${place.url} --concurrency 8 --engine ${engine} --report ${engine}.jsonl`
        const result = await ws.run(line, { env: server.env })
        expectCode(result, 0)
        expect(await differences(place, sent)).toEqual([])
        const { files } = await readJournal(ws.path(`${engine}.jsonl`))
        const parts = Object.fromEntries(files.map((file) => [file.size, file.parts]))
        expect(parts).toMatchObject({ 1: 1, [16 * mebibyte]: 1, [16 * mebibyte + 1]: 3, [24 * mebibyte + 1]: 4 })
      })
    },
  )

  it('upload - --key live.bin --to s3://…/', async () => {
    const { server, ws, withPlace } = test()
    const sha256 = await writeContents(ws.path('live'), 'txt', 21_000_001)
    await withPlace(async (place) => {
      const line = `upload - --key live.txt --to ${place.url}`
      expectCode(await ws.run(line, { env: server.env, stdin: createReadStream(ws.path('live')) }), 0)
      expect(await differences(place, new Map([['live.txt', { sha256 }]]))).toEqual([])
    })
  })

  it('upload in --to s3://…/  # twice: the second run replaces what the first stored', async () => {
    const { server, ws, withPlace } = test()
    await withPlace(async (place) => {
      for (const seed of [1, 2]) {
        const sent = new Map<string, Sent>()
        for (const size of [10_000, 17_000_000]) {
          const name = `${size}.bin`
          sent.set(name, { sha256: await writeContents(ws.path('twice', name), 'bin', size, seed) })
        }
        expectCode(await ws.run(`upload twice --to ${place.url}`, { env: server.env }), 0)
        expect(await differences(place, sent)).toEqual([])
      }
    })
  })
})
