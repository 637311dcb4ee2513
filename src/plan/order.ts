import type { Settings } from '../config/settings.ts'
import type { PlannedFile } from './planned-file.ts'
import { windowSize } from './sources/walk.ts'

/**
 * The files in the order in which they are to be sent. Sorting looks no further than a window of 10,000 files, so that
 * a plan of any length takes the same memory and its first file need not wait for its last.
 *
 * - `scan`: as they were found.
 * - `size`: largest first, so that no long one begins when all others are done and leaves slots idle.
 * - `mixed`: the largest, the smallest, the second largest …: many requests and many bytes at the same time.
 *
 * Files of one size keep their order; one whose size is not known, as standard input, counts as empty.
 */
export function ordered(files: AsyncIterable<PlannedFile>, order: Settings['order']): AsyncIterable<PlannedFile> {
  if (order === 'scan') return files
  return rearranged(files, order === 'size' ? largestFirst : alternating)
}

async function* rearranged(
  files: AsyncIterable<PlannedFile>,
  arrange: (window: readonly PlannedFile[]) => readonly PlannedFile[],
): AsyncGenerator<PlannedFile> {
  let window: PlannedFile[] = []
  for await (const file of files) {
    window.push(file)
    if (window.length < windowSize) continue
    yield* arrange(window)
    window = []
  }
  yield* arrange(window)
}

function largestFirst(window: readonly PlannedFile[]): PlannedFile[] {
  return window.toSorted((a, b) => bytesOf(b) - bytesOf(a))
}

function alternating(window: readonly PlannedFile[]): readonly PlannedFile[] {
  const large = largestFirst(window)
  const small = large.splice(Math.ceil(large.length / 2)).sort((a, b) => bytesOf(a) - bytesOf(b))
  return window.map((_, at) => (at % 2 === 0 ? large : small)[at >> 1] as PlannedFile)
}

function bytesOf({ size }: PlannedFile): number {
  return size ?? 0
}
