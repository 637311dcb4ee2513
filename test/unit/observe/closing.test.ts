import { describe, expect, it } from 'vitest'
import { closingLines } from '../../../src/observe/closing.ts'
import { runEnded, summaryRecord } from './events.ts'

const journal = '/home/ada/.local/state/upload/runs/20261122T073812Z-7f3a.jsonl'

function closing(changes: Parameters<typeof runEnded>[0], color = false): readonly string[] {
  return closingLines(runEnded(changes), { color, home: '/home/ada' })
}

describe('closing lines', () => {
  it('say what happened, how fast, what failed and why, and where to read on', () => {
    const message = 'permission denied (check its mode)'
    const lines = closing({
      reports: [journal, '/srv/reports/r.csv'],
      failures: [{ code: 'SOURCE_UNREADABLE', path: './audio/take-0113.wav', message }],
    })
    expect(lines).toEqual([
      '✔ 213 uploaded  ✖ 1 failed   3.2 GB in 10.4 s   308 MB/s   20.5 files/s',
      '  latency  p50 212 ms   p95 1.4 s   p99 6.1 s   max 9.8 s     4 retries, 0 throttled',
      '  SOURCE_UNREADABLE  1   ./audio/take-0113.wav: permission denied (check its mode)',
      '  report   ~/.local/state/upload/runs/20261122T073812Z-7f3a.jsonl',
      '  report   /srv/reports/r.csv',
    ])
  })

  it('name only what there was', () => {
    const summary = summaryRecord({ uploaded: 214, failed: 0, byErrorCode: {}, retries: 0 })
    expect(closing({ summary })).toEqual([
      '✔ 214 uploaded   3.2 GB in 10.4 s   308 MB/s   20.5 files/s',
      '  latency  p50 212 ms   p95 1.4 s   p99 6.1 s   max 9.8 s     0 retries, 0 throttled',
    ])
  })

  it('count what was skipped, cancelled and passed over', () => {
    const summary = summaryRecord({
      uploaded: 1200,
      skipped: 3,
      cancelled: 1001,
      failed: 0,
      junkSkipped: 2,
      retries: 1,
    })
    expect(closing({ summary })).toEqual([
      '✔ 1,200 uploaded  3 skipped  1,001 cancelled   3.2 GB in 10.4 s   308 MB/s   20.5 files/s',
      '  latency  p50 212 ms   p95 1.4 s   p99 6.1 s   max 9.8 s     1 retry, 0 throttled',
      '  junk     2 system files passed over (.DS_Store and the like)',
    ])
    expect(closing({ summary: summaryRecord({ junkSkipped: 1 }) }).at(-1)).toContain('1 system file passed over')
  })

  it('count what was taken back', () => {
    const summary = summaryRecord({
      uploaded: 0,
      undone: 1213,
      failed: 1,
      latencyMs: null,
      retries: 0,
      byErrorCode: {},
    })
    expect(closing({ summary })[0]).toBe('✔ 0 uploaded  ✖ 1 failed  ↶ 1,213 undone   in 10.4 s')
  })

  it('have no latency where nothing was uploaded, and say first why the run was stopped', () => {
    const summary = summaryRecord({
      uploaded: 0,
      failed: 0,
      cancelled: 214,
      durationMs: 412,
      latencyMs: null,
      retries: 0,
      byErrorCode: {},
    })
    expect(closing({ summary, stoppedBecause: 'the secret is wrong\ncheck AWS_SECRET_ACCESS_KEY' })).toEqual([
      '✖ stopped: the secret is wrong check AWS_SECRET_ACCESS_KEY',
      '✔ 0 uploaded  214 cancelled   in 412 ms',
    ])
  })

  it('tell of retries where nothing was uploaded', () => {
    const summary = summaryRecord({ uploaded: 0, latencyMs: null, retries: 16, throttled: 9, byErrorCode: {} })
    expect(closing({ summary })[1]).toBe('  requests 16 retries, 9 throttled')
  })

  it('group failures by cause, most frequent first, five of each', () => {
    const failures = Array.from({ length: 10 }, (_, n) => ({
      code: 'THROTTLED' as const,
      path: `./f${n}`,
      message: 'the server asks for less',
    }))
    const denied = { code: 'ACCESS_DENIED' as const, path: './x', message: 'may not write here' }
    const summary = summaryRecord({ failed: 43, byErrorCode: { ACCESS_DENIED: 1, THROTTLED: 42, CANCELLED: 7 } })
    const lines = closing({ summary, failures: [denied, ...failures], reports: [journal] }).slice(2, -1)
    expect(lines).toEqual([
      '  THROTTLED      42   ./f0: the server asks for less',
      '                      ./f1: the server asks for less',
      '                      ./f2: the server asks for less',
      '                      ./f3: the server asks for less',
      '                      ./f4: the server asks for less',
      '                      … and 37 more in the report',
      '  ACCESS_DENIED   1   ./x: may not write here',
    ])
    expect(closing({ summary, failures, reports: [] }).at(-1)).toBe('                  … and 37 more')
  })

  it.each([
    [10, 198, 2, 2, 'nightly 10 %: 198 of 200 by the candidate, 2 fell back'],
    [0.5, 1200, 0, 0, 'nightly 0.5 %: 1,200 of 1,200 by the candidate'],
    [0, 0, 0, 0, 'nightly 0 %: none by the candidate'],
    [100, 0, 0, 1200, 'nightly 100 %: none by the candidate, 1,200 fell back'],
  ])('tell of a rollout: %d %%, %i, %i, %i', (percentage, succeeded, failed, fellBack, expected) => {
    const sides = { candidate: { succeeded, failed }, baseline: { succeeded: 9, failed: 1 }, fellBack }
    const summary = summaryRecord({ rollout: { name: 'nightly', ...sides } })
    const rollout = { name: 'nightly', begunAt: '2026-11-01T00:00:00.000Z', stage: 10, percentage }
    const lines = closingLines(runEnded({ summary }), { color: false, rollout })
    expect(lines[2]).toBe(`  rollout  ${expected}`)
    // Whoever has not seen the run begin does not know its share.
    expect(closing({ summary })[2]).toBe(`  rollout  ${expected.replace(/ [\d.]+ %/, '')}`)
  })

  it.each([
    [1, '1 half-sent upload: upload --resume goes on with it, upload cleanup removes it'],
    [3, '3 half-sent uploads: upload --resume goes on with them, upload cleanup removes them'],
  ])('name %i half-sent uploads', (unfinishedUploads, expected) => {
    expect(closing({ summary: summaryRecord({ unfinishedUploads }) })).toContain(`  kept     ${expected}`)
  })

  it('name those that no cleanup need remove', () => {
    const counts = { uploaded: 0, skipped: 0, failed: 0, cancelled: 2, bytes: 0 }
    const summary = summaryRecord({ unfinishedUploads: 2, byDestination: { 'supabase://b/': counts } })
    expect(closing({ summary })).toContain(
      '  kept     2 half-sent uploads: upload --resume goes on with them, Supabase removes them within 24 hours',
    )
  })

  it('escape names, and colour only when asked', () => {
    const failures = [{ code: 'SOURCE_UNREADABLE' as const, path: 'a\x1b[31m\nb', message: 'no\x07' }]
    const reports = ['/tmp/\x1b[2J.jsonl']
    const plain = closing({ failures, reports }).join('\n')
    expect(plain).toContain('a\\x1b[31m\\nb: no\\x07')
    expect(plain).toContain('/tmp/\\x1b[2J.jsonl')
    expect(plain).not.toContain('\x1b')
    const colored = closing({ failures, reports }, true).join('\n')
    expect(colored).toContain('\x1b[31m✖ 1 failed\x1b[39m')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(plain)
  })

  it('end with the command that goes on with the run', () => {
    const again = "upload --resume-from 'a b.jsonl'"
    expect(closing({ again }).at(-1)).toBe(`  again    ${again}`)
    expect(closing({ again: 'upload --resume' }).at(-1)).toBe('  again    upload --resume')
    expect(closing({}).join()).not.toContain('again')
  })

  it.each([
    ['/home/ada', '/home/ada/r.csv', '~/r.csv'],
    ['/home/ada', '/home/adam/r.csv', '/home/adam/r.csv'],
    ['C:\\Users\\ada', 'C:\\Users\\ada\\r.csv', '~\\r.csv'],
    ['/', '/r.csv', '/r.csv'],
    ['', 'r.csv', 'r.csv'],
    [undefined, '/home/ada/r.csv', '/home/ada/r.csv'],
  ])('with home %s show %s as %s', (home, path, shown) => {
    const lines = closingLines(runEnded({ reports: [path] }), { color: false, home })
    expect(lines.at(-1)).toBe(`  report   ${shown}`)
  })
})
