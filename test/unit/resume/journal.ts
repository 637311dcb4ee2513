import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalRecord, PartRecord, UploadStartedRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** A journal of these lines; text is written as it is. */
export async function journalOf(...lines: readonly (JournalRecord | string | Buffer)[]): Promise<string> {
  const path = join(await tempDir(), 'night-7.jsonl')
  await writeFile(path, textOf(...lines))
  return path
}

export function textOf(...lines: readonly (JournalRecord | string | Buffer)[]): Buffer {
  const bytes = lines.map((line) =>
    Buffer.isBuffer(line) ? line : Buffer.from(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`),
  )
  return Buffer.concat(bytes)
}

export function planned(path: string, changes: Partial<PlannedFile> = {}): PlannedFile {
  const source = path.replace(/^.*\//, '')
  return {
    index: 1,
    path,
    absolute: path,
    source,
    key: source,
    size: 7,
    mtimeMs: 0,
    contentType: 'text/plain',
    properties: {},
    lane: 0,
    ...changes,
  }
}

export function uploadStarted(path: string, changes: Partial<UploadStartedRecord> = {}): UploadStartedRecord {
  const source = path.replace(/^.*\//, '')
  return {
    type: 'upload-started',
    path,
    source,
    key: source,
    size: 20,
    mtime: '2026-11-01T10:00:00.000Z',
    uploadId: `id of ${source}`,
    partSize: 8,
    ...changes,
  }
}

export function part(path: string, partNumber: number, changes: Partial<PartRecord> = {}): PartRecord {
  const source = path.replace(/^.*\//, '')
  return { type: 'part', path, uploadId: `id of ${source}`, partNumber, size: 8, etag: `"${partNumber}"`, ...changes }
}
