import * as fs from 'node:fs'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Pacer, PartBody } from '../../destinations/destination.ts'
import { sourceError } from '../../plan/source-errors.ts'
import { heldPieces } from '../stdin/held-bytes.ts'
import { changed, changeSince, type FileFacts, type FileRange } from './file-facts.ts'
import { openPartReader, readWhole } from './part-reader.ts'

/**
 * A range of a file as a body that can be opened again and again. Whoever reads it to its end knows that the file had
 * not changed by then: before the end is told, size and modification time are compared, so that a mixture of two
 * versions is never completed.
 *
 * @param bufferSize bytes read at a time
 * @param pacer spreads what `open` and `stream` give over time; who uses the other ways does so itself
 */
export function fileBody(facts: FileFacts, range: FileRange, bufferSize: number, pacer?: Pacer): PartBody {
  const paced = (limit: Pacer, from: number, own: boolean): AsyncIterable<Uint8Array> =>
    pacedPieces(limit, (pace) =>
      readPieces(facts, from, range, { bufferSize: Math.min(bufferSize, limit.pieceSize), pace, own }),
    )
  return {
    size: range.size,
    open: (from = 0) =>
      pacer === undefined ? readPieces(facts, from, range, { bufferSize }) : paced(pacer, from, false),
    stream: (from = 0) => {
      if (pacer !== undefined) return Readable.from(paced(pacer, from, true), { objectMode: false })
      if (facts.held === undefined) return readStream(facts, from, range, bufferSize)
      return Readable.from(readPieces(facts, from, range, { bufferSize, own: true }), { objectMode: false })
    },
    readAll: (into) => readWhole(facts, range, into),
    openReader: () => openPartReader(facts, range),
  }
}

interface Reading {
  readonly bufferSize: number
  /** Resolves once so many bytes may be given. */
  readonly pace?: (bytes: number) => Promise<void>
  /** Whether each piece has memory that its reader may keep. */
  readonly own?: boolean
}

/** Reads by position into one buffer, which each piece is a view of, or a copy. */
async function* readPieces(
  facts: FileFacts,
  from: number,
  range: FileRange,
  { bufferSize, pace, own = false }: Reading,
): AsyncGenerator<Uint8Array> {
  if (facts.held !== undefined) {
    for (const piece of heldPieces(facts.held, range.start + from, range.start + range.size, bufferSize)) {
      if (pace !== undefined) await pace(piece.length)
      yield own ? Buffer.from(piece) : piece
    }
    return
  }
  const file = await openFile(facts.absolute, 'r').catch(failed)
  try {
    const buffer = Buffer.allocUnsafeSlow(bytesAtOnce(range.size - from, bufferSize))
    let offset = from
    while (offset < range.size) {
      const wanted = Math.min(buffer.length, range.size - offset)
      const { bytesRead } = await file.read(buffer, 0, wanted, range.start + offset).catch(failed)
      if (bytesRead === 0) throw changed('it became shorter')
      offset += bytesRead
      if (pace !== undefined) await pace(bytesRead)
      if (offset === range.size) await compare(file, facts)
      const piece = buffer.subarray(0, bytesRead)
      yield own ? Buffer.from(piece) : piece
    }
    if (range.size === from) await compare(file, facts)
  } finally {
    await file.close()
  }
}

/** Pieces that come no faster than the pacer lets them. Whoever gives up reading gives up the wait for the next. */
function pacedPieces(
  pacer: Pacer,
  read: (pace: (bytes: number) => Promise<void>) => AsyncGenerator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const givenUp = new AbortController()
  const pieces = read((bytes) => pacer.take(bytes, givenUp.signal))
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      return() {
        givenUp.abort()
        return pieces.return(undefined)
      },
    }),
  }
}

type ReadCallback = (error: NodeJS.ErrnoException | null, bytesRead: number, buffer: NodeJS.ArrayBufferView) => void

/** `fs.createReadStream` with a read that stops at the range's end and compares there. */
function readStream(facts: FileFacts, from: number, range: FileRange, bufferSize: number): Readable {
  let offset = from
  const read = (
    fd: number,
    buffer: NodeJS.ArrayBufferView,
    at: number,
    length: number,
    _position: number | null,
    callback: ReadCallback,
  ): void => {
    const fail = (error: unknown): void => callback(sourceError(error), 0, buffer)
    const wanted = Math.min(length, range.size - offset)
    if (wanted === 0) {
      fs.fstat(fd, (error, stats) => {
        const failure = error ?? changeSince(facts, stats)
        return failure ? fail(failure) : callback(null, 0, buffer)
      })
      return
    }
    fs.read(fd, buffer, at, wanted, range.start + offset, (error, bytesRead) => {
      if (error) return fail(error)
      if (bytesRead === 0) return fail(changed('it became shorter'))
      offset += bytesRead
      callback(null, bytesRead, buffer)
    })
  }
  const open = (path: string, flags: string, mode: number, callback: (error: Error | null, fd: number) => void): void =>
    fs.open(path, flags, mode, (error, fd) => callback(error ? sourceError(error) : null, fd))
  return fs.createReadStream(facts.absolute, {
    highWaterMark: bytesAtOnce(range.size - from, bufferSize),
    fs: { open, read, close: fs.close } as unknown as NonNullable<
      Parameters<typeof fs.createReadStream>[1] & object
    >['fs'],
  })
}

/** A small file needs no large buffer. */
function bytesAtOnce(left: number, bufferSize: number): number {
  return Math.max(1, Math.min(left, bufferSize))
}

async function compare(file: FileHandle, facts: FileFacts): Promise<void> {
  const failure = changeSince(facts, await file.stat().catch(failed))
  if (failure) throw failure
}

function failed(error: unknown): never {
  throw sourceError(error)
}
