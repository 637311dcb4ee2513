import { hashKey } from '../plan/keys/key-hashes.ts'

/**
 * From a text to the place of a journal's line, in typed arrays (open addressing, 64-bit hashes): 32 bytes an entry at
 * the fullest, where a `Map` takes hundreds. Two texts may share a hash: the line that is found has to be looked at.
 */
export interface LineTable {
  /** The last one set counts. */
  set(text: string, offset: number): void
  get(text: string): number | undefined
  readonly size: number
}

const free = -1

export function createLineTable(): LineTable {
  let capacity = 1024
  let high = new Uint32Array(capacity)
  let low = new Uint32Array(capacity)
  let offsets = new Float64Array(capacity).fill(free)
  let size = 0

  /** Index of the hash, or of the free place it belongs in. */
  const place = (a: number, b: number): number => {
    let index = b & (capacity - 1)
    while (offsets[index] !== free && (high[index] !== a || low[index] !== b)) index = (index + 1) & (capacity - 1)
    return index
  }

  const grow = (): void => {
    const [oldHigh, oldLow, oldOffsets] = [high, low, offsets]
    capacity *= 2
    high = new Uint32Array(capacity)
    low = new Uint32Array(capacity)
    offsets = new Float64Array(capacity).fill(free)
    for (const [index, offset] of oldOffsets.entries()) {
      if (offset !== free) put(oldHigh[index] as number, oldLow[index] as number, offset)
    }
  }

  const put = (a: number, b: number, offset: number): boolean => {
    const index = place(a, b)
    const isNew = offsets[index] === free
    high[index] = a
    low[index] = b
    offsets[index] = offset
    return isNew
  }

  return {
    set(text, offset) {
      const [a, b] = hashKey(text)
      if (put(a, b, offset)) size += 1
      if (size * 2 > capacity) grow()
    },
    get(text) {
      const [a, b] = hashKey(text)
      const offset = offsets[place(a, b)] as number
      return offset === free ? undefined : offset
    },
    get size() {
      return size
    },
  }
}
