import { describe, expect, it } from 'vitest'
import { effectiveConfig, holdsSecret, redactArgv, redactText } from '../../../src/config/redact.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { RolloutSettings } from '../../../src/rollout/rollout-settings.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'
import { defaultSettings } from '../../support/settings.ts'

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl'

describe('redactText', () => {
  it.each([
    ['http://me:secret@127.0.0.1:9000/', 'http://***@127.0.0.1:9000/'],
    ['proxy HTTPS://me:secret@proxy:3128 refused', 'proxy HTTPS://***@proxy:3128 refused'],
    ['https://token@host/', 'https://***@host/'],
    ['http://u:p@ss@host/x', 'http://***@host/x'],
    ['http://u:p/ss@host/x', 'http://***@host/x'],
    ['http://u:p#s?s@host', 'http://***@host'],
    ['two http://a:b@h and http://c:d@i', 'two http://***@h and http://***@i'],
    ['https://h/k?X-Amz-Credential=AK%2F1&X-Amz-Signature=abc', 'https://h/k?***'],
    ['https://h/k?v=1&X-Amz-Security-Token=abc', 'https://h/k?***'],
    ['https://h/object/sign/b/k?token=abc', 'https://h/object/sign/b/k?***'],
    ['https://h/k?sv=2&sig=abc', 'https://h/k?***'],
    ['--endpoint-url=https://h/?apikey=abc rest', '--endpoint-url=https://h/?*** rest'],
    ['id AKIAIOSFODNN7EXAMPLE here', 'id *** here'],
    ['ASIAIOSFODNN7EXAMPLE', '***'],
    [`Bearer ${jwt}`, 'Bearer ***'],
    ['sb_secret_abc-DEF_123', '***'],
  ])('%s → %s', (text, clean) => {
    expect(redactText(text)).toBe(clean)
    expect(redactText(clean)).toBe(clean)
    expect(holdsSecret(text)).toBe(true)
  })

  it.each([
    './audio/a b#1.wav',
    's3://bucket/prefix/a@2x.png',
    'http://127.0.0.1:9000/bucket/a@2x.png',
    'http://host:80',
    'http://host:?x@y',
    'what?.wav',
    'https://h/?versionId=3&design=1',
    'me@example.com',
    'eyJ.wav',
    'AKIA.wav',
  ])('%s is left alone', (text) => {
    expect(redactText(text)).toBe(text)
    expect(holdsSecret(text)).toBe(false)
  })
})

it('redactArgv takes secrets out of every argument', () => {
  const argv = ['a.wav', '--endpoint-url', 'http://me:secret@h', '--region=eu']
  expect(redactArgv(argv)).toEqual(['a.wav', '--endpoint-url', 'http://***@h', '--region=eu'])
})

it('effectiveConfig takes secrets out however deep they lie, and keeps the rest', () => {
  const settings = {
    sources: ['a.wav', 'https://h/?token=x'],
    to: 's3://b/',
    partSize: 5,
    base: undefined,
    json: false,
    s3: { endpointUrl: 'http://me:secret@h', region: undefined, signRequest: true },
    rules: [],
    routes: [],
  } as unknown as Settings
  const config = effectiveConfig(settings)
  expect(config).toEqual({
    sources: ['a.wav', 'https://h/?***'],
    to: 's3://b/',
    partSize: 5,
    json: false,
    s3: { endpointUrl: 'http://***@h', signRequest: true },
    rules: [],
    routes: [],
  })
  expect(JSON.stringify(config)).not.toContain('secret@')
})

it('effectiveConfig has rules and routes in short: what they are about, and what they change', () => {
  const run: Settings = {
    ...defaultSettings,
    concurrency: 8,
    rules: [
      {
        name: 'rules[0]',
        when: { match: ['*.html'], type: [], minSize: undefined, maxSize: undefined },
        skip: false,
        contentType: undefined,
        properties: { cacheControl: 'no-cache', metadata: { note: 'http://me:secret@h' } },
      },
    ],
  }
  const when = { match: [], type: ['video/*'], minSize: 1, maxSize: undefined }
  const s3 = { ...run.s3, endpointUrl: 'http://me:secret@h' }
  const settings: Settings = { ...run, to: 's3://videos/', s3, partSize: 9, properties: { acl: 'private' }, routes: [] }
  const routes = [
    { name: 'routes[0]', when, skip: false, settings },
    { name: 'routes[1]', when: { ...when, minSize: 0 }, skip: false, settings: { ...run, routes: [] } },
    { name: 'routes[2]', when, skip: true, settings: { ...run, routes: [] } },
  ]
  const config = effectiveConfig({ ...run, routes })
  expect(config.rules).toEqual([
    {
      name: 'rules[0]',
      when: { match: ['*.html'] },
      skip: false,
      properties: { cacheControl: 'no-cache', metadata: { note: 'http://***@h' } },
    },
  ])
  expect(config.routes).toEqual([
    {
      name: 'routes[0]',
      when: { type: ['video/*'], minSize: 1 },
      skip: false,
      to: 's3://videos/',
      engine: 'fast',
      s3: { endpointUrl: 'http://***@h', pathStyle: 'auto', signRequest: true },
      partSize: 9,
      properties: { acl: 'private' },
    },
    {
      name: 'routes[1]',
      when: { type: ['video/*'], minSize: 0 },
      skip: false,
      to: run.to,
      engine: 'fast',
      s3: { pathStyle: 'auto', signRequest: true },
    },
    { name: 'routes[2]', when: { type: ['video/*'], minSize: 1 }, skip: true },
  ])
  expect(JSON.stringify(config)).not.toContain('secret@')
})

it('effectiveConfig has a rollout as it is, and what the candidate changes of the run and of each route', () => {
  const when = { match: ['*.mp4'], type: [], minSize: undefined, maxSize: undefined }
  const routed: Settings = { ...defaultSettings, to: 's3://videos/', verify: true }
  const rollout: RolloutSettings = {
    name: 'nightly',
    isEnabled: true,
    percentage: undefined,
    fallback: true,
    auto: false,
    only: ['*.wav'],
    never: [],
    stages: defaultStages.slice(0, 1),
    triggers: defaultTriggers,
    state: '/s/rollout.json',
    candidates: [
      { ...defaultSettings, to: 's3://new/', s3: { ...defaultSettings.s3, endpointUrl: 'http://me:secret@h' } },
      { ...routed, partSize: 9, engine: 'standard' },
      undefined,
    ],
  }
  const routes = [
    { name: 'routes[0]', when, skip: false, settings: routed },
    { name: 'routes[1]', when, skip: true, settings: defaultSettings },
  ]
  const config = effectiveConfig({ ...defaultSettings, routes, rollout, warnings: ['w'], ignored: ['i'] })
  const s3 = { pathStyle: 'auto', signRequest: true }
  expect(config.rollout).toEqual({
    ...rollout,
    candidates: [
      { to: 's3://new/', engine: 'fast', s3: { ...s3, endpointUrl: 'http://***@h' } },
      { to: 's3://videos/', engine: 'standard', s3, partSize: 9 },
      null,
    ],
  })
  expect(config.routes).toEqual([
    {
      name: 'routes[0]',
      when: { match: ['*.mp4'] },
      skip: false,
      to: 's3://videos/',
      engine: 'fast',
      s3,
      verify: true,
    },
    { name: 'routes[1]', when: { match: ['*.mp4'] }, skip: true },
  ])
  expect(config).not.toHaveProperty('warnings')
  expect(config).not.toHaveProperty('ignored')
  expect(effectiveConfig(defaultSettings).rollout).toBeUndefined()
})
