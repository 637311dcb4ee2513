import { describe, expect, it } from 'vitest'
import { reviewDecided, underReview } from '../../../src/rollout/changes.ts'
import { watchFailures } from '../../../src/rollout/failure-watch.ts'
import { judge } from '../../../src/rollout/judge.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { begunMs, entry, failedLine, fileLine, outcomeOfLine, stateAt, times, withLines } from './scene.ts'

/** At 10 %, with a window of so many files, the first of them failed. */
function windowOf(files: number, failures: number): RolloutState {
  return stateAt(10, { window: [...times(failures, entry(null)), ...times(files - failures, entry(100))] })
}

describe('the failures that roll back', () => {
  const rows: readonly (readonly [files: number, failures: number, isRolledBack: boolean])[] = [
    [0, 0, false],
    [199, 99, false],
    [199, 11, false],
    [200, 10, false],
    [200, 11, true],
    [500, 25, false],
    [500, 26, true],
    [500, 500, true],
    [99, 99, false],
    [100, 50, false],
    [100, 51, true],
    [101, 51, true],
    [102, 51, false],
  ]
  it.each(rows)('of %d files %d failed: %s', (files, failures, isRolledBack) => {
    expect(judge(windowOf(files, failures), defaultTriggers).is).toBe(isRolledBack ? 'rollback' : 'fine')
  })

  it('are told with their figures and the limit', () => {
    expect(judge(windowOf(200, 11), defaultTriggers)).toEqual({
      is: 'rollback',
      cause: '11 of the last 200 candidate files failed (94.5 % success; 95 % success is the least)',
    })
    expect(judge(windowOf(200, 3), { ...defaultTriggers, maxErrors: 0.01 })).toEqual({
      is: 'rollback',
      cause: '3 of the last 200 candidate files failed (98.5 % success; 1 % errors is the most)',
    })
  })

  it.each([
    [0.95, 0.05, 500, 25],
    [0.999, 0.001, 1000, 1],
    [0.7, 0.3, 500, 150],
    [0.971, 0.029, 1000, 29],
  ])('at exactly %d and %d do not', (minSuccess, maxErrors, files, failures) => {
    const triggers = { ...defaultTriggers, window: 1000, minSuccess, maxErrors }
    expect(judge(windowOf(files, failures), triggers).is).toBe('fine')
    expect(judge(windowOf(files, failures + 1), triggers).is).toBe('rollback')
  })

  it('are those of the last files only', () => {
    const state = stateAt(10, { window: [...times(100, entry(null)), ...times(400, entry(100))] })
    expect(judge(state, { ...defaultTriggers, window: 400 }).is).toBe('fine')
    expect(judge(state, defaultTriggers).is).toBe('rollback')
  })

  it('do nothing to a rollout that has come to its end, but to one under review', () => {
    const failing = windowOf(500, 100)
    expect(judge({ ...failing, status: 'rolled-back' }, defaultTriggers).is).toBe('fine')
    expect(judge({ ...failing, status: 'complete' }, defaultTriggers).is).toBe('fine')
    expect(judge({ ...failing, status: 'review' }, defaultTriggers).is).toBe('rollback')
    expect(judge({ ...failing, isReviewDecided: true }, defaultTriggers).is).toBe('rollback')
  })

  it('may be fewer where somebody says so', () => {
    const strict = { ...defaultTriggers, minFiles: 5, minFilesFailing: 50 }
    expect(judge(windowOf(5, 5), strict).is).toBe('rollback')
    expect(judge(windowOf(4, 4), strict).is).toBe('fine')
  })
})

describe('watchFailures', () => {
  it('comes to what judge comes to, after every single file', () => {
    const random = seededRandom(3)
    let state = stateAt(10)
    const watch = watchFailures(state, defaultTriggers)
    const differing: number[] = []
    for (let file = 0; file < 3000; file += 1) {
      // Better and worse by turns, so that the limit is crossed both ways.
      const hasFailed = random() < 0.05 + 0.04 * Math.sin(file / 150)
      const line = hasFailed ? failedLine() : fileLine()
      state = { ...state, window: [...state.window, entry(hasFailed ? null : 100)].slice(-500) }
      const verdict = judge(state, defaultTriggers)
      const cause = watch.settled(outcomeOfLine(line))
      if (cause !== (verdict.is === 'rollback' ? verdict.cause : undefined)) differing.push(file)
    }
    expect(differing).toEqual([])
  })

  it('goes on from the window that is there', () => {
    const watch = watchFailures(windowOf(199, 10), defaultTriggers)
    expect(watch.settled(outcomeOfLine(fileLine()))).toBeUndefined()
    expect(watch.settled(outcomeOfLine(failedLine()))).toMatch(/^11 of the last 201 candidate files failed/)
  })

  it('takes the last of a window that is longer than its own', () => {
    const state = stateAt(10, { window: [...times(300, entry(null)), ...times(200, entry(100))] })
    expect(watchFailures(state, { ...defaultTriggers, window: 200 }).settled(outcomeOfLine(fileLine()))).toBeUndefined()
  })

  it.each([
    ['of the baseline', failedLine({ side: 'baseline' })],
    ['of another stage', failedLine({ stage: 1 })],
  ])('passes over files %s', (_what, line) => {
    const watch = watchFailures(windowOf(300, 15), defaultTriggers)
    for (let file = 0; file < 300; file += 1) expect(watch.settled(outcomeOfLine(line))).toBeUndefined()
    expect(watch.settled(outcomeOfLine(failedLine()))).toBeDefined()
  })

  it.each(['rolled-back', 'complete'] as const)('says nothing of a rollout that is %s', (status) => {
    const watch = watchFailures({ ...windowOf(500, 400), status }, defaultTriggers)
    expect(watch.settled(outcomeOfLine(failedLine()))).toBeUndefined()
  })
})

