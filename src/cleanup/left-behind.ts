import pLimit from 'p-limit'
import type { Destination, UnfinishedUpload } from '../destinations/destination.ts'
import { toUploadError, type UploadError, UsageError } from '../errors.ts'
import { createScheduler } from '../transfer/pace/scheduler.ts'
import type { Requests } from '../transfer/requests.ts'

/** Uploads that nobody goes on with, and how many were left out since somebody may. */
export interface LeftBehind {
  /** The oldest first. */
  readonly uploads: readonly UnfinishedUpload[]
  readonly younger: number
}

export interface FindOptions {
  readonly destination: Destination
  /** Of keys; `''` for all. */
  readonly prefix: string
  /** Milliseconds; a younger upload may be one that is going on now. */
  readonly olderThanMs: number
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly requests: Requests
}

/** Uploads asked about at a time. */
const looksAtOnce = 8

/**
 * An upload is as old as what was stored of it last: one that was begun long ago may have been taken up again by a run
 * that goes on now.
 *
 * @throws UsageError where the destination knows no unfinished uploads; UploadError where they cannot be listed.
 */
export async function findLeftBehind(options: FindOptions): Promise<LeftBehind> {
  const { destination, prefix, olderThanMs, now, requests } = options
  const { list, lastPartAt } = destination.multipart ?? {}
  if (list === undefined) throw new UsageError(`the unfinished uploads of ${destination.url} cannot be listed`)
  // Clocks differ a little: what was begun just now may seem to have been begun later.
  const isOld = (time: Date | undefined): boolean =>
    olderThanMs === 0 || time === undefined || now - time.getTime() >= olderThanMs
  const { old, all } = await requests.ask(async (call) => {
    const old: UnfinishedUpload[] = []
    let all = 0
    for await (const upload of list(prefix, call)) {
      all += 1
      if (isOld(upload.initiatedAt)) old.push(upload)
    }
    return { old, all }
  })
  const limit = pLimit(looksAtOnce)
  const isLeft = async (upload: UnfinishedUpload): Promise<boolean> =>
    lastPartAt === undefined || olderThanMs === 0 || isOld(await requests.ask((call) => lastPartAt(upload, call)))
  const left = await Promise.all(old.map((upload) => limit(() => isLeft(upload)))).catch((error: unknown) => {
    // The destination is closed after this.
    limit.clearQueue()
    throw error
  })
  const uploads = old.filter((_, at) => left[at])
  uploads.sort((a, b) => a.initiatedAt.getTime() - b.initiatedAt.getTime())
  return { uploads, younger: all - uploads.length }
}

export interface RemoveOptions {
  readonly destination: Destination
  readonly uploads: readonly UnfinishedUpload[]
  /** How many at a time. */
  readonly concurrency: number
  readonly requests: Requests
  readonly signal: AbortSignal
  readonly onRemoved: (upload: UnfinishedUpload, error: UploadError | undefined) => void
}

/**
 * Removes uploads, each on its own: one that fails stops no other, unless the cause is everybody's.
 *
 * @returns that cause, where there was one
 */
export async function removeUploads(options: RemoveOptions): Promise<UploadError | undefined> {
  const { destination, requests, signal, onRemoved } = options
  const scheduler = createScheduler(options.concurrency)
  let hopeless: UploadError | undefined
  for (const upload of options.uploads) {
    await scheduler.start(async () => {
      if (signal.aborted || hopeless !== undefined) return
      const error = await requests
        .ask(async (call) => destination.multipart?.remove?.(upload, call))
        .then(() => undefined, toUploadError)
      // Not known to have failed: it was cut.
      if (signal.aborted && error !== undefined) return
      if (error !== undefined && requests.isHopeless(error)) hopeless ??= error
      onRemoved(upload, error)
    })
  }
  await scheduler.idle()
  return hopeless
}
