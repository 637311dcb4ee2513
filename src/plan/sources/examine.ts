import { lstat } from 'node:fs/promises'
import type { UploadError } from '../../errors.ts'
import { brokenLink, scanError } from '../source-errors.ts'
import type { Candidate, ScanNotes } from './candidate.ts'
import { statOf } from './look.ts'

/** A candidate after it was looked at. */
export interface Examined {
  readonly candidate: Candidate
  /** Bytes; undefined for standard input or where there is a problem. */
  readonly size: number | undefined
  readonly mtimeMs: number | undefined
  readonly problem: UploadError | undefined
}

/**
 * Looks at a candidate on disk. A regular file has a size; a symbolic link that leads to a directory, and FIFOs,
 * sockets and devices, are left out (`undefined`), the latter with a warning.
 */
export async function examine(candidate: Candidate, notes: Pick<ScanNotes, 'warn'>): Promise<Examined | undefined> {
  const unknown = { candidate, size: undefined, mtimeMs: undefined }
  if (candidate.kind !== 'found') return { ...unknown, problem: candidate.problem }
  try {
    const stats = await (candidate.stats ?? statOf(candidate.absolute))
    if (stats.isFile()) return { candidate, size: stats.size, mtimeMs: stats.mtimeMs, problem: undefined }
    if (!stats.isDirectory()) notes.warn(`${candidate.path} is not a regular file; skipped`)
    return undefined
  } catch (error) {
    return { ...unknown, problem: await explain(candidate, error) }
  }
}

async function explain({ absolute }: Candidate, error: unknown): Promise<UploadError> {
  const problem = scanError(error, absolute)
  if (problem.code !== 'SOURCE_NOT_FOUND') return problem
  const isLink = await lstat(absolute).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  )
  return isLink ? brokenLink() : problem
}
