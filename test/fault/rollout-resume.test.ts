import { describe, expect, it } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import { bytes } from '../support/data-set.ts'
import { inProcess, retry } from '../support/in-process.ts'
import { rolloutOf } from '../support/rollout-settings.ts'
import type { FakeRequest, Script } from '../support/s3-fake.ts'
import { defaultSettings } from '../support/settings.ts'

const mebibyte = 1024 * 1024

/** Files that the candidate gets at 100 %, and the baseline at 0 %. */
async function scene(candidate: Partial<Settings> = {}) {
  const opened = await inProcess({ buckets: ['bucket', 'new'] })
  const { s3, upload } = opened
  const base: Settings = {
    ...defaultSettings,
    partSize: 5 * mebibyte,
    multipartThreshold: 5 * mebibyte,
    retry: retry({ retries: 0, retryFailed: 0 }),
    s3: { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1' },
  }
  const rollout = rolloutOf({ ...base, to: 's3://new/sub/', ...candidate })
  let before = 0
  const run = (percentage: number, script?: Script, changes: Partial<Settings> = {}, signal?: AbortSignal) => {
    s3.script = script ?? (() => undefined)
    before = s3.requests.length
    return upload({ ...base, rollout: { ...rollout, percentage }, ...changes }, signal && { signal })
  }
  /** Of the last invocation. */
  const puts = () => s3.requests.slice(before).filter(({ method }) => method === 'PUT')
  return { ...opened, run, puts }
}

const keyOf = ({ bucket, key }: FakeRequest): string => `${bucket}/${key}`
const refuse =
  (...names: readonly string[]): Script =>
  ({ key }) =>
    names.some((name) => key?.endsWith(name)) ? { status: 500, body: '' } : undefined

describe('a run that is continued with another share', () => {
  it('sends nothing again, whichever side has it', async () => {
    const { ws, run, puts } = await scene()
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const first = await run(100, refuse('b.txt'))
    expect(first.file('a.txt')).toMatchObject({ status: 'uploaded', destination: 's3://new/sub/', key: 'sub/a.txt' })
    expect(first.file('b.txt')).toMatchObject({ status: 'failed' })

    const rolledBack = await run(0, undefined, { resume: true })
    expect(rolledBack.file('a.txt')).toMatchObject({
      status: 'skipped',
      reason: 'already-uploaded',
      destination: 's3://new/sub/',
      key: 'sub/a.txt',
    })
    expect(rolledBack.file('b.txt')).toMatchObject({ status: 'uploaded', destination: 's3://bucket/', key: 'b.txt' })
    expect(rolledBack.summary).toMatchObject({ exitCode: 0, uploaded: 1, skipped: 1 })
    expect(puts().map(keyOf)).toEqual(['bucket/b.txt'])
  })

  it('goes by the last line of each file, over several invocations', async () => {
    const { ws, run, puts } = await scene()
    await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
    await run(100, refuse('b.txt', 'c.txt'))
    const second = await run(0, refuse('c.txt'), { resume: true })
    expect(second.summary).toMatchObject({ uploaded: 1, skipped: 1, failed: 1 })
    const third = await run(100, undefined, { resume: true })
    expect(puts().map(keyOf)).toEqual(['new/sub/c.txt'])
    const where = ['a.txt', 'b.txt', 'c.txt'].map((name) => third.file(name).destination)
    expect(where).toEqual(['s3://new/sub/', 's3://bucket/', 's3://new/sub/'])
    expect(third.summary).toMatchObject({ exitCode: 0, uploaded: 1, skipped: 2 })
  })

  it('sends a file that has changed since to where it goes now', async () => {
    const { ws, s3, run, puts } = await scene()
    await ws.writeAll('in/a.txt', 'in/b.txt')
    await run(100, refuse('b.txt'))
    await ws.write('in/a.txt', 'other bytes')
    const { files } = await run(0, undefined, { resume: true })
    expect(files.map(({ status }) => status)).toEqual(['uploaded', 'uploaded'])
    expect(puts().map(keyOf).sort()).toEqual(['bucket/a.txt', 'bucket/b.txt'])
    expect(s3.object('bucket', 'a.txt')?.size).toBe('other bytes'.length)
  })

  it.each([
    ['goes on with a half-sent upload of the candidate’s where both sides lead to one object', 's3://bucket/', ['2']],
    ['begins one anew that is elsewhere', 's3://new/', ['1', '2', '3']],
  ])('%s', async (_what, to, sent) => {
    const { ws, run, puts } = await scene({ to, verify: true, concurrency: 1 })
    await ws.write('in/large.bin', bytes('bin', 11 * mebibyte))
    const isSecond = ({ query }: FakeRequest): boolean => query.partNumber === '2'
    const cut = new AbortController()
    const stop: Script = (request) => {
      if (!isSecond(request)) return undefined
      cut.abort()
      return 'reset'
    }
    await run(100, stop, { concurrency: 1 }, cut.signal)
    const { file } = await run(0, undefined, { resume: true })
    expect(file('large.bin')).toMatchObject({ status: 'uploaded', destination: 's3://bucket/', key: 'large.bin' })
    const parts = puts().flatMap(({ query }) => query.partNumber ?? [])
    expect(parts.sort()).toEqual(expect.arrayContaining(sent))
    expect(parts.includes('1')).toBe(sent.includes('1'))
  })
})
