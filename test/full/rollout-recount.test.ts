import { rm, symlink, truncate, unlink } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { RolloutStatus, SideStatus } from '../../src/rollout/status.ts'
import { expectCode } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import { allDurations, nearestRank, type Recount, type ReportLine, recount } from '../support/rollout-recount.ts'
import { type RolloutScene, rolloutScene } from '../support/rollout-scene.ts'
import { tableRows, within } from '../support/rollout-table.ts'

const MiB = 2 ** 20
const small = 600
const sizes = [
  { files: 60, size: 100_000 },
  { files: 30, size: 2 * MiB },
  { files: 6, size: 17 * MiB },
] as const
/** Candidate files that are looked at, of those there are. */
const windowSize = 300
/** Of a size class, on either side, that can be compared. */
const minFiles = 20

const rollout = {
  stages: [
    { percentage: 30, duration: '24h', minSuccess: '99%', minFiles: 200 },
    { percentage: 100, duration: '48h', minSuccess: '98%', minFiles: 20 },
  ],
  // Wide enough for all that goes wrong here, and for a machine that is busy with something else.
  triggers: { window: windowSize, minFiles, minSuccess: '50%', maxErrors: '50%', maxLatency: '1000%' },
  only: ['*', '!4/*7.txt'],
  never: ['6/**'],
}
const rules = [{ match: ['3/*8.txt'], skip: true }]

/** Every third of ten or so is refused on either side; what was too large, or there already, is another matter. */
async function scene(): Promise<RolloutScene> {
  const made = await rolloutScene(small, rollout, { rules, maxSize: '20MiB' })
  const { ws, s3 } = made
  for (const { files, size } of sizes) {
    for (let n = 0; n < files; n += 1) await truncate(await ws.write(`in/${n % 7}/of ${size} ${n}.bin`), size)
  }
  await truncate(await ws.write('in/1/too large.bin'), 21 * MiB)
  await symlink('nowhere', ws.path('in/2/gone.txt'))
  const refused = { status: 400, body: '<Error><Code>InvalidRequest</Code><Message>not this one</Message></Error>' }
  s3.script = ({ bucket, operation, key = '' }) => {
    const isRefused = bucket === 'cand' ? /[15]3\.txt$|00 2[05]\.bin$/ : /[26]1\.txt$|[05]13\.txt$/
    return operation === 'PutObject' && isRefused.test(key) ? refused : undefined
  }
  return made
}

async function run({ ws, env }: RolloutScene, name: string, code: number, more: string[] = []): Promise<ReportLine[]> {
  const shares = name === 'at 60' ? { ASYNC_UPLOAD_ROLLOUT: '60' } : {}
  const report = `${name}.jsonl`
  const args = ['in', '--retries', '0', '--retry-failed', '0', '--report', report, ...more]
  expectCode(await ws.runArgs(args, { env: { ...env, ...shares } }), code)
  return parseNdjson(await ws.read(report))
}

