import { describe, expect, it } from 'vitest'
import { findSecrets } from '../../../src/config/secrets.ts'

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl'

describe('secrets by the name of their key', () => {
  it.each([
    'accessKeyId',
    'secretAccessKey',
    'AWS_SECRET_ACCESS_KEY',
    'aws-access-key-id',
    'sessionToken',
    'password',
    'token',
    'apiKey',
    'serviceRoleKey',
    'SUPABASE_SERVICE_ROLE_KEY',
    'credentials',
  ])('%s', (key) => {
    expect(findSecrets({ s3: { [key]: 'hunter2' } })).toEqual([{ path: `s3.${key}`, remedy: expect.any(String) }])
    expect(findSecrets({ [key]: { any: 'thing' } })).toHaveLength(1)
    expect(JSON.stringify(findSecrets({ [key]: 'hunter2' }))).not.toContain('hunter2')
  })
})

describe('secrets by the look of their value', () => {
  it.each([
    [{ profile: 'AKIAIOSFODNN7EXAMPLE' }, 'profile', 'AWS_ACCESS_KEY_ID'],
    [
      { s3: { endpointUrl: 'http://u:p@h' } },
      's3.endpointUrl',
      'give the whole URL, or the secret by itself, in the environment',
    ],
    [{ routes: [{}, { note: jwt }] }, 'routes[1].note', 'SUPABASE_SERVICE_ROLE_KEY'],
    [{ note: 'sb_secret_x' }, 'note', 'SUPABASE_SERVICE_ROLE_KEY'],
    [{ supabase: { password: 'x' } }, 'supabase.password', 'SUPABASE_SERVICE_ROLE_KEY'],
    [{ password: 'x' }, 'password', 'AWS_ACCESS_KEY_ID'],
    [{ [jwt]: 1 }, jwt, 'AWS_ACCESS_KEY_ID'],
  ])('%j', (config, path, remedy) => {
    expect(findSecrets(config)).toEqual([{ path, remedy: expect.stringContaining(remedy) }])
  })
})

it.each([{ key: '{path}', to: 's3://b/', n: 1, off: null, list: ['a', true], profile: 'token' }, [], null, 'text', 3])(
  '%j holds none',
  (config) => {
    expect(findSecrets(config)).toEqual([])
  },
)
