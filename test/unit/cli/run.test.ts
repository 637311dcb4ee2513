import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Engine, type Invocation, run } from '../../../src/cli/run.ts'
import { UploadError, UsageError } from '../../../src/errors.ts'
import type { SummaryRecord } from '../../../src/observe/records.ts'
import type { PlannedUpload, UploadRequest } from '../../../src/upload.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { defaultSettings } from '../../support/settings.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { runEnded, runRecord, runStarted } from '../observe/events.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

let host: FakeHost

beforeEach(async () => {
  const cwd = await tempDir()
  host = fakeHost({ cwd, home: cwd, env: { UPLOAD_CONCURRENCY: '5' } })
})

const line = (flags: Invocation['flags'] = {}): Invocation => ({
  argv: ['a.wav', 's3://b/'],
  flags,
  args: ['a.wav', 's3://b/'],
})

/** An engine whose run is `body`. */
function engine(body: (request: UploadRequest) => Promise<number>): () => Promise<Engine> {
  return async () => ({
    runUpload: async (request) => ({ exitCode: await body(request) }) as SummaryRecord,
    planUpload: () => {
      throw new Error('not asked for')
    },
  })
}

function planner(body: (request: UploadRequest) => AsyncGenerator<PlannedUpload>): () => Promise<Engine> {
  return async () => ({
    runUpload: async () => {
      throw new Error('not asked for')
    },
    planUpload: body,
  })
}

const planned = (problem?: UploadError): PlannedUpload => ({
  file: {
    index: 1,
    path: 'a.wav',
    absolute: '/work/a.wav',
    source: 'a.wav',
    key: 'a.wav',
    size: 5,
    mtimeMs: 0,
    contentType: 'audio/wav',
    properties: {},
    lane: 0,
    problem,
  },
  lane: { destination: { ...createFakeDestination(), url: 's3://b/' }, settings: defaultSettings },
})

it('hands settings, command line and surroundings over, and returns the exit code of the summary', async () => {
  const body = vi.fn(async (request: UploadRequest) => {
    request.listener(runStarted())
    request.listener(runEnded())
    return 1
  })
  expect(await run(line({ retries: '3' }), host, engine(body))).toBe(1)
  const request = body.mock.calls[0]?.[0]
  expect(request).toMatchObject({
    argv: ['a.wav', 's3://b/'],
    settings: { sources: ['a.wav'], to: 's3://b/', concurrency: 5, retry: { retries: 3 } },
    surroundings: { cwd: host.cwd, env: host.env },
  })
  expect(request?.signal.aborted).toBe(false)
  expect(host.stdout.text()).toBe('')
  expect(host.stderr.text()).toContain('latency')
  expect(host.send('SIGINT')).toBe(false)
})

it('loads no engine where the command line is wrong', async () => {
  const load = vi.fn()
  await expect(run(line({ retries: 'x' }), host, load)).rejects.toThrow(UsageError)
  expect(load).not.toHaveBeenCalled()
  expect(host.send('SIGINT')).toBe(false)
})

it.each([new UsageError('two files, one key'), new UploadError('INTERNAL', 'no journal'), new TypeError('a bug')])(
  'leaves %s to its caller, with nothing said',
  async (error) => {
    const failing = engine(() => Promise.reject(error))
    await expect(run(line(), host, failing)).rejects.toBe(error)
    expect(host.stderr.text()).toBe('')
  },
)

it('carries out an earlier command line again where it is to resume without sources', async () => {
  const runs = join(host.cwd, 'state', 'upload', 'runs')
  await mkdir(runs, { recursive: true })
  const journal = join(runs, 'x.jsonl')
  const then = runRecord({ cwd: host.cwd, to: 's3://b/', argv: ['a.wav', 's3://b/', '--retries', '3'] })
  await writeFile(journal, `${JSON.stringify(then)}\n`)
  const elsewhere = fakeHost({ cwd: '/', home: host.cwd, env: { XDG_STATE_HOME: join(host.cwd, 'state') } })
  const body = vi.fn(async (_request: UploadRequest) => 0)
  const readLine = vi.fn(() => ({ flags: { retries: '3' }, args: ['a.wav', 's3://b/'] }))
  await run({ argv: ['--resume'], flags: { resume: true, verbose: true }, args: [], readLine }, elsewhere, engine(body))
  expect(readLine).toHaveBeenCalledWith(then.argv)
  expect(body.mock.calls[0]?.[0]).toMatchObject({
    argv: ['--resume'],
    journal,
    settings: { sources: ['a.wav'], to: 's3://b/', resume: true, verbose: true, retry: { retries: 3 } },
    surroundings: { cwd: host.cwd },
  })
})

