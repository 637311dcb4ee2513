import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { UploadError } from '../../errors.ts'
import type { FileFacts } from '../reading/file-facts.ts'
import type { StdinInput } from './stdin-input.ts'

/** Reads until the buffer is full, or to the end; what was read, as of a file. */
export async function keepInMemory(buffer: Buffer, input: StdinInput, signal: AbortSignal): Promise<FileFacts> {
  let size = 0
  while (size < buffer.length) {
    const piece = await input.next(buffer.length - size, signal)
    if (piece === undefined) break
    buffer.set(piece, size)
    size += piece.length
  }
  return { absolute: '-', size, mtimeMs: 0, held: [buffer.subarray(0, size)] }
}

/**
 * The same into a file that only its user may read, in place of what it held.
 *
 * @param most bytes
 * @throws UploadError SOURCE_UNREADABLE where it cannot be written; what reading throws.
 */
export async function keepInFile(
  absolute: string,
  most: number,
  input: StdinInput,
  signal: AbortSignal,
): Promise<FileFacts> {
  const file = await open(absolute, 'w', 0o600).catch(notKept)
  try {
    for (let size = 0; size < most; ) {
      const piece = await input.next(most - size, signal)
      if (piece === undefined) break
      await writeAll(file, piece).catch(notKept)
      size += piece.length
    }
    const { size, mtimeMs } = await file.stat().catch(notKept)
    return { absolute, size, mtimeMs }
  } finally {
    await file.close()
  }
}

/** @throws UploadError SOURCE_UNREADABLE, with what to do about it */
export function notKept(cause: NodeJS.ErrnoException): never {
  const why = cause.code === 'ENOSPC' ? 'no space left for it' : cause.message
  throw new UploadError(
    'SOURCE_UNREADABLE',
    `standard input could not be kept in ${tmpdir()}: ${why} (TMPDIR names another place)`,
    { cause },
  )
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten
}
