import { describe, expect, it } from 'vitest'
import { begun, completed, promoted, reviewDecided, rolledBack, underReview } from '../../../src/rollout/changes.ts'
import { type Decision, decide, type RolloutCommand, type Wish } from '../../../src/rollout/decisions.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { hourMs, withFiles } from '../../support/rollout-state.ts'

const startMs = Date.UTC(2026, 10, 20)
const stages = [
  { percentage: 0, durationMs: 24 * hourMs, minSuccess: 0, minFiles: 0 },
  { percentage: 10, durationMs: 24 * hourMs, minSuccess: 0.99, minFiles: 200 },
  { percentage: 100, durationMs: 24 * hourMs, minSuccess: 0.98, minFiles: 200 },
]
const reason = { by: 'automatic', cause: 'all criteria met' } as const

const first = begun('r', stages, startMs)
const atTen = promoted(first, stages, startMs, reason)
const good = withFiles(atTen, { side: 'candidate', files: 200 })
const atAll = withFiles(promoted(good, stages, startMs, reason), { side: 'candidate', files: 200 })
const reviewed = underReview(good, startMs, 'slow')
const reviewedLast = underReview(atAll, startMs, 'slow')
const back = rolledBack(good, startMs, reason)
const closed = completed(atAll, startMs, reason)

const forced: Wish = { force: true, why: 'we know' }

function decided(command: RolloutCommand, state: RolloutState | undefined, hours: number, wish?: Wish): Decision {
  return decide(
    command,
    state,
    { name: 'r', stages },
    startMs + hours * hourMs,
    wish ?? { force: false, why: undefined },
  )
}

const waitFor = (command: string): string =>
  `wait (upload rollout status), or go on all the same: upload rollout ${command} --force --why TEXT`
const anew = 'upload rollout status says why; once that is mended, begin anew: upload rollout reset'

describe('refused', () => {
  it.each<[string, RolloutCommand, RolloutState | undefined, number, string, readonly string[], string]>([
    [
      'before any run',
      'promote',
      undefined,
      0,
      'not promoted from 0 % to 10 %',
      ['0 s of 24 h in stage'],
      waitFor('promote'),
    ],
    [
      'too early',
      'promote',
      first,
      23.5,
      'not promoted from 0 % to 10 %',
      ['23.5 h of 24 h in stage'],
      waitFor('promote'),
    ],
    [
      'with too few files',
      'promote',
      withFiles(atTen, { side: 'candidate', files: 199 }),
      24,
      'not promoted from 10 % to 100 %',
      ['199 of 200 candidate files'],
      waitFor('promote'),
    ],
    [
      'for all there is',
      'promote',
      underReview(withFiles(atTen, { side: 'candidate', files: 100, failures: 2 }), startMs, 'slow'),
      10,
      'not promoted from 10 % to 100 %',
      ['10 h of 24 h in stage', '100 of 200 candidate files', '98 % success, 99 % wanted', 'under review: slow'],
      waitFor('promote'),
    ],
    [
      'while under review',
      'promote',
      reviewed,
      24,
      'not promoted from 10 % to 100 %',
      ['under review: slow'],
      waitFor('promote'),
    ],
    [
      'at the end',
      'promote',
      atAll,
      24,
      'not promoted: 100 % is the last stage',
      [],
      'once its criteria are met: upload rollout complete',
    ],
    [
      'at the end, under review',
      'promote',
      reviewedLast,
      24,
      'not promoted: 100 % is the last stage',
      ['under review: slow'],
      'look at upload rollout status, and decide: upload rollout promote --force --why TEXT',
    ],
    [
      'before the end',
      'complete',
      good,
      24,
      'not complete',
      ['at 10 %, and the last stage is 100 %'],
      waitFor('complete'),
    ],
    ['too early, at the end', 'complete', atAll, 3, 'not complete', ['3 h of 24 h in stage'], waitFor('complete')],
  ])('%s: %s', (_, command, state, hours, said, unmet, remedy) => {
    expect(decided(command, state, hours)).toMatchObject({ is: 'refused', said, unmet, remedy })
  })

  it.each<[RolloutCommand, RolloutState, string, string]>([
    ['promote', back, 'not promoted: the rollout was rolled back from 10 %', anew],
    ['promote', closed, 'not promoted: the rollout is complete', 'to begin anew: upload rollout reset'],
    ['complete', back, 'not complete: the rollout was rolled back from 10 %', anew],
    [
      'rollback',
      closed,
      'not rolled back: the rollout is complete',
      "put the baseline's settings back into the config, or begin anew: upload rollout reset",
    ],
  ])('%s, forced or not', (command, state, said, remedy) => {
    const refusal = { is: 'refused', state, said, unmet: [], remedy }
    expect(decided(command, state, 1000)).toEqual(refusal)
    expect(decided(command, state, 1000, forced)).toEqual(refusal)
  })
})

