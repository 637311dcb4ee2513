import { describe, expect, it, vi } from 'vitest'
import { createObservers, progressMode, usesColor } from '../../../src/cli/observers.ts'
import { fileEnded, fileRecord, runEnded, runRecord, runStarted, summaryRecord } from '../observe/events.ts'
import { type FakeHost, fakeHost, fakeOutput } from './fake-host.ts'

const off = { progress: 'auto', quiet: false, verbose: false, noColor: false, json: false } as const
const terminal = { isTTY: true, columns: 80, rows: 24 }

function host(on: { stderr?: object; stdout?: object; env?: Record<string, string> } = {}): FakeHost {
  return fakeHost({
    stderr: fakeOutput(on.stderr),
    stdout: fakeOutput(on.stdout),
    env: on.env ?? {},
    home: '/home/ada',
  })
}

describe('progressMode', () => {
  it.each([
    ['on a terminal', {}, { stderr: terminal }, 'bars'],
    ['in a pipe', {}, {}, 'plain'],
    ['on a dumb terminal', {}, { stderr: terminal, env: { TERM: 'dumb' } }, 'plain'],
    ['in CI', {}, { stderr: terminal, env: { CI: 'true' } }, 'plain'],
    ['with CI=false', {}, { stderr: terminal, env: { CI: 'false' } }, 'bars'],
    ['with CI empty', {}, { stderr: terminal, env: { CI: '' } }, 'bars'],
    ['with NDJSON into a file', { json: true }, { stderr: terminal }, 'bars'],
    ['with NDJSON on the same terminal', { json: true }, { stderr: terminal, stdout: terminal }, 'plain'],
    ['bars in CI', { progress: 'bars' }, { stderr: terminal, env: { CI: '1' } }, 'bars'],
    ['bars in a pipe', { progress: 'bars' }, {}, 'plain'],
    ['plain on a terminal', { progress: 'plain' }, { stderr: terminal }, 'plain'],
    ['none', { progress: 'none' }, { stderr: terminal }, 'none'],
    ['quiet', { quiet: true, progress: 'bars' }, { stderr: terminal }, 'none'],
  ] as const)('%s', (_name, settings, on, mode) => {
    expect(progressMode({ ...off, ...settings }, host(on))).toBe(mode)
  })
})

it.each([
  [{}, { stderr: terminal }, true],
  [{}, {}, false],
  [{ noColor: true }, { stderr: terminal }, false],
  [{}, { stderr: terminal, env: { TERM: 'dumb' } }, false],
])('usesColor(%j) with %j is %j', (settings, on, answer) => {
  expect(usesColor({ ...off, ...settings }, host(on))).toBe(answer)
})

describe('createObservers', () => {
  const failed = fileRecord({
    path: './b.wav',
    status: 'failed',
    error: { code: 'SOURCE_UNREADABLE', message: 'permission denied', retryable: false },
  })
  const events = [
    runStarted(),
    { type: 'totals', files: 2, bytes: 100, complete: true },
    { type: 'warning', message: 'beware' },
    fileEnded(1, {}),
    { type: 'file', index: 2, file: failed },
    runEnded({ stoppedBecause: 'the bucket is gone' }),
  ] as const

  async function show(settings: object, on: Parameters<typeof host>[0] = {}, isMuted = () => false): Promise<FakeHost> {
    const shown = host(on)
    const observers = await createObservers({ ...off, ...settings }, shown, isMuted)
    for (const event of events) observers.listener(event)
    observers.close()
    observers.close()
    return shown
  }

  it('closing lines with the share of the rollout that the run began with', async () => {
    const rollout = { name: 'nightly', begunAt: '2026-11-01T00:00:00.000Z', stage: 1, percentage: 0.5 }
    const sides = { candidate: { succeeded: 1, failed: 0 }, baseline: { succeeded: 9, failed: 0 }, fellBack: 0 }
    const shown = host()
    const { listener } = await createObservers(off, shown, () => false)
    listener(runStarted({ run: runRecord({ rollout }) }))
    listener(runEnded({ summary: summaryRecord({ rollout: { name: 'nightly', ...sides } }) }))
    expect(shown.stderr.text()).toContain('\n  rollout  nightly 0.5 %: 1 of 1 by the candidate\n')
  })

  it('plain lines and the closing ones where there is no terminal', async () => {
    const { stdout, stderr } = await show({})
    expect(stdout.text()).toBe('')
    const text = stderr.text()
    expect(text).toMatch(/^upload: .*→ s3:\/\/recordings\/2026\//)
    expect(text).toContain('upload: warning: beware\n')
    expect(text).toContain('./b.wav: permission denied (SOURCE_UNREADABLE)')
    expect(text).toMatch(/stopped: the bucket is gone\n.*uploaded/)
    expect(text).not.toMatch(/^uploaded/m)
    expect(text).not.toContain('\u001b')
  })

  it('a line for each file with -v', async () => {
    expect((await show({ verbose: true })).stderr.text()).toMatch(/^uploaded \.\/audio/m)
  })

  it('bars on a terminal, gone before the closing lines', async () => {
    const { stderr } = await show({}, { stderr: terminal })
    const text = stderr.text()
    expect(text).toContain('\u001b[?25l')
    expect(text.lastIndexOf('\u001b[?25h')).toBeLessThan(text.indexOf('latency'))
  })

  it('no progress with --progress none, but failures, warnings and the closing lines', async () => {
    const text = (await show({ progress: 'none' }, { stderr: terminal })).stderr.text()
    expect(text).not.toMatch(/files, /)
    for (const said of ['beware', './b.wav', 'latency']) expect(text).toContain(said)
  })

  it('failures, warnings and the cause of a stop with -q, -v or not', async () => {
    const expected = [
      'upload: warning: beware',
      'upload: failed ./b.wav: permission denied (SOURCE_UNREADABLE)',
      'upload: the bucket is gone',
      '',
    ].join('\n')
    expect((await show({ quiet: true }, { stderr: terminal })).stderr.text()).toBe(expected)
    expect((await show({ quiet: true, verbose: true })).stderr.text()).toBe(expected)
  })

  it('nothing at all with -q where all is well', async () => {
    const shown = host()
    const { listener } = await createObservers({ ...off, quiet: true }, shown, () => false)
    for (const event of [runStarted(), fileEnded(1, {}), runEnded()]) listener(event)
    expect(shown.stderr.text()).toBe('')
  })

  it('NDJSON on stdout with --json, and progress on stderr', async () => {
    const { stdout, stderr } = await show({ json: true })
    const types = stdout
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['run', 'warning', 'file', 'file', 'summary'])
    expect(stderr.text()).toContain('latency')
  })

  it('nothing once nobody is left to be told', async () => {
    const muted = vi.fn(() => true)
    const { stdout, stderr } = await show({ json: true }, {}, muted)
    expect(stdout.text() + stderr.text()).toBe('')
    expect(muted).toHaveBeenCalled()
  })
})
