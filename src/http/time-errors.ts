/** A request that took too long, and by which limit. */
export interface TimeError extends Error {
  readonly name: 'TimeoutError'
  readonly reason: 'silent' | 'no-answer' | 'not-done'
  /** Milliseconds. */
  readonly limitMs: number
}

/** No byte went either way for too long. */
export function silent(limitMs: number): TimeError {
  return timeError('silent', limitMs, 'no bytes went to or came from the server for too long')
}

/** The whole body was sent, and no answer came. */
export function noAnswer(limitMs: number): TimeError {
  return timeError('no-answer', limitMs, 'the server did not answer in time')
}

/** The answer was not there, or not all of it. */
export function notDone(limitMs: number): TimeError {
  return timeError('not-done', limitMs, 'the request was not done in time')
}

export function isTimeError(error: Error): error is TimeError {
  return error.name === 'TimeoutError' && 'reason' in error && 'limitMs' in error
}

/** Named as the SDK's handler names its own. */
function timeError(reason: TimeError['reason'], limitMs: number, message: string): TimeError {
  return Object.assign(new Error(message), { name: 'TimeoutError', reason, limitMs } as const)
}
