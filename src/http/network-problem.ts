import { UploadError } from '../errors.ts'
import { byName, fromRow } from './error-row.ts'
import { type NetworkScene, networkRows } from './network-errors.ts'
import { timeProblem } from './time-problem.ts'

const byErrno = byName(networkRows)

/** What Node's errors may carry. */
interface SystemError extends Error {
  readonly code?: unknown
  /** What was tried. */
  readonly syscall?: unknown
}

/** What went wrong on the way to a server's answer, or in reading it; undefined where the error says nothing of that. */
export function networkProblem(error: SystemError, scene: NetworkScene): UploadError | undefined {
  // Several addresses of one host, each with a failure of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  const code = error.code ?? (first instanceof Error && 'code' in first ? first.code : undefined)
  const row = byErrno.get(String(code))
  const through = scene.proxy === undefined ? '' : ` (through the proxy ${scene.proxy})`
  if (row !== undefined) {
    const unreachable = row.unreachable && !(error.syscall === 'read' || error.syscall === 'write')
    return fromRow(row, scene, { cause: error, unreachable }, through)
  }
  if (typeof code === 'string' && code.startsWith('HPE_')) {
    const message = `${scene.host} does not answer in HTTP${through}; check ${scene.namedBy}, and http:// or https://`
    return new UploadError('BAD_RESPONSE', message, { cause: error })
  }
  if (typeof code === 'string' && code.startsWith('ERR_SSL_')) {
    const message = `no TLS connection to ${scene.host} could be made${through} (${code})`
    return new UploadError('CONNECTION', message, { retryable: false, cause: error })
  }
  return timeProblem(error, scene)
}
