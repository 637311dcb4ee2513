import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'

/** A request's body, read and digested. */
export interface FakeBody {
  readonly size: number
  /** Empty where bytes are not kept. */
  readonly bytes: Buffer
  readonly md5: Buffer
  readonly sha256: Buffer | undefined
  readonly crc32: number
}

interface ReadOptions {
  readonly keep: boolean
  readonly onBytes: (count: number) => void
  readonly resetAfter: number | undefined
  readonly hangAfter: number | undefined
}

/** Reads a body to its end; undefined where it never came to one (the client left, or a fault cut it). */
export async function readBody(req: IncomingMessage, options: ReadOptions): Promise<FakeBody | undefined> {
  const md5 = createHash('md5')
  const wantsSha256 = /^[0-9a-f]{64}$/.test(String(req.headers['x-amz-content-sha256']))
  const sha256 = wantsSha256 ? createHash('sha256') : undefined
  const pieces: Buffer[] = []
  let size = 0
  let crc = 0
  try {
    for await (const piece of req as AsyncIterable<Buffer>) {
      options.onBytes(piece.length)
      size += piece.length
      if (options.resetAfter !== undefined && size >= options.resetAfter) {
        req.socket.resetAndDestroy()
        return undefined
      }
      if (options.hangAfter !== undefined && size >= options.hangAfter) {
        req.socket.pause()
        await new Promise((resolve) => req.socket.once('close', resolve))
        return undefined
      }
      md5.update(piece)
      sha256?.update(piece)
      crc = crc32(piece, crc)
      if (options.keep) pieces.push(piece)
    }
  } catch {
    return undefined
  }
  if (!req.complete) return undefined
  return { size, bytes: Buffer.concat(pieces), md5: md5.digest(), sha256: sha256?.digest(), crc32: crc }
}
