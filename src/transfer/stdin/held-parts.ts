import { join } from 'node:path'
import type { DestinationLimits } from '../../destinations/destination.ts'
import { unlessAborted } from '../../http/abort.ts'
import { growingPartSize } from '../../plan/growing-parts.ts'
import type { FileFacts, FileRange } from '../reading/file-facts.ts'
import { keepInFile, keepInMemory } from './kept-input.ts'
import type { StdinInput } from './stdin-input.ts'

/** A part is held for as long as it may have to be sent again: so many at a time. */
export const mostHeld = 3
/** Bytes; a larger part is held in a temporary file. */
export const largestInMemory = 21 * 2 ** 20

export interface StdinSizes {
  /** Bytes of the first part; later ones grow. */
  readonly partSize: number
  /** Bytes; what is no longer goes as a whole. */
  readonly multipartThreshold: number
  readonly limits: Pick<DestinationLimits, 'maxPartSize' | 'maxParts'>
}

/** A part of standard input that was read. */
export interface HeldPart {
  /** From 1. */
  readonly partNumber: number
  /** Its offset in what is read. */
  readonly start: number
  /** Where its bytes are, and which of these they are. */
  readonly facts: FileFacts
  readonly range: FileRange
  /** It is stored: what held it takes another. Nothing may be reading from it any more. */
  release(): void
}

/** Where one part is held. */
interface Place {
  /** Of its file. */
  readonly name: string
  buffer: Buffer | undefined
}

/**
 * Reads standard input part by part, each in one of three places.
 *
 * @param directory makes it, for the temporary files, the first time
 * @returns reads a part, once fewer than three are held; an empty one at the end
 */
export function createPartHolder(
  input: StdinInput,
  { partSize, limits }: Pick<StdinSizes, 'partSize' | 'limits'>,
  directory: () => Promise<string>,
): (partNumber: number, start: number, signal: AbortSignal) => Promise<HeldPart> {
  const free: Place[] = []
  for (let number = mostHeld; number > 0; number -= 1) free.push({ name: `part-${number}`, buffer: undefined })
  let wake = (): void => {}

  const take = async (signal: AbortSignal): Promise<Place> => {
    for (;;) {
      const place = free.pop()
      if (place !== undefined) return place
      const freed = new Promise<void>((resolve) => {
        wake = resolve
      })
      await unlessAborted(freed, signal)
    }
  }
  const fill = async (place: Place, size: number, signal: AbortSignal): Promise<FileFacts> => {
    if (size > largestInMemory) {
      place.buffer = undefined
      return keepInFile(join(await directory(), place.name), size, input, signal)
    }
    if (place.buffer?.length !== size) place.buffer = Buffer.allocUnsafeSlow(size)
    return keepInMemory(place.buffer, input, signal)
  }

  return async (partNumber, start, signal) => {
    const place = await take(signal)
    const facts = await fill(place, growingPartSize(partNumber, partSize, limits), signal)
    return {
      partNumber,
      start,
      facts,
      range: { start: 0, size: facts.size },
      release() {
        free.push(place)
        wake()
      },
    }
  }
}
