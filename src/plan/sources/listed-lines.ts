import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../../errors.ts'
import { makeTemporaryDirectory, type TemporaryDirectory } from '../../temporary-directory.ts'

/** A line that is not empty. */
export interface ListedLine {
  readonly text: string
  /** From 1; empty lines count. */
  readonly number: number
}

/** The lines of `--files-from`, which can be read as often as needed. */
export interface ListedLines {
  read(): AsyncIterable<ListedLine>
  /** Removes what was kept of standard input. */
  dispose(): Promise<void>
}

export const noLines: ListedLines = { read: async function* () {}, dispose: async () => {} }

/** No system has longer paths: what goes on without a separator for longer than this, in characters, is no list. */
const longestLine = 65_536

/**
 * @param file a path, or `-` for standard input. What can be read only once (that, a pipe, `<(…)`) is kept in a
 * temporary file
 * @param separator between lines: `\n` (a `\r` before it is dropped) or NUL
 * @throws UsageError where the list cannot be read.
 */
export async function openListedLines(
  file: string,
  separator: '\n' | '\0',
  cwd: string,
  stdin: () => Readable,
): Promise<ListedLines> {
  const path = resolve(cwd, file)
  const fault = (why: string) => new UsageError(`--files-from: ${file === '-' ? 'standard input' : file} ${why}`)
  const unreadable = (error: unknown) => fault(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  let kept: Kept | undefined
  try {
    if (file === '-') kept = await keep(stdin)
    else if (!(await stat(path)).isFile()) kept = await keep(() => createReadStream(path))
  } catch (error) {
    throw unreadable(error)
  }
  return {
    async *read() {
      try {
        yield* split(createReadStream(kept?.path ?? path), separator, fault)
      } catch (error) {
        throw error instanceof UsageError ? error : unreadable(error)
      }
    },
    async dispose() {
      await kept?.directory.remove()
    },
  }
}

interface Kept {
  readonly directory: TemporaryDirectory
  readonly path: string
}

async function keep(open: () => Readable): Promise<Kept> {
  const directory = await makeTemporaryDirectory('upload-list-')
  const path = join(directory.path, 'lines')
  try {
    await pipeline(open(), createWriteStream(path, { mode: 0o600 }))
    return { directory, path }
  } catch (error) {
    await directory.remove()
    throw error
  }
}

async function* split(
  bytes: AsyncIterable<Uint8Array>,
  separator: string,
  fault: (why: string) => UsageError,
): AsyncGenerator<ListedLine> {
  // Leaves out a byte order mark, which some editors put first.
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  for await (const piece of bytes) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split(separator)
    rest = lines.pop() as string
    for (const line of lines) {
      number += 1
      const text = plain(line)
      if (text !== '') yield { text, number }
    }
    if (rest.length > longestLine) throw fault('has a line longer than any path: is it a list of files?')
  }
  const text = plain(rest + decoder.decode())
  if (text !== '') yield { text, number: number + 1 }

  function plain(line: string): string {
    if (separator === '\0') return line
    if (line.includes('\0')) throw fault('holds NUL characters; add --null, or save it as UTF-8')
    return line.replace(/\r$/, '')
  }
}
