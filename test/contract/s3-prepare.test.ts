import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'

let s3: S3Fake

beforeEach(async () => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  s3 = await startS3Fake({ buckets: ['audio'], credentials: fakeCredentials })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await s3.close()
})

it.each(engines)('%s: gets ready without a request', async (engine) => {
  const destination = await openS3Destination(
    { ...s3Settings(s3.url), engine },
    { url: 's3://audio/', bucket: 'audio' },
  )
  try {
    await destination.prepare?.()
    expect(destination.prepare).toBeDefined()
    expect(s3.requests).toEqual([])
  } finally {
    await destination.close()
  }
})

it('says why it cannot, where there are no credentials', async () => {
  for (const name of Object.keys(credentialEnvironment)) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere')
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere')
  const destination = await openS3Destination(s3Settings(s3.url), { url: 's3://audio/', bucket: 'audio' })
  try {
    await expect(destination.prepare?.()).rejects.toThrow(/credentials/i)
  } finally {
    await destination.close()
  }
})
