import { constants } from 'node:fs'
import { type FileHandle, open, readdir, realpath, rmdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { UploadError, UsageError } from '../errors.ts'
import { isUnfinished } from './journal-ending.ts'
import type { JournalLock } from './journal-lock.ts'
import { lockPathOf } from './lock-path.ts'
import type { JournalRecord } from './records.ts'
import { openStateDirectory, type StatePlaces } from './state-directory.ts'

/** At most so long does a line that the kernel has wait for the disk, in milliseconds. */
const syncEveryMs = 200
const keptForMs = 30 * 24 * 60 * 60 * 1000

/** A run's JSONL file: report and resume record in one. */
export interface Journal {
  readonly path: string
  readonly runId: string
  /**
   * Resolves once the kernel has the line: it survives the process then, whatever kills it. With `sync`, once the disk
   * has it: it survives a power cut.
   */
  append(record: JournalRecord, options?: AppendOptions): Promise<void>
  /** Something could not be written: what is told may be missing in it. */
  readonly broken: boolean
  /** Aborted, with the UploadError as its reason, once another process has taken the journal over. */
  readonly lost: AbortSignal
  /** Whether it is still this process's: one that was suspended for long need not know yet that it is not. */
  isHeld(): Promise<boolean>
  /**
   * Brings everything to the disk. Nothing can be appended from then on.
   *
   * @throws UploadError where anything could not be written since the beginning.
   */
  close(): Promise<void>
}

export interface AppendOptions {
  readonly sync?: boolean | undefined
}

export interface JournalOptions {
  /** The run's name where the user chose it. */
  readonly runId: string | undefined
  /** Another name, where the user chose none. */
  readonly newRunId: () => string
  readonly places: StatePlaces
  readonly now: number
  readonly warn: (message: string) => void
}

/** Runs that begin within one second may draw one name; so often that is bad luck. */
const namesTried = 20

/**
 * Makes a new run's journal, readable by its user only, and removes those of 30 days ago.
 *
 * @throws UsageError where a run of the id asked for exists.
 * @throws UploadError where no journal can be kept.
 */
export async function createJournal(options: JournalOptions): Promise<Journal> {
  const { directory, opened } = await openStateDirectory(options.places, (each) => create(each, options), options.warn)
  // It may take a while where there are many, and nobody waits for it but the end.
  return journalOn(opened, removeOld(directory, options.now))
}

/**
 * Opens the journal of an earlier invocation, to append to it. A last line that was torn is cut off: what follows must
 * not stick to it.
 *
 * @throws UsageError where another process is writing it, naming that.
 * @throws UploadError where it cannot be written.
 */
export async function continueJournal(journalPath: string, runId: string): Promise<Journal> {
  try {
    const path = await realpath(journalPath)
    const opened = await lockedJournal(await open(path, constants.O_RDWR | constants.O_APPEND), path, runId)
    try {
      await cutTornLine(opened.file)
    } catch (error) {
      await opened.lock.release()
      await opened.file.close()
      throw error
    }
    return journalOn(opened)
  } catch (error) {
    throw error instanceof UsageError ? error : cannotWrite(journalPath, error)
  }
}

interface OpenJournal {
  readonly file: FileHandle
  readonly lock: JournalLock
  /** Aborts {@link Journal.lost}. */
  readonly lost: AbortController
  readonly path: string
  readonly runId: string
}

async function create(directory: string, options: JournalOptions): Promise<OpenJournal> {
  for (let tried = 1; ; tried += 1) {
    const runId = options.runId ?? options.newRunId()
    const path = pathOf(directory, runId)
    try {
      const file = await open(path, 'ax', 0o600)
      return await lockedJournal(file, path, runId).catch(async (error: unknown) => {
        await unlink(path).catch(() => undefined)
        throw error
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (options.runId !== undefined) {
        throw new UsageError(`--run-id: a run ${runId} exists already in ${directory}; choose another id`)
      }
      if (tried === namesTried) throw error
    }
  }
}

/** Closes the file where there is no lock to be had. */
async function lockedJournal(file: FileHandle, path: string, runId: string): Promise<OpenJournal> {
  const lost = new AbortController()
  try {
    // Loaded here: a dry run has no use for it.
    const { lockJournal } = await import('./journal-lock.ts')
    const lock = await lockJournal(path, () => lost.abort(takenOver(path)))
    return { file, path, runId, lost, lock }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Bytes that are looked at at a time, from the end. */
const lookedAt = 2 ** 16

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const buffer = Buffer.alloc(lookedAt)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - lookedAt)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    const newline = buffer.subarray(0, bytesRead).lastIndexOf('\n')
    if (newline >= 0) {
      if (start + newline + 1 < size) await file.truncate(start + newline + 1)
      return
    }
    end = start
  }
  if (size > 0) await file.truncate(0)
}

function pathOf(directory: string, runId: string): string {
  return join(directory, `${runId}.jsonl`)
}

function journalOn({ file, lock, lost, path, runId }: OpenJournal, tidied?: Promise<void>): Journal {
  let waiting: string[] = []
  let flush: Promise<void> | undefined
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let syncing: Promise<void> | undefined
  /** One that those wait for whose lines came after the one under way had begun. */
  let nextSync: Promise<void> | undefined
  let isSynced = true
  let broken: UploadError | undefined
  let closed: Promise<void> | undefined

  const breaks = (error: unknown): void => {
    broken ??= cannotWrite(path, error)
  }
  lost.signal.addEventListener('abort', () => {
    broken ??= lost.signal.reason
  })
  const syncLater = (): void => {
    isSynced = false
    if (syncing === undefined) timer ??= setTimeout(sync, syncEveryMs).unref()
  }
  /** One at a time: on a slow disk they would pile up and leave no thread to read files with. */
  const sync = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    isSynced = true
    syncing = file
      .datasync()
      .catch(breaks)
      .then(() => {
        syncing = undefined
        if (!isSynced && !closed) syncLater()
      })
    return syncing
  }
  /** Brings what the kernel has to the disk now. */
  const onDisk = async (): Promise<void> => {
    nextSync ??= (async () => {
      await syncing
      nextSync = undefined
      await sync()
    })()
    await nextSync
    if (broken) throw broken
  }
  const isHeld = async (): Promise<boolean> => {
    if ((await lock.confirm()) === false) lost.abort(takenOver(path))
    return !lost.signal.aborted
  }
  /** One write carries all lines that came while the one before was under way. */
  const flushWaiting = async (): Promise<void> => {
    // Answers come in bursts: what the others of this one add goes with it.
    await new Promise(setImmediate)
    await writing
    const lines = waiting.join('')
    waiting = []
    flush = undefined
    await isHeld()
    // After a line that was cut off, another would only make it worse.
    if (broken) throw broken
    writing = file.appendFile(lines).catch(breaks)
    await writing
    if (broken) throw broken
    syncLater()
  }
  const finish = async (): Promise<void> => {
    await flush?.catch(() => undefined)
    await writing
    await tidied
    clearTimeout(timer)
    await nextSync
    await syncing
    await file.datasync().catch(breaks)
    await file.close()
    await lock.release()
    if (broken) throw broken
  }

  return {
    path,
    runId,
    lost: lost.signal,
    isHeld,
    get broken() {
      return broken !== undefined
    },
    append(record, options) {
      if (closed) return Promise.reject(cannotWrite(path, 'it is closed'))
      waiting.push(`${JSON.stringify(record)}\n`)
      flush ??= flushWaiting()
      return options?.sync ? flush.then(onDisk) : flush
    },
    close: () => (closed ??= finish()),
  }
}

function cannotWrite(path: string, error: unknown): UploadError {
  const code = (error as NodeJS.ErrnoException).code
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left there' : (code ?? String(error))
  return new UploadError(
    'INTERNAL',
    `the journal ${path} cannot be written: ${why}; what was uploaded by then is in it`,
    {
      cause: error,
    },
  )
}

function takenOver(path: string): UploadError {
  return new UploadError(
    'INTERNAL',
    `another process has taken over the journal ${path}, since this one did not get to run for a while; it goes on with the run`,
  )
}

/** Removes journals that nobody has touched for 30 days, unless there is something left in them to go on with. */
async function removeOld(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith('.jsonl')) continue
    const path = join(directory, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined || now - stats.mtimeMs <= keptForMs) continue
    if (await isUnfinished(path).catch(() => true)) continue
    await unlink(path).catch(() => undefined)
    await rmdir(lockPathOf(path)).catch(() => undefined)
  }
}
