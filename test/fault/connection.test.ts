import { describe, expect, it, onTestFinished } from 'vitest'
import type { S3Settings } from '../../src/config/settings.ts'
import { forwarder } from '../support/forwarder.ts'
import { inProcess, retry } from '../support/in-process.ts'
import { freePort } from '../support/server-process.ts'
import { engines } from '../support/settings.ts'

function at(port: number): { readonly s3: S3Settings } {
  const endpointUrl = `http://127.0.0.1:${port}`
  return { s3: { endpointUrl, region: 'us-east-1', profile: undefined, pathStyle: 'auto', signRequest: true } }
}

describe.each(engines)('the %s engine', (engine) => {
  it('connections are refused for good: stopped after three tries, said once', async () => {
    const { ws, upload } = await inProcess({ engine })
    for (let n = 0; n < 30; n += 1) await ws.write(`in/${n}.txt`)
    const { summary, events, waits } = await upload({ ...at(await freePort()), concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 3, outcome: 'failure', uploaded: 0, files: 30 })
    expect(summary.cancelled).toBeGreaterThanOrEqual(29)
    expect(waits).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ type: 'summary', stoppedBecause: expect.stringContaining('127.0.0.1') })
  })

  it('connections are refused at first, then taken', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const port = await freePort()
    const door = forwarder({ port, to: s3.port })
    onTestFinished(door.close)
    let waited = 0
    const { summary } = await upload(
      { ...at(port), concurrency: 1 },
      {
        onWait: async () => {
          waited += 1
          if (waited === 1) await door.listen()
        },
      },
    )
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0, retries: 1 })
    expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
  })

  it('the server closes each connection after its answer, without a word', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    const names = Array.from({ length: 60 }, (_, n) => `${n}.txt`)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    const port = await freePort()
    const door = forwarder({ port, to: s3.port, closeAfterAnswer: true })
    onTestFinished(door.close)
    await door.listen()
    const { summary, files } = await upload({ ...at(port), concurrency: 4 })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 60, failed: 0 })
    expect(files).toHaveLength(60)
    expect(door.closed()).toBeGreaterThanOrEqual(60)
    expect(s3.keys('bucket')).toEqual(names.sort())
  })

  it('the server is gone for good in the middle of the run: it is waited for, and no file is lost', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    for (let n = 0; n < 20; n += 1) await ws.write(`in/${n}.txt`)
    const port = await freePort()
    const door = forwarder({ port, to: s3.port })
    await door.listen()
    let answered = 0
    s3.script = () => {
      answered += 1
      if (answered === 8) void door.close()
      return undefined
    }
    const { summary, files } = await upload({
      ...at(port),
      concurrency: 2,
      retry: retry({ retries: 2, retryFailed: 0, retryMaxTimeMs: 60_000 }),
    })
    expect(summary.exitCode).toBe(3)
    expect(summary.uploaded).toBeGreaterThanOrEqual(6)
    expect(summary.failed + summary.cancelled).toBeGreaterThanOrEqual(12)
    expect(summary.files).toBe(20)
    const stored = new Set(s3.keys('bucket'))
    for (const file of files) if (file.status === 'uploaded') expect(stored).toContain(file.key)
  })
})
