import type * as fs from 'node:fs'

/** What becomes of a read, as both threads see it. */
export const readStates = {
  /** Not begun: the thread that changes it first has it. */
  waiting: 0,
  /** The worker is at it, and may be writing into its memory. */
  reading: 1,
  /** All bytes are there, and the file is what it was. */
  done: 2,
  /** Something is not as it should be. */
  failed: 3,
  /** The main thread has it back. */
  takenBack: 4,
} as const

/** A range of a file to be read into the memory that both threads see. */
export interface SharedRead {
  readonly path: string
  /** Offset of the first byte in the file. */
  readonly start: number
  /** Bytes to read. */
  readonly size: number
  /** Bytes of the whole file. */
  readonly fileSize: number
  /** Milliseconds since the epoch, with the fraction the file system gives. */
  readonly mtimeMs: number
  /** Offset of the first byte in that memory; there is room for one byte more than there are to read. */
  readonly at: number
}

/** The worker's end. */
export interface ReadPort {
  on(event: 'message', listener: (reads: readonly SharedRead[]) => void): unknown
  /** Tells that it is ready for the next batch, and how long the last one took. */
  postMessage(elapsedMs: number): void
}

/** What both threads see. */
export interface SharedMemory {
  /** Of the reads of the batch at hand, by their place in it. */
  readonly states: Int32Array
  /** What was read. */
  readonly bytes: Uint8Array
}

export interface ServeOptions extends SharedMemory {
  readonly readStates: typeof readStates
}

/**
 * Reads batches of files, one file after the other. The text of this function is all that the worker is given: it must
 * refer to nothing outside itself.
 */
export function serveReads(
  port: ReadPort,
  { openSync, readSync, fstatSync, closeSync }: Pick<typeof fs, 'openSync' | 'readSync' | 'fstatSync' | 'closeSync'>,
  { states, bytes, readStates: { waiting, reading, done, failed } }: ServeOptions,
): void {
  const readInto = (fd: number, { start, size, fileSize, mtimeMs, at }: SharedRead): boolean => {
    // One byte more at the end of a file: by that it shows that it grew.
    const wanted = size + (start + size === fileSize ? 1 : 0)
    let total = 0
    let bytesRead: number
    do {
      bytesRead = readSync(fd, bytes, at + total, wanted - total, start + total)
      total += bytesRead
      // A read may well give less than there is, over a network say.
    } while (bytesRead > 0 && total < size)
    if (total !== size) return false
    const stats = fstatSync(fd)
    return stats.size === fileSize && stats.mtimeMs === mtimeMs
  }

  const readFile = (read: SharedRead): boolean => {
    try {
      const fd = openSync(read.path, 'r')
      try {
        return readInto(fd, read)
      } finally {
        closeSync(fd)
      }
    } catch {
      return false
    }
  }

  port.on('message', (reads) => {
    const begun = performance.now()
    for (const [place, read] of reads.entries()) {
      if (Atomics.compareExchange(states, place, waiting, reading) !== waiting) continue
      Atomics.store(states, place, readFile(read) ? done : failed)
    }
    port.postMessage(performance.now() - begun)
  })
  port.postMessage(0)
}
