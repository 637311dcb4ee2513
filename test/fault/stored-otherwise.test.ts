import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { inProcess, retry } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
/** What a server says that has not stored anything. */
const pretended = { status: 200, headers: { etag: '"d41d8cd98f00b204e9800998ecf8427e"' }, body: '' }

describe.each(engines)('the %s engine with --verify', (engine) => {
  it('sends again what the server did not store', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ operation, key, attempt }) =>
      operation === 'PutObject' && key === 'a.txt' && attempt === 1 ? pretended : undefined
    const { summary, file } = await upload({ verify: true })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0, retries: 1 })
    expect(file('a.txt').attempts).toBe(2)
    expect(file('b.txt').attempts).toBe(1)
    expect(s3.read('bucket', 'a.txt')?.toString()).toBe('in/a.txt')
    const asked = s3.requests.filter(({ operation }) => operation === 'HeadObject')
    expect(asked.map(({ key }) => key).toSorted()).toEqual(['a.txt', 'a.txt', 'b.txt'])
  })

  it('sends a large file again that is another one at the server', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 17 * mebibyte)
    await ws.write('in/a.bin', data)
    s3.script = ({ operation, attempt }) => {
      if (operation !== 'HeadObject' || attempt > 1) return undefined
      return { status: 200, headers: { etag: '"0"', 'content-length': String(data.length) } }
    }
    const { summary, file } = await upload({ verify: true })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, failed: 0 })
    expect(file('a.bin').attempts).toBe(2)
    expect(s3.requests.filter(({ operation }) => operation === 'CompleteMultipartUpload')).toHaveLength(2)
    expect(s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
  })

  it('fails a file that never arrives, and no other', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'a.txt' ? pretended : undefined)
    const { summary, file } = await upload({ verify: true, retry: retry({ retries: 2, retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(file('a.txt').error).toMatchObject({ code: 'BAD_RESPONSE', retryable: true })
  })

  it('asks nothing without it', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    s3.script = () => undefined
    expect((await upload()).summary).toMatchObject({ exitCode: 0, uploaded: 1 })
    expect(s3.requests.map(({ operation }) => operation)).toEqual(['PutObject'])
  })
})
