import { describe, expect, it } from 'vitest'
import { inProcess, retry } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

describe.each(engines)('the %s engine', (engine) => {
  it('a file that fails in the first pass is uploaded in the second', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt', 'in/c.txt')
    s3.script = ({ key, attempt }) => (key === 'bad.txt' && attempt <= 3 ? { status: 500, body: '' } : undefined)
    const { summary, files, file } = await upload({ retry: retry({ retries: 2 }) })
    expect(summary).toMatchObject({ exitCode: 0, outcome: 'success', uploaded: 3, failed: 0, byErrorCode: {} })
    expect(files).toHaveLength(3)
    expect(file('bad.txt')).toMatchObject({ status: 'uploaded', attempts: 4 })
    expect(file('bad.txt').error).toBeUndefined()
    const last = s3.requests.at(-1)
    expect(last?.key).toBe('bad.txt')
  })

  it('--retry-failed 0: no second pass', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt')
    s3.script = ({ key, attempt }) => (key === 'bad.txt' && attempt <= 3 ? { status: 500, body: '' } : undefined)
    const { summary } = await upload({ retry: retry({ retries: 2, retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(s3.requests.filter(({ key }) => key === 'bad.txt')).toHaveLength(3)
  })

  it('--retry-failed 3: as many passes as it takes', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/bad.txt')
    s3.script = ({ key, attempt }) => (key === 'bad.txt' && attempt <= 3 ? { status: 500, body: '' } : undefined)
    const { summary } = await upload({ retry: retry({ retries: 0, retryFailed: 3 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
  })

  it('what cannot be mended is not tried again', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    await ws.write('in/b.txt')
    const { summary, file } = await upload({ sources: ['in', 'gone.txt'], retry: retry({ retryFailed: 2 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 2, failed: 1 })
    expect(file('gone.txt')).toMatchObject({ attempts: 0, error: { code: 'SOURCE_NOT_FOUND', retryable: false } })
    expect(s3.requests.every(({ key }) => key !== 'gone.txt')).toBe(true)
  })
})
