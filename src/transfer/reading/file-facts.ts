import type { Stats } from 'node:fs'
import { UploadError } from '../../errors.ts'

/** Bytes in memory: buffers that follow one another. They are not written to while anybody may still read them. */
export type HeldBytes = readonly Buffer[]

/** A file as it was when its sending began: what it must still be at the end. */
export interface FileFacts {
  /** Where it lies. */
  readonly absolute: string
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch, with the fraction the file system gives. */
  readonly mtimeMs: number
  /** Its bytes, where they are held in memory and in no file: standard input's. */
  readonly held?: HeldBytes
}

export interface FileRange {
  /** Offset of the first byte. */
  readonly start: number
  /** Bytes. */
  readonly size: number
}

/** What sets a file apart from what it was, as an error; `undefined` where nothing does. */
export function changeSince(then: FileFacts, now: Pick<Stats, 'size' | 'mtimeMs'>): UploadError | undefined {
  if (now.size !== then.size) return changed(`its size went from ${then.size} to ${now.size} bytes`)
  if (now.mtimeMs !== then.mtimeMs) return changed('it was written to')
  return undefined
}

/** @param how in a few words */
export function changed(how: string): UploadError {
  return new UploadError(
    'SOURCE_CHANGED',
    `the file changed while it was read: ${how}; upload it again when it is at rest`,
  )
}
