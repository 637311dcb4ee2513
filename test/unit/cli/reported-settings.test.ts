import { describe, expect, it } from 'vitest'
import { reportedSettings } from '../../../src/cli/reported-settings.ts'
import type { OptionKey } from '../../../src/config/options.ts'
import type { S3Settings } from '../../../src/config/settings.ts'
import { UsageError } from '../../../src/errors.ts'
import type { RunRecord } from '../../../src/observe/records.ts'
import { defaultSettings } from '../../support/settings.ts'

const now: S3Settings = {
  endpointUrl: 'https://now',
  region: 'now',
  profile: undefined,
  pathStyle: 'off',
  signRequest: true,
}
const recorded = { endpointUrl: 'https://then', region: 'then', profile: 'then', pathStyle: 'on', signRequest: true }

function settings(config: unknown, byFlag: readonly OptionKey[] = [], s3: S3Settings = now) {
  const run = { to: 's3://b/p/', cwd: '/', config } as RunRecord
  return reportedSettings(run, { settings: { ...defaultSettings, s3 }, byFlag: new Set(byFlag) })
}

it('reaches a destination as the run did', () => {
  expect(settings({ s3: recorded })).toMatchObject({ to: 's3://b/p/', s3: recorded })
})

it('goes by the command line where that says otherwise', () => {
  const s3 = { ...recorded, endpointUrl: 'https://now', region: 'now' }
  expect(settings({ s3: recorded }, ['endpointUrl', 'region']).s3).toEqual(s3)
})

it.each([[undefined], [{}], [{ s3: null }], [{ s3: { ...now, region: 7, pathStyle: {} } }]])(
  'goes by what holds now where the report says nothing: %j',
  (config) => {
    expect(settings(config).s3).toEqual(now)
  },
)

it('goes to AWS where the run did, though an endpoint is named now', () => {
  expect(settings({ s3: { region: 'then' } }).s3.endpointUrl).toBeUndefined()
})

it('never signs where either does not', () => {
  expect(settings({ s3: { ...recorded, signRequest: false } }).s3.signRequest).toBe(false)
  expect(settings({ s3: recorded }, [], { ...now, signRequest: false }).s3.signRequest).toBe(false)
})

describe('a run to Supabase', () => {
  const url = 'https://p.supabase.co'

  function supabase(config: unknown, project: string | undefined, byFlag: readonly OptionKey[] = []) {
    const run = { to: 'supabase://b/p/', cwd: '/', config } as RunRecord
    const settings = { ...defaultSettings, supabase: { url: project } }
    return reportedSettings(run, { settings, byFlag: new Set(byFlag) })
  }

  it('is looked at in the project that is named now, where that is the run’s', () => {
    const config = { supabase: { url } }
    expect(supabase(config, `${url}/`)).toMatchObject({ to: 'supabase://b/p/', supabase: { url: `${url}/` } })
    expect(supabase(config, url, ['supabaseUrl']).supabase).toEqual({ url })
  })

  it.each<[unknown, string | undefined, string]>([
    [{ supabase: { url } }, 'https://q.supabase.co', `${url}, not to https://q.supabase.co`],
    [{ supabase: { url } }, undefined, `${url}, and none is named now`],
    [{ supabase: { url: 7 } }, url, 'does not say which Supabase project'],
    [undefined, url, 'does not say which Supabase project'],
  ])('%j is refused in the project %s', (config, project, said) => {
    expect(() => supabase(config, project)).toThrow(UsageError)
    expect(() => supabase(config, project)).toThrow(said)
  })

  it('takes no flags of S3, nor S3 those of Supabase', () => {
    const said = '--region: has no effect for supabase:// destinations; leave it out'
    expect(() => supabase({ supabase: { url } }, url, ['region'])).toThrow(said)
    expect(() => settings({ s3: recorded }, ['supabaseUrl'])).toThrow('--supabase-url: has no effect for s3://')
  })
})

it('cannot be told by a report to trust any certificate', () => {
  expect(settings({ s3: recorded, tls: { verify: false } }).tls.verify).toBe(true)
})
