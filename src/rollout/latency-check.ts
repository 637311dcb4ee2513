import type { LatencyCounter } from './latency-buckets.ts'
import { type SizeClass, sizeClasses } from './outcome.ts'
import { latencyOf } from './side-figures.ts'
import { figuresOf } from './stage-figures.ts'
import { rounding } from './stages.ts'
import type { RolloutState } from './state.ts'
import type { Triggers } from './triggers.ts'

type LatencyTriggers = Pick<Triggers, 'window' | 'minFiles' | 'maxLatencyRatio'>

/** A baseline's latency to compare with. */
export interface Reference {
  readonly latency: LatencyCounter
  /** It is that of all stages before this one, which leaves the baseline no such files. */
  readonly isEarlier: boolean
}

/** How the p95 latencies of one size class compare. */
export interface ClassLatency {
  readonly sizeClass: SizeClass
  /** Files that are compared: the candidate's of the window that arrived, and the baseline's. */
  readonly candidateFiles: number
  readonly baselineFiles: number
  readonly candidateP95Ms: number | null
  readonly baselineP95Ms: number | null
  /** The candidate's by the baseline's, the latter rounded up: null where either is not known, or there are too few. */
  readonly ratio: number | null
  readonly isEarlier: boolean
}

const small: Readonly<Record<SizeClass, string>> = {
  '64KiB': 'files of up to 64 KiB',
  '1MiB': 'files of up to 1 MiB',
  '16MiB': 'files of up to 16 MiB',
  larger: 'files of more than 16 MiB',
}

/** Why a person has to look at the candidate's latency: the first size class where it is too slow; undefined for none. */
export function slowClass(state: RolloutState, triggers: LatencyTriggers): string | undefined {
  for (const { sizeClass, candidateP95Ms, ratio, isEarlier } of compareLatency(state, triggers)) {
    if (ratio === null || ratio <= triggers.maxLatencyRatio + rounding) continue
    const [is, most] = [Math.ceil(ratio * 100), Math.round(triggers.maxLatencyRatio * 100)]
    const whose = isEarlier ? "the baseline's in earlier stages" : "the baseline's"
    return `p95 of ${small[sizeClass]} is ${Math.round(candidateP95Ms ?? 0)} ms, ${is} % of ${whose} (${most} % is the most)`
  }
  return undefined
}

/** All size classes, by rising size. */
export function compareLatency(state: RolloutState, triggers: LatencyTriggers): readonly ClassLatency[] {
  const window = state.window.slice(-triggers.window)
  return sizeClasses.map((sizeClass) => {
    const durations = window.flatMap((entry) => (entry.sizeClass === sizeClass ? (entry.durationMs ?? []) : []))
    const { latency: baseline, isEarlier } = referenceFor(state, triggers, sizeClass)
    const candidateP95Ms = percentileOf(durations, 95)
    const atMostMs = baseline.percentileAtMost(95)
    const enough = durations.length >= triggers.minFiles && baseline.count >= triggers.minFiles
    return {
      sizeClass,
      candidateFiles: durations.length,
      baselineFiles: baseline.count,
      candidateP95Ms,
      baselineP95Ms: baseline.percentile(95),
      // A candidate is never held to be slower than it is: a figure of the baseline's is known to its bucket only.
      ratio: enough && candidateP95Ms !== null && atMostMs !== null && atMostMs > 0 ? candidateP95Ms / atMostMs : null,
      isEarlier,
    }
  })
}

/** The baseline's figures that a class of the candidate's is compared with; of all classes, where none is named. */
export function referenceFor(
  state: Pick<RolloutState, 'stage' | 'figures'>,
  { minFiles }: Pick<Triggers, 'minFiles'>,
  sizeClass?: SizeClass,
): Reference {
  const latency = latencyOf([figuresOf(state, state.stage).baseline], sizeClass)
  // Runs that are given another share than the stage's may leave the baseline a few files at 100 %, too.
  if (latency.count >= (state.stage === 100 ? minFiles : 1)) return { latency, isEarlier: false }
  const stagesBefore = state.figures.filter(({ stage }) => stage < state.stage)
  const earlier = latencyOf(
    stagesBefore.map(({ baseline }) => baseline),
    sizeClass,
  )
  return earlier.count === 0 ? { latency, isEarlier: false } : { latency: earlier, isEarlier: true }
}

/** By the nearest rank; null of none. */
function percentileOf(values: readonly number[], percent: number): number | null {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null
}
