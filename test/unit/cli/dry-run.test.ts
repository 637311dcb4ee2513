import { describe, expect, it } from 'vitest'
import { plannedLine, plannedRecord, planSummary, printPlan } from '../../../src/cli/dry-run.ts'
import { UploadError } from '../../../src/errors.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { fakeOutput } from './fake-host.ts'

const to = 's3://b/x/'
const file = (over: { [Key in keyof PlannedFile]?: PlannedFile[Key] | undefined } = {}): PlannedFile =>
  ({
    index: 1,
    path: './a.wav',
    source: 'a.wav',
    key: 'x/a.wav',
    size: 60_100_000,
    mtimeMs: Date.UTC(2026, 10, 22),
    contentType: 'audio/wav',
    ...over,
  }) as PlannedFile
const problem = new UploadError('KEY_INVALID', 'its key would hold\na control character')

async function* plan(...files: PlannedFile[]): AsyncGenerator<PlannedFile> {
  yield* files
}

it.each([
  [file(), 'would upload ./a.wav → s3://b/x/a.wav (60.1 MB, audio/wav)'],
  [
    file({ path: './é\t.wav', key: 'x/=C3=A9.wav', originalKey: 'x/é\t.wav' }),
    'would upload ./é\\t.wav → s3://b/x/=C3=A9.wav (60.1 MB, audio/wav; its key would have been x/é\\t.wav)',
  ],
  [file({ path: '-', size: undefined }), 'would upload - → s3://b/x/a.wav (size not known, audio/wav)'],
  [
    file({ path: 'e\u001b[31m', problem }),
    'would fail e\\x1b[31m: its key would hold a control character (KEY_INVALID)',
  ],
])('plannedLine', (planned, line) => {
  expect(plannedLine(planned, to)).toBe(line)
})

it('plannedRecord has the fields of a file line', () => {
  expect(plannedRecord(file(), to)).toEqual({
    type: 'planned',
    path: './a.wav',
    source: 'a.wav',
    key: 'x/a.wav',
    destination: to,
    size: 60_100_000,
    mtime: '2026-11-22T00:00:00.000Z',
    contentType: 'audio/wav',
  })
  expect(plannedRecord(file({ originalKey: 'x/é.wav' }), to)).toMatchObject({ key: 'x/a.wav', originalKey: 'x/é.wav' })
  const { message } = problem
  expect(plannedRecord(file({ size: undefined, mtimeMs: undefined, problem }), to)).toMatchObject({
    size: null,
    mtime: null,
    error: { code: 'KEY_INVALID', message, retryable: false },
  })
})

it.each([
  [{ files: 213, bytes: 3.2e9, failing: 0 }, 'upload: would send 213 files, 3.2 GB → s3://b/x/; nothing was sent'],
  [
    { files: 1, bytes: 0, failing: 1 },
    'upload: would send 1 file, 0 B → s3://b/x/; 1 file would fail; nothing was sent',
  ],
])('planSummary', (totals, line) => {
  expect(planSummary(totals, to)).toBe(line)
})

describe('printPlan', () => {
  const { signal } = new AbortController()

  it('prints lines and adds up', async () => {
    const stdout = fakeOutput()
    const files = [file(), file({ problem }), file({ size: undefined })]
    expect(await printPlan(plan(...files), { to, json: false, stdout, signal })).toEqual({
      files: 2,
      bytes: 60_100_000,
      failing: 1,
    })
    expect(stdout.text()).toBe(files.map((one) => `${plannedLine(one, to)}\n`).join(''))
  })

  it('prints NDJSON', async () => {
    const stdout = fakeOutput()
    await printPlan(plan(file(), file({ problem })), { to, json: true, stdout, signal })
    const lines = stdout.text().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      plannedRecord(file(), to),
      plannedRecord(file({ problem }), to),
    ])
  })

  it('waits for a slow reader', async () => {
    const stdout = fakeOutput({}, { slow: true })
    let ahead = 0
    async function* many(): AsyncGenerator<PlannedFile> {
      for (let index = 1; index <= 20; index += 1) {
        ahead = Math.max(ahead, stdout.writableLength)
        yield file({ index })
      }
    }
    await printPlan(many(), { to, json: false, stdout, signal })
    expect(ahead).toBe(0)
    expect(stdout.text().match(/\n/g)).toHaveLength(20)
  })

  it('stops when told, a reader that has gone included', async () => {
    const controller = new AbortController()
    const write = (): boolean => {
      controller.abort()
      return false
    }
    const stdout = fakeOutput({ write })
    let ended = false
    async function* endless(): AsyncGenerator<PlannedFile> {
      try {
        for (;;) yield file()
      } finally {
        ended = true
      }
    }
    expect(await printPlan(endless(), { to, json: false, stdout, signal: controller.signal })).toMatchObject({
      files: 1,
    })
    expect(ended).toBe(true)
  })
})
