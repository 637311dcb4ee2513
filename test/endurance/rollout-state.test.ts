import { expect, it } from 'vitest'
import { runWriters } from '../support/rollout-writers.ts'
import { rolloutState } from './sizes.ts'

const { processes, updates, outcomes, killedBetween, killedWithin } = rolloutState

it(`${processes} processes count in one state at once, ${killedBetween + killedWithin} of which are killed`, async () => {
  const began = performance.now()
  const result = await runWriters(rolloutState)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(
    `rollout state: ${processes} processes, ${result.revision - 1} updates in ${seconds} s, read ${result.reads} times meanwhile; ${result.inFile.files} files counted`,
  )
  const made =
    (processes - killedBetween - killedWithin) * updates + (killedBetween + killedWithin) * Math.ceil(updates / 2)
  expect(result.faults).toEqual([])
  expect(result.inFile).toEqual(result.told)
  expect(result.told.files).toBe(made * outcomes)
  expect(result.durations).toBe(result.told.files - result.told.failures)
  expect(result.windowLength).toBe(Math.min(500, result.candidates))
  expect(result.revision).toBe(1 + made)
  expect(result.reads).toBeGreaterThan(0)
  // One that was killed with the lock in its hand may have been the last to have it.
  expect(result.beside.filter((name) => name !== 'many.json.lock')).toEqual([])
})