describe('stopped', () => {
  const untilAborted = (request: UploadRequest): Promise<void> =>
    new Promise((resolve) => request.signal.addEventListener('abort', () => resolve()))

  it.each(['SIGINT', 'SIGTERM'] as const)('by %s: says so, and takes the exit code of the summary', async (signal) => {
    const stopped = run(
      line(),
      host,
      engine(async (request) => {
        queueMicrotask(() => host.send(signal))
        await untilAborted(request)
        return request.signal.reason === signal ? 77 : 0
      }),
    )
    expect(await stopped).toBe(77)
    expect(host.stderr.text()).toContain(`upload: warning: stopping after ${signal}: `)
    expect(host.exits).toEqual([])
  })

  it('by a second signal: at once', async () => {
    await run(
      line(),
      host,
      engine(async () => {
        host.send('SIGTERM')
        host.send('SIGINT')
        return 0
      }),
    )
    expect(host.exits).toEqual([130])
  })

  it('before anything was sent: one line, and the code of the signal', async () => {
    const load = engine(async () => {
      host.send('SIGINT')
      throw new UploadError('CANCELLED', 'stopped before anything was sent')
    })
    expect(await run(line({ quiet: true }), host, load)).toBe(130)
    expect(host.stderr.text()).toMatch(/^upload: warning: .*\nupload: stopped before anything was sent\n$/)
  })

  it('while the settings are read: the run finds itself stopped', async () => {
    const load = engine(async (request) => (request.signal.aborted ? 130 : 0))
    const running = run(line(), host, load)
    host.send('SIGINT')
    expect(await running).toBe(130)
  })

  it('by a reader of stdout that has gone: quietly', async () => {
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    const load = engine(async (request) => {
      request.listener(runStarted())
      host.stdout.emit('error', broken)
      request.listener({ type: 'warning', message: 'unheard' })
      request.listener(runEnded())
      return request.signal.reason === 'EPIPE' ? 141 : 0
    })
    expect(await run(line({ json: true, progress: 'none' }), host, load)).toBe(141)
    expect(host.stderr.text()).toBe('')
  })

  it('by a reader that has gone, with an error on top: 141 and not a word', async () => {
    const load = engine(async () => {
      host.stdout.emit('error', new Error('gone'))
      throw new Error('something else')
    })
    expect(await run(line(), host, load)).toBe(141)
    expect(host.stderr.text()).toBe('')
  })
})

describe('--dry-run', () => {
  it('prints the plan on stdout, the sum on stderr', async () => {
    const load = planner(async function* ({ listener }) {
      listener({ type: 'warning', message: 'a FIFO was passed over' })
      yield planned()
    })
    expect(await run(line({ dryRun: true }), host, load)).toBe(0)
    expect(host.stdout.text()).toMatch(/^what .*\nupload +5 B +audio\/wav +a\.wav → s3:\/\/b\/a\.wav\n$/)
    expect(host.stderr.text()).toBe(
      'upload: warning: a FIFO was passed over\nupload: would send 1 file, 5 B → s3://b/; nothing was sent\n',
    )
  })

  it('as NDJSON, quietly, with a file that would fail', async () => {
    const load = planner(async function* () {
      yield planned(new UploadError('KEY_INVALID', 'no'))
    })
    expect(await run(line({ dryRun: true, json: true, quiet: true }), host, load)).toBe(1)
    expect(JSON.parse(host.stdout.text())).toMatchObject({ type: 'planned', error: { code: 'KEY_INVALID' } })
    expect(host.stderr.text()).toBe('')
  })

  it('stopped: prints no more and no sum', async () => {
    const load = planner(async function* () {
      yield planned()
      host.stdout.emit('error', new Error('gone'))
      yield planned()
    })
    expect(await run(line({ dryRun: true }), host, load)).toBe(141)
    expect(host.stdout.text().match(/^upload/gm)).toHaveLength(1)
    expect(host.stderr.text()).toBe('')
  })
})
