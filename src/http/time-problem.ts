import { UploadError } from '../errors.ts'
import type { NetworkScene } from './network-errors.ts'
import { isTimeError } from './time-errors.ts'

/** What it means that a request took too long; undefined where that is not what went wrong. */
export function timeProblem(error: Error, { host, proxy, namedBy }: NetworkScene): UploadError | undefined {
  if (error.name !== 'TimeoutError' || 'code' in error) return undefined
  const cause = error
  const through = proxy === undefined ? '' : ` (through the proxy ${proxy})`
  if (isTimeError(error)) {
    const within = inSeconds(error.limitMs)
    switch (error.reason) {
      case 'no-answer':
        return new UploadError(
          'TIMEOUT',
          `${host} gave no answer${through} within ${within} of the whole body being sent; raise --stall-timeout to wait longer`,
          { cause },
        )
      case 'not-done':
        return new UploadError(
          'TIMEOUT',
          `the request to ${host}${through} was not done within ${within}; raise --timeout, or lower --concurrency on a slow line`,
          { cause },
        )
      case 'silent':
        return stalled(host, through, within, error)
    }
  }
  if (/establish a connection/.test(error.message)) {
    const message = `${host} does not answer${through}; check ${namedBy} and the network`
    return new UploadError('CONNECTION', message, { cause, unreachable: true })
  }
  const ms = /after (\d+) ms/.exec(error.message)?.[1]
  return stalled(host, through, ms === undefined ? undefined : inSeconds(Number(ms)), error)
}

function stalled(host: string, through: string, within: string | undefined, cause: Error): UploadError {
  const long = within === undefined ? 'too long' : within
  const message = `no bytes went to or came from ${host}${through} for ${long}; check the network, or raise --stall-timeout`
  return new UploadError('STALLED', message, { cause })
}

/** `34 s`, `0.3 s`. */
function inSeconds(ms: number): string {
  return `${ms < 9950 ? Number((ms / 1000).toFixed(1)) : Math.round(ms / 1000)} s`
}
