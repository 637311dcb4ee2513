import type { MultipartUpload, Part } from '../destinations/destination.ts'
import type { PartRecord, UploadStartedRecord } from '../observe/records.ts'
import { partCount } from '../plan/part-ranges.ts'
import type { UnfinishedFile } from './earlier.ts'
import { type FileWork, modifiedAt } from './file-record.ts'
import type { FileFacts } from './reading/file-facts.ts'

/** Keeps a line of a multipart upload; rejects, and has stopped the run, where that cannot be done. */
export type KeepLine = (
  line: UploadStartedRecord | PartRecord,
  options?: { readonly sync?: boolean | undefined },
) => Promise<void>

/** What there is of a file's multipart upload: in its work, for a further pass, and in the journal, for another process. */
export interface PartJournal {
  /** A half-sent upload to go on with. */
  unfinished(): UnfinishedFile | undefined
  /** It is on the disk when this resolves: an upload nobody knows of would be paid for, and could not be gone on with. */
  onBegun(upload: MultipartUpload): Promise<void>
  onTakenUp(upload: MultipartUpload, parts: readonly Part[]): Promise<void>
  onStored(part: Part): Promise<void>
  onEnded(): void
}

export function createPartJournal(work: FileWork, facts: FileFacts, keepLine: KeepLine): PartJournal {
  const { path, source, occurrence, key } = work.file
  // Standard input's is that of a temporary file, and says nothing.
  const mtime = path === '-' ? undefined : modifiedAt(facts)
  let uploadId = ''
  let parts: Part[] = []

  const follow = (upload: MultipartUpload, there: readonly Part[]): void => {
    uploadId = upload.uploadId
    parts = [...there]
    work.parts = partCount(facts.size, upload.partSize)
    work.unfinished = { uploadId, partSize: upload.partSize, size: facts.size, mtime, parts }
  }
  const keepBeginning = ({ partSize }: MultipartUpload): Promise<void> =>
    keepLine(
      {
        type: 'upload-started',
        path,
        source,
        occurrence,
        key,
        size: facts.size,
        mtime: mtime ?? null,
        uploadId,
        partSize,
      },
      { sync: true },
    )

  const keepPart = ({ partNumber, size, etag, checksum }: Part): Promise<void> =>
    keepLine({ type: 'part', path, uploadId, partNumber, size, etag, checksum })

  return {
    unfinished: () => work.unfinished,
    async onBegun(upload) {
      follow(upload, [])
      await keepBeginning(upload)
    },
    async onTakenUp(upload, there) {
      const before = work.unfinished
      const isRecorded = before?.size !== undefined && before.mtime === mtime
      const recorded = new Set(isRecorded ? before.parts.map((part) => part.partNumber) : [])
      follow(upload, there)
      if (!isRecorded) await keepBeginning(upload)
      // A process that was killed before it could write down a part had sent it all the same.
      const lines = there.filter((part) => !recorded.has(part.partNumber)).map(keepPart)
      await Promise.all(lines)
    },
    async onStored(part) {
      await keepPart(part)
      parts.push(part)
    },
    onEnded() {
      work.unfinished = undefined
    },
  }
}
