import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import type { RunResult } from '../support/run-upload.ts'
import { engines } from '../support/settings.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { SupabaseFake } from '../support/supabase-fake.ts'
import type { Workspace } from '../support/workspace.ts'

const partSize = 6 * 2 ** 20
const twenty = Array.from({ length: 20 }, (_, n) => `in/take-${n}.wav`)

/** A run that could not go on: exit 3, the cause said once rather than for each file, all of it in the journal. */
async function expectStopped(result: RunResult, ws: Workspace, code: string, said: string): Promise<void> {
  expectCode(result, 3)
  expect(result.stdout).toBe('')
  expect(result.stderr.split(said).length - 1, `“${said}” in ${result.stderr}`).toBe(1)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  expect(result.stderr.split('\n').length, result.stderr).toBeLessThan(15)
  const { files, summary } = await ws.journal()
  expect(summary).toMatchObject({ exitCode: 3, outcome: 'failure', uploaded: 0, files: files.length })
  expect(summary?.cancelled).toBeGreaterThan(0)
  expect(files.some((file) => file.error?.code === code)).toBe(true)
}

interface Stop {
  readonly why: string
  readonly code: string
  readonly said: string
  readonly bucket?: string
  readonly key: (supabase: SupabaseFake) => string
}

const stops: readonly Stop[] = [
  {
    why: 'another project’s key',
    code: 'CREDENTIALS_INVALID',
    said: 'set SUPABASE_SERVICE_ROLE_KEY to the project',
    // As good as any, signed by nobody this server knows.
    key: ({ key }) => `${key.slice(0, key.lastIndexOf('.'))}.${Buffer.alloc(32).toString('base64url')}`,
  },
  {
    why: 'what is no key at all',
    code: 'CREDENTIALS_INVALID',
    said: 'set SUPABASE_SERVICE_ROLE_KEY to the project',
    key: () => 'sb_secret_nobody_made_it',
  },
  { why: 'an expired key', code: 'CREDENTIALS_EXPIRED', said: 'the key has expired', key: (one) => one.expiredKey },
  {
    why: 'no such bucket',
    code: 'BUCKET_NOT_FOUND',
    said: "there is no bucket \"takes\" at 127.0.0.1:PORT; make it (Dashboard → Storage → New bucket, or SQL: insert into storage.buckets (id, name) values ('takes', 'takes'))",
    bucket: 'takes',
    key: ({ key }) => key,
  },
  {
    why: 'a key that may write nothing',
    code: 'ACCESS_DENIED',
    said: 'use the service role key',
    key: (one) => one.anonKey,
  },
]

describe('a run that cannot go on says why, once', () => {
  for (const engine of engines) {
    command(
      `upload in supabase://bucket/ --engine ${engine}`,
      async ({ ws, run }) => {
        const supabase = await supabaseFake()
        await ws.writeAll(...twenty)
        const result = await run({ env: { SUPABASE_URL: supabase.url } })
        await expectStopped(result, ws, 'CREDENTIALS_INVALID', 'no key was found; set SUPABASE_SERVICE_ROLE_KEY')
        expect(supabase.requests).toEqual([])
      },
      'no key',
    )

    for (const { why, code, said, bucket = 'bucket', key } of stops) {
      command(
        `upload in supabase://${bucket}/ --engine ${engine} --concurrency 4`,
        async ({ ws, run }) => {
          const supabase = await supabaseFake()
          await ws.writeAll(...twenty)
          const result = await run({ env: { SUPABASE_URL: supabase.url, SUPABASE_KEY: key(supabase) } })
          const { host, port } = new URL(supabase.url)
          await expectStopped(result, ws, code, said.replace('PORT', port))
          if (code === 'BUCKET_NOT_FOUND') expect(result.stderr).toContain(host)
          expect(supabase.objects.size).toBe(0)
        },
        why,
      )

      command(
        `upload in supabase://${bucket}/ --engine ${engine} --concurrency 1`,
        async ({ ws, run }) => {
          const supabase = await supabaseFake()
          for (const name of ['a', 'b', 'c']) await ws.write(`in/${name}.wav`, bytes('bin', partSize + 1))
          const result = await run({ env: { SUPABASE_URL: supabase.url, SUPABASE_KEY: key(supabase) } })
          await expectStopped(result, ws, code, said.replace('PORT', new URL(supabase.url).port))
          expect(supabase.objects.size).toBe(0)
        },
        `${why}, files of more than 6 MiB`,
      )
    }
  }
})

