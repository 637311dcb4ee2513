import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { type InProcess, inProcess, retry } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
const modes = ['skip', 'fail'] as const

describe.each(engines)('the %s engine', (engine) => {
  it.each(modes)('an answer that was lost, then a 412: the object is the file’s own (%s)', async (ifExists) => {
    const { ws, s3, upload } = await inProcess({ engine })
    const data = bytes('bin', 20 * mebibyte)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    await ws.write('in/large.bin', data)
    s3.script = ({ operation, attempt }) => {
      const ends = operation === 'PutObject' || operation === 'CompleteMultipartUpload'
      return ends && attempt === 1 ? 'reset-after-storing' : undefined
    }
    const { summary, files } = await upload({ ifExists })
    expect(summary).toMatchObject({ exitCode: 0, files: 3, uploaded: 3, skipped: 0, failed: 0 })
    expect(files.map(({ replaced }) => replaced)).toEqual([null, null, null])
    expect(s3.read('bucket', 'b.txt')?.toString()).toBe('in/b.txt')
    expect(s3.read('bucket', 'large.bin')?.equals(data)).toBe(true)
    expect(s3.uploads.size).toBe(0)
    const refused = s3.requests.filter(({ key, operation }) => key === 'b.txt' && operation === 'PutObject')
    expect(refused).toHaveLength(2)
  })

  it('an answer that was lost, and all that came after, is found out in the last pass', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key, operation, attempt }) =>
      key === 'b.txt' && operation === 'PutObject' && attempt === 1 ? 'reset-after-storing' : undefined
    const { summary, files } = await upload({ ifExists: 'fail', retry: retry({ retries: 0 }) })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
    expect(files.map(({ attempts }) => attempts).toSorted()).toEqual([1, 2])
  })

  it.each(modes)('somebody else is faster: what they stored stays (%s)', async (ifExists) => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/small.txt')
    await ws.write('in/large.bin', bytes('bin', 20 * mebibyte))
    s3.script = ({ key, operation }) => {
      const ends = operation === 'PutObject' || operation === 'CompleteMultipartUpload'
      if (ends) s3.put('bucket', key, Buffer.from('theirs'))
      return undefined
    }
    const { summary, files } = await upload({ ifExists, undoOnFailure: true })
    const count = ifExists === 'skip' ? { exitCode: 0, skipped: 2 } : { exitCode: 1, failed: 2 }
    expect(summary).toMatchObject({ uploaded: 0, ...count })
    for (const file of files) {
      expect(file.attempts).toBe(1)
      if (ifExists === 'skip') expect(file).toMatchObject({ status: 'skipped', reason: 'exists' })
      else expect(file).toMatchObject({ status: 'failed', error: { code: 'ALREADY_EXISTS', retryable: false } })
    }
    // Neither replaced nor, where the run failed and is undone, removed.
    for (const key of ['small.txt', 'large.bin']) expect(s3.read('bucket', key)?.toString()).toBe('theirs')
    expect(s3.uploads.size).toBe(0)
  })

  it('somebody else stores it after a request that was lost: what they stored stays', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key, operation, attempt }) => {
      if (key !== 'b.txt' || operation !== 'PutObject' || attempt !== 1) return undefined
      s3.put('bucket', key, Buffer.from('IN/B.TXT'))
      return 'reset'
    }
    const { summary, file } = await upload({ ifExists: 'fail' })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, failed: 1 })
    expect(file('b.txt').error).toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(s3.read('bucket', 'b.txt')?.toString()).toBe('IN/B.TXT')
  })

  it('stopped before the answer came, and continued: the object is the run’s own', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const stop = new AbortController()
    s3.script = ({ key, operation }) => {
      if (key !== 'b.txt' || operation !== 'PutObject') return undefined
      const isStored = () => s3.read('bucket', 'b.txt') !== undefined
      const stopOnceStored = (): unknown => (isStored() ? stop.abort('SIGINT') : setImmediate(stopOnceStored))
      stopOnceStored()
      return 'hang-after-storing'
    }
    const cut = await upload({ ifExists: 'fail' }, { signal: stop.signal })
    expect(cut.file('b.txt')).toMatchObject({ status: 'cancelled', attempts: 1 })
    const sent = s3.requests.length
    const { summary, file } = await upload({ ifExists: 'fail', resume: true })
    expect(summary).toMatchObject({ exitCode: 0, failed: 0 })
    expect(file('b.txt')).toMatchObject({ status: 'skipped', reason: 'already-uploaded', replaced: null })
    const again = s3.requests.slice(sent).filter(({ key }) => key === 'b.txt')
    expect(again.map(({ operation }) => operation)).toEqual(['HeadObject'])
  })

  it('a conflict with another writer is tried again', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt')
    const body = '<Error><Code>ConditionalRequestConflict</Code><Message>Conflict.</Message></Error>'
    s3.script = ({ operation, attempt }) =>
      operation === 'PutObject' && attempt === 1 ? { status: 409, body } : undefined
    const { summary, file } = await upload({ ifExists: 'fail' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
    expect(file('a.txt').attempts).toBe(2)
  })
})

