/** Bytes a second of something that grows, smoothed. */
export interface RateMeter {
  /** Takes a reading: `bytes` in all at `now` (milliseconds). Returns bytes a second. */
  update(now: number, bytes: number): number
}

const windowMs = 5000
// Readings closer together than this say more about the kernel's buffers than about the network.
const shortestMs = 100

/**
 * An exponentially weighted mean over about the last five seconds, however irregular the readings; before that, the
 * mean since the start.
 */
export function createRateMeter(startMs: number, startBytes = 0): RateMeter {
  let [lastMs, lastBytes] = [startMs, startBytes]
  let [sum, weight] = [0, 0]
  return {
    update(now, bytes) {
      const elapsed = now - lastMs
      if (elapsed >= shortestMs) {
        const keep = Math.exp(-elapsed / windowMs)
        sum = sum * keep + ((bytes - lastBytes) / elapsed) * 1000 * (1 - keep)
        weight = weight * keep + (1 - keep)
        lastMs = now
        lastBytes = bytes
      }
      return weight === 0 ? 0 : Math.max(0, sum / weight)
    },
  }
}
