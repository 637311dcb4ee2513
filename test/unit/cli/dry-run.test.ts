import { describe, expect, it } from 'vitest'
import { planSummary, printPlan } from '../../../src/cli/dry-run.ts'
import { planColumns, plannedRecord } from '../../../src/cli/planned-text.ts'
import { UploadError } from '../../../src/errors.ts'
import type { PlannedUpload } from '../../../src/upload.ts'
import { fakeOutput } from './fake-host.ts'
import { noEntries, planned } from './planned.ts'

const problem = new UploadError('KEY_INVALID', 'its key would hold\na control character')
const settings = { ...noEntries, json: false }

async function* plan(...files: PlannedUpload[]): AsyncGenerator<PlannedUpload> {
  yield* files
}

const destinations = new Set(['s3://b/x/'])

it.each([
  [
    { files: 213, bytes: 3.2e9, skipped: 0, failing: 0, destinations },
    'upload: would send 213 files, 3.2 GB → s3://b/x/; nothing was sent',
  ],
  [
    { files: 1, bytes: 0, skipped: 2, failing: 1, destinations: new Set(['s3://b/x/', 'file:./out/', 's3://c/']) },
    'upload: would send 1 file, 0 B → s3://b/x/ and 2 more; 2 files would be skipped; 1 file would fail; nothing was sent',
  ],
  [
    { files: 1, bytes: 0, skipped: 0, failing: 0, destinations: new Set(['s3://c/']) },
    'upload: would send 1 file, 0 B → s3://c/; nothing was sent',
  ],
])('planSummary', (totals, line) => {
  expect(planSummary(totals, 's3://b/x/')).toBe(line)
})

describe('printPlan', () => {
  const { signal } = new AbortController()

  it('prints a heading and lines, and adds up', async () => {
    const stdout = fakeOutput()
    const there = planned({}, { url: 's3://c/' })
    const files = [
      planned(),
      planned({ problem }),
      planned({ size: undefined }),
      planned({ skip: 'excluded-by-rule' }),
      there,
    ]
    expect(await printPlan(plan(...files), { settings, stdout, signal })).toEqual({
      files: 3,
      bytes: 120_200_000,
      skipped: 1,
      failing: 1,
      destinations: new Set(['s3://b/x/', 's3://c/']),
    })
    const { heading, line } = planColumns(noEntries)
    expect(stdout.text()).toBe([heading, ...files.map(line)].map((text) => `${text}\n`).join(''))
  })

  it('prints nothing where there is nothing', async () => {
    const stdout = fakeOutput()
    await printPlan(plan(), { settings, stdout, signal })
    expect(stdout.text()).toBe('')
  })

  it('prints NDJSON', async () => {
    const stdout = fakeOutput()
    await printPlan(plan(planned(), planned({ problem })), { settings: { ...settings, json: true }, stdout, signal })
    const lines = stdout.text().trimEnd().split('\n')
    const asJson = (one: PlannedUpload): unknown => JSON.parse(JSON.stringify(plannedRecord(one)))
    expect(lines.map((line) => JSON.parse(line))).toEqual([asJson(planned()), asJson(planned({ problem }))])
  })

  it('waits for a slow reader', async () => {
    const stdout = fakeOutput({}, { slow: true })
    let ahead = 0
    async function* many(): AsyncGenerator<PlannedUpload> {
      for (let index = 1; index <= 20; index += 1) {
        ahead = Math.max(ahead, stdout.writableLength)
        yield planned({ index })
      }
    }
    await printPlan(many(), { settings, stdout, signal })
    expect(ahead).toBe(0)
    expect(stdout.text().match(/^upload/gm)).toHaveLength(20)
  })

  it('stops when told, a reader that has gone included', async () => {
    const controller = new AbortController()
    const write = (): boolean => {
      controller.abort()
      return false
    }
    const stdout = fakeOutput({ write })
    let ended = false
    async function* endless(): AsyncGenerator<PlannedUpload> {
      try {
        for (;;) yield planned()
      } finally {
        ended = true
      }
    }
    expect(await printPlan(endless(), { settings, stdout, signal: controller.signal })).toMatchObject({ files: 1 })
    expect(ended).toBe(true)
  })
})
