import type { ObjectVersion } from '../../../src/destinations/destination.ts'
import type { FileRecord, RunRecord } from '../../../src/observe/records.ts'
import type { RecordedObject } from '../../../src/undo/read-run.ts'

/** When the uploads of these records began. */
export const began = Date.parse('2026-11-22T10:00:00.400Z')

/** A line of a file that was uploaded, in one attempt that took a second. */
export function uploaded(changes: Partial<FileRecord> = {}): FileRecord {
  return {
    type: 'file',
    path: 'a.wav',
    source: 'a.wav',
    key: 'a.wav',
    destination: 's3://bucket/',
    size: 5,
    mtime: '2026-11-01T00:00:00.000Z',
    status: 'uploaded',
    attempts: 1,
    startedAt: new Date(began).toISOString(),
    durationMs: 1000,
    bytesSent: 5,
    bytesPerSecond: 5,
    parts: 1,
    engine: 'fast',
    etag: '"ours"',
    contentType: 'audio/wav',
    ...changes,
  }
}

export function failed(changes: Partial<FileRecord> = {}): FileRecord {
  const error = { code: 'CONNECTION', message: 'the connection broke', retryable: true } as const
  return { ...uploaded({ etag: undefined, ...changes }), status: changes.status ?? 'failed', error }
}

export function runRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    type: 'run',
    version: '0',
    runId: 'run-1',
    invocation: 1,
    startedAt: '2026-11-22T09:59:59.000Z',
    cwd: '/w',
    to: 's3://bucket/',
    argv: [],
    config: {},
    host: 'h',
    node: 'v20',
    pid: 1,
    ...changes,
  }
}

export function recorded(changes: Partial<RecordedObject> = {}): RecordedObject {
  const destination = 's3://bucket/'
  return {
    destination,
    key: 'a.wav',
    uploaded: uploaded(),
    before: [],
    replaced: undefined,
    unsure: undefined,
    ...changes,
  }
}

/** A version written so many seconds after the upload began (the server tells whole seconds). */
export function version(versionId: string, afterSeconds: number, changes: Partial<ObjectVersion> = {}): ObjectVersion {
  const at = Math.floor(began / 1000 + afterSeconds) * 1000
  return {
    versionId,
    isLatest: false,
    isDeleteMarker: false,
    size: 5,
    etag: '"ours"',
    lastModified: new Date(at),
    ...changes,
  }
}
