import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake, S3FakeOptions } from '../support/s3-fake.ts'

const hour = 3_600_000

/** A server with uploads begun a week, two days and an hour ago. */
async function serverWithUploads(options: S3FakeOptions = {}): Promise<S3Fake> {
  const ages = [168, 48, 1]
  const s3 = await s3Fake({
    ...options,
    credentials: undefined,
    initiated: () => new Date(Date.now() - (ages.shift() ?? 0) * hour),
  })
  for (const key of ['audio/old%20one.wav', 'audio/b.wav', 'audio/new.wav']) {
    await fetch(`${s3.url}/bucket/${key}?uploads`, { method: 'POST' })
  }
  return s3
}

const leftKeys = (s3: S3Fake) => [...s3.uploads.values()].map(({ key }) => key).toSorted()
const all = ['audio/b.wav', 'audio/new.wav', 'audio/old one.wav']

describe('unfinished uploads in S3', () => {
  command('upload cleanup s3://bucket/audio/', async ({ run }) => {
    const s3 = await serverWithUploads()
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 2)
    expect(result.stdout).toMatch(
      /^audio\/old one.wav {2}upload upload-1-\S*… {2}7d old\naudio\/b.wav {2}upload \S+ {2}2d old\n$/,
    )
    expect(result.stderr).toContain(
      '2 unfinished uploads left behind in s3://bucket/audio/; 1 unfinished upload younger',
    )
    expect(result.stderr).toContain('add --yes')
    expect(leftKeys(s3)).toEqual(all)
  })

  command('upload cleanup s3://bucket/audio/ --yes', async ({ run }) => {
    const s3 = await serverWithUploads()
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 0)
    expect(result.stderr).toContain('2 unfinished uploads removed')
    expect(leftKeys(s3)).toEqual(['audio/new.wav'])
  })

  command('upload cleanup s3://bucket/audio/ --yes --older-than 3d --json', async ({ run }) => {
    const s3 = await serverWithUploads()
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 0)
    expect(JSON.parse(result.stdout)).toMatchObject({ key: 'audio/old one.wav', status: 'removed' })
    expect(leftKeys(s3)).toEqual(['audio/b.wav', 'audio/new.wav'])
  })

  command('upload cleanup s3://bucket/other/ --yes', async ({ run }) => {
    const s3 = await serverWithUploads()
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 0)
    expect(result.stderr).toContain('nothing left behind in s3://bucket/other/')
    expect(leftKeys(s3)).toEqual(all)
  })

  command(
    'upload cleanup s3://bucket/audio/ --yes',
    async ({ run }) => {
      const s3 = await serverWithUploads()
      s3.script = ({ operation, key }) =>
        operation === 'AbortMultipartUpload' && key === 'audio/b.wav' ? { status: 403 } : undefined
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 1)
      expect(result.stderr).toMatch(/audio\/b.wav was not removed: access denied.*s3:AbortMultipartUpload/)
      expect(result.stderr).toContain('1 unfinished upload removed, 1 not')
      expect(leftKeys(s3)).toEqual(['audio/b.wav', 'audio/new.wav'])
    },
    'one may not be aborted',
  )

  command(
    'upload cleanup s3://nowhere/ --yes',
    async ({ run }) => {
      const s3 = await serverWithUploads()
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 3)
      expect(result.stderr).toMatch(/^upload: there is no bucket "nowhere"/)
    },
    'no such bucket',
  )
})

command('upload cleanup', async ({ run }) => {
  expectRefused(await run(), /missing required argument 'destination'/)
})