describe('a listing of what is there', () => {
  const count = 150
  const lists = (s3: InProcess['s3']) => s3.requests.filter(({ operation }) => operation === 'ListObjectsV2')
  const heads = (s3: InProcess['s3']) => s3.requests.filter(({ operation }) => operation === 'HeadObject')

  /** As many objects as files, and as many others as make it `pages` answers. */
  async function scene(pages = 1): Promise<InProcess> {
    const around = await inProcess()
    const names = Array.from({ length: count }, (_, n) => `take ${n}.wav`)
    await around.ws.writeAll(...names.map((name) => `in/${name}`))
    for (const name of names) around.s3.put('bucket', name, Buffer.from(`in/${name}`))
    for (let n = count; n < pages * 1000; n += 1) around.s3.put('bucket', `other ${n}`, Buffer.of(1))
    return around
  }

  it.each(['reset', 'reset-after-storing', { truncateAnswer: 100 }, { status: 503 }] as const)(
    'that breaks off in its second page is made again: %j',
    async (fault) => {
      const { s3, upload } = await scene(2)
      s3.script = ({ operation, attempt }) => (operation === 'ListObjectsV2' && attempt === 2 ? fault : undefined)
      const { summary, waits } = await upload({ ifExists: 'changed' })
      expect(summary).toMatchObject({ exitCode: 0, uploaded: 0, skipped: count, bytesSent: 0 })
      expect([lists(s3).length, heads(s3).length, waits.length]).toEqual([4, 0, 1])
    },
  )

  it('that is denied is done without', async () => {
    const { s3, upload } = await scene()
    const body = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>'
    s3.script = ({ operation }) => (operation === 'ListObjectsV2' ? { status: 403, body } : undefined)
    const { summary } = await upload({ ifExists: 'changed' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 0, skipped: count })
    expect([lists(s3).length, heads(s3).length]).toEqual([1, count])
  })

  it('of a bucket that holds far more than is uploaded is given up', async () => {
    const { s3, upload } = await scene(5)
    const { summary } = await upload({ ifExists: 'skip' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 0, skipped: count })
    expect([lists(s3).length, heads(s3).length]).toEqual([4, count])
  })

  it('is narrowed to the folder that all files are in', async () => {
    const { s3, upload, ws } = await scene(3)
    await ws.writeAll(...Array.from({ length: count }, (_, n) => `in/a/b/${n}.wav`))
    const { summary } = await upload({ ifExists: 'newer', sources: ['in/a/b/*.wav'], base: 'in' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: count })
    expect(lists(s3).map(({ query }) => query.prefix)).toEqual(['a/b/'])
  })

  it('that does not name what somebody stores meanwhile does not have it replaced', async () => {
    const { s3, upload, ws } = await scene()
    await ws.writeAll('in/new.wav')
    s3.script = ({ operation, key }) => {
      if (operation === 'PutObject') s3.put('bucket', key, Buffer.from('theirs'))
      return undefined
    }
    const { summary, file } = await upload({ ifExists: 'skip' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 0, skipped: count + 1 })
    expect(file('new.wav')).toMatchObject({ reason: 'exists', attempts: 1 })
    expect(s3.read('bucket', 'new.wav')?.toString()).toBe('theirs')
  })
})
