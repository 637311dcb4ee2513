import { type ErrorCode, UploadError } from '../../errors.ts'

interface Row {
  readonly code: ErrorCode
  readonly message: string
  /** Overrides the code's own entry in `errorKinds`. */
  readonly retryable?: boolean
}

const full = {
  code: 'QUOTA_EXCEEDED',
  message: 'the disk or quota of the destination is full; free some space',
} as const
const denied = {
  code: 'ACCESS_DENIED',
  message: 'the destination directory may not be written; check its owner and mode',
} as const
const crowded = {
  code: 'INTERNAL',
  message: 'too many open files; lower --concurrency or raise "ulimit -n"',
  retryable: true,
} as const

/** What an error of the file system means, by its code. */
export const fileErrorRows: Readonly<Record<string, Row>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: { code: 'TOO_LARGE', message: 'larger than a file may be there' },
  EACCES: denied,
  EPERM: denied,
  EROFS: { code: 'ACCESS_DENIED', message: 'the destination is on a read-only file system' },
  ENAMETOOLONG: { code: 'KEY_INVALID', message: 'its name is too long for the destination directory' },
  EISDIR: { code: 'KEY_INVALID', message: 'the destination has a directory of that name' },
  ENOTEMPTY: { code: 'KEY_INVALID', message: 'the destination has a directory of that name' },
  ENOTDIR: { code: 'KEY_INVALID', message: 'the destination has a file where this needs a directory' },
  ELOOP: { code: 'KEY_INVALID', message: 'symbolic links in the destination lead in a circle' },
  EILSEQ: { code: 'KEY_INVALID', message: 'the destination cannot hold a name with these characters' },
  EINVAL: { code: 'KEY_INVALID', message: 'the destination cannot hold a file of this name' },
  ENOENT: { code: 'SERVER_ERROR', message: 'the destination directory was changed while it was written to' },
  EMFILE: crowded,
  ENFILE: crowded,
}

/** What a failed act on the destination directory means. */
export function toFileUploadError(thrown: unknown): UploadError {
  if (thrown instanceof UploadError) return thrown
  const errno = errnoOf(thrown)
  if (errno === undefined) return new UploadError('INTERNAL', String(thrown), { cause: thrown })
  const row = fileErrorRows[errno]
  if (row !== undefined) return new UploadError(row.code, row.message, { cause: thrown, retryable: row.retryable })
  return new UploadError('SERVER_ERROR', `writing to the destination directory failed (${errno})`, { cause: thrown })
}

/** Passes `result` on, with its failure mapped. */
export async function mapped<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    throw toFileUploadError(error)
  }
}

/** The code of an error of the operating system: `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
