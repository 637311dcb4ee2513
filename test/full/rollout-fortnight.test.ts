import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FileRecord } from '../../src/observe/records.ts'
import type { Change, RolloutState } from '../../src/rollout/state.ts'
import { readState } from '../../src/rollout/state-file.ts'
import { type RolloutStatus, statusOf } from '../../src/rollout/status.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { parseNdjson } from '../support/journal.ts'
import type { Place } from '../support/real-server.ts'
import { realServers, sayWhichServers } from '../support/real-servers.ts'
import { refusingProxy } from '../support/refusing-proxy.ts'
import { recount } from '../support/rollout-recount.ts'
import { isOfCandidate } from '../support/rollout-scene.ts'
import { rolloutOf } from '../support/rollout-settings.ts'
import { type Conduct, failsAt, type SimulatedRun, simulation, sourceNames } from '../support/rollout-simulation.ts'
import { hourMs } from '../support/rollout-state.ts'
import { runAtHour } from '../support/run-at-hour.ts'
import { workspace } from '../support/workspace.ts'

const name = 'nightly import'
const startMs = Date.UTC(2026, 10, 2)
const sources = sourceNames(2000)
const fortnight = 14 * 24
const concurrency = 8
/** Hours after the first run in which the default stages begin. */
const schedule = [
  { stage: 0, since: 0 },
  { stage: 1, since: 24 },
  { stage: 10, since: 48 },
  { stage: 50, since: 96 },
  { stage: 100, since: 168 },
] as const
const good: Conduct = { failureRate: () => 0.001, slowness: 0.95 }

interface Fortnight {
  readonly hour: (hour: number) => Promise<SimulatedRun>
  readonly state: () => Promise<RolloutState>
  /** At the beginning of an hour, before its run. */
  readonly statusAt: (hour: number) => Promise<RolloutStatus>
}

sayWhichServers()

/**
 * A run an hour, 2,000 files each. Those of the hours in `real` are carried out, every byte, at a real server, where
 * there is one; the candidate has a door of its own to it, which refuses what the candidate is to fail at.
 */
async function begin(conduct: Conduct, real: readonly number[] = []): Promise<Fortnight> {
  const ws = await workspace()
  const state = join(ws.cwd, 'state.json')
  const clock = createFakeClock({ now: startMs })
  const auto = { name, auto: true, state }
  const model = simulation({ sources, rollout: auto, conduct, clock, seed: 8 })
  const rollout = { ...rolloutOf(), ...auto }
  const [available] = real.length === 0 ? [] : realServers
  const server = await available?.start()
  if (server !== undefined) {
    onTestFinished(server.stop)
    await ws.writeAll(...sources.map((source) => `in/${source}`))
  }
  let refusesAt = 0
  const refuses = (key: string): boolean =>
    failsAt(key.replace(/^candidate\//, ''), refusesAt, conduct.failureRate(refusesAt))
  const proxy = server && (await refusingProxy(server.endpoint, refuses))
  const configFor = (place: Place): string => {
    const candidate = { engine: 'fast', to: `${place.url}candidate/`, s3: { endpointUrl: proxy?.url } }
    const run = { to: `${place.url}baseline/`, engine: 'standard', concurrency, retries: 0, retryFailed: 0 }
    return JSON.stringify({ ...run, rollout: { ...auto, candidate } })
  }

  const runAt = async (hour: number, place: Place, env: Readonly<Record<string, string>>): Promise<SimulatedRun> => {
    refusesAt = hour
    const before = await counted(state)
    const report = `hour-${hour}.jsonl`
    const nowMs = clock.now()
    await ws.write('.uploadrc.json', configFor(place))
    const { files, summary, events } = await runAtHour({ ws, env, flags: { report }, nowMs })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: sources.length, failed: 0 })
    const bySide = files.map(({ source, engine }) => `${engine === 'fast' ? 'candidate' : 'baseline'}/${source}`)
    expect(await place.keys()).toEqual(bySide.toSorted())
    expect(files.map(({ source }) => source).toSorted()).toEqual(sources.toSorted())
    const lines = parseNdjson(await ws.read(report))
    const run = lines.find(({ type }) => type === 'run')?.rollout as { begunAt: string; percentage: number }
    expect(await counted(state)).toEqual(sum(before, countedIn(lines, run.begunAt)))
    console.log(`hour ${hour}, at ${server?.name}: ${run.percentage} %, ${proxy?.refused()} requests refused so far`)
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    return { percentage: run.percentage, lines: files, warnings }
  }
  return {
    async hour(hour) {
      await clock.advance(startMs + hour * hourMs - clock.now())
      if (server === undefined || !real.includes(hour)) return model(hour)
      const place = await server.place()
      return runAt(hour, place, server.env).finally(place.remove)
    },
    async state() {
      const found = await readState(state)
      if (found === undefined) throw new Error('there is no state')
      return found
    },
    statusAt: async (hour) => statusOf(await readState(state), rollout, startMs + hour * hourMs),
  }
}

