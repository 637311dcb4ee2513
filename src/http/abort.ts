import { UploadError } from '../errors.ts'

/** What a call ends with when it is cut. */
export function cancelled(): UploadError {
  return new UploadError('CANCELLED', 'the upload was stopped')
}

/** @throws UploadError CANCELLED once `signal` is aborted */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

const watching = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `listener` once `signal` is aborted. Thousands of requests watch one and the same signal: they share a single
 * listener of it, since it takes longer to add and remove one the more there are.
 *
 * @returns stops watching
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let listeners = watching.get(signal)
  if (listeners === undefined) {
    listeners = new Set()
    watching.set(signal, listeners)
    const all = listeners
    signal.addEventListener('abort', () => {
      for (const each of all) each()
    })
  }
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/**
 * `result`, or CANCELLED as soon as `signal` is aborted. The result is not waited for then: it may be a read from a
 * disk or a pipe that never answers.
 */
export function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      result.catch(() => {})
      return reject(cancelled())
    }
    const stopWatching = onAbort(signal, () => reject(cancelled()))
    result.then(
      (value) => {
        stopWatching()
        resolve(value)
      },
      (error) => {
        stopWatching()
        reject(error)
      },
    )
  })
}
