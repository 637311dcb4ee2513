import { UploadError } from '../errors.ts'

/** A failed look at, or read of, a source as an {@link UploadError}; what already is one stays as it is. */
export function sourceError(thrown: unknown): UploadError {
  if (thrown instanceof UploadError) return thrown
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  const details = { cause: thrown }
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new UploadError('SOURCE_NOT_FOUND', 'no such file (was it moved or deleted?)', details)
    case 'EACCES':
    case 'EPERM':
      return new UploadError('SOURCE_UNREADABLE', 'permission denied (check its mode)', details)
    case 'ELOOP':
      return new UploadError('SOURCE_UNREADABLE', 'its symbolic links lead in a circle', details)
    case 'EISDIR':
      return new UploadError('SOURCE_UNREADABLE', 'it is a directory now', details)
    case 'EMFILE':
    case 'ENFILE':
      return new UploadError('SOURCE_UNREADABLE', 'too many open files (lower --concurrency or raise "ulimit -n")', {
        ...details,
        retryable: true,
      })
    case 'EIO':
      return new UploadError('SOURCE_UNREADABLE', 'the disk reports a read error', { ...details, retryable: true })
    case undefined:
      return new UploadError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), details)
    default:
      return new UploadError('SOURCE_UNREADABLE', `it cannot be read (${code})`, details)
  }
}

/**
 * {@link sourceError} for a path that a listing gave. Node shows bytes that are not UTF-8 as U+FFFD, and then nothing
 * of that name is there.
 */
export function scanError(thrown: unknown, path: string): UploadError {
  const error = sourceError(thrown)
  if (error.code !== 'SOURCE_NOT_FOUND' || !path.includes('\ufffd')) return error
  return new UploadError('KEY_INVALID', 'its name is not valid UTF-8; rename it', { cause: thrown })
}

/** A name that leads nowhere: a link whose target is gone. */
export function brokenLink(): UploadError {
  return new UploadError('SOURCE_NOT_FOUND', 'broken link: what it points to is not there')
}
