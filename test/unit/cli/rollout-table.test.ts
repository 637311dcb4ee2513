import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { rolloutTable, type TableRollout } from '../../../src/cli/rollout-table.ts'
import { begun, completed, promoted, rolledBack, underReview } from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { statusOf } from '../../../src/rollout/status.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'
import { hourMs, withFiles } from '../../support/rollout-state.ts'

const startMs = Date.UTC(2026, 10, 18, 2)
const name = 'nightly-import'
const byItself = { by: 'automatic', cause: 'all criteria met' } as const

interface Shown extends Partial<TableRollout> {
  readonly hours: number
  readonly auto?: boolean
  readonly color?: boolean
}

function shown(state: RolloutState | undefined, { hours, auto = false, color = false, ...changed }: Shown): string {
  const rollout = {
    name,
    stages: defaultStages,
    triggers: defaultTriggers,
    auto,
    isEnabled: true,
    percentage: undefined,
  }
  return rolloutTable(statusOf(state, rollout, startMs + hours * hourMs), { ...rollout, ...changed }, color)
}

const first = begun(name, defaultStages, startMs)
const atZero = withFiles(first, { side: 'baseline', files: 4000, failures: 4, durations: [200, 200, 200, 380] })
const atOne = promoted(atZero, defaultStages, startMs + 24 * hourMs, byItself)
const atTen = promoted(
  withFiles(atOne, { side: 'candidate', files: 240 }, { side: 'baseline', files: 23_760 }),
  defaultStages,
  startMs + 48 * hourMs,
  { by: 'person', cause: 'wanted before the holidays', unmet: ['20 h of 24 h in stage'] },
)
const running = withFiles(
  atTen,
  { side: 'candidate', files: 1200, failures: 5, durations: [180, 180, 180, 300] },
  { side: 'candidate', files: 40, sizeClass: '1MiB', durations: [700] },
  { side: 'baseline', files: 10_796, failures: 11, durations: [200, 200, 200, 380] },
)

