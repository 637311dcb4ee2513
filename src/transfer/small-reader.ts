import type { FileFacts, FileRange } from './file-facts.ts'
import { readStates, type SharedMemory, type SharedRead } from './small-reader-worker.ts'

/**
 * Reads all of a small range at once, and compares the file with what it was.
 *
 * @param into has room for one byte more than the range
 * @throws UploadError SOURCE_*
 */
export type ReadWhole = (facts: FileFacts, range: FileRange, into: Buffer) => Promise<void>

/**
 * Reads small files in batches on a thread of its own. A file's way through the thread pool is four round trips, each
 * of which costs the event loop more than the system call does; a batch is one.
 */
export interface SmallReader {
  readonly read: ReadWhole
  /** Ends the thread, without waiting for it. */
  dispose(): void
}

/** The thread, as the event loop sees it. */
export interface ReadWorker {
  /** Only when it is ready. */
  post(reads: readonly SharedRead[]): void
  end(): void
}

export interface ReadWorkerListeners {
  /** It is ready for a batch; the last one took so long. */
  answer(elapsedMs: number): void
  /** It has ended, for whatever reason. */
  gone(): void
}

export interface SmallReaderOptions {
  readonly startWorker: (memory: SharedMemory, listeners: ReadWorkerListeners) => ReadWorker
  /** Through the thread pool. */
  readonly readUsually: ReadWhole
  /** Calls back at the end of this turn of the event loop. */
  readonly atEndOfTurn: (call: () => void) => void
  /** Calls back after `ms`, without keeping the process for it. Returns how to give that up. */
  readonly after: (ms: number, call: () => void) => () => void
  /** Monotonic, milliseconds. */
  readonly elapsed: () => number
}

/** After how many reads the thread is started: starting it takes the work that it spares in as many. */
export const readsBeforeStart = 1000
/** Bytes of the largest file that is worth copying once more. */
const largestSize = 64 * 1024
/** The most files in a batch, and the bytes in all of them. */
export const batchSize = 64
const memorySize = 1024 * 1024
/** A thread that has not answered for so long hangs, in a file on a network perhaps: others are not to wait for it. */
const hangingMs = 50
/** Where a file takes longer, the pool's four threads, which wait side by side, get more done. */
const slowMs = 0.25
/** How long a thread that was slow is left alone. */
const restMs = 1000

interface PendingRead {
  readonly facts: FileFacts
  readonly range: FileRange
  readonly into: Buffer
  readonly resolve: (done: undefined | Promise<void>) => void
}

/** A batch the thread has, of which those before `settled` have their results. */
interface Batch {
  readonly pending: readonly PendingRead[]
  readonly reads: readonly SharedRead[]
  settled: number
}

/** Whatever the thread does not read well is read the usual way, which also tells what is wrong with it. */
export function createSmallReader(options: SmallReaderOptions): SmallReader {
  const { readUsually, atEndOfTurn, after, elapsed } = options
  const states = new Int32Array(new SharedArrayBuffer(batchSize * Int32Array.BYTES_PER_ELEMENT))
  const bytes = new Uint8Array(new SharedArrayBuffer(memorySize))
  let worker: ReadWorker | undefined
  /** `off`: there is no thread; `starting`: it cannot take a batch yet; `ready`: it can, but for the one it may have. */
  let mode: 'off' | 'starting' | 'ready' = 'off'
  let readsToStart = readsBeforeStart
  let restsUntil = Number.NEGATIVE_INFINITY
  let averageMs = 0
  let collected: PendingRead[] = []
  let batch: Batch | undefined
  let isFlushing = false
  let stopWatching = (): void => {}

  const usually = ({ facts, range, into, resolve }: PendingRead): void => resolve(readUsually(facts, range, into))

  /** Hands out what is read by now. */
  const settle = (current: Batch): void => {
    for (const [place, pending] of current.pending.entries()) {
      if (place < current.settled) continue
      const state = Atomics.load(states, place)
      if (state === readStates.waiting || state === readStates.reading) return
      const { at, size } = current.reads[place] as SharedRead
      current.settled += 1
      if (state === readStates.failed) usually(pending)
      if (state !== readStates.done) continue
      pending.into.set(bytes.subarray(at, at + size))
      pending.resolve(undefined)
    }
  }

  const rest = (): void => {
    restsUntil = elapsed() + restMs
    averageMs = 0
    for (const pending of collected.splice(0)) usually(pending)
  }

  const unanswered = (current: Batch): void => {
    settle(current)
    // Perhaps it was this thread that came to nothing.
    if (current.settled === current.pending.length) return
    for (const [place, pending] of current.pending.entries()) {
      const was = Atomics.compareExchange(states, place, readStates.waiting, readStates.takenBack)
      if (was === readStates.waiting) usually(pending)
    }
    rest()
  }

  const flush = (): void => {
    isFlushing = false
    if (mode !== 'ready' || batch !== undefined || collected.length === 0) return
    const reads = sharedReads(collected)
    const current: Batch = { pending: collected.splice(0, reads.length), reads, settled: 0 }
    batch = current
    states.fill(readStates.waiting)
    stopWatching = after(hangingMs, () => unanswered(current))
    worker?.post(reads)
  }

  const answer = (elapsedMs: number): void => {
    stopWatching()
    mode = 'ready'
    if (batch !== undefined) {
      const { length } = batch.pending
      settle(batch)
      batch = undefined
      averageMs += (elapsedMs / length - averageMs) * (length / batchSize)
      if (averageMs > slowMs) rest()
    }
    flush()
  }

  const gone = (): void => {
    stopWatching()
    mode = 'off'
    readsToStart = Number.POSITIVE_INFINITY
    const left = collected.splice(0)
    if (batch !== undefined) {
      settle(batch)
      for (const [place, pending] of batch.pending.entries()) {
        if (place >= batch.settled && Atomics.load(states, place) !== readStates.takenBack) left.push(pending)
      }
      batch = undefined
    }
    for (const pending of left) usually(pending)
  }

  const start = (): void => {
    readsToStart = Number.POSITIVE_INFINITY
    try {
      worker = options.startWorker({ states, bytes }, { answer, gone })
      mode = 'starting'
    } catch {
      // No threads to be had: the pool's will do.
    }
  }

  return {
    read(facts, range, into) {
      if (range.size > largestSize || into.length <= range.size) return readUsually(facts, range, into)
      readsToStart -= 1
      if (readsToStart < 0) start()
      if (mode !== 'ready' || elapsed() < restsUntil) return readUsually(facts, range, into)
      return new Promise((resolve) => {
        collected.push({ facts, range, into, resolve })
        if (isFlushing || batch !== undefined) return
        isFlushing = true
        atEndOfTurn(flush)
      })
    },
    dispose() {
      readsToStart = Number.POSITIVE_INFINITY
      worker?.end()
    },
  }
}

/** As many of the reads as make a batch, with room for one byte more behind each. */
function sharedReads(collected: readonly PendingRead[]): SharedRead[] {
  const reads: SharedRead[] = []
  let at = 0
  for (const { facts, range } of collected.slice(0, batchSize)) {
    if (at + range.size + 1 > memorySize) break
    const { absolute: path, size: fileSize, mtimeMs } = facts
    reads.push({ path, start: range.start, size: range.size, fileSize, mtimeMs, at })
    at += range.size + 1
  }
  return reads
}
