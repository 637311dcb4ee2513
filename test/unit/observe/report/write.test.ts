import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { summaryFileOf, whyNotWritten, writeReports } from '../../../../src/observe/report/write.ts'
import { readCsv } from '../../../support/csv.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { fallbackRecord, fileRecord, runRecord, summaryRecord } from '../events.ts'

let folder: string
beforeEach(async () => {
  folder = await tempDir('report')
})

const uploaded = fileRecord({ checksum: { algorithm: 'crc32', value: 'AAAAAA==' }, etag: '"9b2cf5"', versionId: 'v1' })
const denied = fileRecord({
  path: './b.wav',
  status: 'failed',
  size: null,
  mtime: null,
  durationMs: null,
  bytesPerSecond: null,
  error: { code: 'ACCESS_DENIED', message: 'may not "write", here', status: 403, requestId: 'R1', retryable: false },
})

async function journalOf(...lines: readonly unknown[]): Promise<string> {
  const path = join(folder, 'journal.jsonl')
  const text = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`))
  await writeFile(path, text.join(''))
  return path
}

async function written(journal: string, name: string, invocation = 1): Promise<string> {
  await writeReports(journal, { invocation, files: [join(folder, name)] })
  return readFile(join(folder, name), 'utf8')
}

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('a .jsonl report', () => {
  it('holds run, files and summary, and nothing that only resume needs', async () => {
    const part = { type: 'part', path: './b.wav', partNumber: 1 }
    const journal = await journalOf(
      runRecord(),
      { type: 'upload-started', path: 'x' },
      uploaded,
      part,
      denied,
      summaryRecord(),
    )
    const text = await written(journal, 'r.jsonl')
    expect(lines(text)).toEqual([runRecord(), uploaded, denied, summaryRecord()])
    expect(text).toBe(
      `${[runRecord(), uploaded, denied, summaryRecord()].map((line) => JSON.stringify(line)).join('\n')}\n`,
    )
  })

  it('is of the invocation asked for, by its last run line', async () => {
    const [first, second, third] = [1, 2, 3].map((invocation) => runRecord({ invocation }))
    const journal = await journalOf(
      first,
      uploaded,
      second,
      fileRecord({ path: 'stale' }),
      second,
      denied,
      summaryRecord(),
      third,
      fileRecord({ path: 'later' }),
    )
    expect(lines(await written(journal, 'r.jsonl', 2))).toEqual([second, denied, summaryRecord()])
    expect(lines(await written(journal, 'r.jsonl', 1))).toEqual([first, uploaded])
    expect(await written(journal, 'r.jsonl', 9)).toBe('')
  })

  it('passes over a torn line, last or in the middle', async () => {
    const whole = JSON.stringify(denied)
    const journal = await journalOf(
      runRecord(),
      uploaded,
      `${whole.slice(0, 40)}\n`,
      '7\n',
      '\n',
      denied,
      whole.slice(0, -9),
    )
    expect(lines(await written(journal, 'r.jsonl'))).toEqual([runRecord(), uploaded, denied])
  })

  it.each(['r.jsonl', 'r.json'])('%s has no line that a power cut left holes in, or cut off', async (name) => {
    const whole = `${JSON.stringify(denied)}\n`
    const holed = `${whole.slice(0, 60)}${'\0'.repeat(20)}${whole.slice(80)}`
    // Ends in a brace, as whole lines do.
    const cut = whole.slice(0, whole.lastIndexOf('}', whole.length - 3) + 1)
    const journal = await journalOf(runRecord(), uploaded, holed, cut)
    expect(cut.endsWith('}')).toBe(true)
    const text = await written(journal, name)
    expect(text).toContain(uploaded.path)
    expect(text).not.toContain(denied.path)
  })

  it('takes a last line that is whole but for its newline', async () => {
    const journal = await journalOf(runRecord(), uploaded, JSON.stringify(summaryRecord()))
    expect(lines(await written(journal, 'r.jsonl'))).toHaveLength(3)
  })

  it('splits at newlines only, and lines as long as they come', async () => {
    const odd = fileRecord({ path: `a\u2028b\u2029c\r\n${'ö'.repeat(300_000)}"type":"run"` })
    const journal = await journalOf(runRecord(), odd, odd, uploaded, summaryRecord())
    expect(lines(await written(journal, 'r.jsonl'))).toEqual([runRecord(), odd, odd, uploaded, summaryRecord()])
  })
})

describe('a .json report', () => {
  it('is one document', async () => {
    const journal = await journalOf(runRecord(), uploaded, denied, summaryRecord())
    const text = await written(journal, 'r.json')
    expect(JSON.parse(text)).toEqual({ run: runRecord(), files: [uploaded, denied], summary: summaryRecord() })
    expect(text.endsWith('}\n')).toBe(true)
  })

  it('stands without files and without summary', async () => {
    const journal = await journalOf(runRecord())
    expect(JSON.parse(await written(journal, 'r.json'))).toEqual({ run: runRecord(), files: [], summary: null })
    expect(JSON.parse(await written(journal, 'r.json', 2))).toEqual({ run: null, files: [], summary: null })
  })
})

describe('a .csv report', () => {
  it("has a row a file, its fields in the journal's order, nested ones beside each other", async () => {
    const text = await written(await journalOf(runRecord(), uploaded, denied, summaryRecord()), 'r.csv')
    expect(text.split('\r\n')).toEqual([
      'path,source,key,destination,size,mtime,status,reason,attempts,startedAt,durationMs,bytesSent,bytesPerSecond,' +
        'parts,engine,stage,fallbackEngine,fallbackDestination,fallbackDurationMs,fallbackErrorCode,' +
        'fallbackErrorMessage,etag,versionId,replaced,url,checksumAlgorithm,checksumValue,contentType,' +
        'errorCode,errorMessage,errorStatus,errorRequestId,errorRetryable',
      './audio/take-0001.wav,take-0001.wav,2026/take-0001.wav,s3://recordings/2026/,81200000,2026-11-01T10:00:00.000Z,' +
        'uploaded,,1,2026-11-22T07:38:13.000Z,1980.5,81200000,41000000,1,standard,,,,,,,"""9b2cf5""",v1,,,crc32,AAAAAA==,' +
        'audio/wav,,,,,',
      './b.wav,take-0001.wav,2026/take-0001.wav,s3://recordings/2026/,,,failed,,1,2026-11-22T07:38:13.000Z,,81200000,,' +
        '1,standard,,,,,,,,,,,,,audio/wav,ACCESS_DENIED,"may not ""write"", here",403,R1,false',
      '',
    ])
  })

  it('has the stage, and how a file failed on the candidate, in the columns that are theirs', async () => {
    const fellBack = fileRecord({ stage: 0.5, side: 'candidate', fallback: fallbackRecord({ key: 'elsewhere' }) })
    const journal = await journalOf(runRecord(), fellBack, fileRecord({ stage: 0.5, side: 'baseline' }))
    expect(readCsv(await written(journal, 'r.csv'))).toMatchObject([
      {
        engine: 'standard',
        stage: '0.5',
        fallbackEngine: 'fast',
        fallbackDestination: 's3://candidate/',
        fallbackDurationMs: '812.5',
        fallbackErrorCode: 'SERVER_ERROR',
        fallbackErrorMessage: 'the server answered 500',
        errorCode: '',
      },
      { stage: '0.5', fallbackEngine: '', fallbackDurationMs: '', fallbackErrorCode: '' },
    ])
    expect(JSON.parse(await written(journal, 'r.json')).files[0]).toEqual(fellBack)
  })

  it.each([
    ['=cmd|calc', "'=cmd|calc"],
    ['+1', "'+1"],
    ['-5', "'-5"],
    ['@x', "'@x"],
    ['\tx', "'\tx"],
    ['\rx', "'\rx"],
    ["'x", "'x"],
    ['a=b', 'a=b'],
    ['＝x', '＝x'],
    ['line\nbreak', 'line\nbreak'],
    ['"quoted", and more', '"quoted", and more'],
    ['', ''],
  ])('is no formula: %j', async (path, cell) => {
    const journal = await journalOf(runRecord(), fileRecord({ path, size: -5, bytesSent: -0.5 }))
    const [row] = readCsv(await written(journal, 'r.csv'))
    expect(row?.path).toBe(cell)
    expect([row?.size, row?.bytesSent]).toEqual(['-5', '-0.5'])
  })

  it('has the summary beside it, as metric and value', async () => {
    const summary = summaryRecord({ latencyMs: { min: 1, mean: 2.5, p50: 2, p90: 3, p95: 4, p99: 5, max: 6 } })
    const journal = await journalOf(runRecord(), uploaded, summary)
    const files = await writeReports(journal, { invocation: 1, files: [join(folder, 'r.CSV'), join(folder, 'r.json')] })
    expect(files).toEqual({
      written: ['r.CSV', 'r.summary.CSV', 'r.json'].map((name) => join(folder, name)),
      problems: [],
    })
    const text = await readFile(join(folder, 'r.summary.CSV'), 'utf8')
    expect(text.startsWith('metric,value\r\nexitCode,1\r\noutcome,partial\r\n')).toBe(true)
    const metrics = Object.fromEntries(readCsv(text).map(({ metric, value }) => [metric, value]))
    expect(metrics).toMatchObject({
      'latencyMs.p95': '4',
      'byErrorCode.SOURCE_UNREADABLE': '1',
      'byDestination.s3://recordings/2026/.uploaded': '213',
      'eventLoopDelayMs.p99': '11',
      peakRssBytes: '90000000',
    })
    expect(metrics).not.toHaveProperty('type')
  })

  it('leaves what nobody measured empty', async () => {
    const journal = await journalOf(runRecord(), summaryRecord({ latencyMs: null, successRate: null }))
    await written(journal, 'r.csv')
    const text = await readFile(join(folder, 'r.summary.csv'), 'utf8')
    expect(text).toContain('\r\nlatencyMs,\r\n')
    expect(text).toContain('\r\nsuccessRate,\r\n')
    expect(await readFile(join(folder, 'r.csv'), 'utf8')).toMatch(/^path,[^\r\n]*\r\n$/)
  })
})

describe('writing reports', () => {
  it('replaces an older report, makes folders, and leaves nothing else behind', async () => {
    const journal = await journalOf(runRecord(), uploaded, summaryRecord())
    const target = join(folder, 'out', 'deep', 'r.jsonl')
    await writeReports(journal, { invocation: 1, files: [target] })
    await writeReports(journal, { invocation: 2, files: [target] })
    expect(await readFile(target, 'utf8')).toBe('')
    expect(await readdir(join(folder, 'out', 'deep'))).toEqual(['r.jsonl'])
  })

  it.each(['r.jsonl', 'r.json', 'r.csv'])('%s takes the summary from who has it before the journal', async (name) => {
    const [journal, complete] = [await journalOf(runRecord(), uploaded), join(folder, `complete-${name}`)]
    const files = [join(folder, name)]
    await writeReports(journal, { invocation: 1, files, summary: summaryRecord() })
    const whole = await journalOf(runRecord(), uploaded, summaryRecord())
    await writeReports(whole, { invocation: 1, files: [complete] })
    expect(await readFile(join(folder, name), 'utf8')).toBe(await readFile(complete, 'utf8'))
  })

  it('writes all it can and then says what it could not, and why', async () => {
    const journal = await journalOf(runRecord(), uploaded, summaryRecord())
    await mkdir(join(folder, 'taken.json'))
    await writeFile(join(folder, 'file'), '')
    const files = ['taken.json', 'file/r.jsonl', 'good.jsonl'].map((name) => join(folder, name))
    expect(await writeReports(journal, { invocation: 1, files })).toEqual({
      written: [files[2]],
      problems: [
        `${files[0]} was not written: a directory has that name`,
        `${files[1]} was not written: a file stands where its folder should be`,
      ],
    })
    expect(await readFile(join(folder, 'good.jsonl'), 'utf8')).not.toBe('')
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it.each([
    ['EACCES', 'permission denied, check the folder'],
    ['EROFS', 'permission denied, check the folder'],
    ['ENOSPC', 'no space left there'],
    ['EDQUOT', 'no space left there'],
    ['EISDIR', 'a directory has that name'],
    ['ENOTDIR', 'a file stands where its folder should be'],
    ['EIO', 'EIO: what the system says'],
  ])('names %s: %s', (code, text) => {
    expect(whyNotWritten(Object.assign(new Error(`${code}: what the system says`), { code }))).toBe(text)
  })

  it.each([
    ['r.csv', ['r.summary.csv']],
    ['/a/b.c/R.CSV', ['/a/b.c/R.summary.CSV']],
    ['r.jsonl', []],
    ['csv', []],
  ])('beside %s: %j', (report, files) => expect(summaryFileOf(report)).toEqual(files))
})
