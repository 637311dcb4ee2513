/** Where watchers take the time from; tests pass their own. */
export interface WatchClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `action` every `ms` until the function returned is called. Does not keep the process alive. */
  every(ms: number, action: () => void): () => void
}

export const watchClock: WatchClock = {
  now: () => Date.now(),
  every(ms, action) {
    const timer = setInterval(action, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}