type Counts = Readonly<Record<string, readonly [files: number, failures: number, bytes: number]>>

async function counted(path: string): Promise<Counts> {
  const figures = (await readState(path))?.figures ?? []
  return Object.fromEntries(
    figures.flatMap((stage) =>
      (['candidate', 'baseline'] as const).map((side) => {
        const { files, failures, bytes } = stage[side]
        return [`${stage.stage} ${side}`, [files, failures, bytes]] as const
      }),
    ),
  )
}

function countedIn(lines: Parameters<typeof recount>[0][number], begunAt: string): Counts {
  return Object.fromEntries(
    [...recount([lines], begunAt)].flatMap(([stage, sides]) =>
      (['candidate', 'baseline'] as const).map((side) => {
        const { files, failures, bytes } = sides[side]
        return [`${stage} ${side}`, [files, failures, bytes]] as const
      }),
    ),
  )
}

function sum(one: Counts, other: Counts): Counts {
  const keys = [...Object.keys(one), ...Object.keys(other)]
  return Object.fromEntries(
    keys.map((key) => {
      const [[a, b, c], [d, e, f]] = [one[key] ?? [0, 0, 0], other[key] ?? [0, 0, 0]]
      return [key, [a + d, b + e, c + f]]
    }),
  )
}

/** How the state says that it came to its stage: hours since the beginning, and what happened. */
function steps(history: readonly Change[]): string[] {
  return history.map(({ at, action, by, from, to }) => {
    return `${(Date.parse(at) - startMs) / hourMs} h: ${action} ${from} → ${to}, ${by}`
  })
}

const climb = [
  '0 h: begin 0 → 0, automatic',
  '24 h: promote 0 → 1, automatic',
  '48 h: promote 1 → 10, automatic',
  '96 h: promote 10 → 50, automatic',
  '168 h: promote 50 → 100, automatic',
]

const ofCandidate = new Map<number, ReadonlySet<string>>(
  schedule.map(({ stage }) => [stage, new Set(sources.filter((source) => isOfCandidate(source, stage, name)))]),
)

/** Every file went where its name says, and every one of them arrived. */
function expectAssigned({ percentage, lines }: SimulatedRun, hour: number): void {
  const stage = schedule.findLast(({ since }) => since <= hour)?.stage ?? 0
  expect(percentage, `share at hour ${hour}`).toBe(stage)
  const given = new Set(lines.flatMap(({ side, source }) => (side === 'candidate' ? source : [])))
  const expected = ofCandidate.get(stage) ?? new Set()
  // Not one by one, which takes longer than the run.
  expect(
    [...expected, ...given].filter((source) => !expected.has(source) || !given.has(source)),
    `hour ${hour}`,
  ).toEqual([])
  expect(lines.every(({ status, stage: of }) => status === 'uploaded' && of === stage)).toBe(true)
  expect(lines).toHaveLength(sources.length)
}

function fellBack(lines: readonly FileRecord[]): number {
  return lines.filter(({ fallback }) => fallback !== undefined).length
}

