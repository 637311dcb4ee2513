import { expect, it } from 'vitest'
import { placesText, startDetails, startText } from '../../../src/observe/start-line.ts'
import { runRecord, runStarted } from './events.ts'

it('names the run that is continued', () => {
  const run = runRecord({ runId: 'night-7', invocation: 3 })
  expect(startDetails(runStarted({ run, endpoint: 'http://h' }))).toEqual([
    'continues run night-7 (invocation 3)',
    'endpoint http://h',
  ])
  expect(startDetails(runStarted())).toEqual([])
})

it.each<[string[], string]>([
  [[], 's3://own/'],
  [['s3://own/'], 's3://own/'],
  [['s3://a/', 's3://own/', 's3://b/'], 's3://own/ and 2 more'],
  [['s3://a/'], 's3://a/'],
  [['s3://a/', 's3://b\n/'], 's3://a/ and 1 more'],
])('places %j: %s', (destinations, text) => {
  expect(placesText('s3://own/', destinations)).toBe(text)
})

it('says that there are more destinations than one', () => {
  const routes = [{ to: 's3://recordings/2026' }, { skip: true }, { to: 'file:./out/' }, { to: 's3://other/' }, null]
  const run = runRecord({ to: 's3://recordings/2026/', config: { routes } })
  const progress = { files: 214, bytes: 3.2e9, complete: true }
  expect(startText(runStarted({ run }), progress as Parameters<typeof startText>[1])).toBe(
    '214 files, 3.2 GB → s3://recordings/2026/ and 2 more',
  )
})
