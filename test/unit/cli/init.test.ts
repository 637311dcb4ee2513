import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, expect, it } from 'vitest'
import { runInit } from '../../../src/cli/init.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { fakeHost } from './fake-host.ts'

let cwd: string

beforeEach(async () => {
  cwd = await tempDir()
})

/** What `$schema` is where the schema lies at `path`. */
async function schemaNamed(path: string): Promise<unknown> {
  expect(await runInit([], fakeHost({ cwd }), pathToFileURL(path))).toBe(0)
  return JSON.parse(await readFile(join(cwd, '.uploadrc.json'), 'utf8')).$schema
}

it('names the schema by a path where it is below the config', async () => {
  const folder = join(cwd, 'node_modules', 'a b')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 's.json'), '{}')
  expect(await schemaNamed(join(folder, 's.json'))).toBe('./node_modules/a b/s.json')
})

it('names it by a URL where it is elsewhere', async () => {
  const elsewhere = await tempDir()
  await writeFile(join(elsewhere, 's.json'), '{}')
  expect(await schemaNamed(join(elsewhere, 's.json'))).toBe(pathToFileURL(join(elsewhere, 's.json')).href)
})

it('names none where there is none', async () => {
  expect(await schemaNamed(join(cwd, 'missing.json'))).toBeUndefined()
})

it('says where it wrote, and what comes next', async () => {
  const host = fakeHost({ cwd })
  expect(await runInit(['--to', 'file:./x'], host)).toBe(0)
  const file = join(cwd, '.uploadrc.json')
  expect(host.stderr.text()).toBe(`upload: wrote ${file}; try: upload <files> --dry-run\n`)
  expect(host.stdout.text()).toBe('')
})

it('says why it cannot write', async () => {
  const gone = join(cwd, 'gone')
  await expect(runInit([], fakeHost({ cwd: gone }))).rejects.toThrow(
    `${join(gone, '.uploadrc.json')}: cannot be written (ENOENT)`,
  )
})
