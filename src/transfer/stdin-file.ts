import { createWriteStream, fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UploadError } from '../errors.ts'
import { makeTemporaryDirectory, type TemporaryDirectory } from '../temporary-directory.ts'
import type { FileFacts } from './file-facts.ts'

/**
 * Standard input as a file: kept in a temporary one, so that its size is known before the first byte is sent and every
 * attempt, in a later pass too, reads it from the start.
 */
export interface StdinFile {
  /**
   * Reads standard input to its end the first time; what came of that every other time.
   *
   * @throws UploadError `SOURCE_UNREADABLE` where it cannot be read or kept, `CANCELLED` where the signal was aborted.
   */
  facts(): Promise<FileFacts>
  /** Removes what was kept. */
  dispose(): Promise<void>
}

/** @param stdin called only by the first {@link StdinFile.facts} */
export function createStdinFile(stdin: () => Readable, signal: AbortSignal): StdinFile {
  let directory: TemporaryDirectory | undefined
  let kept: Promise<FileFacts> | undefined

  const keep = async (): Promise<FileFacts> => {
    try {
      directory = await makeTemporaryDirectory('upload-stdin-')
      const absolute = join(directory.path, 'stdin')
      const input = stdin()
      refuseDirectory(input)
      await pipeline(input, createWriteStream(absolute, { mode: 0o600 }), { signal })
      const { size, mtimeMs } = await stat(absolute)
      return { absolute, size, mtimeMs }
    } catch (cause) {
      if (signal.aborted) throw new UploadError('CANCELLED', 'the run was stopped while standard input was read')
      if (cause instanceof UploadError) throw cause
      throw notKept(cause as NodeJS.ErrnoException)
    }
  }

  return {
    facts: () => (kept ??= keep()),
    dispose: async () => directory?.remove(),
  }
}

/** Node would read a directory as an empty input. */
function refuseDirectory(input: Readable & { readonly fd?: number }): void {
  if (input.fd === undefined || !fstatSync(input.fd).isDirectory()) return
  throw new UploadError('SOURCE_UNREADABLE', 'standard input is a directory, not a file or a pipe')
}

function notKept(cause: NodeJS.ErrnoException): UploadError {
  const why = cause.code === 'ENOSPC' ? 'no space left for it' : cause.message
  return new UploadError(
    'SOURCE_UNREADABLE',
    `standard input could not be kept in ${tmpdir()}: ${why} (TMPDIR names another place)`,
    { cause },
  )
}
