import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { parseDestinationUrl } from '../../../src/config/destination-url.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { RunLane } from '../../../src/lanes.ts'
import { type OtherSide, otherSides } from '../../../src/resume/other-side.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { rolloutOf } from '../../support/rollout-settings.ts'
import { defaultSettings } from '../../support/settings.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { planned } from './journal.ts'

const to = (to: string, changes: Partial<Settings> = {}): Settings => ({ ...defaultSettings, to, ...changes })
const s3 = (endpointUrl: string): Partial<Settings> => ({ s3: { ...defaultSettings.s3, endpointUrl } })

function lane(settings: Settings, endpoint = settings.s3.endpointUrl): RunLane {
  const url = parseDestinationUrl(settings.to)
  return { settings, url, destination: { ...createFakeDestination(), url: url.url, endpoint } }
}

interface Given {
  readonly open: readonly RunLane[]
  readonly candidates?: readonly (Settings | undefined)[]
  readonly candidateOf?: readonly (number | undefined)[]
}

function sides({ open, candidates = [], candidateOf = [1] }: Given) {
  return otherSides({ settings: { rollout: rolloutOf(...candidates) }, lanes: open, candidateOf, cwd: '/work' })
}

const old = to('s3://old/a/')
const onBaseline = (key: string, lane = 0) => ({ lane, key, originalKey: undefined, properties: {} })

it('of a candidate’s file is where it falls back to', async () => {
  const otherSideOf = await sides({ open: [lane(old), lane(to('s3://new/', s3('http://h/')))] })
  const other = otherSideOf?.(planned('x', { key: 'x.wav', lane: 1, onBaseline: onBaseline('a/x.wav') }))
  expect(other).toMatchObject({ place: 's3://old/a/ at AWS', destination: 's3://old/a/', wished: 'a/x.wav' })
})

it('of a baseline’s file is where its candidate would put it, its key as it was before it was changed', async () => {
  const otherSideOf = await sides({ open: [lane(old), lane(to('s3://new/b/', s3('http://h/')))] })
  const expected = { place: 's3://new/b/ at http://h', destination: 's3://new/b/', wished: 'b/x&.wav' }
  expect(otherSideOf?.(planned('x', { key: 'a/x&.wav' }))).toMatchObject(expected)
  expect(otherSideOf?.(planned('x', { key: 'a/x=26.wav', originalKey: 'a/x&.wav' }))).toMatchObject(expected)
})

it.each<[string, Settings, Pick<OtherSide, 'place'>]>([
  ['by what the settings name', to('s3://new/', s3('http://h/')), { place: 's3://new/ at http://h' }],
  ['a directory', to('file:./new/'), { place: 'file:/work/new' }],
  ['a project', to('supabase://new/', { supabase: { url: 'http://p/' } }), { place: 'supabase://new/ at http://p' }],
])('is known where the candidate is not open: %s', async (_how, candidate, expected) => {
  const otherSideOf = await sides({ open: [lane(old)], candidates: [candidate] })
  expect(otherSideOf?.(planned('x', { key: 'a/x' }))).toMatchObject(expected)
})

it('is where the settings say where the profile of a candidate that is not open is gone', async () => {
  const folder = await tempDir()
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  const gone = to('s3://new/', { s3: { ...defaultSettings.s3, profile: 'gone', endpointUrl: 'http://h' } })
  const otherSideOf = await sides({ open: [lane(old)], candidates: [gone] })
  vi.unstubAllEnvs()
  expect(otherSideOf?.(planned('x', { key: 'a/x' }))?.place).toBe('s3://new/ at http://h')
})

it('is none where there is no candidate, or both sides make the same object of a file', async () => {
  expect(await sides({ open: [lane(old)], candidateOf: [] })).toBeUndefined()
  expect(await sides({ open: [lane(old), lane(old)], candidateOf: [undefined, undefined] })).toBeUndefined()
  const same = await sides({ open: [lane(old), lane(old), lane(to('s3://new/'))], candidateOf: [2, undefined] })
  expect(same?.(planned('x', { key: 'a/x', lane: 1 }))).toBeUndefined()
  const engineOnly = await sides({ open: [lane(old), lane({ ...old, engine: 'standard' })] })
  expect(engineOnly?.(planned('x', { key: 'a/x' }))).toBeUndefined()
  expect(engineOnly?.(planned('x', { key: 'a/x', lane: 1, onBaseline: onBaseline('a/x') }))).toBeUndefined()
})

it('is one where only one side changes keys', async () => {
  const fixing = await sides({ open: [lane(old), lane({ ...old, keyFix: true })] })
  expect(fixing?.(planned('x', { key: 'a/x&' }))).toMatchObject({ place: 's3://old/a/ at AWS', wished: 'a/x&' })
})