describe('a run an hour, 2,000 files each, auto', () => {
  it('a good candidate has every file after a week, each stage as long as required', async () => {
    const { hour: runOf, state, statusAt } = await begin(good, [5, 30, 60])
    const warnings: string[] = []
    for (let hour = 0; hour < fortnight; hour += 1) {
      const run = await runOf(hour)
      expectAssigned(run, hour)
      warnings.push(...run.warnings)
    }
    expect(warnings).toEqual([])
    const { history, figures } = await state()
    expect(steps(history)).toEqual(climb)
    for (const { figures } of history.slice(2)) {
      expect(figures.candidate.files).toBeGreaterThanOrEqual(200)
      expect(figures.candidate.successRate).toBeGreaterThanOrEqual(0.995)
    }
    const hours = schedule.map(({ since }, at) => (schedule[at + 1]?.since ?? fortnight) - since)
    expect(figures.map(({ stage, candidate, baseline }) => [stage, candidate.files, baseline.files])).toEqual(
      schedule.map(({ stage }, at) => {
        const each = ofCandidate.get(stage)?.size ?? 0
        return [stage, each * (hours[at] ?? 0), (sources.length - each) * (hours[at] ?? 0)]
      }),
    )
    expect(await statusAt(fortnight - 1)).toMatchObject({ verdict: 'wait', unmet: ['167 h of 168 h in stage'] })
    expect(await statusAt(fortnight)).toMatchObject({ verdict: 'ready', unmet: [], advice: 'upload rollout complete' })
    console.log(`fortnight: ${figures.map((each) => `${each.stage} %: ${each.candidate.files} files`).join(', ')}`)
  })

  it.each([
    ['at the beginning of a stage', 96, [96]],
    ['after runs that went well', 90, []],
  ])('one that fails at 10 %% from then on is rolled back in the middle of a run: %s', async (_when, from, real) => {
    const conduct = { ...good, failureRate: (hour: number) => (hour < from ? 0.001 : 0.1) }
    const { hour: runOf, state, statusAt } = await begin(conduct, real)
    let run: SimulatedRun | undefined
    let hour = 0
    for (; (await statusAt(hour)).state !== 'rolled-back'; hour += 1) {
      run = await runOf(hour)
      if (hour < from) expectAssigned(run, hour)
    }
    const [candidates, rest] = [run?.lines.filter(({ side }) => side === 'candidate') ?? [], unCounted(run)]
    expect(hour - 1).toBeGreaterThanOrEqual(from)
    expect(hour - 1).toBeLessThanOrEqual(from + 1)
    const given = ofCandidate.get(run?.percentage === 50 ? 50 : 10)?.size ?? 0
    // In the middle: what the candidate has not had by then is the baseline's, and everything arrives.
    expect(candidates.length).toBeGreaterThan(0)
    expect(candidates.length).toBeLessThan(given)
    expect(fellBack(candidates)).toBeGreaterThan(0)
    expect(rest.length).toBeGreaterThanOrEqual(given - candidates.length)
    const inFlight = rest.filter(({ engine, fallback }) => engine === 'fast' || fallback !== undefined)
    expect(inFlight.length).toBeLessThanOrEqual(concurrency)
    expect(run?.lines.every(({ status }) => status === 'uploaded')).toBe(true)
    expect(run?.warnings).toEqual([expect.stringMatching(/^rollout nightly import was rolled back: \d+ of the last /)])

    const after = await runOf(hour)
    expect(after.percentage).toBe(0)
    expect(unCounted(after)).toHaveLength(sources.length)
    const { history } = await state()
    expect(history.at(-1)).toMatchObject({ action: 'rollback', by: 'automatic', to: 0 })
    expect(await statusAt(hour + 1)).toMatchObject({ state: 'rolled-back', percentage: 0, verdict: 'rolled-back' })
    console.log(
      `10 % from hour ${from}: rolled back after ${candidates.length} of ${given} candidate files of hour ${hour - 1}'s run: ${history.at(-1)?.cause}`,
    )
  })

  it('one that fails at a steady 1.5 % with all files is never rolled back, and all of them arrive', async () => {
    const conduct = { ...good, failureRate: (hour: number) => (hour < 168 ? 0.001 : 0.015) }
    const { hour: runOf, state, statusAt } = await begin(conduct, [200])
    let failed = 0
    for (let hour = 0; hour < fortnight; hour += 1) {
      const run = await runOf(hour)
      expectAssigned(run, hour)
      expect(run.warnings).toEqual([])
      if (hour >= 168) failed += fellBack(run.lines)
    }
    expect(steps((await state()).history)).toEqual(climb)
    const { candidate, ...status } = await statusAt(fortnight)
    expect(candidate).toMatchObject({ files: 168 * sources.length, failures: failed })
    expect(candidate.successRate).toBeCloseTo(0.985, 3)
    expect(status).toMatchObject({ state: 'running', verdict: 'ready', unmet: [] })
    console.log(`1.5 %: ${failed} of ${candidate.files} files fell back (${candidate.successRate} success)`)
  })

  it('one whose p95 is 130 % of the baseline’s stops at review, and goes no further', async () => {
    const { hour: runOf, state, statusAt } = await begin({ ...good, slowness: 1.3 })
    const warnings: string[] = []
    const shares: number[] = []
    for (let hour = 0; hour < 168; hour += 1) {
      const run = await runOf(hour)
      shares.push(run.percentage)
      warnings.push(...run.warnings)
    }
    const { history } = await state()
    // At 1 % there are barely enough files of one size class to tell anything.
    expect(history.map(({ action, to }) => `${action} ${to}`)).toEqual([
      'begin 0',
      'promote 1',
      'promote 10',
      'review 10',
    ])
    expect(shares).toEqual(shares.map((_, hour) => (hour < 24 ? 0 : hour < 48 ? 1 : 10)))
    expect(history.at(-1)?.cause).toMatch(/^p95 of files of up to 64 KiB is \d+ ms, 1[2-4]\d % of the baseline's/)
    expect(warnings).toEqual([expect.stringContaining('is under review')])
    const { state: is, stage, unmet } = await statusAt(168)
    expect({ is, stage, unmet }).toEqual({
      is: 'review',
      stage: 10,
      unmet: [`under review: ${history.at(-1)?.cause}`],
    })
    console.log(`130 %: ${steps(history).at(-1)}: ${history.at(-1)?.cause}`)
  })
})

/** Files that count for neither side. */
function unCounted(run: SimulatedRun | undefined): readonly FileRecord[] {
  return run?.lines.filter(({ side, stage }) => side === undefined && stage === undefined) ?? []
}
