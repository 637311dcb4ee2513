import { describe, expect, it } from 'vitest'
import { givenByConfig } from '../../../../src/config/file/config-values.ts'

const file = '/p/.uploadrc.json'
const otherwise = 'keys are the options of upload --help, --part-size as partSize'

it('takes options, the s3 section and $schema', () => {
  const json = {
    $schema: 'x',
    to: 's3://b/',
    partSize: '8MiB',
    s3: { endpointUrl: 'http://h', pathStyle: 'on' },
    region: 'eu',
  }
  expect(givenByConfig(json, file, false)).toEqual({
    faults: [],
    entryFaults: [],
    presets: new Map(),
    rollout: undefined,
    rules: undefined,
    routes: undefined,
    given: [
      { key: 'to', value: 's3://b/', from: `${file}: to`, refused: false },
      { key: 'partSize', value: '8MiB', from: `${file}: partSize`, refused: false },
      { key: 'endpointUrl', value: 'http://h', from: `${file}: s3.endpointUrl`, refused: false },
      { key: 'pathStyle', value: 'on', from: `${file}: s3.pathStyle`, refused: false },
      { key: 'region', value: 'eu', from: `${file}: region`, refused: false },
    ],
  })
})

describe('faults', () => {
  it.each<[unknown, string]>([
    [[], 'expected an object: { "to": "s3://bucket/prefix/" }'],
    [null, 'expected an object: { "to": "s3://bucket/prefix/" }'],
    ['s3://b/', 'expected an object: { "to": "s3://bucket/prefix/" }'],
    [{ concurency: 8 }, 'concurency: unknown key; did you mean concurrency?'],
    [{ 'part-size': 8 }, 'part-size: unknown key; did you mean partSize?'],
    [{ S3: {} }, 'S3: unknown key; did you mean s3?'],
    [{ limitrate: 1 }, 'limitrate: unknown key; did you mean limitRate?'],
    [{ tto: 1 }, 'tto: unknown key; did you mean to?'],
    [{ unknown: 1 }, `unknown: unknown key; ${otherwise}`],
    [{ toString: 1 }, `toString: unknown key; ${otherwise}`],
    [JSON.parse('{"__proto__": 1}'), `__proto__: unknown key; ${otherwise}`],
    [{ 'a\u001b[2J': 1 }, `a\\x1b[2J: unknown key; ${otherwise}`],
    [{ '': 1 }, `: unknown key; ${otherwise}`],
    [{ s3: [] }, 's3: expected an object with endpointUrl, region, profile, pathStyle'],
    [{ s3: 'eu' }, 's3: expected an object with endpointUrl, region, profile, pathStyle'],
    [{ s3: { endpoint: 'x' } }, 's3.endpoint: unknown key; did you mean s3.endpointUrl?'],
    [{ s3: { to: 'x' } }, 's3.to: unknown key; expected endpointUrl, region, profile, pathStyle'],
    [{ region: 'eu', s3: { region: 'us' } }, 's3.region: is given twice; also as region; keep one'],
    [{ config: 'x' }, 'config: cannot be set in a config file; use --config or UPLOAD_CONFIG'],
    [
      { noVerifySsl: true },
      `noVerifySsl: cannot be set in a config that was found by search, only in one that is named; use --no-verify-ssl, UPLOAD_NO_VERIFY_SSL=1 or --config ${file}`,
    ],
    [{ supabaseUrl: 'https://h' }, 'supabaseUrl: cannot be set in a config that was found by search'],
    [{ supabase: { url: 'https://h' } }, 'supabase.url: cannot be set in a config that was found by search'],
    [{ supabase: 'https://h' }, 'supabase: expected an object with url'],
    [{ supabase: { key: 'x' } }, 'supabase.key: unknown key; expected url'],
    [{ supabase: JSON.parse('{"__proto__": 1}') }, 'supabase.__proto__: unknown key; expected url'],
    [{ supabase: { serviceRoleKey: 'hunter2' } }, 'supabase.serviceRoleKey: a secret does not belong in a config file'],
    [{ rollout: 7 }, 'rollout: expected an object: { "name": '],
    [{ password: 'hunter2' }, 'password: a secret does not belong in a config file'],
    [{ s3: { secretAccessKey: 'hunter2' } }, 's3.secretAccessKey: a secret does not belong in a config file'],
  ])('%j', (json, message) => {
    const { faults, given } = givenByConfig(json, file, false)
    expect(faults).toEqual([expect.stringContaining(message)])
    expect(faults[0]).toMatch(/^\/p\/\.uploadrc\.json: /)
    expect(faults[0]).not.toContain('hunter2')
    expect(given.filter(({ refused }) => !refused).map(({ key }) => key)).toEqual(
      json !== null && Object.hasOwn(json as object, 'region') ? ['region'] : [],
    )
  })

  it('all at once', () => {
    const { faults } = givenByConfig({ tto: 1, rollout: [], token: 'x', s3: { regoin: 'x' } }, file, false)
    expect(faults).toHaveLength(4)
  })
})

it('noVerifySsl is taken from a file somebody named', () => {
  const { faults, given } = givenByConfig({ noVerifySsl: true }, file, true)
  expect(faults).toEqual([])
  expect(given).toMatchObject([{ key: 'noVerifySsl', value: true }])
})

it('a Supabase project is taken from a file somebody named', () => {
  const { faults, given } = givenByConfig({ supabase: { url: 'https://h' } }, file, true)
  expect(faults).toEqual([])
  expect(given).toEqual([{ key: 'supabaseUrl', value: 'https://h', from: `${file}: supabase.url`, refused: false }])
  expect(givenByConfig({ supabaseUrl: 'https://h', supabase: { url: 'https://h' } }, file, true).faults).toEqual([
    `${file}: supabase.url: is given twice; also as supabaseUrl; keep one`,
  ])
})

it('what such a file may not hold is given, so that nobody misses it, but not looked at', () => {
  const { given } = givenByConfig({ supabase: { url: 7 }, noVerifySsl: true }, file, false)
  expect(given.map(({ key, refused }) => [key, refused])).toEqual([
    ['supabaseUrl', true],
    ['noVerifySsl', true],
  ])
})

it('a value that is refused as a secret is given, so that nobody misses it, but not looked at', () => {
  const json = { to: 's3://u:p@b/', include: ['ok', 'AKIAIOSFODNN7EXAMPLE'], s3: { endpointUrl: 'http://u:p@h' } }
  const { faults, given } = givenByConfig(json, file, false)
  expect(faults).toHaveLength(3)
  expect(faults.join()).not.toMatch(/u:p|AKIA/)
  expect(given.map(({ key, refused }) => [key, refused])).toEqual([
    ['to', true],
    ['include', true],
    ['endpointUrl', true],
  ])
})
