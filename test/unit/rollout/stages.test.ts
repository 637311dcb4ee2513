import { describe, expect, it } from 'vitest'
import { underReview } from '../../../src/rollout/changes.ts'
import {
  defaultStages,
  nextStage,
  type Stage,
  stageAt,
  timeInStage,
  unmetCriteria,
} from '../../../src/rollout/stages.ts'
import { begunMs, hourMs, stateAt as stateAtStage, withCandidate } from './scene.ts'

describe('the default stages', () => {
  it('last a fortnight and a day of the baseline alone', () => {
    expect(defaultStages.map(({ percentage }) => percentage)).toEqual([0, 1, 10, 50, 100])
    expect(defaultStages.map(({ durationMs }) => durationMs / hourMs)).toEqual([24, 24, 48, 72, 168])
    expect(defaultStages.map(({ minSuccess }) => minSuccess)).toEqual([0, 0.995, 0.99, 0.985, 0.98])
    expect(defaultStages.map(({ minFiles }) => minFiles)).toEqual([0, 200, 200, 200, 200])
  })
})

const stage = (percentage: number): Stage => ({ percentage, durationMs: 0, minSuccess: 0, minFiles: 0 })

describe('stageAt', () => {
  it.each([
    [0, 0],
    [10, 10],
    [100, 100],
    [25, 10],
    [99.9, 50],
  ])('%d is %d', (percentage, expected) => {
    expect(stageAt(defaultStages, percentage).percentage).toBe(expected)
  })

  it('is the first where all are above', () => {
    expect(stageAt([stage(5), stage(50)], 1).percentage).toBe(5)
  })

  it('needs a stage', () => {
    expect(() => stageAt([], 1)).toThrow(RangeError)
  })
})

it.each([
  [0, 1],
  [1, 10],
  [10, 50],
  [50, 100],
  [100, undefined],
  [25, 50],
])('nextStage after %d is %s', (percentage, expected) => {
  expect(nextStage(defaultStages, percentage)?.percentage).toBe(expected)
})

it.each([
  ['at once', 0, 0],
  ['later', 5 * hourMs, 5 * hourMs],
  ['after a clock was set back', -5 * hourMs, 0],
  ['after a clock was set far forward', 4000 * hourMs, 4000 * hourMs],
])('timeInStage %s', (_what, laterMs, expected) => {
  expect(timeInStage(stateAtStage(1), begunMs + laterMs)).toBe(expected)
})

describe('unmetCriteria', () => {
  const day = 24
  const rows: readonly (readonly [stage: number, hours: number, files: number, failures: number, unmet: string[]])[] = [
    [0, 0, 0, 0, ['0 s of 24 h in stage']],
    [0, 23.99, 0, 0, ['23.9 h of 24 h in stage']],
    [0, day, 0, 0, []],
    [0, -3, 0, 0, ['0 s of 24 h in stage']],
    [1, 0.5, 0, 0, ['30 min of 24 h in stage', '0 of 200 candidate files']],
    [1, 10, 150, 0, ['10 h of 24 h in stage', '150 of 200 candidate files']],
    [1, day, 199, 0, ['199 of 200 candidate files']],
    [1, day, 200, 0, []],
    [1, day, 200, 1, []],
    [1, day, 200, 2, ['99 % success, 99.5 % wanted']],
    [1, day, 199, 1, ['199 of 200 candidate files', '99.49 % success, 99.5 % wanted']],
    [10, 48, 1000, 10, []],
    [10, 48, 1000, 11, ['98.9 % success, 99 % wanted']],
    [10, 47, 1000, 18, ['47 h of 48 h in stage', '98.2 % success, 99 % wanted']],
    [50, 72, 200, 3, []],
    [50, 72, 200, 4, ['98 % success, 98.5 % wanted']],
    [100, 168, 200, 4, []],
    [100, 168, 200, 5, ['97.5 % success, 98 % wanted']],
    [100, 168, 100_000, 2001, ['97.99 % success, 98 % wanted']],
  ]
  it.each(rows)('%d percent after %d h, %d files, %d failed', (percentage, hours, files, failures, unmet) => {
    const state = withCandidate(stateAtStage(percentage), files, failures)
    expect(unmetCriteria(state, defaultStages, begunMs + hours * hourMs)).toEqual(unmet)
  })

  it('names a review, with what it is about', () => {
    const state = underReview(withCandidate(stateAtStage(1), 200, 0), begunMs, 'p95 is 131 % of it')
    expect(unmetCriteria(state, defaultStages, begunMs + 24 * hourMs)).toEqual(['under review: p95 is 131 % of it'])
    const unnamed = { ...state, history: [] }
    expect(unmetCriteria(unnamed, defaultStages, begunMs + 24 * hourMs)).toEqual(['under review: its latency'])
  })

  it('goes by the stage below one that is not in the config any more', () => {
    const stages = defaultStages.filter(({ percentage }) => percentage !== 10)
    expect(unmetCriteria(withCandidate(stateAtStage(10), 5, 0), stages, begunMs + 24 * hourMs)).toEqual([
      '5 of 200 candidate files',
    ])
  })
})
