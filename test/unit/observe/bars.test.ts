import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type BarsOptions, createBars } from '../../../src/observe/bars.ts'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { failed, fileEnded, fileStarted, runEnded, runStarted } from './events.ts'
import { createFakeTerminal, type FakeTerminal } from './fake-terminal.ts'

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T07:38:12.000Z') }))
afterEach(() => void vi.useRealTimers())

function start(terminal: FakeTerminal = createFakeTerminal(), options: Partial<BarsOptions> = {}) {
  const bars = createBars({ stream: terminal, color: false, clock: { now: () => Date.now() }, ...options })
  return {
    bars,
    terminal,
    emit: (...events: readonly UploadEvent[]) => events.forEach(bars.listener),
    pass: (ms: number) => void vi.advanceTimersByTime(ms),
  }
}

const totals: UploadEvent = { type: 'totals', files: 214, bytes: 3_200_000_000, complete: true }
const sent = (index: number, bytes: number, partsDone = 0): UploadEvent => {
  return { type: 'file-progress', index, sent: bytes, partsDone }
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const clearing = /^\r\x1b\[2K\x1b\[C\x1b\[J\r/
const header = 'Uploading 214 files, 3.2 GB → s3://recordings/2026/'

describe('bars', () => {
  it('show the files in flight and the total', () => {
    const { terminal, emit, pass } = start(createFakeTerminal(105))
    emit(runStarted(), totals, fileStarted(1))
    emit(fileStarted(2, { path: './interview.wav', key: '2026/interview.wav', size: 2_100_000_000, parts: 262 }))
    pass(1000)
    emit(sent(1, 41_000_000), sent(2, 88_300_000, 11))
    pass(100)
    expect(terminal.screen()).toEqual([
      header,
      ' take-0001.wav  █████████████████░░░░░░░░░░░░░░░░░   50 %   41.0/81.2 MB   41.1 MB/s  0:01',
      ' interview.wav  █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    4 %   0.1/2.1 GB     88.5 MB/s  0:23   part 11/262',
      ' total          █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    4 %     0/214 files  0.1/3.2 GB    130 MB/s  0:24',
    ])
    expect(terminal.cursorVisible).toBe(false)
  })

  it('vanish when closed and give the cursor back, once', () => {
    const { bars, terminal, emit, pass } = start()
    emit(runStarted(), totals, fileStarted(1))
    pass(300)
    emit(failed(1))
    bars.close()
    expect(terminal.screen()).toEqual([header, ' ✖ ./audio/take-0001.wav: the server answered 500 (SERVER_ERROR)'])
    expect(terminal.cursorVisible).toBe(true)
    expect(terminal.resizeListeners).toBe(0)
    const writes = terminal.writes.length
    bars.close()
    pass(60_000)
    expect(terminal.writes.length).toBe(writes)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('vanish with the last event; what is said later is said without bars', () => {
    const { terminal, emit, pass } = start()
    emit(runStarted(), totals, fileStarted(1))
    pass(300)
    emit(runEnded(), { type: 'warning', message: 'late' })
    expect(terminal.screen()).toEqual([header, 'warning: late'])
    expect(terminal.cursorVisible).toBe(true)
  })

  it('give the cursor back when the process ends without closing them', () => {
    const before = process.listenerCount('exit')
    const { bars, terminal, emit } = start()
    emit(runStarted(), totals)
    const [restore] = process.listeners('exit').slice(-1)
    expect(process.listenerCount('exit')).toBe(before + 1)
    restore?.(1)
    expect(terminal.cursorVisible).toBe(true)
    expect(process.listenerCount('exit')).toBe(before)
    bars.close()
  })

  it('say nothing and need no terminal where the run never began', () => {
    const { bars, terminal, emit } = start()
    emit({ type: 'warning', message: 'early' })
    bars.close()
    expect(terminal.writes).toEqual(['warning: early\n'])
  })

  it('show ~ while sources are still being scanned, and the start line for good once they are not', () => {
    const { bars, terminal, emit, pass } = start()
    emit(runStarted())
    pass(100)
    expect(terminal.screen()[0]).toBe('Uploading files → s3://recordings/2026/')
    emit({ type: 'totals', files: 1000, bytes: 2e9, complete: false }, fileStarted(1))
    pass(1000)
    const [first, , last] = terminal.screen()
    expect(first).toBe('Uploading ~1,000 files, ~2.0 GB → s3://recordings/2026/')
    expect(last).toMatch(/^ total +0\/~1,000 files .* ~0 % {2}0\.0\/~2\.0 GB/)
    emit(totals)
    pass(100)
    expect(terminal.screen().filter((row) => row.startsWith('Uploading'))).toEqual([header])
    bars.close()
    expect(terminal.screen()).toEqual([header])
  })

  it.each([
    [200, [`${header}  endpoint http://localhost:9000  config /srv/.uploadrc.json`]],
    [80, [header, ' endpoint http://localhost:9000  config /srv/.uploadrc.json']],
  ])('name endpoint and config file at %d columns', (columns, lines) => {
    const { bars, terminal, emit } = start(createFakeTerminal(columns))
    emit(runStarted({ endpoint: 'http://localhost:9000', configFile: '/srv/.uploadrc.json' }), totals)
    bars.close()
    expect(terminal.screen()).toEqual(lines)
  })

  it('tell what went wrong above the bars: twenty failures, every warning', () => {
    const { bars, terminal, emit, pass } = start(createFakeTerminal(80, 60))
    emit(runStarted(), totals, fileStarted(99))
    pass(200)
    for (let index = 1; index <= 25; index += 1) emit(failed(index, 'ACCESS_DENIED', 'may not\nwrite \x1b[31mhere'))
    emit({ type: 'warning', message: 'a FIFO is skipped' })
    emit({ type: 'notice', message: 'not said' }, fileEnded(50))
    emit({ type: 'concurrency', from: 32, to: 64, reason: 'not said' })
    pass(100)
    const screen = terminal.screen()
    expect(screen.slice(0, 3)).toEqual([
      header,
      ' ✖ ./audio/take-0001.wav: may not write \\x1b[31mhere (ACCESS_DENIED)',
      ' ✖ ./audio/take-0002.wav: may not write \\x1b[31mhere (ACCESS_DENIED)',
    ])
    expect(screen.filter((row) => row.includes('✖'))).toHaveLength(20)
    expect(screen.slice(21)).toEqual([
      'warning: a FIFO is skipped',
      expect.stringContaining('take-0099.wav'),
      expect.stringMatching(/^ total .*26\/214 files/),
    ])
    bars.close()
  })

  it('tell each file, retry, decision and notice when verbose', () => {
    const { bars, terminal, emit, pass } = start(createFakeTerminal(200), { verbose: true })
    emit(runStarted(), totals, { type: 'notice', message: 'adapted' }, fileStarted(1), fileStarted(2))
    emit({ type: 'file-retry', index: 1, path: 'a', attempt: 1, code: 'TIMEOUT', message: 'no answer', delayMs: 4000 })
    emit({ type: 'concurrency', from: 128, to: 64, reason: 'the server asked for fewer requests' })
    emit({ type: 'file-deferred', index: 2, path: 'b', code: 'TIMEOUT', message: 'no answer' })
    emit({ type: 'file-fallback', index: 2, path: 'b', code: 'STALLED', message: 'nothing moves' })
    pass(100)
    expect(terminal.screen()[6]).toMatch(/take-0001.* retry in 0:04$/)
    pass(4000)
    expect(terminal.screen()[6]).toMatch(/take-0001.* retrying$/)
    emit(fileEnded(1))
    pass(100)
    expect(terminal.screen().slice(0, 7)).toEqual([
      header,
      ' adapted',
      ' retrying a in 4.0 s, attempt 1 failed: no answer (TIMEOUT)',
      ' concurrency 128 → 64 (the server asked for fewer requests)',
      ' putting off b to the end of the run: no answer (TIMEOUT)',
      ' sending b by the baseline, the candidate failed: nothing moves (STALLED)',
      ' uploaded ./audio/take-0001.wav → s3://recordings/2026/take-0001.wav',
    ])
    expect(terminal.screen().at(-1)).toMatch(/2 retries$/)
    bars.close()
  })

  it('tell how the last files ended, for a moment', () => {
    const { bars, terminal, emit, pass } = start()
    emit(runStarted(), totals, fileStarted(1), fileStarted(2, { size: 0 }), fileStarted(3, { size: undefined }))
    pass(1000)
    emit(sent(3, 12_300_000))
    pass(100)
    expect(terminal.screen()[3]).toMatch(/take-0003\.wav +░+ +12\.3 MB +12\.3 MB\/s$/)
    emit(fileEnded(1), fileEnded(2, { size: 0, bytesSent: 0 }), fileEnded(3, { status: 'cancelled', bytesSent: 0 }))
    pass(100)
    expect(terminal.screen().slice(1, 4)).toEqual([
      expect.stringMatching(/100 % {2}81\.2\/81\.2 MB {2}done$/),
      expect.stringMatching(/100 % {2}0\/0 B {9}done$/),
      expect.stringMatching(/cancelled$/),
    ])
    pass(1000)
    expect(terminal.screen()).toHaveLength(2)
    bars.close()
  })
})

describe('the terminal', () => {
  const names = [
    'take-0007.wav',
    'アーカイブ/録音テスト・東京スタジオ第三回目の長い名前のファイル.wav',
    'cafe\u0301/naïve résumé.md',
    '👨‍👩‍👧‍👦 family 🎉🇩🇪.png',
    'a\x1b[31mred\nname\u202etxt.exe',
    `${'deep/'.repeat(80)}${'very-long-'.repeat(20)}.parquet`,
  ]
  const begin = (index: number): UploadEvent => {
    const name = names[index % names.length] ?? ''
    return fileStarted(index, { path: `./in/${name}`, key: `2026/${name}`, size: 9e9, parts: 1073 })
  }

  it.each([
    [80, 24],
    [200, 50],
    [40, 10],
    [12, 5],
    [3, 2],
    [1, 1],
  ])('is never asked for a wider row than its %d columns, nor for more than its %d rows', (columns, rows) => {
    const { bars, terminal, emit, pass } = start(createFakeTerminal(columns, rows), { color: true })
    emit(runStarted(), { ...totals, complete: false })
    for (let index = 1; index <= 64; index += 1) emit(begin(index))
    for (let step = 1; step <= 20; step += 1) {
      for (let index = 1; index <= 64; index += 1) emit(sent(index, step * index * 7e6, step))
      if (step === 10)
        emit({ type: 'file-retry', index: 3, path: '', attempt: 1, code: 'TIMEOUT', message: '', delayMs: 3e6 })
      pass(100)
      expect(terminal.screen().length).toBeLessThanOrEqual(Math.max(1, rows - 2))
    }
    expect(terminal.widest).toBeLessThanOrEqual(Math.max(1, columns - 1))
    if (rows >= 10) expect(terminal.screen()).toHaveLength(rows - 2)
    bars.close()
  })

  it('shows no stale row after it was resized, and the rows that now fit', () => {
    const { bars, terminal, emit, pass } = start(createFakeTerminal(200, 50), { color: true })
    terminal.write('$ upload ./audio --to s3://recordings/2026/\n')
    emit(runStarted(), totals)
    for (let index = 1; index <= 30; index += 1) emit(begin(index))
    pass(500)
    for (const [columns, rows] of [
      [80, 24],
      [79, 24],
      [120, 12],
      [30, 40],
      [200, 50],
    ] as const) {
      terminal.resize(columns, rows)
      pass(100)
      // Whole lines are cleared: terminals remember which ones they broke, and would join them again when widened.
      expect(terminal.writes.at(-1)).toMatch(clearing)
      const screen = terminal.screen().join('\n')
      expect(screen.match(/^ total /gm)).toHaveLength(1)
      expect(screen.replace(/\n/g, '')).toMatch(/^\$ upload .*2026\/Uploading 214 files/)
      const bars = terminal.screen().filter((row) => / %/.test(row) && !row.startsWith(' total'))
      expect(bars).toHaveLength(Math.min(30, rows - 3))
      expect(terminal.widest).toBeLessThan(columns)
    }
    bars.close()
    expect(terminal.screen().join('')).toBe(`$ upload ./audio --to s3://recordings/2026/${header}`.replace('→ ', '→'))
  })

  it('assumes 80 by 24 where the terminal does not say', () => {
    const { bars, terminal, emit, pass } = start(Object.assign(createFakeTerminal(), { columns: 0, rows: 0 }))
    terminal.columns = 0
    emit(runStarted(), totals, fileStarted(1))
    pass(100)
    expect(terminal.writes.at(-1)).toContain('take-0001.wav  ')
    bars.close()
  })

  it('is written to ten times a second at most, however many the events, and not at all while nothing changes', () => {
    const { bars, terminal, emit, pass } = start()
    emit(runStarted(), { ...totals, files: 50_000 })
    const before = terminal.writes.length
    for (let batch = 0; batch < 10; batch += 1) {
      for (let index = batch * 5000; index < (batch + 1) * 5000; index += 1) {
        emit(
          fileStarted(index, { size: 10 }),
          sent(index, 5),
          sent(index, 10),
          fileEnded(index, { size: 10, bytesSent: 10 }),
        )
      }
      pass(100)
    }
    expect(terminal.writes.length - before).toBeLessThanOrEqual(10)
    expect(terminal.screen().at(-1)).toContain('50,000/50,000 files')

    pass(120_000)
    const quiet = terminal.writes.length
    pass(10_000)
    expect(terminal.writes.length).toBe(quiet)
    bars.close()
  })
})
