import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import { defaultStages } from '../../src/rollout/stages.ts'
import { defaultTriggers } from '../../src/rollout/triggers.ts'
import { bytes } from '../support/data-set.ts'
import { inProcess, retry } from '../support/in-process.ts'
import type { FakeRequest } from '../support/s3-fake.ts'
import { defaultSettings, engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024

/** A server with a bucket for each side; all files are the candidate's. */
async function scene(engine: Settings['engine'], sameBucket = false) {
  const opened = await inProcess({ engine, buckets: ['bucket', 'new'] })
  const { s3, upload } = opened
  const base: Settings = {
    ...defaultSettings,
    engine,
    s3: { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1' },
  }
  const run = (changes: Partial<Settings> = {}, more: { fallback?: boolean; candidate?: Partial<Settings> } = {}) => {
    const { fallback = true, candidate = {} } = more
    const to = sameBucket ? 's3://bucket/' : 's3://new/'
    return upload({
      ...changes,
      rollout: {
        name: 'test',
        isEnabled: true,
        percentage: 100,
        fallback,
        auto: false,
        only: [],
        never: [],
        stages: defaultStages,
        triggers: defaultTriggers,
        state: undefined,
        candidates: [{ ...base, ...changes, to, ...candidate }],
      },
    })
  }
  return { ...opened, run }
}

const isNew = ({ bucket }: FakeRequest): boolean => bucket === 'new'
const error500 = { status: 500, body: '' } as const

describe.each(engines)('the %s engine', (engine) => {
  it('no bucket at the candidate: all is uploaded on the baseline, and charged', async () => {
    const { ws, s3, run } = await scene(engine)
    await ws.writeAll(...Array.from({ length: 60 }, (_, at) => `in/${at}.txt`))
    const { summary, files, events } = await run({ concurrency: 4 }, { candidate: { to: 's3://nowhere/' } })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 60, failed: 0, cancelled: 0 })
    expect(s3.requests.filter(({ bucket }) => bucket === 'nowhere').length).toBeLessThanOrEqual(4)
    expect(files.every(({ fallback }) => fallback?.error.code === 'BUCKET_NOT_FOUND')).toBe(true)
    expect(files.every(({ side, stage }) => side === 'candidate' && stage !== undefined)).toBe(true)
    expect(
      events.filter((event) => event.type === 'warning' && event.message.startsWith('the candidate is given up')),
    ).toHaveLength(1)
  })

  it('503 for ever there', async () => {
    const { ws, s3, run } = await scene(engine)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = (request) => (isNew(request) ? { status: 503, body: '' } : undefined)
    const { summary, files } = await run({ retry: retry({ retries: 1 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2 })
    for (const file of files)
      expect(file).toMatchObject({ attempts: 3, fallback: { attempts: 2, destination: 's3://new/' } })
    expect(s3.read('bucket', 'a.txt')?.toString()).toBe('in/a.txt')
  })

  it('a connection that is reset in the middle of a body', async () => {
    const { ws, s3, run } = await scene(engine)
    const data = bytes('bin', 3 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = (request) => (isNew(request) ? { resetAfterBytes: mebibyte } : undefined)
    const { summary, files } = await run({ retry: retry({ retries: 1 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
    expect(files).toMatchObject([{ fallback: { error: { code: 'CONNECTION' } } }])
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
  })

  it('an answer of 200 with an error in it', async () => {
    const { ws, s3, run } = await scene(engine)
    const data = bytes('bin', 20 * mebibyte)
    await ws.write('in/a.bin', data)
    const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>no</Message></Error>'
    s3.script = (request) =>
      isNew(request) && request.operation === 'CompleteMultipartUpload' ? { status: 200, body } : undefined
    const { summary, files } = await run({ retry: retry({ retries: 1 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, unfinishedUploads: undefined })
    expect(files).toMatchObject([{ fallback: { error: { code: 'SERVER_ERROR' } } }])
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
  })

  it('both sides at one key: what the candidate stored without an answer is the file’s own', async () => {
    const { ws, s3, run } = await scene(engine, true)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    let stored = 0
    s3.script = ({ operation, key }) => {
      if (operation !== 'PutObject' || key !== 'a.txt') return undefined
      stored += 1
      return stored === 1 ? 'reset-after-storing' : undefined
    }
    const { summary, file } = await run({ ifExists: 'fail', retry: retry({ retries: 0, retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
    expect(file('a.txt')).toMatchObject({ status: 'uploaded', fallback: { attempts: 1 } })
    expect(file('b.txt').fallback).toBeUndefined()
    expect(s3.read('bucket', 'a.txt')?.toString()).toBe('in/a.txt')
  })

  it('a baseline that fails as well: the file has failed once, with both errors', async () => {
    const { ws, s3, run } = await scene(engine)
    await ws.writeAll('in/a.txt')
    s3.script = () => error500
    const { summary, files } = await run({ retry: retry({ retries: 1, retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, failed: 1 })
    expect(files).toMatchObject([
      {
        status: 'failed',
        attempts: 4,
        error: { code: 'SERVER_ERROR' },
        fallback: { attempts: 2, error: { code: 'SERVER_ERROR' } },
      },
    ])
  })

  it('without fallback, the file has failed, and a later pass may mend it on the candidate', async () => {
    const { ws, s3, run } = await scene(engine)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key, attempt }) => (key === 'b.txt' && attempt <= 2 ? error500 : undefined)
    const { summary, file } = await run({ retry: retry({ retries: 0, retryFailed: 2 }) }, { fallback: false })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2 })
    expect(file('b.txt')).toMatchObject({ attempts: 3, destination: 's3://new/', side: 'candidate' })
  })
})

it('a candidate with wrong credentials is given up, and the run is none the worse for it', async () => {
  const { ws, s3, run } = await scene('fast')
  await ws.writeAll(...Array.from({ length: 30 }, (_, at) => `in/${at}.txt`))
  const body = '<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>'
  s3.script = (request) => (isNew(request) ? { status: 403, body } : undefined)
  const { summary, files } = await run({ concurrency: 2 })
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 30 })
  expect(files.every(({ fallback }) => fallback?.error.code === 'CREDENTIALS_INVALID')).toBe(true)
  expect(s3.requests.filter(isNew).length).toBeLessThanOrEqual(2)
})

it('a large file of the candidate’s leaves nothing behind there', async () => {
  const { ws, s3, run } = await scene('fast')
  const data = bytes('bin', 20 * mebibyte)
  await ws.write('in/a.bin', data)
  s3.script = (request) =>
    isNew(request) && request.operation === 'UploadPart' && request.partNumber === 3 ? error500 : undefined
  const { summary, files } = await run({ retry: retry({ retries: 1 }) })
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
  expect(files).toMatchObject([{ parts: 3, fallback: { error: { code: 'SERVER_ERROR' } } }])
  expect(s3.uploads.size).toBe(0)
  expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
})

it('as many requests at a time as each side is given', async () => {
  const { ws, s3, run } = await scene('fast')
  await ws.writeAll(...Array.from({ length: 40 }, (_, at) => `in/${at}.txt`))
  // No answer before as many are in as only the candidate may have.
  s3.hold(6)
  const { summary } = await run({ concurrency: 2 }, { candidate: { concurrency: 6 } })
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 40 })
  expect(s3.counters.maxConcurrent).toBe(6)
  expect(s3.requests.every(isNew)).toBe(true)
})

it('a candidate that fails at everything is rolled back in the middle of the run, which succeeds', async () => {
  const { ws, s3, run } = await scene('fast')
  await ws.writeAll(...Array.from({ length: 250 }, (_, at) => `in/${at}.txt`))
  s3.script = (request) => (isNew(request) ? { status: 500, body: '' } : undefined)
  const { summary, files } = await run({ concurrency: 4, retry: retry({ retries: 0 }) })
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 250, failed: 0 })
  const charged = files.filter(({ fallback }) => fallback !== undefined)
  expect(charged.length).toBeGreaterThanOrEqual(100)
  expect(charged.length).toBeLessThan(110)
  const rest = files.filter(({ fallback }) => fallback === undefined)
  expect(
    rest.every(({ side, stage, destination }) => !side && stage === undefined && destination === 's3://bucket/'),
  ).toBe(true)
})

it('nobody looks for the credentials of a place that no file goes to', async () => {
  const { ws, run } = await scene('fast')
  const script = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ws.path('asked'))}, '')`
  await ws.write('give.mjs', script)
  const process = `node ${ws.path('give.mjs')}`
  await ws.write('aws.ini', `[profile far]\nregion = us-east-1\ncredential_process = ${process}\n`)
  vi.stubEnv('AWS_CONFIG_FILE', ws.path('aws.ini'))
  onTestFinished(() => void vi.unstubAllEnvs())
  await ws.writeAll('in/a.txt')
  const s3 = { ...defaultSettings.s3, profile: 'far' }
  const when = { match: ['*.wav'], type: [], minSize: undefined, maxSize: undefined }
  const far = { name: 'routes[0]', when, skip: false, settings: { ...defaultSettings, to: 's3://far/', s3 } }
  const { summary } = await run({ routes: [far] }, { candidate: { routes: [] } })
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, rollout: { candidate: { succeeded: 1 } } })
  await expect(ws.read('asked')).rejects.toThrow('ENOENT')
})
