import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import type { FileRecord } from '../../src/observe/records.ts'
import { inProcess, retry } from '../support/in-process.ts'

const denied = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
const noRetries = { retry: retry({ retries: 0, retryFailed: 0 }), undoOnFailure: true }
const MiB = 2 ** 20

async function scene(files: Readonly<Record<string, number>> = { a: 10, b: 20, c: 30 }) {
  const around = await inProcess()
  for (const [name, size] of Object.entries(files))
    await writeFile(around.ws.path(`in/${name}`), Buffer.alloc(size, name))
  return around
}

describe('a run with --undo-on-failure', () => {
  it('that succeeds leaves everything', async () => {
    const { s3, upload } = await scene()
    const { summary, files } = await upload(noRetries)
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 3 })
    expect(summary.undone).toBeUndefined()
    expect(s3.keys('bucket')).toEqual(['a', 'b', 'c'])
    expect(files.map(({ replaced }) => replaced)).toEqual([null, null, null])
  })

  it('in which one file fails leaves the bucket as it was, and each file once in the reports', async () => {
    const { s3, ws, upload } = await scene()
    s3.put('bucket', 'other', Buffer.from('was here'))
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'b' ? denied : undefined)
    const report = ['r.jsonl', 'r.json', 'r.csv']
    const { summary, events } = await upload({ ...noRetries, report })
    expect(summary).toMatchObject({
      exitCode: 1,
      outcome: 'failure',
      uploaded: 0,
      failed: 1,
      undone: 2,
      bytes: 0,
      files: 3,
    })
    expect(summary.byDestination['s3://bucket/']).toMatchObject({ uploaded: 0, failed: 1, bytes: 0 })
    expect(s3.keys('bucket')).toEqual(['other'])
    expect(events.flatMap((event) => (event.type === 'undone' ? [event.file.key] : [])).sort()).toEqual(['a', 'c'])

    const lines = (await readFile(ws.path('r.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const inLines = lines.filter(({ type }) => type === 'file') as FileRecord[]
    const { files } = JSON.parse(await readFile(ws.path('r.json'), 'utf8')) as { files: FileRecord[] }
    const expected = { a: 'undone', b: 'failed', c: 'undone' }
    for (const listed of [inLines, files]) {
      expect(listed).toHaveLength(3)
      expect(Object.fromEntries(listed.map(({ source, status }) => [source, status]))).toEqual(expected)
    }
    expect([lines.at(0).type, lines.at(-1).type]).toEqual(['run', 'summary'])
    expect((await readFile(ws.path('r.csv'), 'utf8')).trim().split('\r\n')).toHaveLength(4)
  })

  it('removes what an attempt has stored whose answer was lost', async () => {
    const { s3, upload } = await scene()
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'b' ? 'reset-after-storing' : undefined)
    const { summary, file } = await upload(noRetries)
    expect(summary).toMatchObject({ exitCode: 1, undone: 2 })
    expect(file('b').status).toBe('failed')
    expect(s3.keys('bucket')).toEqual([])
  })

  it('aborts half-sent uploads, also one whose beginning was never answered', async () => {
    const { s3, upload } = await scene({ a: 10, large: 12 * MiB, lost: 12 * MiB })
    s3.script = ({ operation, key, partNumber }) => {
      if (operation === 'CreateMultipartUpload' && key === 'lost') return 'reset-after-storing'
      return operation === 'UploadPart' && partNumber === 2 ? 'reset' : undefined
    }
    const { summary } = await upload({ ...noRetries, concurrency: 1, partSize: 5 * MiB, multipartThreshold: 5 * MiB })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, failed: 2, undone: 1 })
    expect(summary.unfinishedUploads ?? 0).toBe(0)
    expect([s3.uploads.size, s3.keys('bucket')]).toEqual([0, []])
  })

  it('that is stopped is taken back, too', async () => {
    const { s3, upload } = await scene()
    const stop = new AbortController()
    s3.script = ({ operation, key }) => {
      if (operation !== 'PutObject' || key !== 'c') return undefined
      stop.abort('SIGINT')
      return 'hang'
    }
    // Time flies here where it is waited for; what is waited for after the stop is the end of the time there is for this.
    const onWait = async () => (stop.signal.aborted ? new Promise<void>(() => {}) : undefined)
    const { summary } = await upload({ ...noRetries, concurrency: 1 }, { signal: stop.signal, onWait })
    expect(summary).toMatchObject({ exitCode: 130, uploaded: 0, undone: 2, cancelled: 1 })
    expect(s3.keys('bucket')).toEqual([])
  })

  it('names what it could not take back, and how to go on', async () => {
    const { s3, upload } = await scene()
    s3.script = ({ operation, key }) => {
      if (operation === 'PutObject' && key === 'b') return denied
      return operation === 'DeleteObject' && key === 'c' ? denied : undefined
    }
    const { summary, events } = await upload(noRetries)
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 1, undone: 1 })
    expect(s3.keys('bucket')).toEqual(['c'])
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    expect(warnings).toEqual([
      expect.stringMatching(/^c was not undone: access denied: .*s3:DeleteObject/),
      expect.stringMatching(/^this was not undone; see to the cause, then: upload undo .*\.jsonl$/),
    ])
  })

  it('leaves what somebody else has put in its place meanwhile', async () => {
    const { s3, upload } = await scene()
    s3.script = ({ operation, key }) => {
      if (operation !== 'PutObject' || key !== 'c') return undefined
      s3.put('bucket', 'a', Buffer.from('by somebody else'))
      return denied
    }
    const { summary } = await upload({ ...noRetries, concurrency: 1 })
    expect(summary).toMatchObject({ uploaded: 1, undone: 1 })
    expect(s3.read('bucket', 'a')?.toString()).toBe('by somebody else')
    expect(s3.keys('bucket')).toEqual(['a'])
  })

  it.each([100, 101])('is refused before the first byte where %i files would replace something', async (count) => {
    const { s3, upload } = await scene(Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, 1])))
    for (const key of ['f7', 'f8', 'other']) s3.put('bucket', key, Buffer.from('was here'))
    const running = upload(noRetries)
    await expect(running).rejects.toBeInstanceOf(UsageError)
    await expect(running).rejects.toThrow(
      '--undo-on-failure cannot be kept: these 2 objects exist already, and the destination keeps no versions: f7, f8;',
    )
    expect(s3.requests.filter(({ operation }) => operation === 'PutObject')).toEqual([])
    const asked = s3.requests.map(({ operation }) => operation).filter((operation) => /^(Head|List)Obj/.test(operation))
    expect(asked).toEqual(count > 100 ? ['ListObjectsV2'] : Array(count).fill('HeadObject'))
  })

  it.each(['newer', 'changed'] as const)(
    'is refused where --if-exists %s would replace something',
    async (ifExists) => {
      const { ws, s3, upload } = await scene()
      s3.put('bucket', 'a', await readFile(ws.path('in/a')))
      s3.put('bucket', 'b', Buffer.from('of another size'))
      await expect(upload({ ...noRetries, ifExists })).rejects.toThrow(
        '--undo-on-failure cannot be kept: this object exists already, and the destination keeps no versions: b;',
      )
      expect(s3.requests.filter(({ operation }) => operation === 'PutObject')).toEqual([])
    },
  )

  it.each(['newer', 'changed'] as const)('is kept where --if-exists %s replaces nothing', async (ifExists) => {
    const { ws, s3, upload } = await scene()
    s3.put('bucket', 'a', await readFile(ws.path('in/a')))
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'c' ? denied : undefined)
    const { summary, file } = await upload({ ...noRetries, ifExists, concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, skipped: 1, failed: 1, undone: 1 })
    expect(file('a')).toMatchObject({ status: 'skipped', reason: ifExists === 'newer' ? 'not-newer' : 'unchanged' })
    expect(s3.keys('bucket')).toEqual(['a'])
  })
})

