import { mkdir, rmdir, rmdirSync, stat, utimes } from 'node:fs'

/** How `proper-lockfile` is answered: null where it went well. */
export type LockDone = (error: NodeJS.ErrnoException | null) => void

/** The file system as one lock of `proper-lockfile` sees it: an object of its own, since it keeps notes on what it is given. */
export function createLockAccess() {
  let isAbandoned = false
  return {
    fs: {
      mkdir,
      stat,
      utimes,
      rmdir(path: string, done: LockDone): void {
        if (isAbandoned) done(null)
        else rmdir(path, done)
      },
      /** At the end of the process. */
      rmdirSync(path: string): void {
        if (!isAbandoned) rmdirSync(path)
      },
    },
    /** The lock is another process's by now, and not to be removed. */
    abandon(): void {
      isAbandoned = true
    },
  }
}
