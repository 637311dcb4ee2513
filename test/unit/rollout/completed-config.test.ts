import { describe, expect, it } from 'vitest'
import { completedConfig, strongerPlaces } from '../../../src/rollout/completed-config.ts'

describe('a config with the candidate as its way to upload', () => {
  const rollout = { name: 'import', candidate: {} }

  it.each([
    ['nothing was in it', undefined, { engine: 'fast' }, { engine: 'fast' }],
    ['nothing but the rollout', { rollout }, { engine: 'fast' }, { engine: 'fast' }],
    ['another engine', { engine: 'standard', rollout }, { engine: 'fast' }, { engine: 'fast' }],
    ['other things', { to: 's3://b/', rollout }, { partSize: '16MiB' }, { to: 's3://b/', partSize: '16MiB' }],
    [
      'sections, of which both have a part',
      { s3: { region: 'eu-west-1', profile: 'old' }, rollout },
      { s3: { profile: 'new' } },
      { s3: { region: 'eu-west-1', profile: 'new' } },
    ],
    [
      'beside the section what the candidate has in it',
      { endpointUrl: 'http://a/', s3: { region: 'r' }, rollout },
      { s3: { endpointUrl: 'http://b/' } },
      { s3: { region: 'r', endpointUrl: 'http://b/' } },
    ],
    [
      'in the section what the candidate has beside it',
      { s3: { endpointUrl: 'http://a/' }, rollout },
      { endpointUrl: 'http://b/' },
      { endpointUrl: 'http://b/' },
    ],
    [
      'a section of its own',
      { to: 's3://b/', s3: { region: 'r' }, rollout },
      {},
      { to: 's3://b/', s3: { region: 'r' } },
    ],
  ])('that had %s', (_, config, candidate, completed) => {
    expect(completedConfig(config, candidate)).toEqual({ json: completed, leftOut: [] })
  })

  it('keeps the order of the config', () => {
    const config = { $schema: 'x', engine: 'standard', rollout, to: 's3://b/', s3: { region: 'r' }, routes: [] }
    const candidate = { concurrency: 8, s3: { region: 'q' }, to: 's3://c/', engine: 'fast' }
    const { json } = completedConfig(config, candidate)
    expect(JSON.stringify(json)).toBe(
      '{"$schema":"x","engine":"fast","to":"s3://c/","s3":{"region":"q"},"routes":[],"concurrency":8}',
    )
  })

  it('leaves out what the new destination refuses, but for what guards files', () => {
    const config = { partSize: '16MiB', tag: { a: 'b' }, acl: 'private', metadata: { c: 'd' }, concurrency: 4, rollout }
    const candidate = { to: 'supabase://b/', storageClass: 'GLACIER' }
    expect(completedConfig({ to: 's3://b/', ...config }, candidate)).toEqual({
      json: { ...candidate, acl: 'private', metadata: { c: 'd' }, concurrency: 4 },
      leftOut: ['partSize', 'tag'],
    })
    const routes = [{ match: '*.wav', to: 's3://b/' }]
    expect(completedConfig({ to: 's3://b/', ...config, routes }, { to: 'supabase://b/' }).leftOut).toEqual([])
  })

  it('leaves what it was given as it was', () => {
    const config = { engine: 'standard', s3: { region: 'r' }, rollout }
    completedConfig(config, { engine: 'fast', s3: { region: 'q' } })
    expect(config).toEqual({ engine: 'standard', s3: { region: 'r' }, rollout })
  })
})

describe('places that are stronger than the top of the config', () => {
  const presets = {
    night: { engine: 'standard', concurrency: 4, s3: { region: 'r', profile: 'p' } },
    day: { flatten: true },
  }

  it.each([
    [{ engine: 'fast' }, ['presets.night.engine']],
    [{ region: 'q' }, ['presets.night.s3.region']],
    [{ s3: { region: 'q', profile: 'q' } }, ['presets.night.s3.region', 'presets.night.s3.profile']],
    [{ partSize: '16MiB' }, []],
  ])('for the candidate %j', (candidate, places) => {
    expect(strongerPlaces({ presets }, candidate)).toEqual(places)
  })

  it.each([[undefined], [{}], [{ presets: 3 }], [{ presets: { night: 3 } }]])('none in %j', (config) => {
    expect(strongerPlaces(config, { engine: 'fast' })).toEqual([])
  })
})
