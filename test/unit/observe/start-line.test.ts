import { expect, it } from 'vitest'
import { startDetails } from '../../../src/observe/start-line.ts'
import { runRecord, runStarted } from './events.ts'

it('names the run that is continued', () => {
  const run = runRecord({ runId: 'night-7', invocation: 3 })
  expect(startDetails(runStarted({ run, endpoint: 'http://h' }))).toEqual([
    'continues run night-7 (invocation 3)',
    'endpoint http://h',
  ])
  expect(startDetails(runStarted())).toEqual([])
})
