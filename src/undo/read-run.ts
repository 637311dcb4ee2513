import { UsageError } from '../errors.ts'
import { urlsIn } from '../observe/recorded-destinations.ts'
import type {
  FallbackRecord,
  FileRecord,
  ReplacedObject,
  RunRecord,
  SummaryRecord,
  UploadStartedRecord,
} from '../observe/records.ts'
import { readRecords, refuseOtherRun } from '../observe/report/read.ts'

/** What a run's journal, or a JSONL report of it, says of the objects it made. */
export interface RecordedRun {
  /** Of its first invocation. */
  readonly run: RunRecord
  /** Of each invocation, in their order: each may have gone to other destinations. */
  readonly runs: readonly RunRecord[]
  /** When its last invocation began, ISO-8601. */
  readonly continuedAt: string
  /** By destination and key, in the order in which they were first sent. */
  readonly objects: ReadonlyMap<string, RecordedObject>
  /** Multipart uploads that nothing says were completed. */
  readonly unfinished: readonly StartedUpload[]
  /** Of its last invocation; undefined where that was killed. */
  readonly summary: SummaryRecord | undefined
}

/** A multipart upload that was begun, with where that was. */
export type StartedUpload = UploadStartedRecord & { readonly destination: string }

/** An object that the run made, or may have made. */
export interface RecordedObject {
  /** The URL of its destination, in one form. */
  readonly destination: string
  readonly key: string
  /** The last line that says it was uploaded; undefined where none does. */
  readonly uploaded: FileRecord | undefined
  /** Earlier uploads by the same run: a file that changed was sent again. */
  readonly before: readonly FileRecord[]
  /** What stood there before the run: null for nothing, undefined where nobody asked. */
  readonly replaced: ReplacedObject | null | undefined
  /** The last attempts that failed: what was sent may have arrived though its answer did not. */
  readonly unsure: Unsure | undefined
  /** When the run had ended, in milliseconds since the epoch; absent where nothing says so: killed, or under way. */
  readonly endedAtMs?: number | undefined
}

/** What is known of a file that may be there, though all attempts at it have failed. */
export interface Unsure extends Pick<FileRecord, 'size' | 'startedAt' | 'attempts' | 'error'> {
  /** Undefined where nothing says in how many parts it went. */
  readonly parts: number | undefined
}

type Known = { -readonly [Field in keyof RecordedObject]: RecordedObject[Field] }

/**
 * Reads all invocations of one run. Its objects are held in memory, some hundred bytes each.
 *
 * @param further lines that the file could not take
 * @throws UsageError where the file cannot be read, or is no record of one run.
 */
export async function readRun(path: string, further: readonly FileRecord[] = []): Promise<RecordedRun> {
  const runs: RunRecord[] = []
  let continuedAt = ''
  let summary: SummaryRecord | undefined
  const objects = new Map<string, Known>()
  const unfinished = new Map<string, StartedUpload>()
  let urlOf = urlsIn({ to: '', cwd: '/' })
  try {
    for await (const records of readRecords(path)) {
      for (const record of records) {
        if (record.type === 'run') {
          refuseOtherRun(runs[0], record, path)
          runs.push(record)
          urlOf = urlsIn(record)
          continuedAt = record.startedAt
          summary = undefined
        } else if (record.type === 'summary') summary = record
        else if (record.type === 'upload-started') {
          unfinished.set(record.uploadId, { ...record, destination: urlOf(record.destination) })
        } else if (record.type === 'file') see(record, urlOf, objects, unfinished)
      }
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
  }
  const [run] = runs
  if (run === undefined) {
    throw new UsageError(`${path} is no journal or .jsonl report of a run; a run's last lines name its journal`)
  }
  for (const line of further) see(line, urlOf, objects, unfinished)
  // That it is taken back is written below the last invocation's line: a directory of that name may be another there.
  for (const known of objects.values()) {
    const { destination, uploaded } = known
    if (uploaded !== undefined && urlOf(uploaded.destination) !== destination) {
      known.uploaded = { ...uploaded, destination }
    }
  }
  if (summary !== undefined) {
    const endedAtMs = Date.parse(continuedAt) + summary.durationMs
    for (const known of objects.values()) known.endedAtMs = endedAtMs
  }
  return { run, runs, continuedAt, objects, unfinished: [...unfinished.values()], summary }
}

function see(
  file: FileRecord,
  urlOf: (destination: string) => string,
  objects: Map<string, Known>,
  unfinished: Map<string, StartedUpload>,
): void {
  const { key, replaced } = file
  const destination = urlOf(file.destination)
  const spot = spotOf({ destination, key })
  const known = objects.get(spot)
  if (file.fallback !== undefined) seeFallback(file, file.fallback, urlOf, objects)
  switch (file.status) {
    case 'undone':
      objects.delete(spot)
      return
    case 'uploaded':
      for (const [uploadId, begun] of unfinished) {
        if (uploadId === file.fallback?.uploadId) continue
        if (begun.key === key && begun.destination === destination) unfinished.delete(uploadId)
      }
      if (known === undefined) objects.set(spot, newlyKnown({ destination, key }, replaced, { uploaded: file }))
      else {
        if (known.uploaded !== undefined) known.before = [...known.before, known.uploaded]
        known.uploaded = file
      }
      return
    case 'skipped':
      // Stored by an invocation that was killed before it could say so, and found by one that went on.
      if (file.reason === 'already-uploaded' && replaced === null && known?.uploaded === undefined) {
        objects.set(spot, { ...(known ?? newlyKnown({ destination, key }, replaced, {})), uploaded: file })
      }
      return
    case 'failed':
    case 'cancelled':
      seeFailure({ destination, key }, file, replaced, objects)
  }
}

/**
 * What the candidate may have stored of a file that went by the baseline after that. Under the same key of the same
 * destination it is one object with what followed, and nothing to be looked for.
 */
function seeFallback(
  file: FileRecord,
  fallback: FallbackRecord,
  urlOf: (destination: string) => string,
  objects: Map<string, Known>,
): void {
  const spot = { destination: urlOf(fallback.destination), key: fallback.key ?? file.key }
  if (spotOf(spot) === spotOf({ destination: urlOf(file.destination), key: file.key })) return
  const { size, startedAt } = file
  const { attempts, error, replaced } = fallback
  seeFailure(spot, { size, startedAt, attempts, error, parts: undefined }, replaced, objects)
}

function seeFailure(
  spot: Spot,
  unsure: Unsure,
  replaced: RecordedObject['replaced'],
  objects: Map<string, Known>,
): void {
  // What was in a file's way is not the run's.
  if (unsure.attempts === 0 || unsure.error?.code === 'ALREADY_EXISTS') return
  const known = objects.get(spotOf(spot))
  if (known === undefined) objects.set(spotOf(spot), newlyKnown(spot, replaced, { unsure }))
  else known.unsure = unsure
}

type Spot = Pick<RecordedObject, 'destination' | 'key'>

function spotOf({ destination, key }: Spot): string {
  return `${destination}\n${key}`
}

/** What the first line says was replaced is what was there before the run; later ones replaced the run's own. */
function newlyKnown({ destination, key }: Spot, replaced: RecordedObject['replaced'], what: Partial<Known>): Known {
  return { destination, key, uploaded: undefined, before: [], replaced, unsure: undefined, ...what }
}
