import { setMaxListeners } from 'node:events'
import type { Settings } from '../config/settings.ts'
import type { Destination } from '../destinations/destination.ts'
import { toUploadError } from '../errors.ts'
import type { RunLane } from '../lanes.ts'
import type { Listener } from '../observe/events.ts'
import type { Journal } from '../observe/journal.ts'
import { settledUrl } from '../observe/recorded-destinations.ts'
import type { FileRecord } from '../observe/records.ts'
import { objectUrl } from '../observe/verbose.ts'
import { type Clock, clockSlackMs } from '../transfer/clock.ts'
import { createRequests, requestsAtOnce } from '../transfer/requests.ts'
import { byDestination, isNowhere, type RunPart } from './by-destination.ts'
import { carryOut, type UnfinishedUpload } from './carry-out.ts'
import type { PlannedRemoval } from './plan.ts'
import { type RecordedObject, readRun } from './read-run.ts'
import { openUndoRequests } from './requests.ts'

/** Whoever stopped the run waits for its end: so long after that, in milliseconds, this is given up. */
const afterStopMs = 8500
/** Even where the run itself took all that time to end. */
const atLeastMs = 1000

export interface TakeBackOptions {
  readonly journal: Journal
  /** Lines that the journal could not take. */
  readonly unrecorded: readonly FileRecord[]
  readonly lanes: readonly Pick<RunLane, 'destination' | 'settings'>[]
  readonly cwd: string
  readonly settings: Pick<Settings, 'concurrency' | 'retry'>
  readonly clock: Clock
  /** Aborted by whoever stops the run, before or meanwhile. */
  readonly signal: AbortSignal
  /** When that was, by the clock's `elapsed`; undefined as long as it was not. */
  readonly stoppedAtMs: () => number | undefined
  readonly emit: Listener
}

/**
 * Takes back everything a run that failed has created, as its journal knows it. What cannot be is told in a warning: the
 * run has failed already, and nothing that goes wrong here may hide why.
 */
export async function takeBack(options: TakeBackOptions): Promise<void> {
  const { journal, emit } = options
  if (!(await journal.isHeld())) {
    emit({ type: 'warning', message: 'the run was not undone: another process goes on with it' })
    return
  }
  const limit = limitAfterStop(options)
  try {
    const recorded = await readRun(journal.path, options.unrecorded)
    const left: string[] = []
    const signal = AbortSignal.any([limit.signal, journal.lost])
    // One listener for each request in flight.
    setMaxListeners(0, signal)
    for (const [url, part] of byDestination(recorded)) {
      const at = options.lanes
        .map((lane) => lane.destination)
        .filter((each) => settledUrl(each.url, options.cwd) === url)
      // Of two engines, the one that can remove what is half there.
      const destination = at.find(({ multipart }) => multipart !== undefined) ?? at[0]
      left.push(...(await takeBackAt(url, destination, part, recorded.continuedAt, signal, options)))
    }
    for (const message of left.slice(0, 5)) emit({ type: 'warning', message })
    if (left.length > 0) emit({ type: 'warning', message: unfinished(left.length, journal.path) })
  } catch (error) {
    const { message } = toUploadError(error)
    emit({ type: 'warning', message: `the run was not undone: ${message}; ${remedy(journal.path)}` })
  } finally {
    limit.release()
  }
}

/** What could not be taken back there. One destination that is gone must not keep what is at another. */
async function takeBackAt(
  url: string,
  destination: Destination | undefined,
  part: RunPart,
  continuedAt: string,
  signal: AbortSignal,
  options: TakeBackOptions,
): Promise<readonly string[]> {
  if (destination === undefined) return [`what is at ${url} was not undone: this run does not go there any more`]
  try {
    return await carryOutAll(destination, part, continuedAt, signal, options)
  } catch (error) {
    if (options.lanes.length === 1) throw error
    if (isNowhere(part, toUploadError(error))) return []
    return [`what is at ${url} was not undone: ${toUploadError(error).message}`]
  }
}

