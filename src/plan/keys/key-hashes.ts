/**
 * A set of 64-bit hashes of strings in two typed arrays (open addressing): 16 bytes a key at the fullest, where a `Set`
 * of strings takes hundreds. Two strings may share a hash: what it finds is a suspicion to be checked, never a verdict;
 * what it does not find is certain.
 */
export interface KeyHashes {
  /** Adds a key; true where it (or one of the same hash) was there already. */
  add(key: string): boolean
  /** Whether a key (or one of the same hash) is there. */
  has(key: string): boolean
  readonly size: number
}

/** @param hash64 the hash, as two unsigned 32-bit halves */
export function createKeyHashes(hash64: (key: string) => readonly [number, number] = hashKey): KeyHashes {
  let capacity = 1024
  let high = new Uint32Array(capacity)
  let low = new Uint32Array(capacity)
  let size = 0

  /** Index of the hash, or of the free place it belongs in. */
  const place = (a: number, b: number): number => {
    let index = b & (capacity - 1)
    while ((high[index] !== 0 || low[index] !== 0) && (high[index] !== a || low[index] !== b)) {
      index = (index + 1) & (capacity - 1)
    }
    return index
  }

  const grow = (): void => {
    const [oldHigh, oldLow] = [high, low]
    capacity *= 2
    high = new Uint32Array(capacity)
    low = new Uint32Array(capacity)
    for (const [index, a] of oldHigh.entries()) {
      const b = oldLow[index] as number
      if (a === 0 && b === 0) continue
      const to = place(a, b)
      high[to] = a
      low[to] = b
    }
  }

  /** Both halves 0 marks a free place. */
  const hashOf = (key: string): readonly [number, number] => {
    const [a, b] = hash64(key)
    return [a, a === 0 && b === 0 ? 1 : b]
  }

  return {
    has(key) {
      const index = place(...hashOf(key))
      return high[index] !== 0 || low[index] !== 0
    },
    add(key) {
      const [a, b] = hashOf(key)
      const index = place(a, b)
      if (high[index] === a && low[index] === b) return true
      high[index] = a
      low[index] = b
      size += 1
      if (size * 2 > capacity) grow()
      return false
    },
    get size() {
      return size
    },
  }
}

/** Two independently seeded multiplicative hashes over the UTF-16 units, finished with MurmurHash3's mixer. */
export function hashKey(key: string): readonly [number, number] {
  let a = 0x9e3779b9
  let b = 0x85ebca6b
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x5bd1e995)
    b ^= b >>> 15
  }
  return [finish(a ^ key.length), finish(b)]
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
