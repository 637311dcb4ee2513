/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 up to, but not including, `below`. */
  readonly below: (below: number) => number
  readonly oneOf: <Value>(values: readonly Value[]) => Value
}

/** https://en.wikipedia.org/wiki/Xorshift */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1
  const below = (limit: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
  return { below, oneOf: (values) => values[below(values.length)] as (typeof values)[number] }
}
