import type { Part } from '../destinations/destination.ts'
import type { FileRecord } from '../observe/records.ts'
import type { PlannedFile } from '../plan/planned-file.ts'

/** What earlier invocations of this run, or whoever else, have done already: from the journal or asked of the server. */
export interface Earlier {
  /** Whether the destination is asked for it, rather than a journal. */
  readonly asksDestination?: boolean
  /**
   * When the run that is continued began, in milliseconds since the epoch. Objects that came since may be its own though
   * it was killed, or cut, before its journal had their lines.
   */
  readonly begunAtMs?: number
  /**
   * What there is of a file; undefined where there is nothing.
   *
   * @throws UploadError where that cannot be found out; `CANCELLED` where the signal is aborted before.
   */
  find(file: PlannedFile, signal?: AbortSignal): Promise<EarlierFile | undefined>
}

export interface EarlierFile {
  /** The key it has there: a file keeps its own, though a template may give it another now. */
  readonly key: string
  /** What {@link key} was made of, where that was changed and is recorded. */
  readonly originalKey?: string | undefined
  /** Its last line, where that says it was uploaded, or skipped as being there. */
  readonly done?: FileRecord | undefined
  /** A multipart upload that was neither completed nor aborted. */
  readonly unfinished?: UnfinishedFile | undefined
  /** As {@link done}, where the file is elsewhere; all else is about where it goes now. */
  readonly elsewhere?: DoneElsewhere | undefined
}

/** A file that an earlier invocation gave to the other side of a rollout, which has it under a key of its own. */
export interface DoneElsewhere {
  readonly done: FileRecord
  /** The URL of that destination, as this run names it. */
  readonly destination: string
}

/** A file of which parts are at the destination. */
export interface UnfinishedFile {
  readonly uploadId: string
  /** Bytes. */
  readonly partSize: number
  /** Bytes of the file when its upload began; undefined where nobody knows. */
  readonly size: number | undefined
  /** Modification time when its upload began, ISO-8601; undefined where nobody knows. */
  readonly mtime: string | undefined
  /** What this program was told of parts it sent; the destination knows better which there are. */
  readonly parts: readonly Part[]
}
