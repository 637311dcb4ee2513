import { describe, expect, it } from 'vitest'
import {
  begun,
  completed,
  notAheadOf,
  promoted,
  resetState,
  reviewDecided,
  rolledBack,
  underReview,
} from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import { begunMs, failedLine, fileLine, hourMs, stateAt, times, withCandidate, withLines } from './scene.ts'

const since = new Date(begunMs).toISOString()
const laterMs = begunMs + 30 * hourMs
const later = new Date(laterMs).toISOString()
const none = { files: 0, failures: 0, successRate: null, p50Ms: null, p95Ms: null }
const person = { by: 'person', cause: 'it looks good' } as const

it('begun is at the first stage, with nothing counted', () => {
  expect(begun('nightly', defaultStages, begunMs)).toEqual({
    version: 1,
    name: 'nightly',
    revision: 0,
    begunAt: since,
    status: 'active',
    stage: 0,
    stageSince: since,
    isReviewDecided: false,
    figures: [],
    window: [],
    hours: [],
    history: [
      {
        at: since,
        action: 'begin',
        by: 'automatic',
        from: 0,
        to: 0,
        cause: 'the first run',
        figures: { candidate: none, baseline: none },
      },
    ],
  })
  expect(begun('nightly', defaultStages.slice(2), begunMs)).toMatchObject({ stage: 10, history: [{ from: 0, to: 10 }] })
})

describe('promoted', () => {
  const before = withLines(stateAt(10, { status: 'review', isReviewDecided: true }), [
    ...times(99, fileLine({ durationMs: 100 })),
    failedLine(),
    fileLine({ side: 'baseline', durationMs: 0.05 }),
  ])
  const after = promoted(before, defaultStages, laterMs, { ...person, unmet: ['100 of 200 candidate files'] })

  it('is at the next stage, with its figures kept and its window empty', () => {
    expect(after).toEqual({
      ...before,
      status: 'active',
      stage: 50,
      stageSince: later,
      isReviewDecided: false,
      window: [],
      history: [...before.history, after.history.at(-1)],
    })
  })

  it('records who, why, what was not met, and the figures of the stage it leaves', () => {
    expect(after.history.at(-1)).toEqual({
      at: later,
      action: 'promote',
      by: 'person',
      from: 10,
      to: 50,
      cause: 'it looks good',
      unmet: ['100 of 200 candidate files'],
      figures: {
        candidate: { files: 100, failures: 1, successRate: 0.99, p50Ms: 99.84, p95Ms: 99.84 },
        baseline: { files: 1, failures: 0, successRate: 1, p50Ms: 0.05, p95Ms: 0.05 },
      },
    })
  })

  it('says nothing of criteria where all are met', () => {
    expect(promoted(before, defaultStages, laterMs, { ...person, unmet: [] }).history.at(-1)).not.toHaveProperty(
      'unmet',
    )
  })

  it('is not to be had of the last stage', () => {
    expect(() => promoted(stateAt(100), defaultStages, laterMs, person)).toThrow('there is no stage after 100 %')
  })
})

describe('rolledBack', () => {
  const before = withCandidate(stateAt(50), 200, 20)
  const after = rolledBack(before, laterMs, { by: 'automatic', cause: '20 of the last 200' })

  it('keeps the stage it had come to, and what was counted', () => {
    expect(after).toEqual({ ...before, status: 'rolled-back', history: [...before.history, after.history.at(-1)] })
    expect(after.history.at(-1)).toMatchObject({
      action: 'rollback',
      by: 'automatic',
      from: 50,
      to: 0,
      cause: '20 of the last 200',
      figures: { candidate: { files: 200, failures: 20, successRate: 0.9 } },
    })
  })

  it('is the very same where it was so already', () => {
    expect(rolledBack(after, laterMs, person)).toBe(after)
  })
})

describe('a review', () => {
  const before = stateAt(10)
  const review = underReview(before, laterMs, 'slow')

  it('is recorded, at the stage it is in', () => {
    expect(review).toMatchObject({ status: 'review', stage: 10, stageSince: since })
    expect(review.history.at(-1)).toMatchObject({ action: 'review', by: 'automatic', from: 10, to: 10, cause: 'slow' })
  })

  it('is over for the stage when somebody has decided it', () => {
    const decided = reviewDecided(review, laterMs, person)
    expect(decided).toMatchObject({ status: 'active', isReviewDecided: true, stage: 10 })
    expect(decided.history.at(-1)).toMatchObject({ action: 'review', by: 'person', cause: 'it looks good' })
    expect(underReview(decided, laterMs, 'slow')).toBe(decided)
    expect(promoted(decided, defaultStages, laterMs, person).isReviewDecided).toBe(false)
  })

  it.each(['review', 'rolled-back', 'complete'] as const)('is not begun where it is %s', (status) => {
    const state = stateAt(10, { status })
    expect(underReview(state, laterMs, 'slow')).toBe(state)
  })
})

describe('resetState', () => {
  const before = rolledBack(withCandidate(stateAt(50), 200, 20), begunMs, { by: 'automatic', cause: '20 of 200' })

  it('begins anew, and keeps the history', () => {
    const after = resetState({ ...before, revision: 12 }, defaultStages, laterMs, 'mended')
    expect(after).toEqual({
      ...begun('nightly', defaultStages, laterMs),
      revision: 12,
      history: [...before.history, after.history.at(-1)],
    })
    expect(after.history.at(-1)).toMatchObject({
      at: later,
      action: 'reset',
      by: 'person',
      from: 50,
      to: 0,
      cause: 'mended',
      figures: { candidate: { files: 200 } },
    })
  })

  it('is told from before by its beginning, though the clock has not moved', () => {
    expect(resetState(before, defaultStages, begunMs, 'mended').begunAt).not.toBe(before.begunAt)
  })
})

it('completed gives everything to the candidate', () => {
  const after = completed(stateAt(100), laterMs, { ...person, unmet: ['1 h of 168 h in stage'] })
  expect(after.status).toBe('complete')
  expect(after.history.at(-1)).toMatchObject({
    action: 'complete',
    from: 100,
    to: 100,
    unmet: ['1 h of 168 h in stage'],
  })
  expect(completed(stateAt(10), laterMs, person).history.at(-1)).toMatchObject({ from: 10, to: 100 })
})

describe('notAheadOf', () => {
  it('lets a stage begin now that began later than now, because a clock was set back', () => {
    const state = stateAt(10)
    const earlier = begunMs - 240 * hourMs
    expect(notAheadOf(state, earlier)).toEqual({ ...state, stageSince: new Date(earlier).toISOString() })
  })

  it.each([0, 1, 5000 * hourMs])('leaves the very same state %d ms later', (afterMs) => {
    const state = stateAt(10)
    expect(notAheadOf(state, begunMs + afterMs)).toBe(state)
  })
})

describe('the history', () => {
  it('keeps the last changes, and so much of a cause', () => {
    let state = stateAt(0)
    for (let change = 0; change < 450; change += 1)
      state = reviewDecided(state, laterMs, { ...person, cause: `no. ${change}` })
    expect(state.history).toHaveLength(200)
    expect(state.history.at(-1)?.cause).toBe('no. 449')
    expect(reviewDecided(state, laterMs, { ...person, cause: 'x'.repeat(5000) }).history.at(-1)?.cause).toHaveLength(
      300,
    )
  })
})