describe('a run with --undo-on-failure into a bucket that keeps versions', () => {
  it('may replace objects, and brings them back, though each attempt but the last lost its answer', async () => {
    const { s3, upload } = await scene()
    s3.versioning = 'Enabled'
    for (const key of ['a', 'b']) s3.put('bucket', key, Buffer.from(`${key} of before`))
    s3.script = ({ operation, key, attempt }) => {
      if (operation !== 'PutObject') return undefined
      if (key === 'c') return denied
      return key === 'a' && attempt < 3 ? 'reset-after-storing' : undefined
    }
    const { summary } = await upload({ undoOnFailure: true })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, failed: 1, undone: 2 })
    expect(s3.keys('bucket')).toEqual(['a', 'b'])
    for (const key of ['a', 'b']) expect(s3.read('bucket', key)?.toString()).toBe(`${key} of before`)
    expect(s3.countVersions('bucket')).toBe(2)
  })

  it('brings back what --if-exists newer replaced, and leaves what it did not', async () => {
    const { ws, s3, upload } = await scene()
    s3.versioning = 'Enabled'
    const same = await readFile(ws.path('in/a'))
    s3.put('bucket', 'a', same)
    s3.put('bucket', 'b', Buffer.from('b of before'))
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'c' ? denied : undefined)
    const { summary, events } = await upload({ ...noRetries, ifExists: 'newer', concurrency: 1 })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, skipped: 1, failed: 1, undone: 1 })
    const undone = events.flatMap((event) => (event.type === 'undone' ? [event.file] : []))
    expect(undone).toMatchObject([{ key: 'b', replaced: { size: 11, etag: s3.object('bucket', 'b')?.etag } }])
    expect([s3.read('bucket', 'a'), s3.read('bucket', 'b')?.toString()]).toEqual([same, 'b of before'])
    expect(s3.countVersions('bucket')).toBe(2)
  })

  it('removes the version of an attempt that failed but was stored', async () => {
    const { s3, upload } = await scene()
    s3.versioning = 'Enabled'
    s3.put('bucket', 'b', Buffer.from('b of before'))
    s3.script = ({ operation, key }) => (operation === 'PutObject' && key === 'b' ? 'reset-after-storing' : undefined)
    // One after the other: a reset before anything has arrived would be everybody's failure.
    expect((await upload({ ...noRetries, concurrency: 1 })).summary).toMatchObject({ exitCode: 1, undone: 2 })
    expect(s3.read('bucket', 'b')?.toString()).toBe('b of before')
    expect(s3.countVersions('bucket')).toBe(1)
  })
})

