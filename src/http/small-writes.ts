import { Readable } from 'node:stream'

/**
 * Bytes written at a time. Over TLS, Node does not see how much of a write has left: a part that is written in one go
 * would count as silence on a slow line, however steadily its bytes leave.
 */
const largestWrite = 256 * 1024

/** The same body, to be written little by little where it is large; what is no buffer stays as it is. */
export function inSmallWrites(body: unknown): unknown {
  return body instanceof Uint8Array && body.length > largestWrite ? Readable.from(piecesOf(body)) : body
}

/** The same pieces, the large ones little by little. */
export async function* inSmallPieces(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield* piecesOf(piece)
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += largestWrite) yield body.subarray(at, at + largestWrite)
}
