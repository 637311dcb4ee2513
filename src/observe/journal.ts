import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorCode, errorKinds, UploadError, UsageError } from '../errors.ts'
import type { JournalRecord, SummaryRecord } from './records.ts'
import { openStateDirectory, type StatePlaces } from './state-directory.ts'

/** At most so long does a line that the kernel has wait for the disk, in milliseconds. */
const syncEveryMs = 200
const keptForMs = 30 * 24 * 60 * 60 * 1000
/** Bytes that a summary line certainly fits in. */
const longestSummary = 2 ** 16

/** A run's JSONL file: report and resume record in one. */
export interface Journal {
  readonly path: string
  readonly runId: string
  /** Resolves once the kernel has the line: it survives the process then, whatever kills it. */
  append(record: JournalRecord): Promise<void>
  /** Something could not be written: what is told may be missing in it. */
  readonly broken: boolean
  /**
   * Brings everything to the disk. Nothing can be appended from then on.
   *
   * @throws UploadError where anything could not be written since the beginning.
   */
  close(): Promise<void>
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
  const tidied = removeOld(directory, options.now)
  return journalOn(opened.file, opened.runId, pathOf(directory, opened.runId), tidied)
}

interface Created {
  readonly file: FileHandle
  readonly runId: string
}

async function create(directory: string, options: JournalOptions): Promise<Created> {
  for (let tried = 1; ; tried += 1) {
    const runId = options.runId ?? options.newRunId()
    try {
      return { file: await open(pathOf(directory, runId), 'ax', 0o600), runId }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (options.runId !== undefined) {
        throw new UsageError(`--run-id: a run ${runId} exists already in ${directory}; choose another id`)
      }
      if (tried === namesTried) throw error
    }
  }
}

function pathOf(directory: string, runId: string): string {
  return join(directory, `${runId}.jsonl`)
}

function journalOn(file: FileHandle, runId: string, path: string, tidied: Promise<void>): Journal {
  let waiting: string[] = []
  let flush: Promise<void> | undefined
  let writing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let syncing: Promise<void> | undefined
  let isSynced = true
  let broken: UploadError | undefined
  let closed: Promise<void> | undefined

  const breaks = (error: unknown): void => {
    broken ??= cannotWrite(path, error)
  }
  const syncLater = (): void => {
    isSynced = false
    timer ??= setTimeout(sync, syncEveryMs).unref()
  }
  /** One at a time: on a slow disk they would pile up and leave no thread to read files with. */
  const sync = (): void => {
    isSynced = true
    syncing = file
      .datasync()
      .catch(breaks)
      .then(() => {
        timer = undefined
        if (!isSynced && !closed) syncLater()
      })
  }
  /** One write carries all lines that came while the one before was under way. */
  const flushWaiting = async (): Promise<void> => {
    // Answers come in bursts: what the others of this one add goes with it.
    await new Promise(setImmediate)
    await writing
    const lines = waiting.join('')
    waiting = []
    flush = undefined
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
    await syncing
    await file.datasync().catch(breaks)
    await file.close()
    if (broken) throw broken
  }

  return {
    path,
    runId,
    get broken() {
      return broken !== undefined
    },
    append(record) {
      if (closed) return Promise.reject(cannotWrite(path, 'it is closed'))
      waiting.push(`${JSON.stringify(record)}\n`)
      flush ??= flushWaiting()
      return flush
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

/** Removes journals that nobody has touched for 30 days, unless there is something left in them to go on with. */
async function removeOld(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith('.jsonl')) continue
    const path = join(directory, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined || now - stats.mtimeMs <= keptForMs) continue
    if (isFinished(await lastLine(path, stats.size).catch(() => ''))) await unlink(path).catch(() => undefined)
  }
}

/** Whether a journal's last line is the summary of a run that left nothing to try again. */
function isFinished(line: string): boolean {
  try {
    const record = JSON.parse(line) as Partial<SummaryRecord>
    if (record.type !== 'summary' || record.exitCode === undefined) return false
    if (record.exitCode === 0) return true
    const codes = Object.keys(record.byErrorCode ?? {}) as ErrorCode[]
    return record.exitCode === 1 && !codes.some((code) => errorKinds[code]?.retryable)
  } catch {
    return false
  }
}

async function lastLine(path: string, size: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const length = Math.min(size, longestSummary)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8').trimEnd().split('\n').pop() ?? ''
  } finally {
    await file.close()
  }
}
