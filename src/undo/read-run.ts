import { UsageError } from '../errors.ts'
import type { FileRecord, ReplacedObject, RunRecord, SummaryRecord, UploadStartedRecord } from '../observe/records.ts'
import { readRecords, refuseOtherRun } from '../observe/report/read.ts'

/** What a run's journal, or a JSONL report of it, says of the objects it made. */
export interface RecordedRun {
  /** Of its first invocation. */
  readonly run: RunRecord
  /** When its last invocation began, ISO-8601. */
  readonly continuedAt: string
  /** By key, in the order in which they were first sent. */
  readonly objects: ReadonlyMap<string, RecordedObject>
  /** Multipart uploads that nothing says were completed. */
  readonly unfinished: readonly UploadStartedRecord[]
  /** Of its last invocation; undefined where that was killed. */
  readonly summary: SummaryRecord | undefined
}

/** An object that the run made, or may have made. */
export interface RecordedObject {
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
  let run: RunRecord | undefined
  let continuedAt = ''
  let summary: SummaryRecord | undefined
  const objects = new Map<string, Known>()
  const unfinished = new Map<string, UploadStartedRecord>()
  try {
    for await (const records of readRecords(path)) {
      for (const record of records) {
        if (record.type === 'run') {
          refuseOtherRun(run, record, path)
          run ??= record
          continuedAt = record.startedAt
          summary = undefined
        } else if (record.type === 'summary') summary = record
        else if (record.type === 'upload-started') unfinished.set(record.uploadId, record)
        else if (record.type === 'file') see(record, objects, unfinished)
      }
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
  }
  if (run === undefined) {
    throw new UsageError(`${path} is no journal or .jsonl report of a run; a run's last lines name its journal`)
  }
  for (const line of further) see(line, objects, unfinished)
  if (summary !== undefined) {
    const endedAtMs = Date.parse(continuedAt) + summary.durationMs
    for (const known of objects.values()) known.endedAtMs = endedAtMs
  }
  return { run, continuedAt, objects, unfinished: [...unfinished.values()], summary }
}

function see(file: FileRecord, objects: Map<string, Known>, unfinished: Map<string, UploadStartedRecord>): void {
  const known = objects.get(file.key)
  switch (file.status) {
    case 'undone':
      objects.delete(file.key)
      return
    case 'uploaded':
      for (const [uploadId, { key }] of unfinished) if (key === file.key) unfinished.delete(uploadId)
      if (known === undefined) objects.set(file.key, newlyKnown(file, { uploaded: file }))
      else {
        if (known.uploaded !== undefined) known.before = [...known.before, known.uploaded]
        known.uploaded = file
      }
      return
    case 'failed':
    case 'cancelled':
      // What was in a file's way is not the run's.
      if (file.attempts === 0 || file.error?.code === 'ALREADY_EXISTS') return
      if (known === undefined) objects.set(file.key, newlyKnown(file, { unsure: file }))
      else known.unsure = file
  }
}

/** What the first line says was replaced is what was there before the run; later ones replaced the run's own. */
function newlyKnown(file: FileRecord, what: Partial<Known>): Known {
  return { key: file.key, uploaded: undefined, before: [], replaced: file.replaced, unsure: undefined, ...what }
}
