import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../src/observe/records.ts'
import { completed, promoted, reviewDecided, rolledBack, underReview } from '../../../src/rollout/changes.ts'
import { outcomeOf } from '../../../src/rollout/outcome.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { type RolloutStatus, statusOf } from '../../../src/rollout/status.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { begunMs, failedLine, fileLine, hourMs, stateAt, times, withCandidate, withLines } from './scene.ts'

const rollout = { name: 'nightly', stages: defaultStages, triggers: defaultTriggers, auto: false }
const person = { by: 'person', cause: 'so be it' } as const

function status(state: RolloutState | undefined, hours: number, auto = false): RolloutStatus {
  return statusOf(state, { ...rollout, auto }, begunMs + hours * hourMs)
}

describe('where it stands', () => {
  const good = withCandidate(stateAt(10), 300, 0)
  const last = withCandidate(stateAt(100), 300, 0)
  const rows: readonly (readonly [string, RolloutState | undefined, number, boolean, Partial<RolloutStatus>])[] = [
    [
      'no run has taken part',
      undefined,
      0,
      false,
      {
        state: 'baseline',
        stage: 0,
        percentage: 0,
        since: null,
        next: 1,
        unmet: ['0 s of 24 h in stage'],
        verdict: 'wait',
        advice: 'wait; when its criteria are met: upload rollout promote',
        history: [],
        figures: [],
        hours: [],
      },
    ],
    [
      'at stage 0',
      stateAt(0),
      25,
      true,
      {
        state: 'baseline',
        percentage: 0,
        inStageMs: 25 * hourMs,
        unmet: [],
        verdict: 'ready',
        advice: 'the next run promotes it to 1 %',
      },
    ],
    [
      'running',
      good,
      10,
      true,
      {
        state: 'running',
        stage: 10,
        percentage: 10,
        next: 50,
        since: '2026-11-20T02:00:00.000Z',
        required: { durationMs: 48 * hourMs, minSuccess: 0.99, minFiles: 200 },
        unmet: ['10 h of 48 h in stage'],
        verdict: 'wait',
        advice: 'wait; a run promotes it to 50 % when its criteria are met',
      },
    ],
    ['ready', good, 48, false, { state: 'running', unmet: [], verdict: 'ready', advice: 'upload rollout promote' }],
    [
      'waiting in the last stage',
      last,
      1,
      true,
      {
        percentage: 100,
        next: null,
        verdict: 'wait',
        advice: 'wait; when its criteria are met: upload rollout complete',
      },
    ],
    ['ready in the last stage', last, 168, true, { next: null, verdict: 'ready', advice: 'upload rollout complete' }],
    [
      'under review',
      underReview(good, begunMs, 'p95 is 131 %'),
      48,
      true,
      {
        state: 'review',
        percentage: 10,
        unmet: ['under review: p95 is 131 %'],
        verdict: 'review',
        advice: 'decide (p95 is 131 %): upload rollout promote --force --why TEXT, or upload rollout rollback',
      },
    ],
    [
      'reviewed',
      reviewDecided(underReview(good, begunMs, 'slow'), begunMs, person),
      48,
      true,
      { state: 'running', verdict: 'ready' },
    ],
    [
      'rolled back',
      rolledBack(good, begunMs, { by: 'automatic', cause: '20 of 200 failed' }),
      48,
      true,
      {
        state: 'rolled-back',
        stage: 10,
        percentage: 0,
        unmet: [],
        verdict: 'rolled-back',
        advice: 'rolled back (20 of 200 failed); once that is mended: upload rollout reset',
      },
    ],
    [
      'complete',
      completed(last, begunMs, person),
      0,
      true,
      {
        state: 'complete',
        percentage: 100,
        unmet: [],
        verdict: 'complete',
        advice: 'make the candidate the baseline in the config: upload rollout complete prints it',
      },
    ],
  ]
  it.each(rows)('%s', (_what, state, hours, auto, expected) => {
    expect(status(state, hours, auto)).toMatchObject(expected)
  })

  it('has advice where the history is gone', () => {
    expect(status({ ...stateAt(10), status: 'review', history: [] }, 1).advice).toContain('no cause is known')
  })
})

