import { UploadError, UsageError } from '../errors.ts'
import { exitCodeOfFailure, exitCodeOfStop, type StopReason } from '../exit-code.ts'

/**
 * Exit code of a command that ended with an error instead of a summary. Whoever stopped the program from outside is
 * told so, whatever broke on the way.
 */
export function exitCodeOfError(error: unknown, stopReason: StopReason | undefined): number {
  if (stopReason !== undefined) return exitCodeOfStop(stopReason)
  if (error instanceof UsageError) return 2
  return error instanceof UploadError ? exitCodeOfFailure(error.code) : 3
}

/** Exit code of a dry run, which is that of the run it stands for, as far as the plan can tell. */
export function exitCodeOfPlan(failing: number, stopReason: StopReason | undefined): number {
  if (stopReason !== undefined) return exitCodeOfStop(stopReason)
  return failing > 0 ? 1 : 0
}
