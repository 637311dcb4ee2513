import { setTimeout as sleep } from 'node:timers/promises'

/** How often, and after how many milliseconds each: half a minute in all. */
const tries = 30
const pauseMs = 1000

/**
 * Does what opens a file or directory; again a little later where this process has too many open at the moment. What is
 * being sent meanwhile gives some back.
 *
 * @param wait resolves after so many milliseconds
 */
export async function unlessCrowded<T>(
  open: () => Promise<T>,
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await open()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if ((code !== 'EMFILE' && code !== 'ENFILE') || tried === tries) throw error
      await wait(Math.min(pauseMs, 50 * tried))
    }
  }
}
