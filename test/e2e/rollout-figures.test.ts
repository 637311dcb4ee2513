import { expect, it } from 'vitest'
import type { FileRecord } from '../../src/observe/records.ts'
import type { RolloutStatus, SideStatus } from '../../src/rollout/status.ts'
import { expectCode } from '../support/command.ts'
import { rolloutScene, stageOf } from '../support/rollout-scene.ts'

const side = (file: FileRecord) => (file.fallback === undefined ? file.side : 'candidate')
const isFailure = ({ status, fallback }: FileRecord) => status === 'failed' || fallback !== undefined

/** What the words of docs/rollout.md come to, of lines of one side and stage. */
function counted(files: readonly FileRecord[]): Omit<SideStatus, 'p50Ms' | 'p95Ms'> & { durations: number[] } {
  const arrived = files.filter((file) => !isFailure(file))
  const began = files.map(({ startedAt }) => startedAt ?? '').toSorted()
  return {
    files: files.length,
    failures: files.length - arrived.length,
    successRate: files.length === 0 ? null : arrived.length / files.length,
    bytes: arrived.reduce((sum, { size }) => sum + (size ?? 0), 0),
    firstSeen: began[0] ?? null,
    lastSeen: began.at(-1) ?? null,
    durations: arrived.map(({ durationMs }) => durationMs ?? Number.NaN).toSorted((a, b) => a - b),
  }
}

function expectSame(shown: SideStatus, files: readonly FileRecord[]): void {
  const { durations, ...figures } = counted(files)
  expect(shown).toMatchObject(figures)
  for (const [ms, percent] of [
    [shown.p50Ms, 50],
    [shown.p95Ms, 95],
  ] as const) {
    const exact = durations[Math.ceil((percent / 100) * durations.length) - 1]
    if (exact === undefined) expect(ms).toBeNull()
    else expect(Math.abs((ms ?? Number.NaN) - exact)).toBeLessThanOrEqual(0.01 * exact + 0.001)
  }
}

it('every number of the status is that of the reports', async () => {
  const { ws, s3, env, status, lines } = await rolloutScene(150, { stages: [stageOf(40), stageOf(70), stageOf(100)] })
  s3.script = ({ bucket, operation, key }) =>
    bucket === 'cand' && operation === 'PutObject' && key.endsWith('9.txt') && key.startsWith('2/')
      ? { status: 400, body: '<Error><Code>InvalidRequest</Code><Message>no</Message></Error>' }
      : undefined
  await ws.write('in/large.bin', Buffer.alloc(2 ** 20 + 1, 7))
  await ws.write('in/larger.bin', Buffer.alloc(18 * 2 ** 20, 7))
  const upload = async (): Promise<void> => expectCode(await ws.run('upload in --retries 0', { env }), 0)
  await upload()
  await upload()
  expectCode(await ws.run('upload rollout promote --force --why x', { env }), 0)
  await upload()
  expectCode(await ws.run('upload rollout promote --force --why x', { env }), 0)
  await upload()

  const files = await lines()
  const at = (stage: number, of: 'candidate' | 'baseline') =>
    files.filter((file) => file.stage === stage && side(file) === of)
  const shown: RolloutStatus = await status()
  expect(shown.figures.map(({ stage }) => stage)).toEqual([40, 70, 100])
  for (const { stage, candidate, baseline } of shown.figures) {
    expectSame(candidate, at(stage, 'candidate'))
    expectSame(baseline, at(stage, 'baseline'))
  }
  expect(at(40, 'candidate').filter(isFailure).length).toBeGreaterThan(0)
  expect(at(100, 'baseline')).toEqual([])
  expectSame(shown.candidate, at(100, 'candidate'))

  // In the last stage the baseline has no files; what the candidate is compared with is that of the stages before.
  const { p50Ms, p95Ms, latencyFrom, ...none } = shown.baseline
  expect({ ...none, latencyFrom }).toMatchObject({
    files: 0,
    bytes: 0,
    successRate: null,
    latencyFrom: 'earlier stages',
  })
  const before = [...at(40, 'baseline'), ...at(70, 'baseline')]
  expectSame({ ...shown.baseline, ...figuresOf(before), p50Ms, p95Ms }, before)
  expect(shown.p95Ratio).toBeCloseTo((shown.candidate.p95Ms ?? 0) / (p95Ms ?? 0), 9)

  const last = at(100, 'candidate').slice(-500)
  const failures = last.filter(isFailure).length
  expect(shown.window).toEqual({ files: last.length, failures, successRate: 1 - failures / last.length })
  for (const each of shown.sizeClasses) {
    const limits = {
      '64KiB': [-1, 2 ** 16],
      '1MiB': [2 ** 16, 2 ** 20],
      '16MiB': [2 ** 20, 2 ** 24],
      larger: [2 ** 24, Infinity],
    }
    const [above = 0, atMost = 0] = limits[each.sizeClass]
    const isOfClass = ({ size }: FileRecord) => (size ?? 0) > above && (size ?? 0) <= atMost
    const compared = counted(last.filter(isOfClass)).durations
    expect(each.candidateFiles).toBe(compared.length)
    expect(each.candidateP95Ms).toBe(compared[Math.ceil(0.95 * compared.length) - 1] ?? null)
    expect(each.baselineFiles).toBe(counted(before.filter(isOfClass)).durations.length)
  }

  const hours = new Map<string, readonly FileRecord[]>()
  for (const file of files) {
    const hour = `${file.startedAt?.slice(0, 13)}:00:00.000Z`
    hours.set(hour, [...(hours.get(hour) ?? []), file])
  }
  expect(shown.hours.map(({ hour }) => hour)).toEqual([...hours.keys()].toSorted())
  for (const { hour, candidate, baseline } of shown.hours) {
    const {
      files: all,
      failures,
      bytes,
    } = counted((hours.get(hour) ?? []).filter((file) => side(file) === 'candidate'))
    expect(candidate).toEqual({ files: all, failures, bytes })
    expect(baseline.files).toBe((hours.get(hour) ?? []).length - all)
  }
})

function figuresOf(files: readonly FileRecord[]): Partial<SideStatus> {
  const { durations: _, ...figures } = counted(files)
  return figures
}
