import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { createPlain, type PlainOptions } from '../../../src/observe/plain.ts'
import { createFakeClock, failed, fileEnded, fileStarted, runEnded, runStarted, summaryRecord } from './events.ts'

function start(options: Partial<PlainOptions> = {}) {
  const clock = createFakeClock()
  const written: string[] = []
  const plain = createPlain({ write: (text) => void written.push(text), clock, ...options })
  return {
    clock,
    plain,
    emit: (...events: readonly UploadEvent[]) => events.forEach(plain.listener),
    /** Lines since the last call; every write is whole lines without control characters. */
    lines() {
      for (const text of written) expect(text).toMatch(/^(?:\P{Cc}+\n)+$/u)
      return written.splice(0).join('').split('\n').slice(0, -1)
    },
  }
}

const totals: UploadEvent = { type: 'totals', files: 214, bytes: 3_200_000_000, complete: true }

describe('plain progress', () => {
  it('says what it does, how far it is every ten seconds, and once at the end', () => {
    const { clock, emit, lines } = start()
    emit(runStarted(), totals)
    expect(lines()).toEqual(['upload: 214 files, 3.2 GB → s3://recordings/2026/'])

    clock.advance(9_000)
    for (let index = 1; index <= 122; index += 1) emit(fileEnded(index, { size: 14_800_000, bytesSent: 14_800_000 }))
    const retry = {
      type: 'file-retry',
      path: 'x',
      attempt: 1,
      code: 'TIMEOUT',
      message: 'no answer',
      delayMs: 1,
    } as const
    emit({ ...retry, index: 200 }, { ...retry, index: 201 })
    expect(lines()).toEqual([])
    clock.advance(1_000)
    expect(lines()).toEqual(['upload: 122/214 files, 1.8/3.2 GB (56 %), 181 MB/s, 0:08 left, 0 failed, 2 retries'])
    clock.advance(10_000)
    expect(lines()).toHaveLength(1)

    for (let index = 123; index <= 214; index += 1) emit(fileEnded(index, { size: 15_156_522, bytesSent: 15_156_522 }))
    lines()
    emit(runEnded())
    expect(lines()).toEqual(['upload: 214/214 files, 3.2/3.2 GB (100 %), 308 MB/s, 0:00 left, 0 failed, 2 retries'])
    expect(clock.timers).toBe(0)
  })

  it('names a custom endpoint and the config file', () => {
    const { emit, lines } = start()
    emit(totals, runStarted({ endpoint: 'http://localhost:9000', configFile: '/srv/.uploadrc.json' }))
    const details = '(endpoint http://localhost:9000, config /srv/.uploadrc.json)'
    expect(lines()).toEqual([`upload: 214 files, 3.2 GB → s3://recordings/2026/ ${details}`])
  })

  it('marks totals that are not known for good', () => {
    const { clock, emit, lines } = start()
    emit(runStarted())
    clock.advance(10_000)
    expect(lines()).toEqual([
      'upload: files → s3://recordings/2026/',
      'upload: 0/~0 files, 0/~0 B (~0 %), 0 B/s, -:-- left, 0 failed, 0 retries',
    ])
    emit(
      { type: 'totals', files: 1000, bytes: 4_000_000, complete: false },
      fileEnded(1, { size: 1e6, bytesSent: 1e6 }),
    )
    clock.advance(10_000)
    expect(lines()).toEqual(['upload: 1/~1,000 files, 1.0/~4.0 MB (~25 %), 88.1 kB/s, 0:35 left, 0 failed, 0 retries'])
  })

  it('tells each failure on a line, the first twenty, and that more follow', () => {
    const { emit, lines } = start()
    emit(runStarted(), totals)
    lines()
    for (let index = 1; index <= 30; index += 1) emit(failed(index, 'SERVER_ERROR', 'the server\nanswered 500'))
    const said = lines()
    expect(said).toHaveLength(21)
    expect(said[0]).toBe('upload: failed ./audio/take-0001.wav: the server answered 500 (SERVER_ERROR)')
    expect(said[20]).toBe('upload: more files failed; the report lists them all')
  })

  it('tells warnings, after the start line', () => {
    const { emit, lines } = start()
    emit({ type: 'warning', message: 'early' }, runStarted(), {
      type: 'warning',
      message: 'a FIFO\n"\x1b[31m" is skipped',
    })
    expect(lines()).toEqual([
      'upload: warning: early',
      'upload: files → s3://recordings/2026/',
      'upload: warning: a FIFO "\\x1b[31m" is skipped',
    ])
  })

  it('adds a line per file, retry, decision and notice when verbose', () => {
    const events: readonly UploadEvent[] = [
      runStarted(),
      totals,
      { type: 'notice', message: 'multipart threshold raised' },
      { type: 'concurrency', from: 32, to: 64, reason: 'throughput grew 41 %' },
      fileStarted(1),
      { type: 'file-retry', index: 1, path: 'a', attempt: 1, code: 'TIMEOUT', message: 'no answer', delayMs: 200 },
      { type: 'file-deferred', index: 1, path: 'a', code: 'TIMEOUT', message: 'no answer' },
      { type: 'file-fallback', index: 1, path: 'a', code: 'STALLED', message: 'nothing moves' },
      fileEnded(1),
    ]
    const quiet = start()
    quiet.emit(...events)
    expect(quiet.lines()).toHaveLength(1)
    const verbose = start({ verbose: true })
    verbose.emit(...events, ...Array.from({ length: 25 }, (_, n) => failed(n + 2)))
    const lines = verbose.lines()
    expect(lines.slice(1, 7)).toEqual([
      'upload: multipart threshold raised',
      'upload: concurrency 32 → 64 (throughput grew 41 %)',
      'retrying a in 200 ms, attempt 1 failed: no answer (TIMEOUT)',
      'putting off a to the end of the run: no answer (TIMEOUT)',
      'sending a by the baseline, the candidate failed: nothing moves (STALLED)',
      'uploaded ./audio/take-0001.wav → s3://recordings/2026/take-0001.wav',
    ])
    expect(lines).toHaveLength(7 + 25)
  })

  it('says only what went wrong where progress is not wanted', () => {
    const { clock, emit, lines } = start({ progress: false })
    emit(runStarted(), totals)
    clock.advance(60_000)
    emit(fileEnded(1), failed(2), { type: 'warning', message: 'look' }, runEnded({ summary: summaryRecord() }))
    expect(lines()).toEqual([
      'upload: failed ./audio/take-0002.wav: the server answered 500 (SERVER_ERROR)',
      'upload: warning: look',
    ])
  })

  it('ends quietly where the run never began, and stops when closed', () => {
    const { clock, emit, lines, plain } = start()
    emit(runEnded())
    expect(lines()).toEqual([])
    emit(runStarted())
    plain.close()
    plain.close()
    expect(clock.timers).toBe(0)
  })
})
