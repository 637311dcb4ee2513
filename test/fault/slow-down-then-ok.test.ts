import { describe, expect, it } from 'vitest'
import { inProcess } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

const slowDown = (headers: Record<string, string> = {}) => ({
  status: 503,
  headers,
  body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
})

describe.each(engines)('the %s engine', (engine) => {
  it('SlowDown twice, then all is well', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ attempt }) => (attempt <= 2 ? slowDown() : undefined)
    const { summary, files, waits } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0, retries: 4, throttled: 4 })
    expect(files.map((file) => file.attempts)).toEqual([3, 3])
    // Full jitter: up to 200 ms, then up to 400 ms.
    expect(waits).toHaveLength(4)
    expect(Math.max(...waits)).toBeLessThanOrEqual(400)
    expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
  })

  it('Retry-After in seconds is waited for', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    s3.script = ({ attempt }) => (attempt === 1 ? slowDown({ 'retry-after': '7' }) : undefined)
    const { summary, waits } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 1, throttled: 1 })
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThanOrEqual(7000)
    expect(waits[0]).toBeLessThan(8000)
  })

  it('Retry-After as a date is waited for', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    s3.script = ({ attempt }) =>
      attempt === 1 ? slowDown({ 'retry-after': new Date(Date.now() + 10_000).toUTCString() }) : undefined
    const { summary, waits } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
    expect(waits[0]).toBeGreaterThan(5000)
    expect(waits[0]).toBeLessThan(12_000)
  })

  it('429 is throttling too', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    s3.script = ({ attempt }) => (attempt === 1 ? { status: 429, body: '' } : undefined)
    expect((await upload()).summary).toMatchObject({ exitCode: 0, uploaded: 1, throttled: 1 })
  })
})
