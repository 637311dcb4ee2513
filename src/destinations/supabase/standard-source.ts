import type { FileReader, FileSource } from 'tus-js-client'
import { checksummerOf } from '../../checksums/checksummer.ts'
import type { Settings } from '../../config/settings.ts'
import { refuseAborted } from '../../http/abort.ts'
import type { Checksum, PartReader } from '../destination.ts'
import { checksumAlgorithmOf, partSize } from './engine.ts'
import { notUnderstood } from './tus-requests.ts'

/** The checksum of an object that is read from its beginning to its end, and here and there again. */
export interface ReadChecksum {
  /** Bytes that were read, from the object's first on. */
  readonly end: number
  /** What was read at an offset, that of the bytes up to {@link end} at most. */
  add(bytes: Uint8Array, offset: number): void
  /** Undefined where none was asked for. To be asked for once, when all was read. */
  result(): Promise<Checksum | undefined>
}

/** Begins with the object's first byte. */
export function createReadChecksum(settings: Pick<Settings, 'checksum'>): ReadChecksum {
  const algorithm = checksumAlgorithmOf(settings)
  const running = algorithm && checksummerOf(algorithm).begin()
  let end = 0
  return {
    get end() {
      return end
    },
    add(bytes, offset) {
      const seen = end - offset
      if (seen >= bytes.length) return
      running?.update(bytes.subarray(seen))
      end = offset + bytes.length
    },
    async result() {
      return algorithm === undefined || running === undefined ? undefined : { algorithm, value: await running.result() }
    },
  }
}

export interface SourceOptions {
  readonly reader: PartReader
  /** Bytes of the object. */
  readonly size: number
  /** Room for one part, which each takes in turn. */
  readonly buffer: Buffer
  readonly checksum: ReadChecksum
  readonly signal: AbortSignal
  /** Called before the object's last bytes are given. */
  readonly onLast: () => void
}

/**
 * An object as tus-js-client reads it: by position, since the library's own way with streams cannot go on in the middle
 * of an object, and holds several parts in memory. Parts end where they would have ended without an interruption.
 */
export function partSource({ reader, size, buffer, checksum, signal, onLast }: SourceOptions): FileReader {
  const source: FileSource = {
    size,
    async slice(start, wanted) {
      // The server has bytes that were never sent to it.
      if (start > checksum.end) throw notUnderstood()
      const end = Math.min(size, wanted, start - (start % partSize) + partSize)
      const part = buffer.subarray(0, end - start)
      for (let done = 0; done < part.length; ) {
        refuseAborted(signal)
        const read = await reader.read(part.subarray(done), start + done)
        checksum.add(part.subarray(done, done + read), start + done)
        done += read
      }
      if (end === size) {
        await reader.compare()
        onLast()
      }
      return { value: Object.assign(part, { size: part.length }), done: end === size }
    },
    close() {},
  }
  return { openFile: async () => source }
}
