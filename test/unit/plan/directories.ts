import type { Dir } from 'node:fs'
import type * as fs from 'node:fs/promises'

/** What stands in for a directory entry: a name that ends in `/` is a directory. */
type Listing = () => Iterable<string> | AsyncIterable<string>

/** Directories that are not on disk, by path, and what became of all that were opened. */
export const directories = {
  fakes: new Map<string, Listing>(),
  opened: [] as string[],
  /** Entries read from fakes. */
  read: 0,
  /** Fakes that were opened and not closed. */
  fakesOpen: 0,
  real: [] as Dir[],
  /** Whether no directory on disk is open. */
  async realClosed(): Promise<boolean> {
    const outcomes = await Promise.all(directories.real.map((dir) => dir.close().catch((error) => error.code)))
    return outcomes.every((outcome) => outcome === 'ERR_DIR_CLOSED')
  },
  reset(): void {
    directories.fakes.clear()
    directories.opened = []
    directories.read = 0
    directories.fakesOpen = 0
    directories.real = []
  },
}

/** `node:fs/promises` with an `opendir` that knows {@link directories}. */
export function withDirectories(original: typeof fs): typeof fs {
  const opendir = async (path: string, options: object) => {
    directories.opened.push(path)
    const fake = directories.fakes.get(path)
    if (fake) return entries(fake())
    const dir = await original.opendir(path, options)
    directories.real.push(dir)
    return dir
  }
  return { ...original, opendir: opendir as typeof fs.opendir }
}

/** Throws what an `fs` function would. */
export function failing(code: string): never {
  throw Object.assign(new Error(code), { code })
}

async function* entries(listing: Iterable<string> | AsyncIterable<string>) {
  directories.fakesOpen += 1
  try {
    for await (const name of listing) {
      directories.read += 1
      yield { name: name.replace(/\/$/, ''), isDirectory: () => name.endsWith('/') }
    }
  } finally {
    directories.fakesOpen -= 1
  }
}
