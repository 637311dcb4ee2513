import { expect, it } from 'vitest'
import { promoted, resetState, reviewDecided, rolledBack, underReview } from '../../../src/rollout/changes.ts'
import { absorb, createDelta } from '../../../src/rollout/figures.ts'
import { sizeClasses } from '../../../src/rollout/outcome.ts'
import { defaultStages, nextStage } from '../../../src/rollout/stages.ts'
import { parseState } from '../../../src/rollout/state-schema.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { begunMs, hourMs, stateAt } from './scene.ts'

const person = { by: 'person', cause: 'looked at by Ada; the provider had an outage, ticket 4711' } as const
const yearMs = 365 * 24 * hourMs
const changes = 10_000
const filesEach = 40

it('a state stays small over a year of 10,000 changes', { timeout: 60_000 }, () => {
  const random = seededRandom(17)
  // Most files take about as long as others of their size, some a good deal longer.
  const durationMs = (sizeClass: number): number =>
    15 * 8 ** sizeClass * Math.exp(random() + random() + random() - 1.5) * (random() < 0.02 ? 8 : 1)
  let state = stateAt(0)
  for (let change = 0; change < changes; change += 1) {
    const nowMs = begunMs + (change / changes) * yearMs
    const delta = createDelta(state.begunAt, defaultTriggers)
    for (let file = 0; file < filesEach; file += 1) {
      const sizeClass = Math.floor(random() * sizeClasses.length)
      const isSuccess = random() < 0.97
      delta.add({
        stage: state.stage,
        side: random() * 100 < state.stage ? 'candidate' : 'baseline',
        isSuccess,
        bytes: Math.floor(random() * 1e9),
        sizeClass: sizeClasses[sizeClass] ?? 'larger',
        durationMs: isSuccess ? Math.round(durationMs(sizeClass) * 1000) / 1000 : undefined,
        beganAt: new Date(nowMs + file).toISOString(),
      })
    }
    state = absorb(state, delta.take(), defaultTriggers)
    // Forth and back now and then, and long at 50 and 100 %.
    if (change % 37 === 36) state = reviewDecided(underReview(state, nowMs, 'p95 is 131 %'), nowMs, person)
    if (change % 700 === 699 && nextStage(defaultStages, state.stage))
      state = promoted(state, defaultStages, nowMs, person)
    if (change === 2000) state = resetState(rolledBack(state, nowMs, person), defaultStages, nowMs, 'mended')
  }
  const text = JSON.stringify(state)
  expect(state.stage).toBe(100)
  expect(state.figures).toHaveLength(5)
  expect([state.window.length, state.hours.length, state.history.length]).toEqual([500, 336, 200])
  expect(text.length).toBeGreaterThan(50_000)
  expect(text.length).toBeLessThan(300_000)
  expect(parseState(JSON.parse(text))).toEqual(state)
})