describe('its figures', () => {
  it('are the current stage’s by side, and the window’s', () => {
    const state = withLines(stateAt(10), [
      ...times(198, fileLine({ durationMs: 182, size: 500 })),
      ...times(2, failedLine()),
      ...times(400, fileLine({ side: 'baseline', durationMs: 201, size: 500 })),
    ])
    const { candidate, baseline, p95Ratio, window, sizeClasses } = status(state, 1)
    const seen = '2026-11-20T02:00:00.000Z'
    expect(candidate).toEqual({
      files: 200,
      failures: 2,
      successRate: 0.99,
      bytes: 99_000,
      p50Ms: 181.248,
      p95Ms: 181.248,
      firstSeen: seen,
      lastSeen: seen,
    })
    expect(baseline).toMatchObject({
      files: 400,
      failures: 0,
      successRate: 1,
      p95Ms: 201.728,
      latencyFrom: 'this stage',
    })
    expect(p95Ratio).toBeCloseTo(181.248 / 201.728, 10)
    expect(window).toEqual({ files: 200, failures: 2, successRate: 0.99 })
    expect(sizeClasses[0]).toEqual({
      sizeClass: '64KiB',
      candidateFiles: 198,
      baselineFiles: 400,
      candidateP95Ms: 182,
      baselineP95Ms: 201.728,
      ratio: null,
      isEarlier: false,
    })
    expect(sizeClasses.map(({ sizeClass }) => sizeClass)).toEqual(['64KiB', '1MiB', '16MiB', 'larger'])
  })

  it('take the baseline’s latency from earlier stages where this one has none, and say so', () => {
    const state = withLines(stateAt(100), [
      fileLine({ stage: 10, side: 'baseline', durationMs: 100 }),
      fileLine({ stage: 50, side: 'baseline', durationMs: 300 }),
      fileLine({ stage: 100, durationMs: 100 }),
    ])
    const { baseline, p95Ratio } = status(state, 1)
    expect(baseline).toMatchObject({ files: 0, successRate: null, firstSeen: null, latencyFrom: 'earlier stages' })
    expect([baseline.p50Ms, baseline.p95Ms]).toEqual([99.84, 301.056])
    expect(p95Ratio).toBeCloseTo(99.84 / 301.056, 10)
  })

  it('have no ratio where one of the sides has no latency', () => {
    expect(status(withLines(stateAt(10), [fileLine()]), 1).p95Ratio).toBeNull()
    expect(status(withLines(stateAt(10), [fileLine({ side: 'baseline' })]), 1).p95Ratio).toBeNull()
    expect(status(stateAt(10), 1).window.successRate).toBeNull()
  })

  it('can all be counted again from the files’ lines', () => {
    const random = seededRandom(21)
    const lines: FileRecord[] = []
    let state = stateAt(1)
    for (const stage of [1, 10, 50]) {
      const inStage = Array.from({ length: 2000 }, (_, index): FileRecord => {
        const line = random() < 0.03 ? failedLine : fileLine
        return line({
          stage,
          side: random() * 100 < stage ? 'candidate' : 'baseline',
          size: Math.floor(10 ** (random() * 8)),
          durationMs: Math.round(10 ** (1 + random() * 3) * 1000) / 1000,
          startedAt: new Date(begunMs + stage * hourMs + index * 5000).toISOString(),
        })
      })
      for (let from = 0; from < inStage.length; from += 130) state = withLines(state, inStage.slice(from, from + 130))
      lines.push(...inStage)
      if (stage < 50) state = promoted(state, defaultStages, begunMs, person)
    }
    const shown = status(state, 100)

    const exact = (chosen: readonly FileRecord[], percent: number): number => {
      const durations = chosen.flatMap((line) => outcomeOf(line)?.durationMs ?? []).sort((a, b) => a - b)
      return durations[Math.ceil((percent / 100) * durations.length) - 1] ?? Number.NaN
    }
    expect(shown.figures.map(({ stage }) => stage)).toEqual([1, 10, 50])
    for (const each of shown.figures) {
      for (const side of ['candidate', 'baseline'] as const) {
        const own = lines.filter((line) => line.stage === each.stage && line.side === side)
        const arrived = own.filter(({ status }) => status === 'uploaded')
        const times = own.map(({ startedAt }) => startedAt ?? '').sort()
        expect(each[side]).toMatchObject({
          files: own.length,
          failures: own.length - arrived.length,
          successRate: arrived.length / own.length,
          bytes: arrived.reduce((sum, { size }) => sum + (size ?? 0), 0),
          firstSeen: times[0],
          lastSeen: times.at(-1),
        })
        for (const [percent, ms] of [
          [50, each[side].p50Ms],
          [95, each[side].p95Ms],
        ] as const) {
          expect(Math.abs((ms ?? 0) / exact(own, percent) - 1)).toBeLessThan(0.01)
        }
      }
    }
    expect(shown.candidate).toEqual(shown.figures.at(-1)?.candidate)
    const last = lines.filter(({ stage, side }) => stage === 50 && side === 'candidate').slice(-500)
    expect(shown.window).toMatchObject({
      files: 500,
      failures: last.filter(({ status }) => status === 'failed').length,
    })
    for (const { hour, candidate, baseline } of shown.hours) {
      const own = lines.filter(({ startedAt }) => startedAt?.slice(0, 13) === hour.slice(0, 13))
      expect(candidate.files).toBe(own.filter(({ side }) => side === 'candidate').length)
      expect(baseline.files).toBe(own.filter(({ side }) => side === 'baseline').length)
    }
    expect(shown.hours.length).toBeGreaterThan(5)
  })

  it('show the last 24 hours with files', () => {
    const lines = Array.from({ length: 40 }, (_, hour) =>
      fileLine({ startedAt: new Date(begunMs + hour * hourMs).toISOString() }),
    )
    const { hours } = status(withLines(stateAt(10), lines), 50)
    expect(hours).toHaveLength(24)
    expect(hours.at(-1)?.hour).toBe(new Date(begunMs + 39 * hourMs).toISOString())
  })
})