describe('the latency that asks for a review', () => {
  interface Scene {
    readonly stage?: number
    readonly size?: number
    /** Files and their duration. */
    readonly candidate: readonly [number, number]
    readonly baseline?: readonly [number, number]
    /** The same by earlier stages. */
    readonly before?: Readonly<Record<number, readonly [number, number]>>
  }
  const scene = ({ stage = 10, size = 1000, candidate, baseline = [0, 0], before = {} }: Scene): RolloutState => {
    const lines = ([files, durationMs]: readonly [number, number], side: 'candidate' | 'baseline', at: number) =>
      times(files, fileLine({ stage: at, side, size, durationMs }))
    return withLines(stateAt(stage), [
      ...Object.entries(before).flatMap(([earlier, durations]) => lines(durations, 'baseline', Number(earlier))),
      ...lines(candidate, 'candidate', stage),
      ...lines(baseline, 'baseline', stage),
    ])
  }

  const rows: readonly (readonly [string, Scene, 'review' | 'fine'])[] = [
    ['as fast', { candidate: [200, 100], baseline: [200, 100] }, 'fine'],
    ['exactly 120 percent', { candidate: [200, 120], baseline: [200, 100] }, 'fine'],
    ['exactly 120 percent of something else', { candidate: [200, 1200.12], baseline: [200, 1000.1] }, 'fine'],
    ['122 percent', { candidate: [200, 122], baseline: [200, 100] }, 'review'],
    ['130 percent', { candidate: [200, 130], baseline: [200, 100] }, 'review'],
    ['130 percent of too few', { candidate: [199, 130], baseline: [2000, 100] }, 'fine'],
    ['130 percent of too few of the baseline', { candidate: [200, 130], baseline: [199, 100] }, 'fine'],
    ['130 percent at 100', { stage: 100, candidate: [200, 130], before: { 1: [150, 100], 50: [50, 100] } }, 'review'],
    [
      'at 100, with too few before',
      { stage: 100, candidate: [200, 130], before: { 1: [150, 100], 50: [49, 100] } },
      'fine',
    ],
    [
      'at 100, with a few of the baseline there',
      { stage: 100, candidate: [200, 130], baseline: [9, 900], before: { 50: [200, 100] } },
      'review',
    ],
    [
      'at 100, with enough of the baseline there',
      { stage: 100, candidate: [200, 130], baseline: [200, 900], before: { 50: [200, 100] } },
      'fine',
    ],
    [
      'at 10, with too few of the baseline there',
      { candidate: [200, 130], baseline: [9, 100], before: { 1: [900, 100] } },
      'fine',
    ],
    ['at 10, with none of the baseline there', { candidate: [200, 130], before: { 1: [900, 100] } }, 'review'],
    ['without anything to compare with', { candidate: [200, 130] }, 'fine'],
    ['of other sizes', { size: 20_000_000, candidate: [200, 130_000], baseline: [200, 100_000] }, 'review'],
    ['that took no time at all', { candidate: [200, 1], baseline: [200, 0] }, 'fine'],
  ]
  it.each(rows)('%s', (_what, what, expected) => {
    expect(judge(scene(what), defaultTriggers).is).toBe(expected)
  })

  it('is that of the slowest files, of one size class', () => {
    const slow = (files: number): RolloutState =>
      withLines(stateAt(10), [
        ...times(200, fileLine({ side: 'baseline', durationMs: 100 })),
        ...times(500 - files, fileLine({ durationMs: 100 })),
        ...times(files, fileLine({ durationMs: 500 })),
      ])
    expect(judge(slow(25), defaultTriggers).is).toBe('fine')
    expect(judge(slow(26), defaultTriggers).is).toBe('review')
    const mixed = withLines(stateAt(10), [
      ...times(200, fileLine({ side: 'baseline', durationMs: 100 })),
      ...times(200, fileLine({ durationMs: 100 })),
      ...times(200, fileLine({ durationMs: 5000, size: 20_000_000 })),
    ])
    expect(judge(mixed, defaultTriggers).is).toBe('fine')
  })

  it('is told with its figures and the limit', () => {
    expect(judge(scene({ candidate: [200, 131], baseline: [200, 100] }), defaultTriggers)).toEqual({
      is: 'review',
      cause: "p95 of files of up to 64 KiB is 131 ms, 131 % of the baseline's (120 % is the most)",
    })
    const atAll = scene({ stage: 100, candidate: [200, 131], before: { 50: [200, 100] } })
    expect(judge(atAll, defaultTriggers)).toMatchObject({
      cause: expect.stringContaining("of the baseline's in earlier stages (120 % is the most)"),
    })
  })

  it('asks once in a stage', () => {
    const state = scene({ candidate: [200, 130], baseline: [200, 100] })
    const review = underReview(state, begunMs, 'slow')
    expect(judge(review, defaultTriggers).is).toBe('fine')
    const decided = reviewDecided(review, begunMs, { by: 'person', cause: 'it may be' })
    expect(judge(decided, defaultTriggers).is).toBe('fine')
  })
})
