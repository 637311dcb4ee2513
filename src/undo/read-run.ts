import { UsageError } from '../errors.ts'
import { urlsIn } from '../observe/recorded-destinations.ts'
import type { FileRecord, ReplacedObject, RunRecord, SummaryRecord, UploadStartedRecord } from '../observe/records.ts'
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
  readonly unsure: FileRecord | undefined
  /** When the run had ended, in milliseconds since the epoch; absent where nothing says so: killed, or under way. */
  readonly endedAtMs?: number | undefined
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
        } else if (record.type === 'file') see(record, urlOf(record.destination), objects, unfinished)
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
  for (const line of further) see(line, urlOf(line.destination), objects, unfinished)
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
  destination: string,
  objects: Map<string, Known>,
  unfinished: Map<string, StartedUpload>,
): void {
  const spot = `${destination}\n${file.key}`
  const known = objects.get(spot)
  switch (file.status) {
    case 'undone':
      objects.delete(spot)
      return
    case 'uploaded':
      for (const [uploadId, begun] of unfinished) {
        if (begun.key === file.key && begun.destination === destination) unfinished.delete(uploadId)
      }
      if (known === undefined) objects.set(spot, newlyKnown(file, destination, { uploaded: file }))
      else {
        if (known.uploaded !== undefined) known.before = [...known.before, known.uploaded]
        known.uploaded = file
      }
      return
    case 'skipped':
      // Stored by an invocation that was killed before it could say so, and found by one that went on.
      if (file.reason === 'already-uploaded' && file.replaced === null && known?.uploaded === undefined) {
        objects.set(spot, { ...(known ?? newlyKnown(file, destination, {})), uploaded: file })
      }
      return
    case 'failed':
    case 'cancelled':
      // What was in a file's way is not the run's.
      if (file.attempts === 0 || file.error?.code === 'ALREADY_EXISTS') return
      if (known === undefined) objects.set(spot, newlyKnown(file, destination, { unsure: file }))
      else known.unsure = file
  }
}

/** What the first line says was replaced is what was there before the run; later ones replaced the run's own. */
function newlyKnown(file: FileRecord, destination: string, what: Partial<Known>): Known {
  return {
    destination,
    key: file.key,
    uploaded: undefined,
    before: [],
    replaced: file.replaced,
    unsure: undefined,
    ...what,
  }
}
