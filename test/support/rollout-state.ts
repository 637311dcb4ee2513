import { begun, underReview } from '../../src/rollout/changes.ts'
import { absorb, createDelta } from '../../src/rollout/figures.ts'
import type { SizeClass } from '../../src/rollout/outcome.ts'
import type { Side } from '../../src/rollout/side.ts'
import type { RolloutState } from '../../src/rollout/state.ts'
import { defaultTriggers } from '../../src/rollout/triggers.ts'
import { rolloutName } from './rollout-scene.ts'

export const hourMs = 3_600_000

/** Files of one side, some of which fail; durations are given in turn, a thousand bytes each. */
export interface CountedFiles {
  readonly side: Side
  readonly files: number
  readonly failures?: number
  readonly sizeClass?: SizeClass
  /** Milliseconds. */
  readonly durations?: readonly number[]
}

/** The state after files of its stage were counted. */
export function withFiles(state: RolloutState, ...counted: readonly CountedFiles[]): RolloutState {
  const delta = createDelta(state.begunAt, defaultTriggers)
  const beganAt = state.stageSince
  for (const { side, files, failures = 0, sizeClass = '64KiB', durations = [100] } of counted) {
    for (let at = 0; at < files; at++) {
      const isSuccess = at >= failures
      const durationMs = isSuccess ? durations[at % durations.length] : undefined
      const bytes = isSuccess ? 1000 : 0
      delta.add({ stage: state.stage, side, isSuccess, bytes, sizeClass, durationMs, beganAt })
    }
  }
  return absorb(state, delta.take(), defaultTriggers)
}

/** A state of the scene's rollout that is under review, at a stage it was begun in. */
export function reviewed(percentage: number): RolloutState {
  const nowMs = Date.now()
  const stage = { percentage, durationMs: 0, minSuccess: 0, minFiles: 0 }
  return underReview(begun(rolloutName, [stage], nowMs), nowMs, 'it is slow')
}
