import { join } from 'node:path'
import { growingPartSize } from '../../plan/growing-parts.ts'
import type { FileFacts, FileRange } from '../reading/file-facts.ts'
import { createPartHolder, type HeldPart, largestInMemory, mostHeld, type StdinSizes } from './held-parts.ts'
import { keepInFile } from './kept-input.ts'
import type { StdinInput } from './stdin-input.ts'

/** Standard input, of which the beginning was read. */
export interface StdinHead {
  /** What was read: its first bytes, at least. */
  readonly beginning: FileFacts
  /** All of it, where it goes as a whole; undefined where it is longer. */
  readonly whole: FileFacts | undefined
  /**
   * Its parts, each read when it is asked for and fewer than three are held. To be gone through once.
   *
   * @throws UploadError as {@link StdinInput.next} does, and where a part cannot be held
   */
  parts(signal: AbortSignal): AsyncGenerator<HeldPart>
  /** Reads no more. */
  close(): void
}

/**
 * Reads until it is known whether standard input goes as a whole. That is held in memory where three parts have room for
 * it, otherwise in a temporary file.
 *
 * @param directory makes it, for the temporary files, the first time
 * @throws UploadError as {@link StdinHead.parts} does
 */
export async function readHead(
  input: StdinInput,
  sizes: StdinSizes,
  directory: () => Promise<string>,
  signal: AbortSignal,
): Promise<StdinHead> {
  const { partSize, multipartThreshold, limits } = sizes
  const hold = createPartHolder(input, sizes, directory)
  const ranges = rangesBeyond(sizes)
  const isInMemory = partSize <= largestInMemory && ranges.length <= mostHeld
  const head: HeldPart[] = []
  let beginning: FileFacts
  const isFull = ({ partNumber, range }: HeldPart): boolean =>
    range.size === growingPartSize(partNumber, partSize, limits)

  if (isInMemory) {
    for (const { start } of ranges) {
      const part = await hold(head.length + 1, start, signal)
      head.push(part)
      if (!isFull(part)) break
    }
    const held = head.flatMap(({ facts }) => facts.held ?? [])
    const size = head.reduce((sum, { range }) => sum + range.size, 0)
    beginning = { absolute: '-', size, mtimeMs: 0, held }
  } else {
    const most = ranges.reduce((sum, { size }) => sum + size, 0)
    beginning = await keepInFile(join(await directory(), 'beginning'), most, input, signal)
    head.push(...partsIn(beginning, ranges))
  }

  return {
    beginning,
    whole: beginning.size <= multipartThreshold ? beginning : undefined,
    async *parts(within) {
      let start = 0
      for (let number = 1; ; number += 1) {
        const part = head[number - 1] ?? (await hold(number, start, within))
        if (part.range.size === 0) return
        yield part
        if (!isFull(part)) return
        start += part.range.size
      }
    },
    close: input.close,
  }
}

/** The parts that it takes to have more than goes as a whole. */
function rangesBeyond({ partSize, multipartThreshold, limits }: StdinSizes): readonly FileRange[] {
  const ranges: FileRange[] = []
  for (let start = 0; start <= multipartThreshold; ) {
    const size = growingPartSize(ranges.length + 1, partSize, limits)
    ranges.push({ start, size })
    start += size
  }
  return ranges
}

function* partsIn(facts: FileFacts, ranges: readonly FileRange[]): Generator<HeldPart> {
  for (const [at, { start, size }] of ranges.entries()) {
    const range = { start, size: Math.min(size, facts.size - start) }
    // What holds it holds the others, too.
    if (range.size > 0) yield { partNumber: at + 1, start, facts, range, release() {} }
  }
}
