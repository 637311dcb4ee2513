import { fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { UploadError } from '../../errors.ts'
import { unlessAborted } from '../../http/abort.ts'
import type { StdinLimit } from '../size-limits.ts'

/** Standard input, counted while it is read. */
export interface StdinInput {
  /**
   * The next bytes, at most so many; undefined at the end. No more is read than is asked for, but for what comes with it
   * in one read of the pipe (64 KiB).
   *
   * @throws UploadError SOURCE_UNREADABLE; CANCELLED where the signal is aborted; what the limit says of one byte more
   * than it allows, as soon as that was read.
   */
  next(most: number, signal: AbortSignal): Promise<Uint8Array | undefined>
  /** Reads no more: whoever writes to it hears of that. */
  close(): void
}

/**
 * @param limit asked each time that something was read: files that grow meanwhile leave less
 * @throws UploadError SOURCE_UNREADABLE where there is nothing that could be read
 */
export function openStdin(stdin: () => Readable, limit: () => StdinLimit): StdinInput {
  const input = stdin()
  refuseDirectory(input)
  // What goes wrong after it was closed is nobody's business, and would end the process.
  input.on('error', () => {})
  const pieces = input[Symbol.asyncIterator]()
  let read = 0
  let left: Uint8Array = Buffer.alloc(0)

  const close = (): void => {
    input.destroy()
  }
  const readOn = async (signal: AbortSignal): Promise<boolean> => {
    const { done, value } = await unlessAborted(pieces.next(), signal).catch(asUnreadable)
    if (done) return false
    left = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
    read += left.length
    const most = limit()
    if (read > most.bytes) {
      close()
      throw most.error()
    }
    return true
  }

  return {
    async next(most, signal) {
      while (left.length === 0) if (!(await readOn(signal))) return undefined
      const piece = left.subarray(0, most)
      left = left.subarray(piece.length)
      return piece
    },
    close,
  }
}

/** Node would read a directory as an empty input. */
function refuseDirectory(input: Readable & { readonly fd?: number }): void {
  if (input.fd === undefined || !fstatSync(input.fd).isDirectory()) return
  throw new UploadError('SOURCE_UNREADABLE', 'standard input is a directory, not a file or a pipe')
}

function asUnreadable(cause: unknown): never {
  if (cause instanceof UploadError) throw cause
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new UploadError('SOURCE_UNREADABLE', `standard input broke off: ${why}; give the whole command again`, {
    cause,
  })
}
