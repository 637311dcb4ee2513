import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { UploadError } from '../../errors.ts'
import { makeTemporaryDirectory, type TemporaryDirectory } from '../../temporary-directory.ts'
import type { FileFacts } from '../reading/file-facts.ts'
import type { StdinLimit } from '../size-limits.ts'
import type { StdinSizes } from './held-parts.ts'
import { keepInFile, notKept } from './kept-input.ts'
import { readHead, type StdinHead } from './stdin-head.ts'
import { openStdin, type StdinInput } from './stdin-input.ts'

/**
 * Standard input, which can be read once. Where all of it is kept, every attempt, in a later pass too, reads that from
 * the start; where it is sent while it is read, there is one attempt.
 */
export interface StdinFile {
  /**
   * All of it, as a file. Reads to the end into a temporary one, unless it was read before; the same every other time.
   *
   * @throws UploadError `SOURCE_UNREADABLE` where it cannot be read or kept, or was sent while it was read; `CANCELLED`
   * where the signal was aborted; what the limit says of one byte too many.
   */
  facts(): Promise<FileFacts>
  /**
   * Begins to read it, so that it is sent while it is read.
   *
   * @param most what the destination takes
   * @returns undefined where all of it is kept: where it goes as a whole, or was read before.
   * @throws UploadError as {@link facts}
   */
  begin(sizes: StdinSizes, most: StdinLimit, signal: AbortSignal): Promise<StdinHead | undefined>
  /** Removes what was kept, and reads no more. */
  dispose(): Promise<void>
}

/** What a stream that has no second reading says where one would help. */
export const notTwice = 'standard input cannot be read twice; give the whole command again'

/**
 * @param stdin called when it is first read
 * @param limit how many bytes it may have by now, and the error of one more
 */
export function createStdinFile(
  stdin: () => Readable,
  signal: AbortSignal,
  limit: () => StdinLimit = () => unlimited,
): StdinFile {
  let directory: TemporaryDirectory | undefined
  let input: StdinInput | undefined
  let kept: Promise<FileFacts> | undefined

  const place = async (): Promise<string> => {
    directory ??= await makeTemporaryDirectory('upload-stdin-').catch(notKept)
    return directory.path
  }
  const keepAll = async (): Promise<FileFacts> => {
    const absolute = join(await place(), 'stdin')
    input = openStdin(stdin, limit)
    return keepInFile(absolute, Number.POSITIVE_INFINITY, input, signal)
  }
  const keepHead = async (sizes: StdinSizes, most: StdinLimit, within: AbortSignal): Promise<StdinHead> => {
    input = openStdin(stdin, () => lesser(limit(), most))
    return readHead(input, sizes, place, within)
  }

  return {
    facts: () => (kept ??= keepAll()),
    async begin(sizes, most, within) {
      if (kept !== undefined) return kept.then(() => undefined)
      const reading = keepHead(sizes, most, within)
      kept = reading.then(({ whole }) => whole ?? Promise.reject(new UploadError('SOURCE_UNREADABLE', notTwice)))
      // It may never be asked for.
      kept.catch(() => {})
      const head = await reading
      return head.whole === undefined ? head : undefined
    },
    async dispose() {
      input?.close()
      await directory?.remove()
    },
  }
}

const unlimited: StdinLimit = {
  bytes: Number.POSITIVE_INFINITY,
  error: () => new UploadError('INTERNAL', 'standard input has more bytes than there are'),
}

function lesser(one: StdinLimit, other: StdinLimit): StdinLimit {
  return other.bytes < one.bytes ? other : one
}
