import { cancelled } from '../../http/abort.ts'

/** Memory shared out by the byte, first come, first served. */
export interface ByteBudget {
  /**
   * Waits for `bytes` of memory. More than there is in all waits for everything and takes that, so that an object with
   * huge parts goes alone instead of never.
   *
   * @returns gives the memory back; calling it again does nothing.
   * @throws UploadError CANCELLED where `signal` is aborted before.
   */
  acquire(bytes: number, signal: AbortSignal): Promise<() => void>
}

interface Waiting {
  readonly bytes: number
  readonly start: () => void
}

/** A budget of `capacity` bytes. */
export function createByteBudget(capacity: number): ByteBudget {
  const waiting: Waiting[] = []
  let free = capacity

  function startWaiting(): void {
    for (let next = waiting[0]; next !== undefined && next.bytes <= free; next = waiting[0]) {
      waiting.shift()
      free -= next.bytes
      next.start()
    }
  }

  return {
    acquire(wanted, signal) {
      const bytes = Math.min(wanted, capacity)
      return new Promise((resolve, reject) => {
        const cancel = () => {
          waiting.splice(waiting.indexOf(entry), 1)
          reject(cancelled())
          startWaiting()
        }
        const entry: Waiting = {
          bytes,
          start() {
            signal.removeEventListener('abort', cancel)
            let held = bytes
            resolve(() => {
              free += held
              held = 0
              startWaiting()
            })
          },
        }
        waiting.push(entry)
        if (signal.aborted) {
          cancel()
          return
        }
        signal.addEventListener('abort', cancel)
        startWaiting()
      })
    },
  }
}
