import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import type { RunResult } from '../support/run-upload.ts'
import { fakeCredentials, s3Environment, s3Fake } from '../support/s3-environment.ts'
import { freePort } from '../support/server-process.ts'
import type { Workspace } from '../support/workspace.ts'

const twenty = Array.from({ length: 20 }, (_, n) => `in/take-${n}.wav`)

/** A run that could not go on: exit 3, the cause said once rather than for each file, all of it in the journal. */
async function expectStopped(result: RunResult, ws: Workspace, code: string, said: RegExp): Promise<void> {
  expectCode(result, 3)
  expect(result.stdout).toBe('')
  expect(result.stderr).toMatch(said)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  const lines = result.stderr.split('\n')
  expect(lines.filter((line) => said.test(line)).length, result.stderr).toBe(1)
  expect(result.stderr).not.toMatch(/\(node:\d+\)/)
  expect(lines.length, result.stderr).toBeLessThan(15)
  const { files, summary } = await ws.journal()
  expect(summary).toMatchObject({ exitCode: 3, outcome: 'failure', uploaded: 0, files: 20 })
  expect(files.filter((file) => file.status === 'cancelled').length).toBeGreaterThanOrEqual(10)
  expect(files.some((file) => file.error?.code === code)).toBe(true)
}

describe('exit 0', () => {
  command('upload in --to s3://bucket/', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll(...twenty)
    expectCode(await run({ env: s3Environment(s3) }), 0)
    expect(s3.keys('bucket')).toHaveLength(20)
    expect((await ws.journal()).summary).toMatchObject({ exitCode: 0, outcome: 'success', uploaded: 20 })
  })
})

describe('exit 1', () => {
  command(
    'upload in --to s3://bucket/ --retries 1 --retry-delay 1ms',
    async ({ ws, run }) => {
      const s3 = await s3Fake({
        script: (request) => (request.key === 'take-7.wav' ? { status: 500, body: '' } : undefined),
      })
      await ws.writeAll(...twenty)
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 1)
      expect(s3.keys('bucket')).toHaveLength(19)
      expect(result.stderr).toContain('take-7.wav')
      expect(result.stderr).toContain('SERVER_ERROR')
      expect((await ws.journal()).summary).toMatchObject({ exitCode: 1, outcome: 'partial', uploaded: 19, failed: 1 })
    },
    'one of twenty',
  )

  command(
    'upload in --to s3://bucket/ --retries 0 --retry-failed 0',
    async ({ ws, run }) => {
      const s3 = await s3Fake({
        script: (request) => (request.method === 'PUT' ? { status: 500, body: '' } : undefined),
      })
      await ws.writeAll(...twenty)
      expectCode(await run({ env: s3Environment(s3) }), 1)
      expect((await ws.journal()).summary).toMatchObject({ exitCode: 1, outcome: 'failure', uploaded: 0, failed: 20 })
    },
    'all of them, one by one',
  )
})

describe('exit 2', () => {
  command('upload missing.wav --to s3://bucket/', async ({ ws, run }) => {
    const s3 = await s3Fake()
    expectRefused(await run({ env: s3Environment(s3) }), 'missing.wav')
    expect(s3.requests).toEqual([])
    expect(await ws.journals()).toEqual([])
  })
})

describe('exit 3', () => {
  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll(...twenty)
      const result = await run({
        env: { ...s3Environment(s3), AWS_SECRET_ACCESS_KEY: `${fakeCredentials.secretAccessKey}x` },
      })
      await expectStopped(result, ws, 'CREDENTIALS_INVALID', /AWS_SECRET_ACCESS_KEY|secret/i)
      expect(result.stderr).not.toContain(fakeCredentials.secretAccessKey)
    },
    'a wrong secret',
  )

  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll(...twenty)
      const result = await run({ env: { ...s3Environment(s3), AWS_ACCESS_KEY_ID: 'AKIANOBODYKNOWSIT' } })
      await expectStopped(result, ws, 'CREDENTIALS_INVALID', /AWS_ACCESS_KEY_ID|access key/i)
    },
    'an unknown access key',
  )

  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll(...twenty)
      const env = { ...s3Environment(s3), AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
      const result = await run({ env })
      await expectStopped(result, ws, 'CREDENTIALS_INVALID', /credentials/i)
      expect(s3.keys('bucket')).toEqual([])
    },
    'no credentials at all',
  )

  command('upload in --to s3://no-such-bucket/', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll(...twenty)
    await expectStopped(
      await run({ env: s3Environment(s3) }),
      ws,
      'BUCKET_NOT_FOUND',
      /no bucket|bucket.*(exist|found)/i,
    )
  })

  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      await ws.writeAll(...twenty)
      const port = await freePort()
      const result = await run({ env: s3Environment({ url: `http://127.0.0.1:${port}` }) })
      await expectStopped(result, ws, 'CONNECTION', /refused|connect/i)
      expect(result.stderr).toContain(String(port))
      expect(result.durationMs).toBeLessThan(10_000)
    },
    'nobody listens',
  )

  command(
    'upload in --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake({
        script: () => ({
          status: 403,
          body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
        }),
      })
      await ws.writeAll(...twenty)
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 3)
      const { summary } = await ws.journal()
      expect(summary).toMatchObject({ exitCode: 3, uploaded: 0 })
      expect(summary?.byErrorCode.ACCESS_DENIED).toBeGreaterThanOrEqual(1)
      expect(summary?.cancelled).toBeGreaterThan(0)
    },
    'access denied to the first ten',
  )

  command(
    'upload a.wav b.wav --to s3://bucket/',
    async ({ ws, run }) => {
      const s3 = await s3Fake({
        script: () => ({
          status: 403,
          body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
        }),
      })
      await ws.writeAll('a.wav', 'b.wav')
      expectCode(await run({ env: s3Environment(s3) }), 3)
    },
    'access denied to both of two',
  )

  command(
    'upload in --to s3://bucket/ --concurrency 1',
    async ({ ws, run }) => {
      const denied = { status: 403, body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>' }
      const s3 = await s3Fake({ script: (request) => (/take-1\d/.test(request.key) ? denied : undefined) })
      await ws.writeAll(...twenty)
      expectCode(await run({ env: s3Environment(s3) }), 1)
      expect((await ws.journal()).summary).toMatchObject({ uploaded: 10, failed: 10, cancelled: 0 })
    },
    'access denied to some after others succeeded is 1',
  )
})
