import { describe, expect, it } from 'vitest'
import type { EngineName } from '../../src/destinations/destination.ts'
import { bytes } from '../support/data-set.ts'
import { inProcess } from '../support/in-process.ts'
import type { S3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024

describe.each(engines)('the %s engine', (engine) => {
  it('a small file is stored but the answer is lost: uploaded once, counted once', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key, operation, attempt }) =>
      key === 'b.txt' && operation === 'PutObject' && attempt === 1 ? 'reset-after-storing' : undefined
    const { summary, files } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, files: 2, uploaded: 2, failed: 0 })
    expect(files).toHaveLength(2)
    expect(s3.read('bucket', 'b.txt')?.toString()).toBe('in/b.txt')
  })

  it('the answer to the completion of a multipart upload is lost', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 20 * mebibyte)
    await ws.write('in/a.bin', data)
    await ws.write('in/small.txt')
    s3.script = ({ operation, attempt }) =>
      operation === 'CompleteMultipartUpload' && attempt === 1 ? 'reset-after-storing' : undefined
    const { summary } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    expect(s3.uploads.size).toBe(0)
    expectSettled(engine, s3)
  })

  it('the answer to the creation of a multipart upload breaks off', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 20 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = ({ operation, attempt }) =>
      operation === 'CreateMultipartUpload' && attempt === 1 ? { truncateAnswer: 60 } : undefined
    const { summary } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, failed: 0 })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
  })

  it('the answer to the completion breaks off', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 20 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = ({ operation, attempt }) =>
      operation === 'CompleteMultipartUpload' && attempt === 1 ? { truncateAnswer: 60 } : undefined
    const { summary } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, failed: 0 })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    expectSettled(engine, s3)
  })

  const errorBody =
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>'

  it('200 with an error in its body, on completion: not taken for success', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 20 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = ({ operation, attempt }) =>
      operation === 'CompleteMultipartUpload' && attempt === 1 ? { status: 200, body: errorBody } : undefined
    const { summary } = await upload()
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, failed: 0 })
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
  })

  it('200 with an error in its body, every time: the file fails', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.write('in/a.bin', bytes('bin', 20 * mebibyte))
    await ws.write('in/small.txt')
    s3.script = ({ operation }) =>
      operation === 'CompleteMultipartUpload' ? { status: 200, body: errorBody } : undefined
    const { summary, file } = await upload({
      retry: { retries: 1, retryDelayMs: 1, retryMaxDelayMs: 1, retryMaxTimeMs: 60_000, retryFailed: 0 },
    })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(file('a.bin')).toMatchObject({ status: 'failed', error: { retryable: true } })
    expect(s3.read('bucket', 'a.bin')).toBeUndefined()
  })
})

/** One engine looks whether the object is there; the other sends everything again. */
function expectSettled(engine: EngineName, s3: S3Fake): void {
  const completions = s3.requests.filter(({ operation }) => operation === 'CompleteMultipartUpload')
  expect(completions).toHaveLength(engine === 'fast' ? 1 : 2)
}
