import type { FileDeferred, FileEnded, FileProgress, FileRetry, FileStarted, UploadEvent } from './events.ts'

/** Where a run stands right now, added up from its events: what bars, plain lines and NDJSON progress show. */
export interface Progress {
  /** Takes one event, in constant time. */
  apply(event: UploadEvent): void
  /** What there is to do, as far as is known. */
  readonly files: number
  readonly bytes: number
  /** False while sources are still being scanned. */
  readonly complete: boolean
  /** Files uploaded, skipped or failed; a cancelled one is not done. */
  readonly filesDone: number
  readonly failed: number
  readonly retries: number
  /** Bytes of the files done and, of those in flight, what has left. */
  readonly bytesDone: number
  /** Of `bytesDone`, those of files whose size is not known before they end: `bytes` is without them. */
  readonly bytesUnforeseen: number
  /** Bytes that have left, repeated ones included; never decreases. */
  readonly bytesSent: number
  /** By index, in the order they were begun. */
  readonly inFlight: ReadonlyMap<number, FileInFlight>
}

/** A file that has a slot. */
export interface FileInFlight {
  readonly path: string
  readonly key: string
  readonly size: number | undefined
  readonly parts: number | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  sent: number
  /** Of `sent`, what was there already. */
  before: number
  /** What has left: as `sent`, but without what was there already, and repeated bytes count again. */
  sentInAll: number
  partsDone: number
  /** When the next attempt begins, where the last one failed and nothing has moved since. */
  retryAt: number | undefined
}

/** Shown as 99 %. */
const almost = 0.999

/** @param now milliseconds since the epoch */
export function createProgress(now: () => number): Progress {
  const inFlight = new Map<number, FileInFlight>()
  /** What files that wait for another pass have sent already. */
  const sentBefore = new Map<number, number>()
  const progress = {
    files: 0,
    bytes: 0,
    complete: false,
    filesDone: 0,
    failed: 0,
    retries: 0,
    bytesDone: 0,
    bytesUnforeseen: 0,
    bytesSent: 0,
    inFlight,
  }

  function start({ index, path, key, size, parts }: FileStarted): void {
    // It may be begun anew in its slot, on the other side of a rollout, say: nothing of it has arrived then.
    putBack(index)
    inFlight.set(index, {
      path,
      key,
      size,
      parts,
      startedAt: now(),
      sent: 0,
      before: 0,
      sentInAll: sentBefore.get(index) ?? 0,
      partsDone: 0,
      retryAt: undefined,
    })
  }

  function move({ index, sent, before = 0, partsDone }: FileProgress): void {
    const file = inFlight.get(index)
    if (file === undefined) return
    progress.bytesDone += sent - file.sent
    if (file.size === undefined) progress.bytesUnforeseen += sent - file.sent
    const left = sent - before - (file.sent - file.before)
    if (left > 0) {
      progress.bytesSent += left
      file.sentInAll += left
      file.retryAt = undefined
    }
    file.sent = sent
    file.before = before
    file.partsDone = partsDone
  }

  function retry({ index, delayMs }: FileRetry): void {
    progress.retries += 1
    const file = inFlight.get(index)
    if (file !== undefined) file.retryAt = now() + delayMs
  }

  function putBack(index: number): void {
    const file = inFlight.get(index)
    if (file === undefined) return
    inFlight.delete(index)
    progress.bytesDone -= file.sent
    if (file.size === undefined) progress.bytesUnforeseen -= file.sent
    sentBefore.set(index, file.sentInAll)
  }

  function defer({ index }: FileDeferred): void {
    progress.retries += 1
    putBack(index)
  }

  function end({ index, file: record }: FileEnded): void {
    const file = inFlight.get(index)
    const counted = file?.sentInAll ?? sentBefore.get(index) ?? 0
    inFlight.delete(index)
    sentBefore.delete(index)
    // A small file may come and go without a progress event of its own.
    progress.bytesSent += Math.max(0, record.bytesSent - counted)
    const sent = file?.sent ?? 0
    const isUnforeseen = file !== undefined && file.size === undefined
    progress.bytesDone -= sent
    if (isUnforeseen) progress.bytesUnforeseen -= sent
    if (record.status === 'cancelled') return
    // What a rule leaves out is not among the bytes that there are to do.
    if (record.reason !== 'excluded-by-rule') progress.bytesDone += record.size ?? sent
    if (isUnforeseen) progress.bytesUnforeseen += record.size ?? sent
    progress.filesDone += 1
    if (record.status === 'failed') progress.failed += 1
  }

  return Object.assign(progress, {
    apply(event: UploadEvent) {
      switch (event.type) {
        case 'totals':
          progress.files = event.files
          progress.bytes = event.bytes
          progress.complete = event.complete
          return
        case 'file-started':
          return start(event)
        case 'file-progress':
          return move(event)
        case 'file-retry':
          return retry(event)
        case 'file-deferred':
          return defer(event)
        case 'file':
          return end(event)
        default:
      }
    },
  })
}

/** 0 to 1; 1 only when every file is done. By bytes, and by files where there are no bytes to go by. */
export function fractionDone(progress: Progress): number {
  const { files, filesDone, bytes, complete } = progress
  if (complete && filesDone >= files) return 1
  const [done, all] = bytes > 0 ? [foreseenDone(progress), bytes] : [filesDone, files]
  return all > 0 ? Math.min(done / all, almost) : 0
}

/** Seconds until everything known of is done, at this rate; not finite where nobody can tell. */
export function secondsLeft(progress: Progress, bytesPerSecond: number, elapsedMs: number): number {
  const bytesLeft = progress.bytes - foreseenDone(progress)
  if (bytesLeft > 0) return bytesPerSecond > 0 ? bytesLeft / bytesPerSecond : Number.POSITIVE_INFINITY
  // Only empty files are left: they take time too.
  const filesLeft = progress.files - progress.filesDone
  if (filesLeft <= 0) return progress.complete ? 0 : Number.POSITIVE_INFINITY
  return progress.filesDone > 0 ? (filesLeft * elapsedMs) / progress.filesDone / 1000 : Number.POSITIVE_INFINITY
}

function foreseenDone({ bytesDone, bytesUnforeseen }: Progress): number {
  return bytesDone - bytesUnforeseen
}
