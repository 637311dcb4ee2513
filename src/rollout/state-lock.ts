import { type Stats, stat, statSync } from 'node:fs'
import { rmdir as remove } from 'node:fs/promises'
import { lock } from 'proper-lockfile'
import { createLockAccess } from '../observe/lock-access.ts'
import { lockPathOf } from '../observe/lock-path.ts'

/**
 * A lock that nobody renewed for so long, in milliseconds, belongs to a process that is no more. It is held for
 * milliseconds; but where hundreds of processes share a few cores, its holder may not get to run for seconds.
 */
const staleMs = 20_000

/** The right to write a rollout's state, which one process has at a time. */
export interface StateLock {
  /**
   * Whether it is still this process's: another one takes it over where this one did not get to run for long, or where
   * the system's clock jumped. Looks at once, so that what is done with the answer follows at once.
   */
  isHeld(): boolean
  /** Nothing happens where it was lost. */
  release(): Promise<void>
}

/**
 * Takes the lock of a state, unless another process has it: then undefined. That of a process which is no more is taken
 * over.
 *
 * @throws the file system's error where there can be no lock.
 */
export async function lockState(statePath: string): Promise<StateLock | undefined> {
  const lockPath = lockPathOf(statePath)
  const access = createLockAccess()
  const release = await lock(statePath, {
    realpath: false,
    lockfilePath: lockPath,
    stale: staleMs,
    retries: 0,
    fs: { ...access.fs, stat: statOfLock },
    // Whoever holds it asks before it counts.
    onCompromised: () => {},
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOCKED') return undefined
    // It was taken for a dead process's while it was made; unless it could not be made at all.
    if (error.code === 'ENOENT' && error.syscall !== 'mkdir') return undefined
    throw error
  })
  if (release === undefined) return undefined
  const own = identityOf(lockPath)
  const isHeld = (): boolean => own !== undefined && identityOf(lockPath) === own
  return {
    isHeld,
    async release() {
      if (!isHeld()) access.abandon()
      await release().catch(() => undefined)
      // Where a run of the same process had lost its lock to this one, this one was forgotten with it.
      if (isHeld()) await remove(lockPath).catch(() => undefined)
    },
  }
}

/** Tells one lock from the next, which is another directory of the same name; undefined where it cannot be seen. */
function identityOf(lockPath: string): string | undefined {
  try {
    const { ino, birthtimeNs } = statSync(lockPath, { bigint: true })
    return `${ino} ${birthtimeNs}`
  } catch {
    // Whoever has written a state by now must not be told that it was not: it would be counted twice.
    return undefined
  }
}

/** A lock from the future was left there before the clock was set back: it would look fresh until then. */
function statOfLock(path: string, done: (error: NodeJS.ErrnoException | null, stats: Stats) => void): void {
  stat(path, (error, stats) => {
    if (error === null && stats.mtimeMs > Date.now() + staleMs) stats.mtime = new Date(0)
    done(error, stats)
  })
}
