import type { Part } from '../destinations/destination.ts'
import type { PartRecord, UploadStartedRecord } from '../observe/records.ts'

export interface HalfSent {
  readonly started: UploadStartedRecord
  /** By number: one that was sent again counts as it was last. */
  readonly parts: Map<number, Part>
  /** Where it is, as `placeOf` has it. */
  readonly place: string | undefined
}

/** Multipart uploads that were begun, of files that are not there yet. */
export function createHalfSent() {
  const byFile = new Map<string, HalfSent>()
  const byUpload = new Map<string, HalfSent>()
  return {
    isEmpty: () => byFile.size === 0,
    has: (id: string) => byFile.has(id),
    get: (id: string) => byFile.get(id),
    begin(id: string, started: UploadStartedRecord, place: string | undefined): void {
      this.end(id)
      const half = { started, parts: new Map<number, Part>(), place }
      byFile.set(id, half)
      byUpload.set(started.uploadId, half)
    },
    add({ uploadId, partNumber, size, etag, checksum }: PartRecord): void {
      byUpload.get(uploadId)?.parts.set(partNumber, { partNumber, size, etag, checksum })
    },
    end(id: string): void {
      const half = byFile.get(id)
      if (half === undefined) return
      byFile.delete(id)
      byUpload.delete(half.started.uploadId)
    },
    bySource(source: string): HalfSent | undefined {
      const found = [...byFile.values()].filter(({ started }) => started.source === source)
      return found.length === 1 ? found[0] : undefined
    },
  }
}
