import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { base64OfCrc32 } from '../../checksums/checksummer.ts'
import { UploadError } from '../../errors.ts'
import { unlessAborted } from '../../http/abort.ts'
import type { Call, Checksum, PartBody } from '../destination.ts'
import { mapped } from './errors.ts'

/**
 * Writes all of `body` into `file` from `position` on, piece by piece.
 *
 * @returns the CRC-32 of what was written
 * @throws UploadError SOURCE_CHANGED where the body has not the size it said; CANCELLED; what the body throws, as it is.
 */
export async function writeBody(file: FileHandle, position: number, body: PartBody, call: Call): Promise<Checksum> {
  const pieces = body.open()[Symbol.asyncIterator]()
  let written = 0
  let checksum = 0
  try {
    for (;;) {
      const next = await unlessAborted(pieces.next(), call.signal)
      if (next.done) break
      const piece = next.value
      if (written + piece.length > body.size) throw resized(body.size)
      checksum = crc32(piece, checksum)
      await mapped(writeAll(file, piece, position + written))
      written += piece.length
      call.onBytes?.(written)
    }
  } catch (error) {
    // Not waited for: it may be stuck in the very read that is given up.
    pieces.return?.().catch(() => {})
    throw error
  }
  if (written !== body.size) throw resized(body.size)
  return { algorithm: 'crc32', value: base64OfCrc32(checksum) }
}

/**
 * Gives a file the modification time of its source, to the microsecond: Node takes times as seconds in a floating point
 * number, of which its older versions cut off what is finer. After the last write, which sets the time too.
 *
 * @param ns nanoseconds since the epoch; undefined: it keeps the time of its last write
 */
export async function keepMtime(file: FileHandle, ns: bigint | undefined): Promise<void> {
  if (ns === undefined) return
  // Half of one more, so that what a floating point number lacks is never taken for a whole microsecond.
  const seconds = ns % 1_000_000_000n === 0n ? Number(ns / 1_000_000_000n) : (Number(ns / 1000n) + 0.5) / 1_000_000
  // Node takes a negative number for a mistake, and its fractions for others; a date it takes.
  const time = ns < 0n ? new Date(Math.floor(seconds) * 1000) : seconds
  await file.utimes(time, time)
}

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done)
    done += bytesWritten
  }
}

function resized(size: number): UploadError {
  return new UploadError('SOURCE_CHANGED', `it has no longer the ${size} bytes it had`)
}
