import { UploadError } from '../errors.ts'

/** What a call ends with when it is cut. */
export function cancelled(): UploadError {
  return new UploadError('CANCELLED', 'the upload was stopped')
}

/** @throws UploadError CANCELLED once `signal` is aborted */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

/**
 * `result`, or CANCELLED as soon as `signal` is aborted. The result is not waited for then: it may be a read from a
 * disk or a pipe that never answers.
 */
export function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled())
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
