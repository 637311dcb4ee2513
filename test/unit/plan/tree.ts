import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ScanNotes } from '../../../src/plan/sources/candidate.ts'
import type { Filters } from '../../../src/plan/sources/filters.ts'
import { tempDir } from '../../support/temp-dir.ts'

export const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: symbolic links, FIFOs, modes, and names Windows cannot hold.')

/**
 * A new directory with these files, gone when the test ends. A file holds its own name, or what stands behind a `=`; a
 * name that ends in `/` is an empty directory.
 */
export async function tree(...names: readonly string[]): Promise<string> {
  const root = await tempDir()
  for (const each of names) {
    const [name = '', contents = each] = each.split('=')
    await mkdir(join(root, name.endsWith('/') ? name : dirname(name)), { recursive: true })
    if (!name.endsWith('/')) await writeFile(join(root, name), contents)
  }
  return root
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** Leaves nothing out. */
export const noFilters: Filters = { excludesFile: () => false, excludesDirectory: () => false }

/** Keeps what a scan tells. */
export function notes(isOwn: (absolute: string) => boolean = () => false): ScanNotes & {
  readonly warnings: string[]
  readonly junked: () => number
  readonly leftOut: () => number
} {
  const warnings: string[] = []
  let junked = 0
  let leftOut = 0
  return {
    isOwn,
    warnings,
    warn: (message) => void warnings.push(message),
    junk: () => {
      junked += 1
    },
    untimely: () => {
      leftOut += 1
    },
    junked: () => junked,
    leftOut: () => leftOut,
  }
}

/** A generator of numbers from 0 up to a bound, the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Bytes in use after the garbage is gone. */
export function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
