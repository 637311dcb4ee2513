import { describe, expect, it } from 'vitest'
import { type FileWork, failedRecord, newWork, uploadedRecord } from '../../../src/transfer/file-record.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { failure, planned } from './scene.ts'

const destination = createFakeDestination()
const began = Date.UTC(2026, 10, 22, 7, 38, 12, 500)

function sent(over: Partial<FileWork> = {}): FileWork {
  return {
    ...newWork(planned(1, { size: 5, mtimeMs: 5 })),
    facts: { size: 2000, mtimeMs: Date.UTC(2026, 0, 2) + 0.25 },
    attempts: 2,
    startedAtMs: began,
    durationMs: 1500.12345,
    bytesSent: 3000,
    parts: 1,
    ...over,
  }
}

describe('uploadedRecord', () => {
  it('tells of a key that was changed what it was made of', () => {
    const file = planned(1, { key: 'audio/=23.wav', originalKey: 'audio/#.wav' })
    const record = uploadedRecord(sent({ file }), destination, { key: file.key, size: 5 })
    expect(record).toMatchObject({ key: 'audio/=23.wav', originalKey: 'audio/#.wav' })
    const same = uploadedRecord(sent(), destination, { key: 'k', size: 5 })
    expect(JSON.stringify(same)).not.toContain('originalKey')
  })

  it('tells of the file as it was sent, and what the destination said', () => {
    const checksum = { algorithm: 'crc32', value: 'AAAAAA==' } as const
    expect(
      uploadedRecord(sent(), destination, { key: 'k', size: 2000, etag: '"e"', versionId: 'v', checksum }),
    ).toEqual({
      type: 'file',
      path: 'take-1.wav',
      source: 'take-1.wav',
      key: 'audio/take-1.wav',
      destination: 'fake://bucket/',
      size: 2000,
      mtime: '2026-01-02T00:00:00.000Z',
      status: 'uploaded',
      attempts: 2,
      startedAt: '2026-11-22T07:38:12.500Z',
      durationMs: 1500.123,
      bytesSent: 3000,
      bytesPerSecond: 2000,
      parts: 1,
      engine: 'standard',
      contentType: 'audio/wav',
      etag: '"e"',
      versionId: 'v',
      checksum,
    })
  })

  it('has no rate where it took no time', () => {
    expect(uploadedRecord(sent({ durationMs: 0 }), destination, { key: 'k', size: 0 })).toMatchObject({
      durationMs: 0,
      bytesPerSecond: null,
    })
  })
})

describe('failedRecord', () => {
  it('tells why, without what led to it', () => {
    const error = failure('ACCESS_DENIED', 'no', { status: 403, requestId: 'R1', cause: new Error('secret') })
    const record = failedRecord(sent(), destination, 'failed', error)
    expect(record).toMatchObject({ status: 'failed' })
    expect(record.error).toEqual({
      code: 'ACCESS_DENIED',
      message: 'no',
      status: 403,
      requestId: 'R1',
      retryable: false,
    })
    expect(JSON.stringify(record)).not.toContain('secret')
  })

  it.each([
    ['planned', { size: 5, mtimeMs: 1000 }, { size: 5, mtime: '1970-01-01T00:00:01.000Z' }],
    ['of no known time', { size: 5, mtimeMs: undefined }, { size: 5, mtime: '1970-01-01T00:00:00.000Z' }],
    ['that could not be looked at', { size: undefined, mtimeMs: undefined }, { size: null, mtime: null }],
    ['from standard input', { path: '-', size: undefined, mtimeMs: undefined }, { size: null, mtime: null }],
    ['of a time beyond the calendar', { size: 5, mtimeMs: 9e15 }, { size: 5, mtime: null }],
  ])('of a file %s that was never begun', (_name, over, expected) => {
    const record = failedRecord(newWork(planned(1, over)), destination, 'cancelled', failure('CANCELLED', 'stopped'))
    expect(record).toMatchObject({
      ...expected,
      status: 'cancelled',
      attempts: 0,
      startedAt: null,
      durationMs: null,
      bytesPerSecond: null,
    })
  })

  it('of standard input that was read: its size, but no time', () => {
    const work = { ...newWork(planned(1, { path: '-' })), facts: { size: 7, mtimeMs: 1 } }
    expect(failedRecord(work, destination, 'failed', failure('TIMEOUT', 'late'))).toMatchObject({
      size: 7,
      mtime: null,
    })
  })
})
