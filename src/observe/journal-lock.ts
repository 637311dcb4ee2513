import { utimes } from 'node:fs'
import { stat as statOf } from 'node:fs/promises'
import { hostname } from 'node:os'
import { lock } from 'proper-lockfile'
import { UsageError } from '../errors.ts'
import { createLockAccess, type LockDone } from './lock-access.ts'
import { lockPathOf } from './lock-path.ts'
import type { RunRecord } from './records.ts'
import { readRuns } from './report/read.ts'

/** A lock that nobody renewed for so long, in milliseconds, belongs to a process that is no more. */
const staleMs = 10_000
/** How often the holder renews it, in milliseconds. */
const renewEveryMs = 1000
/**
 * As {@link staleMs}, where the holder's process is known to be gone. Not nothing: a container may have the same host
 * name and process ids of its own, and its process would have renewed the lock by then.
 */
const staleOfTheDeadMs = 2500
const triesForTheDead = 24
const betweenTriesMs = 250
/** File systems may keep times to the second or two. */
const timeGrainMs = 2000

/** The right to write into a journal, which one process has at a time. */
export interface JournalLock {
  /** Undefined where it is certainly still held; else resolves to whether it is. */
  confirm(): Promise<boolean> | undefined
  /** Nothing happens where it was lost. */
  release(): Promise<void>
}

/**
 * Takes the lock of a journal, also that of a process which is no more: where it ran on this host, within seconds.
 *
 * @param onLost - Called where another process took it over, since this one did not get to run for long.
 * @throws UsageError naming the process that holds it.
 * @throws the file system's error where there can be no lock.
 */
export async function lockJournal(journalPath: string, onLost: () => void): Promise<JournalLock> {
  const renewal = watchRenewals()
  const take = (stale: number, tries: number): Promise<() => Promise<void>> =>
    lock(journalPath, {
      realpath: false,
      lockfilePath: lockPathOf(journalPath),
      stale,
      update: renewEveryMs,
      retries: { retries: tries, factor: 1, minTimeout: betweenTriesMs, maxTimeout: betweenTriesMs },
      fs: renewal.fs,
      onCompromised: onLost,
    })
  const taken = await take(staleMs, 0)
    .catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ELOCKED') throw error
      if (!isGone(await holderOf(journalPath))) throw error
      return take(staleOfTheDeadMs, triesForTheDead)
    })
    .catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ELOCKED') throw error
      throw heldBy(journalPath, await holderOf(journalPath))
    })
  return {
    confirm: () => (renewal.isFresh() ? undefined : renewal.isOurs(lockPathOf(journalPath))),
    async release() {
      if (!(await renewal.isOurs(lockPathOf(journalPath)))) renewal.abandon()
      await taken().catch(() => undefined)
    },
  }
}

async function holderOf(journalPath: string): Promise<RunRecord | undefined> {
  return (await readRuns(journalPath).catch(() => [])).at(-1)
}

function isGone(holder: RunRecord | undefined): boolean {
  if (holder === undefined || holder.host !== hostname() || !Number.isSafeInteger(holder.pid)) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function heldBy(journalPath: string, holder: RunRecord | undefined): UsageError {
  const remedy = 'wait for it to end, or stop it'
  // The last to have said so may be gone, and its successor not have said anything yet.
  if (holder === undefined || isGone(holder)) {
    return new UsageError(`another process is writing the journal ${journalPath}; ${remedy}`)
  }
  const { runId, pid, host, startedAt } = holder
  return new UsageError(
    `run ${runId} is still being carried out by process ${pid} on host ${host} (since ${startedAt}); ${remedy}`,
  )
}

/** What the lock does to the file system, and when it last renewed itself. */
function watchRenewals() {
  const { fs, abandon } = createLockAccess()
  let renewedAt = 0
  return {
    fs: {
      ...fs,
      utimes(path: string, atime: Date, mtime: Date, done: LockDone): void {
        utimes(path, atime, mtime, (error) => {
          if (error === null) renewedAt = mtime.getTime()
          done(error)
        })
      },
    },
    abandon,
    isFresh: () => Date.now() - renewedAt < staleMs / 2,
    /** Who takes a lock over renews it, much later than it was renewed here. */
    isOurs: (path: string) =>
      statOf(path).then(
        ({ mtimeMs }) => mtimeMs <= renewedAt + timeGrainMs,
        () => false,
      ),
  }
}
