import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UploadError } from '../errors.ts'
import type { FileFacts } from './file-body.ts'

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
  let directory: string | undefined
  let kept: Promise<FileFacts> | undefined

  const keep = async (): Promise<FileFacts> => {
    try {
      directory = await mkdtemp(join(tmpdir(), 'upload-stdin-'))
      const absolute = join(directory, 'stdin')
      await pipeline(stdin(), createWriteStream(absolute, { mode: 0o600 }), { signal })
      const { size, mtimeMs } = await stat(absolute)
      return { absolute, size, mtimeMs }
    } catch (cause) {
      if (signal.aborted) throw new UploadError('CANCELLED', 'the run was stopped while standard input was read')
      throw notKept(cause as NodeJS.ErrnoException)
    }
  }

  return {
    facts: () => (kept ??= keep()),
    async dispose() {
      if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => undefined)
    },
  }
}

function notKept(cause: NodeJS.ErrnoException): UploadError {
  const why = cause.code === 'ENOSPC' ? 'no space left for it' : cause.message
  return new UploadError(
    'SOURCE_UNREADABLE',
    `standard input could not be kept in ${tmpdir()}: ${why} (TMPDIR names another place)`,
    { cause },
  )
}
