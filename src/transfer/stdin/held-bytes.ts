import type { PartReader } from '../../destinations/destination.ts'
import type { FileRange, HeldBytes } from '../reading/file-facts.ts'

/** Copies bytes from `start` on into `into`, as many as there are and as it has room for; how many these are. */
export function copyHeld(held: HeldBytes, start: number, into: Uint8Array): number {
  let copied = 0
  for (const piece of heldPieces(held, start, start + into.length, Number.POSITIVE_INFINITY)) {
    into.set(piece, copied)
    copied += piece.length
  }
  return copied
}

/** The bytes from `start` up to `end`, in views of at most `most` bytes. */
export function* heldPieces(held: HeldBytes, start: number, end: number, most: number): Generator<Buffer> {
  let passed = 0
  for (const buffer of held) {
    const last = Math.min(end - passed, buffer.length)
    for (let from = Math.max(0, start - passed); from < last; from += most) {
      yield buffer.subarray(from, Math.min(from + most, last))
    }
    passed += buffer.length
  }
}

/** For reads by position, as of a file; what is in memory does not change. */
export function heldReader(held: HeldBytes, range: FileRange): PartReader {
  const end = range.start + range.size
  return {
    read: async (into, offset) => copyHeld(held, range.start + offset, into.subarray(0, range.size - offset)),
    view(offset, most) {
      const [piece = Buffer.alloc(0)] = heldPieces(held, range.start + offset, end, most)
      return piece
    },
    compare: async () => {},
    close: async () => {},
  }
}
