import { Readable } from 'node:stream'
import type { Call, PartBody, PartReader } from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'

interface BodyOptions {
  /** Bytes per piece. */
  readonly pieceSize?: number
  /** Thrown once so many bytes have been given. */
  readonly failAfter?: { readonly bytes: number; readonly error: Error }
  /** Once so many bytes have been given, nothing more comes; `onHang` tells. */
  readonly hangAfter?: { readonly bytes: number; readonly onHang: () => void }
  /** What it says its size is. */
  readonly size?: number
}

/** A body held in memory. A piece's memory is overwritten when the next is asked for, as a careful reader allows. */
export function bodyOf(bytes: Uint8Array, options: BodyOptions = {}): PartBody {
  const { pieceSize = 64 * 1024, failAfter, hangAfter } = options
  async function* pieces(from: number, fresh: boolean): AsyncGenerator<Uint8Array> {
    const reused = new Uint8Array(pieceSize)
    for (let at = from; at < bytes.length; at += pieceSize) {
      if (failAfter !== undefined && at >= failAfter.bytes) throw failAfter.error
      if (hangAfter !== undefined && at >= hangAfter.bytes) {
        hangAfter.onHang()
        await new Promise(() => {})
      }
      const source = bytes.subarray(at, at + pieceSize)
      const target = fresh ? new Uint8Array(source.length) : reused.subarray(0, source.length)
      target.set(source)
      yield target
      if (!fresh) reused.fill(0xee)
    }
    if (failAfter !== undefined && bytes.length <= failAfter.bytes) throw failAfter.error
  }
  const size = options.size ?? bytes.length
  const reader: PartReader = {
    async read(into, offset) {
      if (failAfter !== undefined && offset >= failAfter.bytes) throw failAfter.error
      if (hangAfter !== undefined && offset >= hangAfter.bytes) {
        hangAfter.onHang()
        await new Promise(() => {})
      }
      if (offset >= bytes.length && offset < size) throw changed()
      const source = bytes.subarray(offset, Math.min(size, offset + Math.min(pieceSize, into.length)))
      into.set(source)
      return source.length
    },
    async compare() {
      if (failAfter !== undefined) throw failAfter.error
      if (bytes.length !== size) throw changed()
    },
    close: async () => {},
  }
  return {
    size,
    open: (from = 0) => pieces(from, false),
    stream: (from = 0) => Readable.from(pieces(from, true), { objectMode: false }),
    async readAll(into) {
      for (let at = 0; at < size; ) at += await reader.read(into.subarray(at, size), at)
      await reader.compare()
    },
    openReader: async () => reader,
  }
}

/** What a file says that is no longer of the size it had. */
function changed(): UploadError {
  return new UploadError('SOURCE_CHANGED', 'it is of another size now')
}

/** Bytes that differ from place to place; the same for the same arguments. */
export function someBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed >>> 0 || 1
  for (let at = 0; at + 4 <= size; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state | 0, at)
  }
  for (let at = size - (size % 4); at < size; at++) bytes[at] = (seed + at) % 251
  return bytes
}

/** A call that nobody cuts. */
export function aCall(call: Partial<Call> = {}): Call {
  return { signal: new AbortController().signal, requests: 4, ...call }
}