it('every number of the status can be counted again from the reports', async () => {
  const made = await scene()
  const { ws, env, status } = made
  const reports = [await run(made, 'forgotten', 1)]
  expectCode(await ws.run('upload rollout reset', { env }), 0)
  reports.push(await run(made, 'first', 1))
  // All is there by now but what failed, and a few new ones.
  await ws.writeAll(...Array.from({ length: 40 }, (_, n) => `in/${n % 7}/new ${n}.txt`))
  reports.push(await run(made, 'second', 1, ['--if-exists', 'fail']))
  expectCode(await ws.runArgs(['rollout', 'promote', '--force', '--why', 'a test'], { env }), 0)
  reports.push(await run(made, 'at 60', 1))
  await unlink(ws.path('in/1/too large.bin'))
  await rm(ws.path('in/2/gone.txt'))
  reports.push(await run(made, 'at 100', 1))

  const told = await status()
  const { stdout: table } = await ws.run('upload rollout status', { env })
  const begunAt = told.history.findLast(({ action }) => action === 'reset')?.at ?? ''
  const found = recount(reports, begunAt)

  // Something of everything, or this shows nothing.
  const lines = reports.slice(1).flat()
  const codes = new Set(lines.flatMap(({ error }) => (error as { code: string } | undefined)?.code ?? []))
  expect([...codes].sort()).toEqual(['ALREADY_EXISTS', 'BAD_RESPONSE', 'SOURCE_NOT_FOUND', 'TOO_LARGE'])
  expect(lines.some(({ reason }) => reason === 'excluded-by-rule')).toBe(true)
  expect(lines.some(({ status, side }) => status === 'uploaded' && side === undefined)).toBe(true)
  for (const { candidate, baseline } of found.values()) {
    expect(candidate.failures).toBeGreaterThan(0)
    expect(baseline.failures).toBeGreaterThan(0)
    expect(Object.values(candidate.durations).every((each) => each.length > 0)).toBe(true)
  }

  expect([...found.keys()]).toEqual([30, 100])
  expect(told.figures.map(({ stage }) => stage)).toEqual([30, 100])
  for (const { stage, candidate, baseline } of told.figures) {
    expectSide(candidate, found.get(stage)?.candidate)
    expectSide(baseline, found.get(stage)?.baseline)
  }
  const here = found.get(100)
  if (here === undefined) throw new Error('nothing at 100 %')
  expectSide(told.candidate, here.candidate)
  expectSide(told.baseline, here.baseline)
  expectClose(told.p95Ratio, ratio(p95(here.candidate), p95(here.baseline)), 0.02)
  expectWindow(told, reports, begunAt, [found.get(30)?.baseline, here.baseline])
  expectHours(told, reports, begunAt)
  expectHistory(told, found.get(30)?.candidate, found.get(30)?.baseline)
  expectTable(table, told)
})

function expectSide(told: SideStatus, found: Recount | undefined): void {
  if (found === undefined) throw new Error('a side that nobody counted')
  const { files, failures, bytes, firstSeen, lastSeen } = found
  expect(told).toMatchObject({ files, failures, bytes, firstSeen, lastSeen })
  expect(told.successRate).toBeCloseTo((files - failures) / files, 12)
  expectClose(told.p50Ms, nearestRank(allDurations(found), 50), 0.01)
  expectClose(told.p95Ms, p95(found), 0.01)
}

/** The last candidate files of the stage, in the order of the lines, by size class. */
function expectWindow(
  told: RolloutStatus,
  reports: readonly (readonly ReportLine[])[],
  begunAt: string,
  [earlier, baseline]: readonly (Recount | undefined)[],
): void {
  const each = reports.flatMap((lines) => {
    const run = lines.filter(({ type }) => type === 'run')
    return lines.filter(({ stage, side }) => stage === 100 && side === 'candidate').map((line) => [...run, line])
  })
  const counted = each.flatMap((one) => recount([one], begunAt).get(100)?.candidate ?? [])
  const window = counted.slice(-windowSize)
  expect(counted.length).toBeGreaterThan(windowSize)
  const failures = window.filter(({ failures }) => failures === 1).length
  expect(told.window).toEqual({ files: windowSize, failures, successRate: (windowSize - failures) / windowSize })
  for (const each of told.sizeClasses) {
    const { sizeClass, candidateFiles, baselineFiles, candidateP95Ms, baselineP95Ms } = each
    const durations = window.flatMap((one) => one.durations[sizeClass]).sort((a, b) => a - b)
    const here = baseline?.durations[sizeClass] ?? []
    // At 100 %: where the baseline has too few files, those of the stages before.
    const isEarlier = here.length < minFiles
    const ofBaseline = isEarlier ? (earlier?.durations[sizeClass] ?? []) : here
    expect({ sizeClass, candidateFiles, baselineFiles, isEarlier: each.isEarlier }).toEqual({
      sizeClass,
      candidateFiles: durations.length,
      baselineFiles: ofBaseline.length,
      isEarlier,
    })
    expect(candidateP95Ms).toBe(nearestRank(durations, 95))
    expectClose(baselineP95Ms, nearestRank(ofBaseline, 95), 0.01)
    const isEnough = durations.length >= minFiles && ofBaseline.length >= minFiles
    if (isEnough) expectClose(each.ratio, ratio(nearestRank(durations, 95), nearestRank(ofBaseline, 95)), 0.02)
    else expect(each.ratio).toBeNull()
  }
}

