import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { inProcess } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024

describe.each(engines)('the %s engine', (engine) => {
  it('the connection breaks in the middle of a small file', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 3 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = ({ operation, attempt }) =>
      operation === 'PutObject' && attempt === 1 ? { resetAfterBytes: mebibyte } : undefined
    const { summary, file, events } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 1, bytes: data.length })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    expect(file('a.bin')).toMatchObject({ status: 'uploaded', attempts: 2 })
    expect(file('a.bin').bytesSent).toBeGreaterThanOrEqual(data.length)
    expect(events.find((event) => event.type === 'file-retry')).toMatchObject({ code: 'CONNECTION', attempt: 1 })
  })

  it('the connection breaks in the middle of a part', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 26 * mebibyte)
    await ws.write('in/a.bin', data)
    await ws.write('in/small.txt', 'small')
    s3.script = ({ operation, partNumber, attempt }) =>
      operation === 'UploadPart' && partNumber === 2 && attempt === 1 ? { resetAfterBytes: mebibyte } : undefined
    const { summary } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    const attempts = s3.requests.flatMap(({ operation, attempt }) => (operation === 'UploadPart' ? [attempt] : []))
    const begun = s3.requests.filter(({ operation }) => operation === 'CreateMultipartUpload')
    if (engine === 'fast') {
      // That part alone goes again.
      expect(attempts.toSorted()).toEqual([1, 1, 1, 1, 2])
      expect(begun).toHaveLength(1)
    } else {
      expect(begun).toHaveLength(2)
    }
  })

  it('the connection breaks before the body, every time: the file fails, the others do not', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt', 'in/c.txt')
    s3.script = ({ key }) => (key === 'bad.txt' ? 'reset' : undefined)
    const { summary, file } = await upload({ concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 2, failed: 1, byErrorCode: { CONNECTION: 1 } })
    expect(file('bad.txt')).toMatchObject({ status: 'failed', error: { code: 'CONNECTION', retryable: true } })
    // Eight retries, one more since meanwhile nothing gets through anywhere (their waits come to less than a minute), and
    // the same again in the pass at the end. On a kept connection that ended without an answer, the fast engine's first
    // request does not count: the server may have closed it before.
    const onKeptConnections = engine === 'fast' ? 2 : 0
    expect(s3.requests.filter(({ key }) => key === 'bad.txt')).toHaveLength(20 + onKeptConnections)
  })
})
