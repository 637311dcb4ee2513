import { describe, expect, it } from 'vitest'
import { completed, promoted, resetState, rolledBack, underReview } from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { parseState } from '../../../src/rollout/state-schema.ts'
import { begunMs, failedLine, fileLine, stateAt, times, withLines } from './scene.ts'

const person = { by: 'person', cause: 'so be it', unmet: ['1 h of 24 h in stage'] } as const
const counted = withLines(stateAt(1), [
  ...times(3, fileLine({ stage: 1, durationMs: 12.345 })),
  failedLine({ stage: 1 }),
  fileLine({ stage: 1, side: 'baseline', size: 50_000_000, durationMs: 4000 }),
])
const state = withLines(promoted(counted, defaultStages, begunMs, person), [fileLine(), failedLine()])

function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

describe('parseState', () => {
  const states: readonly (readonly [string, RolloutState])[] = [
    ['begun', stateAt(0)],
    ['counted and promoted', state],
    ['at a stage with decimals', { ...state, stage: 33.3 }],
    ['under review', underReview(state, begunMs, 'slow')],
    ['rolled back', rolledBack(state, begunMs, { by: 'automatic', cause: '20 of 200' })],
    ['complete', completed(state, begunMs, person)],
    ['reset', resetState(state, defaultStages, begunMs, 'mended')],
  ]
  it.each(states)('takes what was written: %s', (_what, given) => {
    expect(parseState(written(given))).toEqual(written(given))
  })

  const damages: readonly (readonly [place: string, value: unknown])[] = [
    ['version', 0],
    ['version', '1'],
    ['name', ''],
    ['name', 7],
    ['revision', -1],
    ['revision', 1.5],
    ['begunAt', 'yesterday'],
    ['begunAt', '2026-11-20T02:00:00+01:00'],
    ['status', 'paused'],
    ['stage', 101],
    ['stage', '10'],
    ['stageSince', null],
    ['isReviewDecided', 'no'],
    ['figures', {}],
    ['figures.0.stage', -1],
    ['figures.1.stage', 1],
    ['figures.0.candidate.files', 0.5],
    ['figures.0.candidate.failures', 5],
    ['figures.0.candidate.bytes', null],
    ['figures.0.candidate.firstSeen', 5],
    ['figures.0.baseline.lastSeen', 'never'],
    ['figures.0.baseline.latency', {}],
    [
      'figures.0.baseline.latency.larger',
      [
        [5, 1],
        [5, 1],
      ],
    ],
    ['figures.0.baseline.latency.larger', [[5, 0]]],
    ['figures.0.baseline.latency.larger', [[5]]],
    ['figures.0.baseline.latency.larger', [[-1, 1]]],
    ['figures.0.baseline.latency.larger', [['5', 1]]],
    ['figures.0.baseline.latency.larger', [5, 1]],
    ['figures.0.baseline.latency.larger', '5'],
    ['window', 5],
    ['window.0', null],
    ['window.0', [1]],
    ['window.0.sizeClass', '2MiB'],
    ['window.0.durationMs', -1],
    ['window.0.durationMs', '12'],
    ['window.0.more', true],
    ['hours.0.hour', 'noon'],
    ['hours.0.candidate.files', -1],
    ['hours.0.candidate.failures', 500],
    ['hours.0.baseline', null],
    ['history.0.at', 0],
    ['history.0.action', 'demote'],
    ['history.0.by', 'me'],
    ['history.0.from', 200],
    ['history.0.to', null],
    ['history.0.cause', 0],
    ['history.0.unmet', 'none'],
    ['history.0.figures.candidate.files', 'two'],
    ['history.0.figures.candidate.failures', 1],
    ['history.0.figures.candidate.successRate', 2],
    ['history.0.figures.baseline.p50Ms', -1],
    ['history.0.figures.baseline.p95Ms', 'fast'],
    ['more', true],
  ]
  it.each(damages)('refuses another %s: %j', (place, value) => {
    expect(() => parseState(withValue(written(state), place.split('.'), value))).toThrow(/^it is damaged \(.+\)$/)
  })

  it.each(Object.keys(state))('refuses a state without %s', (field) => {
    const { [field]: _, ...rest } = written(state) as Record<string, unknown>
    expect(() => parseState(rest)).toThrow(/^it is damaged/)
  })

  it.each([null, 5, 'state', [], {}])('refuses %j', (value) => {
    expect(() => parseState(value)).toThrow(/^it is damaged/)
  })

  it('says where it is damaged, in one line', () => {
    const damaged = { ...state, stage: 500, name: '', revision: -1, begunAt: 'x' }
    expect(() => parseState(written(damaged))).toThrow(
      /^it is damaged \(name: [^;\n]+; revision: [^;\n]+; begunAt: [^;\n]+\)$/,
    )
    expect(() => parseState(5)).toThrow(/^it is damaged \(the whole: [^\n]+\)$/)
  })

  it('refuses hours and stages that are there twice', () => {
    expect(() => parseState(written({ ...state, hours: [...state.hours, ...state.hours] }))).toThrow(
      /hours: expected each hour once/,
    )
    expect(() => parseState(written({ ...state, figures: state.figures.toReversed() }))).toThrow(
      /figures: expected each stage once/,
    )
  })

  it('refuses what a later program wrote, whatever else is in it', () => {
    expect(() => parseState({ version: 2, lanes: [] })).toThrow(
      'it is of version 2, and this program knows version 1 only: go on with the newer program that wrote it',
    )
  })
})

/** With one value replaced, deep inside. */
function withValue(whole: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  const replaced = (part: unknown): unknown => (rest.length === 0 ? value : withValue(part, rest, value))
  if (Array.isArray(whole)) return whole.map((part, index) => (index === Number(key) ? replaced(part) : part))
  const object = whole as Readonly<Record<string, unknown>>
  return { ...object, [key]: replaced(object[key]) }
}
