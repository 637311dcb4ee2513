import { describe, expect, it } from 'vitest'
import { reportedSettings } from '../../../src/cli/reported-settings.ts'
import type { OptionKey } from '../../../src/config/options/options.ts'
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
  return reportedSettings([run], { settings: { ...defaultSettings, s3 }, byFlag: new Set(byFlag) })(run.to)
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
    return reportedSettings([run], { settings, byFlag: new Set(byFlag) })(run.to)
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

describe('a run with routes', () => {
  const run = {
    to: 'file:./out/',
    cwd: '/work',
    config: {
      s3: { region: 'own' },
      routes: [
        { to: 's3://other/takes', s3: { region: 'there', endpointUrl: 'https://there' } },
        { name: 'routes[1]', skip: true },
        'no route',
      ],
    },
  } as unknown as RunRecord

  function at(destination: string, byFlag: readonly OptionKey[] = []) {
    return reportedSettings([run], { settings: { ...defaultSettings, s3: now }, byFlag: new Set(byFlag) })(destination)
  }

  it('has each destination reached as it was', () => {
    expect(at('s3://other/takes/')).toMatchObject({
      to: 's3://other/takes/',
      s3: { region: 'there', endpointUrl: 'https://there' },
    })
    expect(at('file:out')).toMatchObject({ to: 'file:/work/out/', s3: { region: 'own' } })
    expect(at('file:/work/out/')).toMatchObject({ to: 'file:/work/out/' })
  })

  it('cannot be asked about a destination that it does not name', () => {
    expect(() => at('s3://elsewhere/')).toThrow('s3://elsewhere/ cannot be reached: the report does not say how')
  })

  it('has one reached as the last invocation that went there did', () => {
    const later = { ...run, to: 's3://later/', cwd: '/', config: { s3: { region: 'later' } } } as unknown as RunRecord
    const settingsAt = reportedSettings([run, later], { settings: { ...defaultSettings, s3: now }, byFlag: new Set() })
    expect(settingsAt('s3://other/takes/').s3.region).toBe('there')
    expect(settingsAt('s3://later/').s3.region).toBe('later')
    expect(settingsAt('file:/work/out/')).toMatchObject({ to: 'file:/work/out/' })
  })

  it('takes flags that have an effect for one of its destinations', () => {
    expect(at('s3://other/takes/', ['region']).s3.region).toBe('now')
    expect(() => at('s3://other/takes/', ['supabaseUrl'])).not.toThrow()
  })
})

describe('a run of a rollout', () => {
  const there = { region: 'there', endpointUrl: 'https://there' }
  const rollout = { name: 'nightly', begunAt: '', stage: 10, percentage: 10 }
  const run = {
    to: 's3://own/',
    cwd: '/work',
    config: {
      s3: { region: 'own' },
      routes: [{ to: 's3://route/', s3: { region: 'route' } }],
      rollout: { candidates: [{ to: 's3://candidate/x', s3: there }, null, { to: 'file:out', s3: {} }] },
    },
    rollout,
  } as unknown as RunRecord
  const before = { ...run, config: { s3: { region: 'own' } }, rollout: undefined } as unknown as RunRecord

  const settingsAt = (runs: readonly RunRecord[], byFlag: readonly OptionKey[] = []) =>
    reportedSettings(runs, { settings: { ...defaultSettings, s3: now }, byFlag: new Set(byFlag) })

  it.each([
    ['of that run alone', [run]],
    ['of that run and one without a rollout before it', [before, run]],
    ['of that run and one without a rollout after it', [run, before]],
  ])('has what is at the candidate reached as it was: %s', (_name, runs) => {
    const at = settingsAt(runs)
    expect(at('s3://candidate/x/')).toMatchObject({ to: 's3://candidate/x/', s3: there })
    expect(at('file:/work/out/')).toMatchObject({ to: 'file:/work/out/' })
    expect(at('s3://own/').s3.region).toBe('own')
    expect(at('s3://route/').s3.region).toBe('route')
  })

  it('does not go to what no run had as its candidate', () => {
    expect(() => settingsAt([before])('s3://candidate/x/')).toThrow('s3://candidate/x/ cannot be reached')
  })

  it('takes flags that have an effect at the candidate alone, where that got files', () => {
    const config = { rollout: { candidates: [{ to: 'supabase://b/' }] } }
    const at = (percentage: number) =>
      settingsAt([{ ...run, config, rollout: { ...rollout, percentage } }], ['supabaseUrl'])
    expect(() => at(10)).not.toThrow()
    expect(() => at(0)).toThrow('--supabase-url: has no effect for s3:// destinations')
  })
})
