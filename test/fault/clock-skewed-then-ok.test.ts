import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { inProcess } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

const minutes = 60_000
const names = Array.from({ length: 40 }, (_, at) => `small-${at}.txt`)

describe.each(engines)('the %s engine', (engine) => {
  it.each([20, -20, 26 * 60])("uploads everything where the server's clock is %d minutes ahead", async (ahead) => {
    const { ws, s3, upload } = await inProcess({ engine, clockAheadMs: ahead * minutes })
    const data = bytes('bin', 17 * 2 ** 20)
    await ws.write('in/large.bin', data)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    const { summary, events, files } = await upload({ concurrency: 4 })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 41, failed: 0 })
    expect(s3.keys('bucket')).toEqual(['large.bin', ...names].toSorted())
    expect(s3.read('bucket', 'large.bin')?.equals(data)).toBe(true)

    // Those that were on their way when the clock was found to be wrong, once each.
    const retried = events.flatMap((event) => (event.type === 'file-retry' ? [event] : []))
    expect(retried.length).toBeGreaterThan(0)
    expect(retried.length).toBeLessThanOrEqual(4)
    for (const { code, message } of retried)
      expect([code, message]).toEqual(['CLOCK_SKEW', expect.stringMatching(/clock/)])
    expect(Math.max(...files.map(({ attempts }) => attempts))).toBe(2)
  })
})

it('is given up where the server does not say what time it is', async () => {
  const { ws, s3, upload } = await inProcess()
  await ws.writeAll('in/a.txt', 'in/b.txt')
  const body = '<Error><Code>RequestTimeTooSkewed</Code><Message>Too large.</Message></Error>'
  s3.script = () => ({ status: 403, headers: { date: '' }, body })
  const { summary } = await upload({ concurrency: 1 })
  expect(summary).toMatchObject({ exitCode: 3, uploaded: 0, failed: 1, cancelled: 1, byErrorCode: { CLOCK_SKEW: 1 } })
})