describe('a run with --undo-on-failure that goes on with another', () => {
  it('takes back what the other has sent, too', async () => {
    const { s3, upload } = await scene()
    s3.script = ({ operation, key }) =>
      operation === 'PutObject' && key === 'c' ? { status: 503, body: '' } : undefined
    const stop = new AbortController()
    const onWait = async () => stop.abort('SIGTERM')
    s3.put('bucket', 'other', Buffer.from('was here'))
    // Its own undoing is cut short, as by a kill.
    const cut = s3.script
    s3.script = (request) => (request.operation === 'DeleteObject' ? denied : cut(request))
    expect((await upload({ undoOnFailure: true }, { signal: stop.signal, onWait })).summary.exitCode).toBe(143)
    expect(s3.keys('bucket')).toEqual(['a', 'b', 'other'])
    s3.script = cut
    const { summary } = await upload({ ...noRetries, resume: true })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0, skipped: 0, failed: 1, undone: 2 })
    expect(s3.keys('bucket')).toEqual(['other'])
  })

  it('is refused where the other did not ask what it replaced', async () => {
    const { s3, upload } = await scene()
    s3.script = ({ operation, key }) =>
      operation === 'PutObject' && key === 'c' ? { status: 503, body: '' } : undefined
    const once = { retry: retry({ retries: 0, retryFailed: 0 }) }
    expect((await upload(once)).summary).toMatchObject({ exitCode: 1, uploaded: 2 })
    s3.script = undefined
    await expect(upload({ ...once, undoOnFailure: true, resume: true })).rejects.toThrow(
      /^--undo-on-failure cannot be kept: the run that is continued was begun without it/,
    )
    expect(s3.keys('bucket')).toEqual(['a', 'b'])
  })
})