function expectHours(told: RolloutStatus, reports: readonly (readonly ReportLine[])[], begunAt: string): void {
  const names = ['files', 'failures', 'bytes'] as const
  const sides = ['candidate', 'baseline'] as const
  for (const { hour, ...figures } of told.hours) {
    // Lines of several runs: each with a `run` line of its own.
    const found = reports.flatMap((lines) => {
      const run = lines.filter(({ type }) => type === 'run')
      const own = lines.filter(({ startedAt }) => String(startedAt).slice(0, 13) === hour.slice(0, 13))
      return [...recount([[...run, ...own.filter(({ type }) => type === 'file')]], begunAt).values()]
    })
    for (const side of sides) {
      for (const name of names) {
        const sum = found.reduce((all, one) => all + one[side][name], 0)
        expect({ hour, side, name, figure: figures[side][name] }).toEqual({ hour, side, name, figure: sum })
      }
    }
  }
  expect(told.hours.length).toBeGreaterThan(0)
}

/** What the promotion says of the stage it ended. */
function expectHistory({ history }: RolloutStatus, candidate?: Recount, baseline?: Recount): void {
  const promotion = history.at(-1)
  expect(promotion).toMatchObject({ action: 'promote', by: 'person', from: 30, to: 100, cause: 'a test' })
  for (const [told, found] of [
    [promotion?.figures.candidate, candidate],
    [promotion?.figures.baseline, baseline],
  ] as const) {
    if (told === undefined || found === undefined) throw new Error('a side is missing')
    expect(told).toMatchObject({ files: found.files, failures: found.failures })
    expectClose(told.p50Ms, nearestRank(allDurations(found), 50), 0.01)
    expectClose(told.p95Ms, p95(found), 0.01)
  }
}

/** The table for people says what the JSON says, to the digits it has. */
function expectTable(table: string, told: RolloutStatus): void {
  const rows = tableRows(table)
  const { candidate, baseline, window } = told
  for (const [label, both] of [
    ['files', [candidate.files, baseline.files]],
    ['failures', [candidate.failures, baseline.failures]],
    ['bytes', [candidate.bytes, baseline.bytes]],
    ['success', [candidate.successRate, baseline.successRate]],
    ['p50', [candidate.p50Ms, baseline.p50Ms]],
    ['p95', [candidate.p95Ms, baseline.p95Ms]],
    [`last ${windowSize} files`, [window.successRate]],
  ] as const) {
    for (const [at, exact] of both.entries()) {
      const shown = rows.get(label)?.[at] ?? ''
      expect(within(shown, exact ?? Number.NaN), `${label}: ${shown} for ${exact}`).toBe(true)
    }
  }
  const names = { '64KiB': '≤ 64 KiB', '1MiB': '≤ 1 MiB', '16MiB': '≤ 16 MiB', larger: '> 16 MiB' }
  for (const { sizeClass, candidateFiles, candidateP95Ms, baselineP95Ms, ratio: by } of told.sizeClasses) {
    const row = rows.get(names[sizeClass])
    if (candidateFiles === 0) {
      expect(row).toBeUndefined()
      continue
    }
    for (const [at, exact] of [candidateP95Ms, baselineP95Ms].entries()) {
      expect(within(row?.[at] ?? '', exact ?? Number.NaN), `${sizeClass}: ${row?.[at]} for ${exact}`).toBe(true)
    }
    const shown = row?.at(-1) ?? ''
    if (by === null) expect(shown).toBe('too few files to tell')
    else expect(within(shown.replace(/ ok$/, ''), by), `${sizeClass}: ${shown} for ${by}`).toBe(true)
  }
}

function p95(found: Recount): number | null {
  return nearestRank(allDurations(found), 95)
}

function ratio(one: number | null, other: number | null): number {
  return (one ?? Number.NaN) / (other ?? Number.NaN)
}

function expectClose(told: number | null, found: number | null, share: number): void {
  if (told === null || found === null) expect(told).toBe(found)
  else expect(Math.abs(told - found), `${told} for ${found}`).toBeLessThanOrEqual(share * found)
}
