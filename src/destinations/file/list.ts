import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { refuseAborted } from '../../http/abort.ts'
import type { Call, ObjectInfo } from '../destination.ts'
import { errnoOf, mapped } from './errors.ts'
import { temporaryName } from './key-problem.ts'

interface Entry {
  readonly name: string
  readonly isDirectory: boolean
}

/** The files below `root` whose key begins with `prefix`, in the order of their keys' bytes, as S3 lists them. */
export async function* listFiles(root: string, prefix: string, call: Call): AsyncGenerator<ObjectInfo> {
  yield* listDirectory(root, '', prefix, call)
}

async function* listDirectory(root: string, directory: string, prefix: string, call: Call): AsyncGenerator<ObjectInfo> {
  for (const { name, isDirectory } of await entriesOf(join(root, directory))) {
    refuseAborted(call.signal)
    const key = directory + name
    if (isDirectory) {
      const below = `${key}/`
      const mayMatch = below.startsWith(prefix) || prefix.startsWith(below)
      if (mayMatch && key !== temporaryName) yield* listDirectory(root, below, prefix, call)
    } else if (key.startsWith(prefix)) {
      const found = await lstat(join(root, key)).catch(() => undefined)
      if (found?.isFile()) yield { key, size: found.size, lastModified: found.mtime }
    }
  }
}

/** Files and directories (no links, no devices), sorted as their keys are: a directory's end in `/`. */
async function entriesOf(directory: string): Promise<Entry[]> {
  const found = await mapped(readdir(directory, { withFileTypes: true }).catch(noneIfGone))
  const byKey = (a: Entry, b: Entry) => Buffer.compare(sortKey(a), sortKey(b))
  return found
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
    .sort(byKey)
}

function sortKey({ name, isDirectory }: Entry): Buffer {
  return Buffer.from(isDirectory ? `${name}/` : name)
}

function noneIfGone(error: unknown): never[] {
  if (errnoOf(error) === 'ENOENT') return []
  throw error
}
