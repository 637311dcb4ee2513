import { type Random, randomFrom } from './random.ts'
import type { RequestHead } from './request-pieces.ts'

/** What goes wrong with one request. */
export type Fault =
  /** The connection is reset before this byte of the request; past its end: in place of the answer. */
  | { readonly kind: 'reset'; readonly at: number }
  /** It is read to its end and answered with 503 SlowDown; the server never sees it. */
  | { readonly kind: 'slow-down' }
  /** The server has it; of its answer only so many bytes come through before the connection ends. */
  | { readonly kind: 'cut-answer'; readonly at: number }

/** Shares of all requests, 0 to 1. */
export interface FaultShares {
  readonly reset: number
  readonly slowDown: number
  readonly cutAnswer: number
}

/** Of the resets, one in so many comes after the whole request: its answer is what is lost. */
const lostAnswerOneIn = 8
/** No answer of a server is shorter: its status line and length alone are as long. */
const shortestAnswer = 40

/** Chooses a fault, or none, for each request it is asked about: the same for the same seed and order of requests. */
export function faults(shares: FaultShares, seed: number): (request: RequestHead) => Fault | undefined {
  const random = randomFrom(seed)
  return ({ size }) => {
    const chance = random.below(1_000_000) / 1_000_000
    if (chance < shares.reset) return { kind: 'reset', at: resetAt(random, size) }
    if (chance < shares.reset + shares.slowDown) return { kind: 'slow-down' }
    if (chance < shares.reset + shares.slowDown + shares.cutAnswer) {
      return { kind: 'cut-answer', at: random.below(shortestAnswer) }
    }
    return undefined
  }
}

function resetAt(random: Random, size: number): number {
  return random.below(lostAnswerOneIn) === 0 ? size : random.below(size)
}
