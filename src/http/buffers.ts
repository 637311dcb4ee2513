/** Memory of all buffers together, in bytes. */
export const bufferBudget = 64 * 2 ** 20
/**
 * The least a buffer has, in bytes. A piece smaller than the socket's high-water mark (64 KiB on some Node versions) is
 * taken without a wait, so that a buffer would be filled anew while the socket still holds it.
 */
export const leastBufferSize = 64 * 1024

/** So many requests keep disk and network busy at once without reading ahead. */
const fewTaken = 8

/** Fixed buffers that requests read their bodies into, one or two at a time; together never more than 64 MiB. */
export interface BufferPool {
  /** Bytes in each; it has one more, so that a file of this size that grew shows when it is read. */
  readonly size: number
  /** A buffer, at once where there is one. What is in it is left from an earlier use. */
  take(): Buffer | Promise<Buffer>
  /** A second buffer for a request that has one, only while few are taken: many requests fill each other's waits. */
  takeSpare(): Buffer | undefined
  /** Gives a buffer back. Nothing may be reading from it any more. */
  give(buffer: Buffer): void
}

/**
 * @param wanted bytes in each, from 64 KiB; fewer where so many requests would need more than there is in all
 * @param requests how many may be in flight
 * @param budget memory of all of them, in bytes
 */
export function createBufferPool(wanted: number, requests: number, budget = bufferBudget): BufferPool {
  const fitting = Math.floor(budget / Math.max(1, requests) / 4096) * 4096
  const size = Math.max(leastBufferSize, Math.min(wanted, fitting))
  const capacity = Math.floor(budget / size)
  /** The one used last is the first to be used again: it is in the processor's cache, and the others cost nothing. */
  const free: Buffer[] = []
  const waiting: ((buffer: Buffer) => void)[] = []
  let taken = 0

  const next = (): Buffer => {
    taken += 1
    return free.pop() ?? Buffer.allocUnsafeSlow(size + 1)
  }
  const serve = (): void => {
    while (taken < capacity) {
      const waiter = waiting.shift()
      if (waiter === undefined) return
      waiter(next())
    }
  }

  return {
    size,
    take() {
      if (taken < capacity) return next()
      return new Promise((resolve) => waiting.push(resolve))
    },
    takeSpare: () => (taken < Math.min(fewTaken, capacity / 2) ? next() : undefined),
    give(buffer) {
      taken -= 1
      free.push(buffer)
      if (waiting.length > 0) serve()
    },
  }
}
