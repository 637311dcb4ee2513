import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import type { UploadEvent } from '../../src/observe/events.ts'
import { runUpload } from '../../src/upload.ts'
import { fastClock, type Outcome, outcome, retry } from '../support/in-process.ts'
import { defaultSettings } from '../support/settings.ts'
import { type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import { workspace } from '../support/workspace.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { openBucket } from './supabase-routes.ts'

const MiB = 2 ** 20

interface Scene {
  readonly supabase: SupabaseFake
  /** Writes a file below `in/`. */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** Uploads `in/` by Supabase's S3 endpoint. */
  run(settings?: Partial<Settings>): Promise<Outcome>
}

beforeEach(() => () => vi.unstubAllEnvs())

async function scene(): Promise<Scene> {
  const supabase = await startSupabaseFake()
  onTestFinished(() => supabase.close())
  supabase.makeBucket('audio')
  const ws = await workspace()
  await mkdir(ws.path('in'))
  const { endpointUrl, region, accessKeyId, secretAccessKey } = supabase.s3
  const env = {
    ...credentialEnvironment,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    HOME: ws.home,
    XDG_STATE_HOME: ws.state,
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  return {
    supabase,
    write: (name, bytes) => writeFile(ws.path(`in/${name}`), bytes),
    async run(settings = {}) {
      const events: UploadEvent[] = []
      const summary = await runUpload({
        settings: {
          ...defaultSettings,
          to: 's3://audio/',
          s3: { ...defaultSettings.s3, endpointUrl, region },
          partSize: 5 * MiB,
          multipartThreshold: 5 * MiB,
          ...settings,
        },
        argv: ['in', '--to', 's3://audio/'],
        signal: new AbortController().signal,
        listener: (event) => events.push(event),
        surroundings: {
          cwd: ws.cwd,
          env: { ...process.env, ...env },
          stdin: () => Readable.from([]),
          clock: fastClock(async () => {}),
        },
      })
      return outcome(summary, events)
    },
  }
}

describe('keys outside the rule', () => {
  it('fail before anything is sent for them', async () => {
    const { supabase, write, run } = await scene()
    await write('good.wav', Buffer.of(1))
    await write('track #1 ü.wav', Buffer.of(2))
    const { file, summary } = await run()
    expect(file('good.wav').status).toBe('uploaded')
    expect(file('track #1 ü.wav')).toMatchObject({ status: 'failed', error: { code: 'KEY_INVALID' } })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(supabase.requests.filter(({ path }) => path.includes('track'))).toEqual([])
  })

  it('are changed by --key-fix', async () => {
    const { supabase, write, run } = await scene()
    await write('track #1 ü.wav', Buffer.of(2))
    const { file, summary } = await run({ keyFix: true })
    const changed = { key: 'track =231 =C3=BC.wav', originalKey: 'track #1 ü.wav' }
    expect(file('track #1 ü.wav')).toMatchObject({ status: 'uploaded', ...changed })
    expect(summary.exitCode).toBe(0)
    expect([...supabase.objects.keys()]).toEqual(['audio/track =231 =C3=BC.wav'])
  })
})

it('of a prefix outside the rule nothing is sent, whether keys are to be changed or not', async () => {
  const { supabase, write, run } = await scene()
  await write('good.wav', Buffer.of(1))
  for (const keyFix of [false, true]) {
    const refused = run({ keyFix, to: 's3://audio/ü/' })
    await expect(refused).rejects.toMatchObject({
      faults: [expect.stringContaining('destination: Supabase takes no "ü"')],
    })
  }
  expect(supabase.requests).toEqual([])
})

describe('resuming', () => {
  it('goes by parts of which nobody says how large they are: only what is missing is sent', async () => {
    const { supabase, write, run } = await scene()
    const bytes = someBytes(11 * MiB)
    await write('long.wav', bytes)
    const partsSent = () =>
      supabase.requests.flatMap(({ method, path, status }) => {
        const partNumber = method === 'PUT' ? /[?&]partNumber=(\d)/.exec(path)?.[1] : undefined
        return partNumber === undefined || status !== 200 ? [] : [Number(partNumber)]
      })
    supabase.intercept = async ({ path }) => {
      if (!/[?&]partNumber=2/.test(path)) return undefined
      await vi.waitFor(() => expect(partsSent().sort()).toEqual([1, 3]), { timeout: 10_000, interval: 5 })
      return { status: 500 }
    }
    const first = await run({ retry: retry({ retries: 0, retryFailed: 0 }), partConcurrency: 3, concurrency: 8 })
    expect(first.file('long.wav')).toMatchObject({ status: 'failed', error: { code: 'SERVER_ERROR' } })
    expect(supabase.s3.uploads.size).toBe(1)

    supabase.intercept = undefined
    const before = partsSent().length
    const second = await run({ resume: true })
    expect(second.file('long.wav')).toMatchObject({ status: 'uploaded', size: bytes.length })
    expect(partsSent().slice(before)).toEqual([2])
    expect(supabase.s3.uploads.size).toBe(0)
    expect(await supabase.objects.get('audio/long.wav')?.sha256()).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    )
  })
})

it('keeps no versions, whatever it answers: nothing is taken back in the belief that it does', async () => {
  const supabase = await startSupabaseFake()
  onTestFinished(() => supabase.close())
  supabase.makeBucket('audio')
  const destination = await openBucket(supabase, { scheme: 's3', engine: 'fast', bucket: 'audio' })
  onTestFinished(() => destination.close())
  expect([destination.versioning, destination.listVersions]).toEqual([undefined, undefined])
})

describe('path style', () => {
  const at = async (pathStyle: Settings['s3']['pathStyle']) => {
    const { supabase } = await scene()
    const s3 = { ...supabase.s3, endpointUrl: supabase.s3.endpointUrl.replace('127.0.0.1', 'localhost') }
    const route = { scheme: 's3', engine: 'fast', bucket: 'audio' } as const
    const destination = await openBucket({ ...supabase, s3 }, route, pathStyle)
    onTestFinished(() => destination.close())
    return { supabase, put: () => destination.putObject(anObject('a.wav'), bodyOf(Buffer.of(1)), aCall()) }
  }

  it('is what Supabase speaks, and the default there', async () => {
    const { supabase, put } = await at('auto')
    await put()
    expect([...supabase.objects.keys()]).toEqual(['audio/a.wav'])
  })

  it('that is off makes a host that is not there, or one where the key is taken for the bucket; it says so', async () => {
    const { supabase, put } = await at('off')
    const error = await failureOf(put())
    const isKnownHost = supabase.requests.length > 0
    expect(error.code).toBe(isKnownHost ? 'BUCKET_NOT_FOUND' : 'CONNECTION')
    if (!isKnownHost) expect(error.message).toContain('--path-style')
    expect(supabase.objects.size).toBe(0)
  })
})
