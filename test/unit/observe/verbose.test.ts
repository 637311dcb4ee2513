import { describe, expect, it } from 'vitest'
import {
  concurrencyLine,
  deferredLine,
  failureText,
  fallbackLine,
  objectUrl,
  outcomeLine,
  retryLine,
} from '../../../src/observe/verbose.ts'
import { fallbackRecord, fileRecord } from './events.ts'

describe('a line per file', () => {
  it.each([
    [fileRecord({ path: 'a.wav', key: 'a.wav', destination: 's3://b/' }), 'uploaded a.wav → s3://b/a.wav'],
    [
      fileRecord({ path: './\x1b[31m.wav', key: '2026/x\u202e' }),
      'uploaded ./\\x1b[31m.wav → s3://recordings/2026/x\\u202e',
    ],
    [fileRecord({ path: 'a', status: 'skipped', reason: 'exists' }), 'skipped a (exists)'],
    [fileRecord({ path: 'a', status: 'cancelled' }), 'cancelled a'],
    [
      fileRecord({
        path: 'a\n',
        status: 'failed',
        error: { code: 'TIMEOUT', message: 'no answer\nin 30 s', retryable: true },
      }),
      'failed a\\n: no answer in 30 s (TIMEOUT)',
    ],
    [
      fileRecord({ path: 'a', key: 'a', destination: 's3://b/', fallback: fallbackRecord() }),
      'uploaded a → s3://b/a (fell back: SERVER_ERROR at s3://candidate/)',
    ],
    [
      fileRecord({
        path: 'a',
        status: 'failed',
        fallback: fallbackRecord({ destination: 'file:./\x07/' }),
        error: { code: 'TIMEOUT', message: 'no answer', retryable: true },
      }),
      'failed a: no answer (TIMEOUT) (fell back: SERVER_ERROR at file:./\\x07/)',
    ],
    [
      fileRecord({ path: 'a', status: 'skipped', reason: 'exists', fallback: fallbackRecord() }),
      'skipped a (exists) (fell back: SERVER_ERROR at s3://candidate/)',
    ],
  ])('%#', (file, line) => expect(outcomeLine(file)).toBe(line))

  it('stands for a failure without an error too', () => {
    expect(failureText(fileRecord({ path: 'a', status: 'failed' }))).toContain('a: failed for a reason')
  })

  it('tells of another attempt', () => {
    const retry = {
      type: 'file-retry',
      index: 1,
      path: 'a',
      attempt: 2,
      code: 'THROTTLED',
      message: 'busy',
      delayMs: 1400,
    } as const
    expect(retryLine(retry)).toBe('retrying a in 1.4 s, attempt 2 failed: busy (THROTTLED)')
    const deferred = { type: 'file-deferred', index: 1, path: 'a', code: 'THROTTLED', message: 'busy' } as const
    expect(concurrencyLine({ type: 'concurrency', from: 32, to: 64, reason: 'throughput grew 41 %' })).toBe(
      'concurrency 32 → 64 (throughput grew 41 %)',
    )
    expect(deferredLine(deferred)).toBe('putting off a to the end of the run: busy (THROTTLED)')
    expect(fallbackLine({ ...deferred, type: 'file-fallback' })).toBe(
      'sending a by the baseline, the candidate failed: busy (THROTTLED)',
    )
  })
})

describe('objectUrl', () => {
  it.each([
    ['s3://bucket/prefix/', 'prefix/a.wav', 's3://bucket/prefix/a.wav'],
    ['s3://bucket/', 'a.wav', 's3://bucket/a.wav'],
    ['file:./dir/', 'sub/a.wav', 'file:./dir/sub/a.wav'],
    ['file:///srv/dir/', 'a.wav', 'file:///srv/dir/a.wav'],
  ])('%s %s', (destination, key, url) => expect(objectUrl(destination, key)).toBe(url))
})
