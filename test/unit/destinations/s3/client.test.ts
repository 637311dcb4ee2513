import { beforeEach, describe, expect, it, vi } from 'vitest'
import { connectS3 } from '../../../../src/destinations/s3/client.ts'
import { patienceFor } from '../../../../src/http/patience.ts'
import { credentialEnvironment, s3Settings } from '../../../contract/s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const base = s3Settings(undefined).s3
const patience = patienceFor({ requestMs: 'auto', stallMs: 30_000 })
const connect = (s3: Partial<typeof base>) =>
  connectS3({ ...base, ...s3 }, { caBundle: undefined, verify: true }, patience)

describe('checksums of its own', () => {
  it.each([
    ['are left to the SDK at AWS', undefined, 'WHEN_SUPPORTED'],
    [
      "are left to the SDK at one of AWS' addresses",
      'https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com',
      'WHEN_SUPPORTED',
    ],
    ['are left out elsewhere', 'https://r2.example.test', 'WHEN_REQUIRED'],
  ])('%s', async (_, endpointUrl, expected) => {
    const { config } = (await connect({ endpointUrl })).client
    expect(await config.requestChecksumCalculation()).toBe(expected)
    expect(await config.responseChecksumValidation()).toBe(expected)
  })
})

it.each([
  ['auto', undefined, false],
  ['auto', 'http://127.0.0.1:9000', true],
  ['on', undefined, true],
  ['off', 'http://127.0.0.1:9000', false],
] as const)('path style %s at %s is %s', async (pathStyle, endpointUrl, expected) => {
  expect((await connect({ pathStyle, endpointUrl })).client.config.forcePathStyle).toBe(expected)
})

it.each([
  ['https://abcdefgh.storage.supabase.co/storage/v1/s3', true],
  ['http://127.0.0.1:54321/storage/v1/s3/', true],
  ['https://example.test/behind/a/proxy/storage/v1/s3', true],
  ['https://example.test/storage/v1/s3/more', false],
  ['https://s3.example.test/', false],
  [undefined, false],
])('at %s, it is Supabase that it speaks to: %s', async (endpointUrl, expected) => {
  expect((await connect({ endpointUrl })).isSupabase).toBe(expected)
})

it('tries a request once', async () => {
  expect(await (await connect({})).client.config.maxAttempts()).toBe(1)
})

it('names the host it speaks to', async () => {
  const custom = await connect({ endpointUrl: 'http://user:pw@h:9000/path' })
  expect(custom.host()).toBe('h:9000')
  expect(custom.endpoint).toBe('http://***@h:9000/path')
  const connection = await connect({ region: 'eu-west-1' })
  expect(connection.host()).toBe('s3.us-east-1.amazonaws.com')
  await connection.client.config.region()
  expect(connection.host()).toBe('s3.eu-west-1.amazonaws.com')
})
