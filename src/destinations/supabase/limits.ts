import type { Patience } from '../../http/patience.ts'
import type { RequestTimeouts } from '../destination.ts'

/** The limits of requests without a body of the user's: how long those with one take says nothing of them. */
export function fixedLimits(patience: Patience): RequestTimeouts {
  return {
    limitMs: () => patience.request,
    answerLimitMs: () => patience.idleWhileAnswering,
    succeeded: () => {},
    overdue: () => {},
  }
}

/**
 * The limits of a resumable upload's last part. A large object takes a server minutes to make; who gives up and asks how
 * far it has come may cut it short.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads#concurrency
 */
export function limitsWhileMaking(
  timeouts: RequestTimeouts | undefined,
  { idleWhileCompleting }: Patience,
): RequestTimeouts | undefined {
  return (
    timeouts && {
      limitMs: (size) => timeouts.limitMs(size) + idleWhileCompleting,
      answerLimitMs: (size) => Math.max(timeouts.answerLimitMs(size), idleWhileCompleting),
      // It says nothing of the line.
      succeeded: () => {},
      overdue: timeouts.overdue,
    }
  )
}
