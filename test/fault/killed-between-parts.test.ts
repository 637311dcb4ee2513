import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { type InProcess, inProcess, type Outcome } from '../support/in-process.ts'
import type { FakeRequest } from '../support/s3-fake.ts'

const mebibyte = 1024 * 1024
const partSize = 8 * mebibyte
/** Five parts. */
const size = 40 * mebibyte
const data = bytes('bin', size)

const parts = ({ s3 }: InProcess, from = 0): number[] =>
  s3.requests
    .slice(from)
    .filter(({ operation }) => operation === 'UploadPart')
    .map(({ partNumber }) => partNumber)
const asked = ({ s3 }: InProcess, operation: FakeRequest['operation'], from: number): number =>
  s3.requests.slice(from).filter((request) => request.operation === operation).length

/** Cuts a run when its fourth part comes, and leaves of its journal what a kill at that moment leaves. */
async function killed(): Promise<{ readonly scene: InProcess; readonly sent: number }> {
  const scene = await inProcess()
  const { ws, s3 } = scene
  await ws.write('in/a.bin', data)
  await utimes(ws.path('in/a.bin'), 1_700_000_000, 1_700_000_000)
  const stop = new AbortController()
  s3.script = ({ operation, partNumber }) => {
    if (operation !== 'UploadPart' || partNumber !== 4) return undefined
    stop.abort()
    return 'hang'
  }
  const { summary } = await scene.upload({ concurrency: 1, partSize }, { signal: stop.signal })
  expect(summary).toMatchObject({ exitCode: 143, cancelled: 1 })
  expect(s3.uploads.size).toBe(1)
  const directory = join(ws.state, 'upload', 'runs')
  const [name = ''] = (await readdir(directory)).filter((each) => each.endsWith('.jsonl'))
  const lines = (await readFile(join(directory, name), 'utf8')).split('\n')
  const kept = lines.filter((line) => /"type":"(run|upload-started|part)"/.test(line))
  expect(kept.map((line) => JSON.parse(line).type)).toEqual(['run', 'upload-started', 'part', 'part', 'part'])
  await writeFile(join(directory, name), `${kept.join('\n')}\n{"type":"pa`)
  s3.script = undefined
  return { scene, sent: s3.requests.length }
}

const resume = (scene: InProcess, settings = {}): Promise<Outcome> =>
  scene.upload({ concurrency: 1, partSize, resume: true, ...settings })

function expectWhole({ s3 }: InProcess, expected: Buffer): void {
  expect(s3.read('bucket', 'a.bin')?.equals(expected)).toBe(true)
}

describe('a process that is killed between two parts', () => {
  it('costs the part that was on its way', async () => {
    const { scene, sent } = await killed()
    const { summary, file } = await resume(scene)
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, bytesSent: size - 3 * partSize })
    expect(file('a.bin')).toMatchObject({ status: 'uploaded', parts: 5 })
    expect(parts(scene, sent)).toEqual([4, 5])
    expect(asked(scene, 'CreateMultipartUpload', sent)).toBe(0)
    expectWhole(scene, data)
    expect(scene.s3.uploads.size).toBe(0)
  })

  it('goes on with the part size it had, whatever is set by now', async () => {
    const { scene, sent } = await killed()
    const { summary } = await resume(scene, { partSize: 5 * mebibyte })
    expect(summary).toMatchObject({ exitCode: 0 })
    expect(parts(scene, sent)).toEqual([4, 5])
    expectWhole(scene, data)
  })

  it('sends all of a file that holds other bytes by now, and removes what there was', async () => {
    const { scene, sent } = await killed()
    const now = bytes('bin', size, 1)
    await writeFile(scene.ws.path('in/a.bin'), now)
    const { summary } = await resume(scene)
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, bytesSent: size })
    expect(parts(scene, sent)).toEqual([1, 2, 3, 4, 5])
    expect(asked(scene, 'AbortMultipartUpload', sent)).toBe(1)
    expectWhole(scene, now)
    expect(scene.s3.uploads.size).toBe(0)
  })

  it('goes on where the file was only touched', async () => {
    const { scene, sent } = await killed()
    await utimes(scene.ws.path('in/a.bin'), 1_600_000_000, 1_600_000_000)
    await resume(scene)
    expect(parts(scene, sent)).toEqual([4, 5])
    expectWhole(scene, data)
  })

  it('is found again at the server, without a journal', async () => {
    const { scene, sent } = await killed()
    const { summary } = await resume(scene, { resume: false, resumeFrom: 'server' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, bytesSent: size - 3 * partSize })
    expect(parts(scene, sent)).toEqual([4, 5])
    expectWhole(scene, data)
    const again = await resume(scene, { resume: false, resumeFrom: 'server' })
    expect(again.summary).toMatchObject({ exitCode: 0, uploaded: 0, skipped: 1 })
    expect(again.file('a.bin')).toMatchObject({ status: 'skipped', reason: 'already-uploaded' })
  })
})
