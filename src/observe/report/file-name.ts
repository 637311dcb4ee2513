import type { FileRecord } from '../records.ts'

/**
 * By what a file is the same in all lines of its run. Not its path: an invocation in another directory may have named it
 * otherwise.
 */
export function fileNameOf({ key, source }: Pick<FileRecord, 'key' | 'source'>): string {
  return `${key}\0${source}`
}
