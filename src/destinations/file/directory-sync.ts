import { open } from 'node:fs/promises'
import { errnoOf } from './errors.ts'

/** Makes the names in a directory last through a power cut. */
export type DirectorySync = (directory: string) => Promise<void>

/** What systems answer that cannot sync a directory (Windows, some network file systems). */
const cannot = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'EBADF', 'ENOTSUP', 'ENOSYS', 'ENOENT'])

/**
 * A sync shared by all who ask while another is under way: with many files in flight, few syncs serve them all. Who
 * asks while one runs waits for the next, as the running one may not have seen the newest names.
 */
export function createDirectorySync(sync: DirectorySync = syncDirectory): DirectorySync {
  const running = new Map<string, Promise<void>>()
  const following = new Map<string, Promise<void>>()

  function start(directory: string): Promise<void> {
    const run = sync(directory).finally(() => running.delete(directory))
    running.set(directory, run)
    return run
  }

  return (directory) => {
    const current = running.get(directory)
    if (current === undefined) return start(directory)
    const queued = following.get(directory)
    if (queued !== undefined) return queued
    const next = current
      .catch(() => {})
      .then(() => {
        following.delete(directory)
        return start(directory)
      })
    following.set(directory, next)
    return next
  }
}

async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!cannot.has(errnoOf(error) ?? '')) throw error
  }
}
