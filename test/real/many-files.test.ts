import { link, mkdir, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { awkwardNames } from '../support/awkward-names.ts'
import { expectCode } from '../support/command.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { engines } from '../support/settings.ts'
import { differences, type Sent } from '../support/stored.ts'
import type { Workspace } from '../support/workspace.ts'

/** Writes `count` files of mixed kinds and sizes, the first of them with awkward names. Keys by what was written. */
async function writeMany(ws: Workspace, directory: string, count: number): Promise<Map<string, Sent>> {
  const sent = new Map<string, Sent>()
  for (let n = 0; n < count; n += 1) {
    const kind = kinds[n % kinds.length] ?? 'bin'
    const awkward = awkwardNames[n]
    const folder = ['', 'a/', 'a/b c/', 'ü/#1/'][n % 4] ?? ''
    const key = awkward === undefined ? `${folder}take-${n}.${kind}` : `${folder}${awkward}`
    const size = n % 97 === 0 ? 1_000_000 : (n * 7919) % 66_000
    sent.set(key, { sha256: await writeContents(ws.path(directory, key), kind, size, n) })
  }
  return sent
}

forEachServer((test) => {
  let thousand: ReadonlyMap<string, Sent>
  beforeAll(async () => {
    thousand = await writeMany(test().ws, 'thousand', 1000)
  })

  it.each(engines)(
    'upload in --to s3://…/ --engine %s  # 1,000 files of mixed sizes and awkward names',
    async (engine) => {
      const { server, ws, withPlace } = test()
      await withPlace(async (place) => {
        const line = `upload thousand --to ${place.url} --engine ${engine} --report ${engine}.jsonl --run-id ${engine}`
        const result = await ws.run(line, { env: server.env })
        expectCode(result, 0)
        expect(await differences(place, thousand)).toEqual([])
        expect(result.stderr).toMatch(/✔ 1,?000 uploaded/)
        const { files } = await readJournal(ws.path(`${engine}.jsonl`))
        expect(new Set(files.map((file) => file.engine))).toEqual(new Set([engine]))
      })
    },
  )

  it('upload in --to s3://…/  # the same with five broken links among them', async () => {
    const { server, ws, withPlace } = test()
    const sent = new Map([...thousand].slice(0, 995))
    for (const key of sent.keys()) {
      await mkdir(dirname(ws.path('broken', key)), { recursive: true })
      await link(ws.path('thousand', key), ws.path('broken', key))
    }
    const links = [0, 1, 2, 3, 4].map((n) => `link-${n}.wav`)
    for (const name of links) await symlink('nowhere', ws.path('broken', name))
    await withPlace(async (place) => {
      const result = await ws.run(`upload broken --to ${place.url} --report broken.jsonl`, { env: server.env })
      expectCode(result, 1)
      expect(await differences(place, sent)).toEqual([])
      const { files, summary } = await readJournal(ws.path('broken.jsonl'))
      expect(summary).toMatchObject({ files: 1000, uploaded: 995, failed: 5, outcome: 'partial', exitCode: 1 })
      const failed = files.filter((file) => file.status === 'failed')
      expect(failed.map((file) => [file.source, file.error?.code]).sort()).toEqual(
        links.map((name) => [name, 'SOURCE_NOT_FOUND']),
      )
      for (const name of links) expect(result.stderr).toContain(name)
    })
  })

  it('eight processes at once into one bucket', async () => {
    const { server, ws, withPlace } = test()
    const all = new Map<string, Sent>()
    const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `process-${n}`)
    for (const [seed, name] of eight.entries()) {
      for (let n = 0; n < 60; n += 1) {
        const file = `${n}.bin`
        const sha256 = await writeContents(ws.path(name, file), 'bin', n === 0 ? 18_000_000 : n * 1111, seed * 100 + n)
        all.set(`${name}/${file}`, { sha256 })
      }
    }
    await withPlace(async (place) => {
      const results = await Promise.all(
        eight.map((name) => ws.run(`upload ${name} --to ${place.url}${name}/ --concurrency 8`, { env: server.env })),
      )
      for (const result of results) expectCode(result, 0)
      expect(await differences(place, all)).toEqual([])
    })
  })
})
