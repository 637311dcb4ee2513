import { beforeEach, vi } from 'vitest'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { startS3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { testDestination } from './destination-contract.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

for (const engine of engines) {
  testDestination(`an S3 bucket (${engine})`, async () => {
    const s3 = await startS3Fake({ buckets: ['audio'], credentials: fakeCredentials })
    const open = () => openS3Destination({ ...s3Settings(s3.url), engine }, { url: 's3://audio/', bucket: 'audio' })
    const destination = await open()
    return {
      destination,
      reopen: open,
      read: async (key) => s3.read('audio', key),
      keys: async () => s3.keys('audio'),
      leftovers: async () => [...s3.uploads.keys()],
      close: async () => {
        await destination.close()
        await s3.close()
      },
    }
  })
}
