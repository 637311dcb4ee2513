import { closeSync, fstatSync, openSync, readSync, type StatsFs, statfs } from 'node:fs'
import { dirname } from 'node:path'
import { sourceError } from '../../plan/source-errors.ts'
import { changed, changeSince, type FileFacts } from './file-facts.ts'
import { readWhole } from './part-reader.ts'

/** Reads files that one buffer holds. */
export interface SmallReader {
  /**
   * Reads a whole file, and compares it with what it was.
   *
   * @param into has room for one byte more than the file: by that a file that grew shows
   * @throws UploadError SOURCE_*
   */
  read(facts: FileFacts, into: Buffer): Promise<void>
}

export interface SmallReaderOptions {
  /** Milliseconds on a clock that never goes back. */
  readonly elapsed: () => number
  /** As `fs.statfs`. */
  readonly statfs?: (path: string, done: (error: Error | null, stats: Pick<StatsFs, 'type'>) => void) => void
}

/**
 * File systems of local disks and of memory, by the number Linux gives each: ext, XFS, Btrfs, tmpfs, ZFS, F2FS, overlayfs,
 * bcachefs. Others may be a network's, or somebody's program.
 * https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const localTypes: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0xf2f52010, 0x794c7630, 0xca451a4e,
])
/** Reads that take this long on average, in milliseconds, wait for the disk. */
const slowMs = 0.5
/** How much the last read counts in that average: a single one that was only interrupted does not tip it. */
const weight = 1 / 16
/** For so long, in milliseconds, reads are then left to the thread pool, where four can wait at once. */
const restMs = 1000
/** Directories whose file system is remembered. */
const mostDirectories = 1000

/**
 * A small file takes four calls, which cost ten microseconds in all where the disk's cache has it. By way of the thread
 * pool each of them wakes a sleeping thread, at several times that, for every one of a million files. So they are made
 * at once where that is safe: on a local file system, and as long as reads need not wait. Once they do, the pool
 * takes over for a second: the event loop waits for a slow disk a moment each second at most, and never for a network.
 */
export function createSmallReader({ elapsed, statfs: look = statfs }: SmallReaderOptions): SmallReader {
  /** Undefined: asked for, and not known yet. */
  const isLocal = new Map<string, boolean | undefined>()
  let lastDirectory = '/'
  let averageMs = 0
  let restsUntil = Number.NEGATIVE_INFINITY

  const inLocalDirectory = (absolute: string): boolean => {
    // Most often it is the one of the file before.
    const directory =
      absolute.lastIndexOf('/') === lastDirectory.length && absolute.startsWith(lastDirectory)
        ? lastDirectory
        : dirname(absolute)
    lastDirectory = directory
    const known = isLocal.get(directory)
    if (known !== undefined || isLocal.has(directory)) return known === true
    if (isLocal.size >= mostDirectories) isLocal.clear()
    isLocal.set(directory, undefined)
    look(directory, (error, stats) => isLocal.set(directory, error === null && localTypes.has(Number(stats.type))))
    return false
  }

  return {
    read(facts, into) {
      const begun = elapsed()
      if (begun < restsUntil || !inLocalDirectory(facts.absolute)) {
        return readWhole(facts, { start: 0, size: facts.size }, into)
      }
      try {
        readAtOnce(facts, into)
        return done
      } catch (error) {
        return Promise.reject(sourceError(error))
      } finally {
        const ended = elapsed()
        averageMs += (ended - begun - averageMs) * weight
        if (averageMs > slowMs) {
          averageMs = 0
          restsUntil = ended + restMs
        }
      }
    },
  }
}

const done = Promise.resolve()

function readAtOnce(facts: FileFacts, into: Buffer): void {
  const fd = openSync(facts.absolute, 'r')
  try {
    const { size } = facts
    let total = 0
    let bytesRead: number
    do {
      bytesRead = readSync(fd, into, total, size + 1 - total, total)
      total += bytesRead
    } while (bytesRead > 0 && total < size)
    if (total < size) throw changed('it became shorter')
    if (total > size) throw changed('it became longer')
    const difference = changeSince(facts, fstatSync(fd))
    if (difference) throw difference
  } finally {
    closeSync(fd)
  }
}
