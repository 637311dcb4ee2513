export { type ErrorCode, UploadError, UsageError } from './errors.ts'
export { type UploadOptions, type UploadRun, upload } from './library.ts'
export type { UploadEvent } from './observe/events.ts'
export type { FileRecord, JournalRecord, RunRecord, SummaryRecord } from './observe/records.ts'
