import type { ErrorCode } from './errors.ts'

/** Why a run was ended from outside. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'EPIPE'

const bySignal: Readonly<Record<StopReason, number>> = { SIGINT: 130, SIGTERM: 143, EPIPE: 141 }

/** What an abort's `reason` stands for; anything unknown counts as SIGTERM. */
export function stopReasonOf(signal: AbortSignal): StopReason | undefined {
  if (!signal.aborted) return undefined
  const reason: unknown = signal.reason
  return reason === 'SIGINT' || reason === 'EPIPE' ? reason : 'SIGTERM'
}

/** Exit code of a run that was stopped from outside. */
export function exitCodeOfStop(reason: StopReason): number {
  return bySignal[reason]
}

/** Exit code of a run that could not go on, or was not to. */
export function exitCodeOfFailure(code: ErrorCode): number {
  return code === 'HALTED' ? 4 : 3
}

export interface RunEnd {
  readonly stopReason: StopReason | undefined
  /** What ended the run or a part of it: a rule (`HALTED`), or a destination, the credentials, the journal. */
  readonly stoppedBy: readonly ErrorCode[]
  readonly failed: number
}

/** Exit code of a run that had begun; where several hold, the outermost cause wins. */
export function exitCodeOf({ stopReason, stoppedBy, failed }: RunEnd): number {
  if (stopReason !== undefined) return exitCodeOfStop(stopReason)
  if (stoppedBy.length > 0) return Math.max(...stoppedBy.map(exitCodeOfFailure))
  return failed > 0 ? 1 : 0
}
