/** Counts what one file sends: what stands for now, and what went out in all, repeats included. */
export interface ByteMeter {
  /** Bytes of attempts that are under way or succeeded. */
  readonly current: number
  /** Bytes that went out in all. */
  readonly total: number
  /** Starts counting one request's bytes. */
  begin(): RequestMeter
  /**
   * What was sent up to now does not stand any more, but so many bytes do that are there already. Only while no request
   * is under way.
   */
  restart(already: number): void
  /** Of `current`, bytes that were there already. */
  readonly before: number
}

export interface RequestMeter {
  /** For `Call.onBytes`: bytes so far, never less than before; of these, what was there and did not go out now. */
  readonly onBytes: (sent: number, there?: number) => void
  /** The request failed: what it sent does not stand, and what it says from now on is not heard. */
  discard(): void
}

/** @param onChange told the bytes that stand, after each change */
export function createByteMeter(onChange: (current: number) => void): ByteMeter {
  let current = 0
  let total = 0
  let before = 0
  return {
    get current() {
      return current
    },
    get total() {
      return total
    },
    get before() {
      return before
    },
    restart(already) {
      if (current === already && before === already) return
      current = already
      before = already
      onChange(current)
    },
    begin() {
      let counted = 0
      let stands = true
      return {
        onBytes(sent, there = 0) {
          const more = sent - counted
          if (more <= 0 || !stands) return
          counted = sent
          current += more
          total += more - there
          onChange(current)
        },
        discard() {
          if (!stands) return
          stands = false
          current -= counted
          onChange(current)
        },
      }
    },
  }
}
