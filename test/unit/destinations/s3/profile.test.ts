import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { configuredEndpoint } from '../../../../src/destinations/s3/profile.ts'
import { credentialEnvironment, s3Settings } from '../../../contract/s3-settings.ts'

const config = `
[default]
endpoint_url = http://default
[profile ep]
endpoint_url = http://ep
[profile plain]
region = eu-west-1
[profile both]
services = mine
endpoint_url = http://general
[profile others]
services = theirs
endpoint_url = http://general
[profile lost]
services = nowhere
[profile ignoring]
ignore_configured_endpoint_urls = true
endpoint_url = http://ignored
[services mine]
dynamodb =
  endpoint_url = http://tables
s3 =
  endpoint_url = http://mine
[services theirs]
dynamodb =
  endpoint_url = http://tables
`
const credentials = `
[keys]
aws_access_key_id = A
[ep]
endpoint_url = http://less
[cred-ep]
endpoint_url = http://cred
`

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', undefined)
  return () => vi.unstubAllEnvs()
})

async function sharedFiles(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'profiles-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const files = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text)
    vi.stubEnv(name, join(directory, name))
  }
}

const find = (profile?: string, endpointUrl?: string) => configuredEndpoint(s3Settings(endpointUrl, { profile }).s3)

describe('the endpoint', () => {
  it.each([
    ['the default profile', undefined, {}, 'http://default'],
    ['a profile', 'ep', {}, 'http://ep'],
    ['the profile of AWS_PROFILE', undefined, { AWS_PROFILE: 'ep' }, 'http://ep'],
    ['the profile given, not that of AWS_PROFILE', 'cred-ep', { AWS_PROFILE: 'ep' }, 'http://cred'],
    ['nowhere, not from the default profile', 'plain', {}, undefined],
    ['nowhere for a profile of the credentials file alone', 'keys', {}, undefined],
    ['the services of a profile', 'both', {}, 'http://mine'],
    ['the profile where its services say nothing of S3', 'others', {}, 'http://general'],
    ['nowhere where the profile ignores its own', 'ignoring', {}, undefined],
    [
      'nowhere where the profile ignores that of AWS_ENDPOINT_URL',
      'ignoring',
      { AWS_ENDPOINT_URL: 'http://e' },
      undefined,
    ],
    [
      'the profile where the environment overrules its ignoring',
      'ignoring',
      { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false' },
      'http://ignored',
    ],
    ['nowhere where the environment ignores all', 'ep', { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined],
    ['AWS_ENDPOINT_URL', 'both', { AWS_ENDPOINT_URL: 'http://e' }, 'http://e'],
    ['AWS_ENDPOINT_URL_S3', 'both', { AWS_ENDPOINT_URL: 'http://e', AWS_ENDPOINT_URL_S3: 'http://s' }, 'http://s'],
    ['the profile where variables are empty', 'ep', { AWS_ENDPOINT_URL: '', AWS_ENDPOINT_URL_S3: '' }, 'http://ep'],
  ])('comes from %s', async (_, profile, environment, expected) => {
    await sharedFiles()
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    expect((await find(profile))?.text).toBe(expected)
  })

  it('of the settings comes before all, also where others are ignored', async () => {
    await sharedFiles()
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://s')
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true')
    expect((await find('ep', 'http://given'))?.text).toBe('http://given')
  })

  it('needs no files', async () => {
    expect(await find()).toBeUndefined()
  })
})

describe('a profile', () => {
  it.each([
    ['--profile', 'nosuch', {}],
    ['AWS_PROFILE', undefined, { AWS_PROFILE: 'nosuch' }],
    ['--profile', 'nosuch', { AWS_PROFILE: 'ep' }],
  ])('that is in neither file is refused: %s', async (source, profile, environment) => {
    await sharedFiles()
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const files = `${process.env.AWS_CONFIG_FILE} or ${process.env.AWS_SHARED_CREDENTIALS_FILE}`
    await expect(find(profile, 'http://given')).rejects.toThrow(`${source}: there is no profile "nosuch" in ${files}`)
  })

  it('whose services are not there is refused', async () => {
    await sharedFiles()
    await expect(find('lost')).rejects.toThrow('[services nowhere]')
  })
})
