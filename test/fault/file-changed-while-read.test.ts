import { appendFileSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { type InProcess, inProcess, type Outcome, retry } from '../support/in-process.ts'
import type { FakeRequest } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
const size = 24 * mebibyte

/** What somebody else does to the file while its second part is on its way, each time it is. */
const changes: readonly [how: string, change: (path: string, time: number) => void][] = [
  ['it grows', (path) => appendFileSync(path, 'more')],
  ['it shrinks', (path, time) => truncateSync(path, size - time * 1000)],
  ['it shrinks to nothing', (path) => truncateSync(path, 0)],
  ['other bytes, the same size', (path, time) => writeFileSync(path, bytes('bin', size, time))],
  ['only its time changes', (path, time) => utimesSync(path, new Date(), new Date(1_600_000_000_000 + time * 1000))],
]

const duringSecondPart = ({ operation, partNumber }: FakeRequest) => operation === 'UploadPart' && partNumber === 2

describe.each(engines)('the %s engine', (engine) => {
  for (const [how, change] of changes) {
    it(`${how}, every time it is read: SOURCE_CHANGED, and nothing is stored`, async () => {
      const { s3, outcome } = await whileChanging(change, Number.POSITIVE_INFINITY)
      expect(outcome.file('a.bin')).toMatchObject({ status: 'failed', error: { code: 'SOURCE_CHANGED' } })
      expect(outcome.summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
      expect(s3.keys('bucket')).toEqual(['small.txt'])
    })

    it(`${how}, once: the new version as a whole, or SOURCE_CHANGED, never a mixture`, async () => {
      const { ws, s3, outcome } = await whileChanging(change, 1)
      const { status, error } = outcome.file('a.bin')
      const stored = s3.read('bucket', 'a.bin')
      if (status === 'uploaded') {
        const now = await readFile(ws.path('in/a.bin'))
        expect(stored?.equals(now)).toBe(true)
      } else {
        expect(error?.code).toBe('SOURCE_CHANGED')
        expect(stored).toBeUndefined()
      }
    })
  }

  for (const [how, change] of changes) {
    it(`${how}, once, with --on-change retry: the new version as a whole`, async () => {
      const { ws, s3, outcome } = await whileChanging(change, 1, 0, 'retry')
      expect(outcome.file('a.bin')).toMatchObject({ status: 'uploaded' })
      expect(s3.read('bucket', 'a.bin')?.equals(await readFile(ws.path('in/a.bin')))).toBe(true)
      expect(s3.uploads.size).toBe(0)
    })
  }

  it('every time it is read, with --on-change retry: SOURCE_CHANGED once the budget is used up', async () => {
    const grows = (path: string): void => appendFileSync(path, 'more')
    const { s3, outcome } = await whileChanging(grows, Number.POSITIVE_INFINITY, 0, 'retry')
    expect(outcome.file('a.bin')).toMatchObject({ status: 'failed', attempts: 4, error: { code: 'SOURCE_CHANGED' } })
    expect(outcome.waits).toHaveLength(3)
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([['small.txt'], 0])
  })

  it('a change is not waited for', async () => {
    const { outcome } = await whileChanging((path) => appendFileSync(path, 'more'), 1, 0)
    expect(outcome.file('a.bin')).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'SOURCE_CHANGED' } })
    expect(outcome.waits).toEqual([])
  })

  it('a file of one request that grew since the scan', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key }) => {
      if (key === 'a.txt') appendFileSync(ws.path('in/b.txt'), ' and more')
      return undefined
    }
    const { file } = await upload({ concurrency: 1 })
    const { status, error, size } = file('b.txt')
    const stored = s3.read('bucket', 'b.txt')?.toString()
    if (status === 'uploaded') expect([stored, size]).toEqual(['in/b.txt and more', stored?.length])
    else expect([stored, error?.code]).toEqual([undefined, 'SOURCE_CHANGED'])
  })

  it('a file vanishes between scan and read', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
    s3.script = ({ key }) => {
      if (key === 'a.txt') unlinkSync(ws.path('in/b.txt'))
      return undefined
    }
    const { summary, file } = await upload({ concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 2, failed: 1, byErrorCode: { SOURCE_NOT_FOUND: 1 } })
    expect(file('b.txt')).toMatchObject({ status: 'failed', error: { code: 'SOURCE_NOT_FOUND', retryable: false } })
    expect(s3.keys('bucket')).toEqual(['a.txt', 'c.txt'])
  })

  async function whileChanging(
    change: (path: string, time: number) => void,
    times: number,
    retryFailed = 1,
    onChange: 'fail' | 'retry' = 'fail',
  ): Promise<Pick<InProcess, 'ws' | 's3'> & { outcome: Outcome }> {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.write('in/a.bin', bytes('bin', size))
    await ws.write('in/small.txt')
    let changed = 0
    s3.script = (request) => {
      if (duringSecondPart(request) && changed < times) {
        changed += 1
        change(ws.path('in/a.bin'), changed)
      }
      return undefined
    }
    const outcome = await upload({
      concurrency: 1,
      partSize: 8 * mebibyte,
      onChange,
      retry: retry({ retries: 3, retryFailed }),
    })
    expect(changed).toBeGreaterThan(0)
    return { ws, s3, outcome }
  }
})