async function carryOutAll(
  destination: Destination,
  part: RunPart,
  continuedAt: string,
  signal: AbortSignal,
  options: TakeBackOptions,
): Promise<readonly string[]> {
  const { settings, clock, journal, emit } = options
  const requests = await openUndoRequests({ destination, retry: settings.retry, clock, signal })
  const objects = [...part.objects.values()]
  const unsure = objects.filter((object) => object.uploaded === undefined)
  const carry = (remove: readonly RecordedObject[], uploads: readonly UnfinishedUpload[]) =>
    carryOut(
      { remove: remove.map((object): PlannedRemoval => ({ object, restores: false })), uploads },
      {
        requests,
        concurrency: requestsAtOnce(settings.concurrency),
        signal,
        async onUndone(_object, line) {
          if (line === undefined) return
          // A journal that is full is no reason to leave objects behind.
          await journal.append(line).catch(() => undefined)
          const isOfThis = line.startedAt !== null && line.startedAt >= continuedAt
          emit({ type: 'undone', file: line, was: isOfThis ? 'uploaded' : 'skipped' })
        },
      },
    )
  const uploads = [...part.unfinished, ...(await lostUploads(destination, unsure, signal, options))]
  const first = await carry(objects, uploads)
  // A request that was cut may have been carried out after it was asked about.
  const again = first.stopped === undefined ? await carry(unsure, []) : first
  if (first.aborted > 0) emit({ type: 'uploads-aborted', count: first.aborted })
  const left = [first, again].flatMap((outcome) => [...outcome.left, ...outcome.failed])
  const stopped = again.stopped
  const nameOf = (key: string): string => (options.lanes.length > 1 ? objectUrl(destination.url, key) : key)
  return [
    ...new Set(left.map(({ key, why }) => `${nameOf(key)} was not undone: ${why}`)),
    ...(stopped === undefined ? [] : [`not everything was undone: ${stopped.message}`]),
  ]
}

/** Multipart uploads whose beginning was never answered, so that nobody knows their id. */
async function lostUploads(
  destination: Destination,
  unsure: readonly RecordedObject[],
  signal: AbortSignal,
  { settings, clock, lanes }: TakeBackOptions,
): Promise<readonly UnfinishedUpload[]> {
  const list = destination.multipart?.list
  if (list === undefined) return []
  const there = lanes.filter((lane) => lane.destination.url === destination.url)
  const leastInParts = Math.min(...there.map((lane) => lane.settings.multipartThreshold))
  const { ask } = createRequests(settings.retry, clock, signal)
  const found: UnfinishedUpload[] = []
  for (const { destination: url, key, unsure: line } of unsure) {
    if (line === undefined || line.startedAt === null) continue
    const { parts = (line.size ?? 0) > leastInParts ? 2 : 1 } = line
    if (parts < 2) continue
    const since = Date.parse(line.startedAt) - clockSlackMs
    const begun = await ask(async (call) => {
      const uploads: UnfinishedUpload[] = []
      for await (const upload of list(key, call)) {
        if (upload.key === key && upload.initiatedAt.getTime() >= since)
          uploads.push({ destination: url, key, uploadId: upload.uploadId })
      }
      return uploads
    }).catch(() => [])
    found.push(...begun)
  }
  return found
}

/** Aborted some time after the run was stopped. */
function limitAfterStop({ signal, clock, stoppedAtMs }: TakeBackOptions): {
  readonly signal: AbortSignal
  release(): void
} {
  const limit = new AbortController()
  const released = new AbortController()
  const begin = (): void => {
    const now = clock.elapsed()
    const leftMs = Math.max(atLeastMs, (stoppedAtMs() ?? now) + afterStopMs - now)
    clock.sleep(leftMs, released.signal).then(
      () => limit.abort(),
      () => undefined,
    )
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return {
    signal: limit.signal,
    release() {
      signal.removeEventListener('abort', begin)
      released.abort()
    },
  }
}

function unfinished(count: number, journal: string): string {
  return `${count === 1 ? 'this was' : `these ${count} were`} not undone; ${remedy(journal)}`
}

function remedy(journal: string): string {
  return `see to the cause, then: upload undo ${journal}`
}
