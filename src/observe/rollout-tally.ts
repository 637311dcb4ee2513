import { countedSide, resultOf } from '../rollout/outcome.ts'
import type { FileRecord, SideCounts, SummaryRollout } from './records.ts'

/** Adds up what a run's files say of the two sides of a rollout, by the rules that the rollout itself counts by. */
export interface RolloutTally {
  /** Told of each file that has a side, or fell back. */
  see(file: FileRecord): void
  /** Undefined where no file had anything to say. */
  summary(name: string): SummaryRollout | undefined
}

type Counts = { -readonly [K in keyof SideCounts]: SideCounts[K] }

export function createRolloutTally(): RolloutTally {
  const candidate: Counts = { succeeded: 0, failed: 0 }
  const baseline: Counts = { succeeded: 0, failed: 0 }
  let fellBack = 0
  return {
    see(file) {
      if (file.fallback !== undefined) fellBack += 1
      const result = resultOf(file)
      if (result === undefined) return
      const counted = countedSide(file) === 'candidate' ? candidate : baseline
      counted[result === 'success' ? 'succeeded' : 'failed'] += 1
    },
    summary(name) {
      const all = candidate.succeeded + candidate.failed + baseline.succeeded + baseline.failed + fellBack
      return all === 0 ? undefined : { name, candidate, baseline, fellBack }
    },
  }
}
