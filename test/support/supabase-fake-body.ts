import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface ReceivedBody {
  readonly size: number
  readonly md5: Buffer
}

/** Bodies up to this size are gathered and written at once. */
const smallSize = 2 ** 20

/** Writes a body to a file; undefined, and no file, where the connection went before its end. */
export async function receiveBody(
  req: IncomingMessage,
  path: string,
  onPiece: (piece: Buffer) => void = () => {},
): Promise<ReceivedBody | undefined> {
  const md5 = createHash('md5')
  let size = 0
  async function* watched() {
    for await (const piece of req as AsyncIterable<Buffer>) {
      md5.update(piece)
      onPiece(piece)
      size += piece.length
      yield piece
    }
  }
  try {
    if (Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= smallSize) {
      const pieces: Buffer[] = []
      for await (const piece of watched()) pieces.push(piece)
      await writeFile(path, pieces)
    } else {
      await pipeline(watched, createWriteStream(path))
    }
  } catch (error) {
    await rm(path, { force: true })
    if (req.complete) throw error
    return undefined
  }
  return { size, md5: md5.digest() }
}

/** A body that is JSON; undefined where it is not. */
export async function receiveJson(req: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of req as AsyncIterable<Buffer>) pieces.push(piece)
    return JSON.parse(Buffer.concat(pieces).toString())
  } catch {
    return undefined
  }
}
