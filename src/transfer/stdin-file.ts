import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UploadError } from '../errors.ts'
import type { FileFacts } from './file-body.ts'

/**
 * Standard input as a file: kept in a temporary file, so that its size is known before the first byte is sent and
 * every attempt can read it again from the start.
 */
export interface StdinFile {
  readonly facts: FileFacts
  dispose(): Promise<void>
}

/** @throws UploadError `SOURCE_UNREADABLE` where it cannot be read or kept, `CANCELLED` where the signal was aborted. */
export async function keepStdin(stdin: Readable, signal: AbortSignal): Promise<StdinFile> {
  const directory = await mkdtemp(join(tmpdir(), 'upload-stdin-'))
  const absolute = join(directory, 'stdin')
  const dispose = () => rm(directory, { recursive: true, force: true })
  try {
    await pipeline(stdin, createWriteStream(absolute, { mode: 0o600 }), { signal })
    const { size, mtimeMs } = await stat(absolute)
    return { facts: { absolute, size, mtimeMs }, dispose }
  } catch (error) {
    await dispose()
    if (signal.aborted) throw new UploadError('CANCELLED', 'the run was stopped while standard input was read')
    const why = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'no space left for it' : String((error as Error).message)
    throw new UploadError('SOURCE_UNREADABLE', `standard input could not be kept in ${tmpdir()}: ${why} (TMPDIR names another place)`, {
      cause: error,
    })
  }
}
