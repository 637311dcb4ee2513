import type { Outcome } from './outcome.ts'
import { rounding } from './stages.ts'
import { isEnded, type RolloutState } from './state.ts'
import type { Triggers } from './triggers.ts'
import { candidateFiles, inPercent } from './words.ts'

type FailureTriggers = Omit<Triggers, 'maxLatencyRatio'>

/** Why so many failures roll the candidate back; undefined where they do not. */
export function failing(files: number, failures: number, triggers: FailureTriggers): string | undefined {
  const needed = failures * 2 > files ? Math.min(triggers.minFilesFailing, triggers.minFiles) : triggers.minFiles
  if (files === 0 || files < needed) return undefined
  const rate = failures / files
  const isTooRare = 1 - rate < triggers.minSuccess - rounding
  if (!isTooRare && rate <= triggers.maxErrors + rounding) return undefined
  const limit = isTooRare
    ? `${inPercent(triggers.minSuccess)} success is the least`
    : `${inPercent(triggers.maxErrors)} errors is the most`
  return `${failures} of the last ${candidateFiles(files)} failed (${inPercent(1 - rate)} success; ${limit})`
}

/** The last candidate files of a stage, counted on while a run goes on. */
export interface FailureWatch {
  /** Why the candidate is to be rolled back, now that this file has come to its end; undefined where it is not. */
  settled(outcome: Outcome): string | undefined
}

/**
 * The failures' part of `judge` for every single file, at the price of a few additions. Latency is left to `judge`: it
 * needs the window in order, and all that hangs on it is the next promotion, which comes with a change of the state.
 *
 * @param state with what this process has counted itself; a new watch is needed whenever it changes
 */
export function watchFailures(
  state: Pick<RolloutState, 'stage' | 'window' | 'status'>,
  triggers: FailureTriggers,
): FailureWatch {
  const isOver = isEnded(state)
  const hasFailed = new Uint8Array(triggers.window)
  let files = 0
  let failures = 0

  const push = (failed: number): void => {
    const place = files % triggers.window
    failures += failed - (hasFailed[place] ?? 0)
    hasFailed[place] = failed
    files += 1
  }
  for (const { durationMs } of state.window.slice(-triggers.window)) push(durationMs === null ? 1 : 0)

  return {
    settled({ side, stage, isSuccess }) {
      if (isOver || side !== 'candidate' || stage !== state.stage) return undefined
      push(isSuccess ? 0 : 1)
      return failing(Math.min(files, triggers.window), failures, triggers)
    },
  }
}
