import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { createJsonLines } from '../../../src/observe/json-lines.ts'
import {
  createFakeClock,
  failed,
  fileEnded,
  fileStarted,
  runEnded,
  runRecord,
  runStarted,
  summaryRecord,
} from './events.ts'

function start() {
  const clock = createFakeClock()
  const written: string[] = []
  const json = createJsonLines({ write: (text) => void written.push(text), clock })
  return {
    clock,
    json,
    emit: (...events: readonly UploadEvent[]) => events.forEach(json.listener),
    lines: () => written.splice(0),
  }
}

describe('NDJSON', () => {
  it("is the journal's lines as they happen, each one write", () => {
    const { emit, lines } = start()
    const uploaded = fileEnded(1)
    emit(runStarted(), fileStarted(1), uploaded, { type: 'notice', message: 'x' })
    emit({ type: 'concurrency', from: 32, to: 64, reason: 'x' }, runEnded())
    expect(lines()).toEqual([
      `${JSON.stringify(runRecord())}\n`,
      `${JSON.stringify(uploaded.file)}\n`,
      `${JSON.stringify(summaryRecord())}\n`,
    ])
  })

  it('shows multipart uploads as the journal does', () => {
    const { emit, lines } = start()
    emit(runStarted())
    lines()
    const line = { type: 'part' as const, path: 'a.wav', uploadId: 'u', partNumber: 3, size: 8, etag: '"e"' }
    emit({ type: 'multipart', line })
    expect(lines()).toEqual([`${JSON.stringify(line)}\n`])
  })

  it('tells where the run stands, each second while it runs', () => {
    const { clock, emit, lines } = start()
    emit(runStarted(), { type: 'totals', files: 3, bytes: 300_000, complete: true })
    lines()
    emit(fileEnded(1, { size: 1000, bytesSent: 1000 }), failed(2), fileStarted(3))
    emit({ type: 'file-progress', index: 3, sent: 500, partsDone: 0 })
    emit({ type: 'file-retry', index: 3, path: 'x', attempt: 1, code: 'TIMEOUT', message: '', delayMs: 1 })
    lines()
    clock.advance(1000)
    const progress =
      '{"type":"progress","time":"2026-11-22T07:38:13.000Z","files":3,"filesDone":2,"failed":1,' +
      '"bytes":300000,"bytesSent":1500,"bytesPerSecond":1500,"retries":1}\n'
    expect(lines()).toEqual([progress])
    clock.advance(3000)
    expect(lines()).toHaveLength(3)
    emit(runEnded())
    lines()
    clock.advance(5000)
    expect(lines()).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('tells warnings, newlines and all, on one line', () => {
    const { emit, lines } = start()
    emit(runStarted())
    lines()
    emit({ type: 'warning', message: 'two\nlines' })
    expect(lines()).toEqual(['{"type":"warning","message":"two\\nlines","time":"2026-11-22T07:38:12.000Z"}\n'])
  })

  it('begins with the run, whatever was worth a warning before it', () => {
    const { clock, emit, json, lines } = start()
    emit({ type: 'warning', message: 'one' }, { type: 'warning', message: 'two' })
    expect(lines()).toEqual([])
    clock.advance(5000)
    emit(runStarted(), { type: 'warning', message: 'three' })
    json.close()
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      runRecord(),
      { type: 'warning', message: 'one', time: '2026-11-22T07:38:12.000Z' },
      { type: 'warning', message: 'two', time: '2026-11-22T07:38:12.000Z' },
      { type: 'warning', message: 'three', time: '2026-11-22T07:38:17.000Z' },
    ])
  })

  it('tells warnings when closed where no run began, once', () => {
    const { emit, json, lines } = start()
    emit({ type: 'warning', message: 'one' })
    json.close()
    json.close()
    emit({ type: 'warning', message: 'two' })
    expect(lines().map((line) => JSON.parse(line).message)).toEqual(['one', 'two'])
  })

  it('stops when closed', () => {
    const { clock, emit, json } = start()
    emit(runStarted())
    json.close()
    json.close()
    expect(clock.timers).toBe(0)
  })
})
