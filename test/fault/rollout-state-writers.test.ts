import { expect, it } from 'vitest'
import { runWriters } from '../support/rollout-writers.ts'

/** Twenty programs take a while to start where others are busy, too. */
const limitMs = 120_000

it(
  'twenty processes count in one state at once, and three of them are killed',
  async () => {
    const result = await runWriters({ processes: 20, updates: 6, outcomes: 5, killedBetween: 3, killedWithin: 0 })
    expect(result.faults).toEqual([])
    expect(result.inFile).toEqual(result.told)
    expect(result.told.files).toBe((17 * 6 + 3 * 3) * 5)
    expect(result.durations).toBe(result.told.files - result.told.failures)
    expect(result.windowLength).toBe(result.candidates)
    // Begun, then one for each update.
    expect(result.revision).toBe(1 + 17 * 6 + 3 * 3)
    expect(result.reads).toBeGreaterThan(0)
    expect(result.beside).toEqual([])
  },
  limitMs,
)