describe('what one file is refused for is that file’s failure', () => {
  for (const engine of engines) {
    const line = `upload in supabase://bucket/ --engine ${engine}`

    command(
      line,
      async ({ ws, run }) => {
        const supabase = await supabaseFake({ stallsAfterRefusal: true })
        supabase.makeBucket('bucket', { fileSizeLimit: 10_000, allowedMimeTypes: ['audio/*'] })
        await ws.writeAll(...twenty, 'in/readme.txt')
        await ws.write('in/larger.wav', Buffer.alloc(10_001))
        await ws.write('in/largest.wav', bytes('bin', partSize + 1))
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 1)
        const { file, summary } = await ws.journal()
        expect(summary).toMatchObject({ uploaded: 20, failed: 3, byErrorCode: { TOO_LARGE: 2, TYPE_NOT_ALLOWED: 1 } })
        for (const name of ['larger.wav', 'largest.wav']) {
          const message = expect.stringContaining('larger than bucket "bucket" (its file_size_limit)')
          expect(file(name)).toMatchObject({ attempts: 1, error: { code: 'TOO_LARGE', message, status: 413 } })
        }
        expect(file('readme.txt').error?.message).toMatch(/does not accept this content type.*allowed_mime_types/)
        expect(result.stderr).toMatch(/TOO_LARGE +2 /)
        expect(supabase.objects.size).toBe(20)
      },
      'the bucket takes small sound files only',
    )

    command(
      line,
      async ({ ws, run }) => {
        const refused = ['track #1', 'é', '日本', '100%', 'a[1]', 'b{2}', 'c^', 'd~', 'e`', '\u{1f3b5}']
        const supabase = await supabaseFake()
        await ws.writeAll(...twenty, ...refused.map((name) => `in/${name}.wav`))
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 1)
        expect(result.stderr).toMatch(/KEY_INVALID +10 /)
        expect(result.stderr).toContain('--key-fix')
        const { file, summary } = await ws.journal()
        expect(summary).toMatchObject({ uploaded: 20, failed: 10, byErrorCode: { KEY_INVALID: 10 } })
        for (const name of refused) {
          const listed = { status: 'failed', attempts: 0, bytesSent: 0, error: { code: 'KEY_INVALID' } }
          expect(file(`${name}.wav`)).toMatchObject(listed)
        }
        // Nothing was asked of the server for their sake, and nothing stands there but what could be sent.
        expect(supabase.requests).toHaveLength(20)
        const keys = twenty.map((name) => name.replace('in/', 'bucket/'))
        expect([...supabase.objects.keys()].toSorted()).toEqual(keys.toSorted())
      },
      'ten names that Supabase refuses among twenty others',
    )

    command(
      `${line} --retries 2 --retry-delay 1ms --retry-failed 0`,
      async ({ ws, run }) => {
        const supabase = await supabaseFake()
        const body = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'
        const page = { status: 502, headers: { 'content-type': 'text/html' }, body }
        supabase.intercept = ({ path, headers }) =>
          path.includes('take-7') || headers['upload-length'] !== undefined ? page : undefined
        await ws.writeAll(...twenty)
        await ws.write('in/large.wav', bytes('bin', partSize + 1))
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 1)
        expect(result.stderr).not.toContain('<html>')
        const { file, summary } = await ws.journal()
        expect(summary).toMatchObject({ uploaded: 19, failed: 2, byErrorCode: { SERVER_ERROR: 2 } })
        for (const name of ['take-7.wav', 'large.wav']) {
          expect(file(name)).toMatchObject({ attempts: 3, error: { status: 502, retryable: true } })
        }
      },
      'a gateway answers with web pages',
    )

    command(
      line,
      async ({ ws, run }) => {
        const supabase = await supabaseFake()
        const page = { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<!doctype html><title>Hello' }
        supabase.intercept = () => ({ status: 200, ...page })
        await ws.writeAll(...twenty)
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 1)
        const { summary } = await ws.journal()
        expect(summary).toMatchObject({ uploaded: 0 })
        expect(summary?.byErrorCode.BAD_RESPONSE).toBeGreaterThan(0)
        expect(result.stderr).toContain('SUPABASE_URL')
      },
      'the address is that of a web site',
    )

    command(
      `${line} --retry-delay 1ms`,
      async ({ ws, run }) => {
        const supabase = await supabaseFake()
        const page = { headers: { 'content-type': 'text/html' }, body: '<html><h1>413 Request Entity Too Large</h1>' }
        supabase.intercept = ({ headers }) =>
          Number(headers['content-length']) > 1_000_000 ? { status: 413, early: true, ...page } : undefined
        await ws.writeAll(...twenty)
        await ws.write('in/large.wav', bytes('bin', partSize))
        const result = await run({ env: supabaseEnvironment(supabase) })
        expectCode(result, 1)
        expect((await ws.journal()).file('large.wav').error).toMatchObject({
          code: 'TOO_LARGE',
          message: expect.stringContaining('client_max_body_size'),
        })
        expect(supabase.objects.size).toBe(20)
      },
      'a gateway lets only so much through',
    )
  }
})
