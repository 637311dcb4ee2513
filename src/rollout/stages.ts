import { figuresOf, successRateOf } from './stage-figures.ts'
import type { RolloutState } from './state.ts'
import { candidateFiles, inHours, inPercent } from './words.ts'

/** A step of a rollout: how many files go to the candidate, and what has to hold before the next step. */
export interface Stage {
  /** Share of the files that the candidate gets, from 0 to 100; names the stage, too. */
  readonly percentage: number
  /** How long it lasts at the least, in milliseconds. */
  readonly durationMs: number
  /** Share of the candidate's files that have to succeed, from 0 to 1; 0 where it gets none. */
  readonly minSuccess: number
  /** Files the candidate must have had; 0 where it gets none. */
  readonly minFiles: number
}

const hourMs = 3_600_000

/** Where nobody says otherwise: a fortnight from the first file to all of them. */
export const defaultStages: readonly Stage[] = [
  { percentage: 0, durationMs: 24 * hourMs, minSuccess: 0, minFiles: 0 },
  { percentage: 1, durationMs: 24 * hourMs, minSuccess: 0.995, minFiles: 200 },
  { percentage: 10, durationMs: 48 * hourMs, minSuccess: 0.99, minFiles: 200 },
  { percentage: 50, durationMs: 72 * hourMs, minSuccess: 0.985, minFiles: 200 },
  { percentage: 100, durationMs: 168 * hourMs, minSuccess: 0.98, minFiles: 200 },
]

/** What rates may be off by: they are quotients, and so are the limits. */
export const rounding = 1e-9

/**
 * The stage that a state is in: the one of its percentage, or, where somebody has taken that one out of the config, the
 * largest below it, or else the first.
 *
 * @param stages at least one, by rising percentage
 */
export function stageAt(stages: readonly Stage[], percentage: number): Stage {
  const stage = stages.findLast((each) => each.percentage <= percentage) ?? stages[0]
  if (stage === undefined) throw new RangeError('a rollout has at least one stage')
  return stage
}

/** The stage after the one of a percentage; undefined after the last. */
export function nextStage(stages: readonly Stage[], percentage: number): Stage | undefined {
  return stages.find((each) => each.percentage > percentage)
}

/** How long a state has been in its stage, in milliseconds; 0 where a clock was set back since. */
export function timeInStage({ stageSince }: Pick<RolloutState, 'stageSince'>, nowMs: number): number {
  return Math.max(0, nowMs - Date.parse(stageSince))
}

/** What stands against leaving the stage a state is in, one line each; nothing where its criteria are met. */
export function unmetCriteria(state: RolloutState, stages: readonly Stage[], nowMs: number): readonly string[] {
  const { durationMs, minSuccess, minFiles } = stageAt(stages, state.stage)
  const { candidate } = figuresOf(state, state.stage)
  const unmet: string[] = []
  const inStageMs = timeInStage(state, nowMs)
  if (inStageMs < durationMs) unmet.push(`${inHours(inStageMs)} of ${inHours(durationMs)} in stage`)
  if (candidate.files < minFiles) unmet.push(`${candidate.files} of ${candidateFiles(minFiles)}`)
  const successRate = successRateOf(candidate)
  if (successRate !== null && successRate < minSuccess - rounding) {
    unmet.push(`${inPercent(successRate)} success, ${inPercent(minSuccess)} wanted`)
  }
  if (state.status === 'review') unmet.push(`under review: ${causeOfReview(state)}`)
  return unmet
}

function causeOfReview({ history }: RolloutState): string {
  return history.findLast(({ action }) => action === 'review')?.cause ?? 'its latency'
}