describe('done', () => {
  it.each<[string, RolloutCommand, RolloutState | undefined, Wish | undefined, string, object, object]>([
    [
      'with all criteria met',
      'promote',
      good,
      undefined,
      'promoted from 10 % to 100 %',
      { status: 'active', stage: 100 },
      { action: 'promote', by: 'person', cause: 'all criteria met', from: 10, to: 100 },
    ],
    [
      'in the words of who did it',
      'promote',
      good,
      { force: false, why: 'it is time' },
      'promoted from 10 % to 100 %',
      { status: 'active', stage: 100 },
      { action: 'promote', by: 'person', cause: 'it is time' },
    ],
    [
      'against the criteria',
      'promote',
      underReview(atTen, startMs, 'slow'),
      forced,
      'promoted from 10 % to 100 %',
      { status: 'active', stage: 100 },
      { action: 'promote', by: 'person', cause: 'we know', unmet: ['0 of 200 candidate files', 'under review: slow'] },
    ],
    [
      'before any run',
      'promote',
      undefined,
      forced,
      'promoted from 0 % to 10 %',
      { status: 'active', stage: 10 },
      { action: 'promote', cause: 'we know', unmet: ['0 s of 24 h in stage'] },
    ],
    [
      'at the end, where that decides a review',
      'promote',
      reviewedLast,
      forced,
      'the review is decided; 100 % is the last stage',
      { status: 'active', stage: 100, isReviewDecided: true },
      { action: 'review', by: 'person', cause: 'we know', from: 100, to: 100 },
    ],
    [
      'without a word',
      'rollback',
      good,
      undefined,
      'rolled back from 10 % to 0 %; runs that are going follow within 5 s',
      { status: 'rolled-back', stage: 10 },
      { action: 'rollback', by: 'person', cause: 'asked for by hand', from: 10, to: 0 },
    ],
    [
      'before any run, so that none takes part',
      'rollback',
      undefined,
      { force: false, why: 'not yet' },
      'rolled back from 0 % to 0 %; runs that are going follow within 5 s',
      { status: 'rolled-back', stage: 0 },
      { action: 'rollback', cause: 'not yet' },
    ],
    [
      'after a rollback',
      'reset',
      back,
      { force: false, why: 'mended' },
      'begun anew at 0 %; nothing is counted yet, the history is kept',
      { status: 'active', stage: 0, figures: [], window: [] },
      { action: 'reset', by: 'person', cause: 'mended', from: 10, to: 0 },
    ],
    [
      'where nothing is there',
      'reset',
      undefined,
      undefined,
      'begun at 0 %',
      { status: 'active', stage: 0 },
      { action: 'begin' },
    ],
    [
      'with all criteria met',
      'complete',
      atAll,
      undefined,
      'complete: every file goes by the candidate',
      { status: 'complete' },
      { action: 'complete', by: 'person', cause: 'all criteria met' },
    ],
    [
      'before its time',
      'complete',
      good,
      forced,
      'complete: every file goes by the candidate',
      { status: 'complete' },
      { action: 'complete', cause: 'we know', unmet: ['at 10 %, and the last stage is 100 %'] },
    ],
  ])('%s: %s', (_, command, state, wish, said, after, change) => {
    const hours = state === undefined ? 0 : 24
    const decision = decided(command, state, hours, wish)
    expect(decision).toMatchObject({ is: 'changed', said, state: after })
    expect(decision.state.history.at(-1)).toMatchObject(change)
    const kept = state?.history ?? decision.state.history.slice(0, -1)
    expect(decision.state.history.slice(0, -1)).toEqual(kept)
  })

  it('already', () => {
    const said = 'rolled back already, from 10 %'
    expect(decided('rollback', back, 1)).toEqual({ is: 'unchanged', state: back, said })
    expect(decided('complete', closed, 1)).toEqual({ is: 'unchanged', state: closed, said: 'complete already' })
  })

  it('for good: a review that is decided does not stand against the next step', () => {
    const passed = reviewDecided(reviewed, startMs, { by: 'person', cause: 'fine' })
    expect(decided('promote', passed, 24)).toMatchObject({ is: 'changed' })
  })
})
