import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { inProcess, retry } from '../support/in-process.ts'
import type { Operation } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
const internalError = {
  status: 500,
  body: '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>',
}

describe.each(engines)('the %s engine', (engine) => {
  it('500, then ok', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    s3.script = ({ attempt }) => (attempt === 1 ? internalError : undefined)
    const { summary, file } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 1 })
    expect(file('a.txt').attempts).toBe(2)
    expect(s3.read('bucket', 'a.txt')?.toString()).toBe('in/a.txt')
  })

  it('500 without a body, 502 with HTML and 504, then ok', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    const answers = [
      { status: 500, body: '' },
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' },
      { status: 504, body: 'gateway timeout' },
    ]
    s3.script = ({ attempt }) => answers[attempt - 1]
    expect((await upload()).summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 3 })
  })

  const multipart: Operation[] = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload']
  for (const operation of multipart) {
    it(`500 for ${operation}, then ok`, async () => {
      const { ws, s3, upload } = await inProcess({ engine })
      const data = bytes('bin', 18 * mebibyte)
      await ws.write('in/a.bin', data)
      let failures = 0
      s3.script = (request) => (request.operation === operation && failures++ === 0 ? internalError : undefined)
      expect((await upload()).summary).toMatchObject({ exitCode: 0, uploaded: 1, failed: 0 })
      expect(failures).toBeGreaterThan(1)
      expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    })
  }

  it('503 for ever: that file fails, the others do not', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt', 'in/c.txt')
    s3.script = ({ key }) => (key === 'bad.txt' ? { status: 503, body: '' } : undefined)
    const { summary, file, waits } = await upload({ retry: retry({ retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, outcome: 'partial', uploaded: 2, failed: 1, retries: 8 })
    expect(file('bad.txt')).toMatchObject({ attempts: 9, error: { code: 'THROTTLED', status: 503, retryable: true } })
    expect(waits.map(Math.round)).toEqual([200, 400, 799, 1598, 3197, 6394, 12_787, 19_980])
  })

  it('no retry where it cannot help', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt', 'in/bad.txt')
    s3.script = ({ key }) =>
      key === 'bad.txt'
        ? { status: 400, body: '<Error><Code>EntityTooLarge</Code><Message>Too large</Message></Error>' }
        : undefined
    const { summary, file } = await upload()
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 2, failed: 1, retries: 0 })
    expect(file('bad.txt')).toMatchObject({ attempts: 1, error: { code: 'TOO_LARGE', status: 400, retryable: false } })
    expect(s3.requests.filter(({ key }) => key === 'bad.txt')).toHaveLength(1)
  })

  it('--retry-max-time ends it', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt')
    s3.script = ({ key }) => (key === 'bad.txt' ? internalError : undefined)
    const { file, waits } = await upload({ retry: retry({ retries: 100, retryMaxTimeMs: 30_000, retryFailed: 0 }) })
    expect(file('bad.txt')).toMatchObject({ status: 'failed', error: { code: 'SERVER_ERROR' } })
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(30_000)
    expect(waits.length).toBeGreaterThan(5)
  })

  it('all fail, one by one: exit 1', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    for (let n = 0; n < 12; n += 1) await ws.write(`in/${n}.txt`)
    s3.script = () => internalError
    const { summary } = await upload({ retry: retry({ retries: 1 }) })
    expect(summary).toMatchObject({ exitCode: 1, outcome: 'failure', uploaded: 0, failed: 12, cancelled: 0 })
    expect(summary).toMatchObject({ successRate: 0, errorRate: 1, latencyMs: null })
  })

  it('one bad file among fifty', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    for (let n = 0; n < 50; n += 1) await ws.write(`in/${n}.txt`)
    s3.script = ({ key }) => (key === '31.txt' ? internalError : undefined)
    const { summary, file } = await upload()
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 49, failed: 1, byErrorCode: { SERVER_ERROR: 1 } })
    expect(file('31.txt').status).toBe('failed')
    expect(s3.keys('bucket')).toHaveLength(49)
  })
})
