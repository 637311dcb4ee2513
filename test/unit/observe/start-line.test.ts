import { describe, expect, it } from 'vitest'
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

it('names every endpoint that is a custom one', () => {
  const otherEndpoints = ['http://route', 'http://candidate\n']
  expect(startDetails(runStarted({ endpoint: 'http://own', otherEndpoints, configFile: './c.json' }))).toEqual([
    'endpoint http://own',
    'endpoint http://route',
    'endpoint http://candidate\\n',
    'config ./c.json',
  ])
  expect(startDetails(runStarted({ otherEndpoints: ['http://route'] }))).toEqual(['endpoint http://route'])
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

describe('a rollout', () => {
  const at = (percentage: number, stage = 10) => ({
    name: 'nightly',
    begunAt: '2026-11-01T00:00:00.000Z',
    stage,
    percentage,
  })
  const config = { rollout: { candidates: [{ to: 's3://candidate/' }, null, { to: 's3://own' }, { engine: 'fast' }] } }

  it.each([
    [at(10), 'rollout nightly: 10 % by the candidate (stage 10 %)'],
    [at(0.5, 1), 'rollout nightly: 0.5 % by the candidate (stage 1 %)'],
    [at(0), 'rollout nightly: 0 % by the candidate (stage 10 %)'],
    [{ ...at(10), name: 'a\x1bb' }, 'rollout a\\x1bb: 10 % by the candidate (stage 10 %)'],
  ])('is named: %j', (rollout, text) => {
    expect(startDetails(runStarted({ run: runRecord({ rollout }), configFile: './c.json' }))).toEqual([
      'config ./c.json',
      text,
    ])
  })

  it.each([
    [at(10), 's3://own/ and 1 more'],
    [at(0), 's3://own/'],
    [undefined, 's3://own/'],
  ])('leads to its candidate only where that gets files: %j', (rollout, text) => {
    const run = runRecord({ to: 's3://own/', config, rollout })
    const progress = { files: 1, bytes: 1, complete: true } as Parameters<typeof startText>[1]
    expect(startText(runStarted({ run }), progress)).toBe(`1 file, 1 B → ${text}`)
  })
})
