import * as fs from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { PartBody } from '../destinations/destination.ts'
import { UploadError } from '../errors.ts'
import { sourceError } from '../plan/source-errors.ts'

/** A file as it was when its sending began: what it must still be at the end. */
export interface FileFacts {
  /** Where it lies. */
  readonly absolute: string
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch, with the fraction the file system gives. */
  readonly mtimeMs: number
}

export interface FileRange {
  /** Offset of the first byte. */
  readonly start: number
  /** Bytes. */
  readonly size: number
}

/**
 * A range of a file as a body that can be opened again and again. Whoever reads it to its end knows that the file had
 * not changed by then: before the end is told, size and modification time are compared, so that a mixture of two
 * versions is never completed.
 *
 * @param bufferSize bytes read at a time
 */
export function fileBody(facts: FileFacts, range: FileRange, bufferSize: number): PartBody {
  return {
    size: range.size,
    open: (from = 0) => readPieces(facts, from, range, bufferSize),
    stream: (from = 0) => readStream(facts, from, range, bufferSize),
  }
}

/** Reads by position into one buffer, which each piece is a view of. */
async function* readPieces(
  facts: FileFacts,
  from: number,
  range: FileRange,
  bufferSize: number,
): AsyncGenerator<Uint8Array> {
  const file = await openFile(facts.absolute, 'r').catch(failed)
  try {
    const buffer = Buffer.allocUnsafeSlow(bytesAtOnce(range.size - from, bufferSize))
    let offset = from
    while (offset < range.size) {
      const wanted = Math.min(buffer.length, range.size - offset)
      const { bytesRead } = await file.read(buffer, 0, wanted, range.start + offset).catch(failed)
      if (bytesRead === 0) throw changed('it became shorter')
      offset += bytesRead
      if (offset === range.size) compare(await file.stat().catch(failed), facts)
      yield buffer.subarray(0, bytesRead)
    }
    if (range.size === from) compare(await file.stat().catch(failed), facts)
  } finally {
    await file.close()
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
        const difference = error ?? differs(stats, facts)
        return difference ? fail(difference) : callback(null, 0, buffer)
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

function compare(now: fs.Stats, then: FileFacts): void {
  const difference = differs(now, then)
  if (difference) throw difference
}

function differs(now: fs.Stats, then: FileFacts): UploadError | undefined {
  if (now.size !== then.size) return changed(`its size went from ${then.size} to ${now.size} bytes`)
  if (now.mtimeMs !== then.mtimeMs) return changed('it was written to')
  return undefined
}

function changed(how: string): UploadError {
  return new UploadError(
    'SOURCE_CHANGED',
    `the file changed while it was read: ${how}; upload it again when it is at rest`,
  )
}

function failed(error: unknown): never {
  throw sourceError(error)
}
