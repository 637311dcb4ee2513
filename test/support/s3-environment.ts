import { onTestFinished } from 'vitest'
import { type S3Fake, type S3FakeOptions, startS3Fake } from './s3-fake.ts'

/** Credentials for the scripted server; the secret is one that can be searched for in whatever a run leaves behind. */
export const fakeCredentials = {
  accessKeyId: 'AKIATESTTESTTEST',
  secretAccessKey: 'ThisIs/The+Secret=NobodyMaySee0123456789',
}

/** What the program's environment needs to reach a scripted server. */
export function s3Environment(s3: Pick<S3Fake, 'url'>): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: s3.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: fakeCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fakeCredentials.secretAccessKey,
  }
}

/** A scripted server with {@link fakeCredentials} that is gone when the test ends. */
export async function s3Fake(options: S3FakeOptions = {}): Promise<S3Fake> {
  const s3 = await startS3Fake({ credentials: fakeCredentials, ...options })
  onTestFinished(() => s3.close())
  return s3
}
