import { readdirSync, readlinkSync } from 'node:fs'
import { appendFile, open, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartBody } from '../../../src/destinations/destination.ts'
import { fileBody } from '../../../src/transfer/reading/file-body.ts'
import type { FileFacts, FileRange } from '../../../src/transfer/reading/file-facts.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { tempDir } from '../../support/temp-dir.ts'

export const bufferSize = 1024

/** A file on the disk, its bytes, and bodies of it. */
export interface SourceFile extends FileFacts {
  readonly bytes: Buffer
  body(range?: Partial<FileRange>): PartBody
}

export async function sourceFile(size: number): Promise<SourceFile> {
  const absolute = join(await tempDir(), 'source.bin')
  const bytes = randomBytes(size)
  await writeFile(absolute, bytes)
  // An old one: what is written now differs in time, however coarse the file system's clock.
  await utimes(absolute, 1_700_000_000, 1_700_000_000.25)
  const facts: FileFacts = { absolute, size, mtimeMs: (await stat(absolute)).mtimeMs }
  return { ...facts, bytes, body: (range) => fileBody(facts, { start: 0, size, ...range }, bufferSize) }
}

function randomBytes(size: number): Buffer {
  const random = seededRandom(size + 1)
  return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)))
}

/** What may happen to a file of 5000 bytes; the last only shows to who opens it afterwards. */
export const changes: readonly [name: string, change: (file: FileFacts & { bytes: Buffer }) => Promise<void>][] = [
  ['grew', (file) => appendFile(file.absolute, 'x')],
  ['became shorter', (file) => truncate(file.absolute, 2500)],
  ['became empty', (file) => truncate(file.absolute, 0)],
  [
    'was written to in place',
    async (file) => {
      const handle = await open(file.absolute, 'r+')
      await handle.write('x', 4000)
      await handle.close()
    },
  ],
  ['has another time', (file) => utimes(file.absolute, 1_700_000_000, 1_700_000_001)],
  ['has a time that differs in its fraction', (file) => utimes(file.absolute, 1_700_000_000, 1_700_000_000.5)],
  [
    'was replaced by another',
    async (file) => {
      await writeFile(`${file.absolute}.new`, file.bytes)
      await rename(`${file.absolute}.new`, file.absolute)
    },
  ],
]

export const hasProc = process.platform === 'linux'
if (!hasProc) console.log('Not tried: only Linux shows which files a process has open.')

/** How often this process has the file open. */
export function timesOpen(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

export async function closed(path: string): Promise<void> {
  while (timesOpen(path) > 0) await new Promise((resolve) => setImmediate(resolve))
}
