import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { type InProcess, inProcess, retry } from '../support/in-process.ts'
import type { FakeRequest, Fault } from '../support/s3-fake.ts'

const mebibyte = 1024 * 1024
const size = 24 * mebibyte

const noSuchUpload: Fault = {
  status: 404,
  body: '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>',
}

/** From the moment `when` says so, the server does not know the uploads begun by then. */
function expiring(when: (request: FakeRequest) => boolean, times = 1): (request: FakeRequest) => Fault | undefined {
  const expired = new Set<string>()
  return (request) => {
    const { uploadId } = request.query
    if (uploadId === undefined) return undefined
    if (expired.size < times && when(request)) expired.add(uploadId)
    return expired.has(uploadId) ? noSuchUpload : undefined
  }
}

const asked = ({ s3 }: InProcess, operation: FakeRequest['operation']): number =>
  s3.requests.filter((request) => request.operation === operation).length

describe.each<[string, (request: FakeRequest) => boolean]>([
  ['a part is sent', ({ operation, partNumber }) => operation === 'UploadPart' && partNumber === 2],
  ['it is completed', ({ operation }) => operation === 'CompleteMultipartUpload'],
])('an upload expires before %s', (_when, when) => {
  it('once: it is begun again at once, and nothing is missing', async () => {
    const scene = await inProcess()
    const data = bytes('bin', size)
    await scene.ws.write('in/a.bin', data)
    scene.s3.script = expiring(when)
    const { summary, file, waits, events } = await scene.upload({ concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 0, bytes: size })
    expect(summary.unfinishedUploads).toBeUndefined()
    expect(file('a.bin')).toMatchObject({ status: 'uploaded', attempts: 1, size })
    expect(scene.s3.read('bucket', 'a.bin')?.equals(data)).toBe(true)
    expect([waits, asked(scene, 'CreateMultipartUpload')]).toEqual([[], 2])
    expect(events.filter((event) => event.type === 'warning').map(({ message }) => message)).toContainEqual(
      expect.stringContaining('lost the half-sent upload'),
    )
  })

  it('every time: the file fails, and may be tried again', async () => {
    const scene = await inProcess()
    await scene.ws.write('in/a.bin', bytes('bin', size))
    await scene.ws.write('in/small.txt')
    scene.s3.script = expiring(when, Number.POSITIVE_INFINITY)
    const { summary, file } = await scene.upload({ concurrency: 1, retry: retry({ retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(file('a.bin')).toMatchObject({ error: { code: 'BAD_RESPONSE', retryable: true } })
    expect(scene.s3.read('bucket', 'a.bin')).toBeUndefined()
    expect(asked(scene, 'CreateMultipartUpload')).toBe(2)
  })
})
