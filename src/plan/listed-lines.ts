import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../errors.ts'

/** The lines of `--files-from`, which can be read as often as needed. */
export interface ListedLines {
  read(): AsyncIterable<string>
  /** Removes what was kept of standard input. */
  dispose(): Promise<void>
}

export const noLines: ListedLines = { read: async function* () {}, dispose: async () => {} }

/**
 * @param file a path, or `-` for standard input, which is kept in a temporary file since it is read twice
 * @param separator between lines: `\n` (a `\r` before it is dropped) or NUL
 * @throws UsageError where the list cannot be read.
 */
export async function openListedLines(
  file: string,
  separator: '\n' | '\0',
  cwd: string,
  stdin: Readable,
): Promise<ListedLines> {
  const kept = file === '-' ? await keep(stdin) : undefined
  const path = kept?.path ?? resolve(cwd, file)
  return {
    async *read() {
      try {
        yield* split(createReadStream(path, 'utf8'), separator)
      } catch (error) {
        throw new UsageError(`--files-from: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? error})`)
      }
    },
    async dispose() {
      if (kept) await rm(kept.directory, { recursive: true, force: true })
    },
  }
}

async function keep(stdin: Readable): Promise<{ directory: string; path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'upload-list-'))
  const path = join(directory, 'lines')
  await pipeline(stdin, createWriteStream(path, { mode: 0o600 }))
  return { directory, path }
}

async function* split(text: AsyncIterable<string>, separator: string): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of text) {
    const lines = (rest + piece).split(separator)
    rest = lines.pop() as string
    for (const line of lines) {
      const plain = separator === '\n' ? line.replace(/\r$/, '') : line
      if (plain !== '') yield plain
    }
  }
  const last = separator === '\n' ? rest.replace(/\r$/, '') : rest
  if (last !== '') yield last
}