describe('a rollout as people see it', () => {
  it('before any run', () => {
    expect(shown(undefined, { hours: 0 })).toBe(`\
rollout nightly-import: no run has taken part yet; the first one begins it at 0 %
  verdict  wait (the next stage is 1 %)
  next     wait; when its criteria are met: upload rollout promote
`)
  })

  it('while the baseline is measured', () => {
    expect(shown(atZero, { hours: 5.5, auto: true })).toBe(`\
rollout nightly-import: baseline alone, 0 % since 2026-11-18 02:00 UTC

                  candidate    baseline     required
  time in stage   5.5 h                     24 h        18.5 h more
  files           0            4,000
  success                      99.9 %
  failures        0            4
  bytes           0 B          4.0 MB
  p50                          200 ms
  p95                          379 ms

  verdict  wait (the next stage is 1 %)
  next     wait; a run promotes it to 1 % when its criteria are met
  history  2026-11-18 02:00 UTC  begin at 0 %: the first run
`)
  })

  it('in the middle', () => {
    expect(shown(running, { hours: 79 })).toBe(`\
rollout nightly-import: running at 10 % since 2026-11-20 02:00 UTC

                  candidate    baseline     required
  time in stage   31 h                      48 h        17 h more
  files           1,240        10,796       200         ok
  success         99.59 %      99.89 %      99 %        ok
  last 500 files  100 %                     95 %        ok
  failures        5            11
  bytes           1.2 MB       10.8 MB
  p50             179 ms       200 ms
  p95             301 ms       379 ms                   80 % of the baseline's
    ≤ 64 KiB      300 ms       379 ms       ≤ 120 %     79 % ok
    ≤ 1 MiB       700 ms                    ≤ 120 %     too few files to tell

  verdict  wait (the next stage is 50 %)
  next     wait; when its criteria are met: upload rollout promote
  history  2026-11-18 02:00 UTC  begin at 0 %: the first run
           2026-11-19 02:00 UTC  promote 0 % → 1 %: all criteria met
           2026-11-20 02:00 UTC  promote 1 % → 10 %, by hand: wanted before the
           holidays (not met: 20 h of 24 h in stage)
`)
  })

  it('under review', () => {
    const cause = "p95 of files of up to 64 KiB is 512 ms, 135 % of the baseline's (120 % is the most)"
    expect(shown(underReview(running, startMs + 80 * hourMs, cause), { hours: 81 })).toBe(`\
rollout nightly-import: running at 10 %, under review since 2026-11-21 10:00 UTC

                  candidate    baseline     required
  time in stage   33 h                      48 h        15 h more
  files           1,240        10,796       200         ok
  success         99.59 %      99.89 %      99 %        ok
  last 500 files  100 %                     95 %        ok
  failures        5            11
  bytes           1.2 MB       10.8 MB
  p50             179 ms       200 ms
  p95             301 ms       379 ms                   80 % of the baseline's
    ≤ 64 KiB      300 ms       379 ms       ≤ 120 %     79 % ok
    ≤ 1 MiB       700 ms                    ≤ 120 %     too few files to tell

  verdict  review (the next stage is 50 %)
  next     decide (p95 of files of up to 64 KiB is 512 ms, 135 % of the
           baseline's (120 % is the most)): upload rollout promote --force --why
           TEXT, or upload rollout rollback
  history  2026-11-18 02:00 UTC  begin at 0 %: the first run
           2026-11-19 02:00 UTC  promote 0 % → 1 %: all criteria met
           2026-11-20 02:00 UTC  promote 1 % → 10 %, by hand: wanted before the
           holidays (not met: 20 h of 24 h in stage)
           2026-11-21 10:00 UTC  review at 10 %: p95 of files of up to 64 KiB is
           512 ms, 135 % of the baseline's (120 % is the most)
`)
  })

  it('rolled back', () => {
    const cause = '88.4 % success of the last 500 candidate files (95 % is the least)'
    expect(shown(rolledBack(running, startMs + 80 * hourMs, { by: 'automatic', cause }), { hours: 81 })).toBe(`\
rollout nightly-import: rolled back from 10 % to 0 % since 2026-11-21 10:00 UTC

                  candidate    baseline
  files           1,240        10,796
  success         99.59 %      99.89 %
  last 500 files  100 %
  failures        5            11
  bytes           1.2 MB       10.8 MB
  p50             179 ms       200 ms
  p95             301 ms       379 ms                   80 % of the baseline's
    ≤ 64 KiB      300 ms       379 ms                   79 %
    ≤ 1 MiB       700 ms                                too few files to tell

  verdict  rolled-back
  next     rolled back (88.4 % success of the last 500 candidate files (95 % is
           the least)); once that is mended: upload rollout reset
  history  2026-11-18 02:00 UTC  begin at 0 %: the first run
           2026-11-19 02:00 UTC  promote 0 % → 1 %: all criteria met
           2026-11-20 02:00 UTC  promote 1 % → 10 %, by hand: wanted before the
           holidays (not met: 20 h of 24 h in stage)
           2026-11-21 10:00 UTC  rollback 10 % → 0 %: 88.4 % success of the last
           500 candidate files (95 % is the least)
`)
  })

  it('complete', () => {
    const all = promoted(
      promoted(running, defaultStages, startMs + 100 * hourMs, byItself),
      defaultStages,
      startMs + 200 * hourMs,
      byItself,
    )
    const counted = withFiles(all, { side: 'candidate', files: 9000, durations: [190] })
    expect(shown(completed(counted, startMs + 400 * hourMs, byItself), { hours: 401 })).toBe(`\
rollout nightly-import: complete, 100 % since 2026-12-04 18:00 UTC

                  candidate    baseline
  files           9,000        0
  success         100 %
  last 500 files  100 %
  failures        0            0
  bytes           9.0 MB       0 B
  p50             189 ms       100 ms
  p95             189 ms       379 ms                   50 % of the baseline's
    ≤ 64 KiB      190 ms       379 ms                   50 %
  the baseline's latency is that of earlier stages

  verdict  complete
  next     make the candidate the baseline in the config: upload rollout
           complete prints it
  history  2026-11-19 02:00 UTC  promote 0 % → 1 %: all criteria met
           2026-11-20 02:00 UTC  promote 1 % → 10 %, by hand: wanted before the
           holidays (not met: 20 h of 24 h in stage)
           2026-11-22 06:00 UTC  promote 10 % → 50 %: all criteria met
           2026-11-26 10:00 UTC  promote 50 % → 100 %: all criteria met
           2026-12-04 18:00 UTC  complete at 100 %: all criteria met
`)
  })
  it.each([
    [{ percentage: 20 }, '  here     ASYNC_UPLOAD_ROLLOUT gives the candidate 20 %\n'],
    [
      { isEnabled: false, percentage: 20 },
      '  here     ASYNC_UPLOAD_ENABLED switches it off: all by the baseline, and\n',
    ],
  ])('says what the environment makes of it: %j', (environment, said) => {
    expect(shown(running, { hours: 79, ...environment })).toContain(said)
    expect(shown(running, { hours: 79 })).not.toContain('  here')
  })

  it('says nothing of a share that a rollback outlasts', () => {
    const state = rolledBack(running, startMs + 80 * hourMs, { by: 'person', cause: 'x' })
    expect(shown(state, { hours: 81, percentage: 20 })).not.toContain('  here')
  })

  it('says what is not as required', () => {
    const failing = withFiles(promoted(atTen, defaultStages, startMs + 50 * hourMs, byItself), {
      side: 'candidate',
      files: 250,
      failures: 13,
    })
    const table = shown(failing, { hours: 60 })
    expect(table).toContain('  success         94.8 %                    98.5 %      too low\n')
    expect(table).toContain('  last 250 files  94.8 %                    95 %        too low\n')
    const few = withFiles(atTen, { side: 'candidate', files: 50 })
    expect(shown(few, { hours: 60 })).toContain('  files           50           0            200         150 more\n')
    expect(shown(few, { hours: 60 })).toContain(
      '  last 50 files   100 %                     95 %        too few files yet\n',
    )
  })

  it('says which size class is too slow', () => {
    const durations = Array.from({ length: 100 }, () => 260)
    const slow = withFiles(
      atTen,
      { side: 'candidate', files: 300, durations },
      { side: 'baseline', files: 3000, durations: [200] },
    )
    expect(shown(slow, { hours: 60 })).toMatch(/^ {4}≤ 64 KiB {6}260 ms {7}200 ms {7}≤ 120 % {5}1[23]\d % slow$/m)
  })

  it('has colours for a terminal, and the same text', () => {
    const coloured = shown(running, { hours: 79, color: true })
    expect(coloured).toContain('\u001b[32mrunning at 10 %\u001b[39m')
    expect(stripVTControlCharacters(coloured)).toBe(shown(running, { hours: 79 }))
  })

  it('escapes what could move a cursor', () => {
    const cause = 'a\u001b[2Jb'
    expect(shown(rolledBack(running, startMs, { by: 'person', cause }), { hours: 1 })).not.toContain('\u001b')
  })

  it('fits 80 columns', () => {
    const states = [first, atZero, atOne, atTen, running, underReview(running, startMs, '1 % of 5 %, '.repeat(20))]
    for (const state of states) {
      const lines = shown(state, { hours: 3000 }).split('\n')
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
      expect(lines.filter((line) => line.trimStart().startsWith('%'))).toEqual([])
    }
  })
})
