import { describe, expect, it } from 'vitest'
import { givenByEnvironment } from '../../../src/config/environment.ts'
import { variableOf } from '../../../src/config/options/option-spec.ts'
import { optionKeys } from '../../../src/config/options/options.ts'

it.each(optionKeys)('%s has a variable', (key) => {
  const variable = variableOf(key)
  expect(givenByEnvironment({ [variable]: '7' })).toMatchObject([{ key, from: variable }])
})

it('is nothing where nothing is set, or set to nothing', () => {
  expect(givenByEnvironment({})).toEqual([])
  expect(
    givenByEnvironment({ UPLOAD_TO: '', AWS_REGION: '', NO_COLOR: '', UPLOAD_REPORT: '', UPLOAD_TEST_X: '1' }),
  ).toEqual([])
})

describe('AWS variables and the like', () => {
  it.each([
    [
      { UPLOAD_ENDPOINT_URL: 'u', AWS_ENDPOINT_URL_S3: 's', AWS_ENDPOINT_URL: 'a' },
      'endpointUrl',
      'u',
      'UPLOAD_ENDPOINT_URL',
    ],
    [{ AWS_ENDPOINT_URL_S3: 's', AWS_ENDPOINT_URL: 'a' }, 'endpointUrl', 's', 'AWS_ENDPOINT_URL_S3'],
    [{ AWS_ENDPOINT_URL: 'a' }, 'endpointUrl', 'a', 'AWS_ENDPOINT_URL'],
    [{ AWS_REGION: 'r', AWS_DEFAULT_REGION: 'd' }, 'region', 'r', 'AWS_REGION'],
    [{ AWS_REGION: '', AWS_DEFAULT_REGION: 'd' }, 'region', 'd', 'AWS_DEFAULT_REGION'],
    [{ UPLOAD_REGION: 'u', AWS_REGION: 'r' }, 'region', 'u', 'UPLOAD_REGION'],
    [{ AWS_PROFILE: 'p' }, 'profile', 'p', 'AWS_PROFILE'],
    [{ AWS_CA_BUNDLE: '/c.pem' }, 'caBundle', '/c.pem', 'AWS_CA_BUNDLE'],
    [{ NO_COLOR: 'yes' }, 'noColor', true, 'NO_COLOR'],
    [{ UPLOAD_NO_COLOR: '0', NO_COLOR: 'yes' }, 'noColor', '0', 'UPLOAD_NO_COLOR'],
  ])('%j', (env, key, value, from) => {
    expect(givenByEnvironment(env)).toEqual([{ key, value, from }])
  })
})

it('a repeatable option holds one value a line', () => {
  expect(givenByEnvironment({ UPLOAD_EXCLUDE: '*.tmp\r\n\n*.bak\n' })).toEqual([
    { key: 'exclude', value: ['*.tmp', '*.bak'], from: 'UPLOAD_EXCLUDE' },
  ])
})
