import { stat } from 'node:fs/promises'
import type { UploadEvent } from '../../src/observe/events.ts'
import type { FileRecord } from '../../src/observe/records.ts'
import { type LiveRollout, openRollout } from '../../src/rollout/rollout.ts'
import type { RolloutSettings } from '../../src/rollout/rollout-settings.ts'
import type { Clock } from '../../src/transfer/clock.ts'
import { settled } from './fake-clock.ts'
import { randomFrom } from './random.ts'
import { rolloutOf } from './rollout-settings.ts'

/** How a candidate does in a run. */
export interface Conduct {
  /** Share of its files, from 0 to 1, that it fails at. */
  readonly failureRate: (hour: number) => number
  /** How long its files take, by the baseline's. */
  readonly slowness: number
}

/** What came of one run. */
export interface SimulatedRun {
  /** The share that it gave to the candidate, from 0 to 100. */
  readonly percentage: number
  readonly lines: readonly FileRecord[]
  /** What it warned of. */
  readonly warnings: readonly string[]
}

interface ModelFile {
  readonly source: string
  readonly size: number
  /** Milliseconds that half of its uploads take at the most. */
  readonly medianMs: number
}

/** Sizes in bytes, each class's share of the files in percent, and what is usual over a long line. */
const sizeModel = [
  { percent: 70, least: 1, most: 65_536, medianMs: 400 },
  { percent: 20, least: 65_537, most: 1_048_576, medianMs: 700 },
  { percent: 9, least: 1_048_577, most: 16_777_216, medianMs: 2500 },
  { percent: 1, least: 16_777_217, most: 268_435_456, medianMs: 12_000 },
] as const

/** Spread of the logarithm of what a file takes. */
const sigma = 0.3
/** From one file to the next, in milliseconds: a run of 2,000 takes a quarter of an hour. */
const apartMs = 450

/** The same names in every run. */
export function sourceNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${at % 20}/take ${at}.wav`)
}

/** Whether a candidate with such a failure rate fails at a file in one hour's run: the same answer whoever asks. */
export function failsAt(source: string, hour: number, rate: number): boolean {
  // https://en.wikipedia.org/wiki/Fowler%E2%80%93Noll%E2%80%93Vo_hash_function
  let hash = 0x811c9dc5
  for (const text of [source, `:${hour}`]) {
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return randomFrom(hash).below(1_000_000) / 1_000_000 < rate
}

/**
 * A run an hour without any bytes: every file's line is made up and given to the rollout that the program itself would
 * open, in the order and by the rules of a run.
 *
 * @param clock moves on by a quarter of an hour with each run
 */
export function simulation({
  sources,
  rollout,
  conduct,
  clock,
  seed,
}: {
  readonly sources: readonly string[]
  readonly rollout: Partial<RolloutSettings> & { readonly state: string }
  readonly conduct: Conduct
  readonly clock: Clock & { advance(ms: number): Promise<void> }
  readonly seed: number
}): (hour: number) => Promise<SimulatedRun> {
  const random = randomFrom(seed)
  const files = sources.map((source) => modelFile(source, random.below))
  const settings = { ...rolloutOf(), ...rollout }
  const places = { xdgStateHome: undefined, home: undefined, temporary: rollout.state, uid: undefined }

  return async (hour) => {
    const warnings: string[] = []
    const emit = (event: UploadEvent): void => {
      if (event.type === 'warning') warnings.push(event.message)
    }
    let tick = (): void => {}
    const every = (_ms: number, action: () => void): (() => void) => {
      tick = action
      return () => {}
    }
    const { signal } = new AbortController()
    const live = await openRollout({ rollout: settings, places, clock, emit, signal, every })
    const lines: FileRecord[] = []
    for (const [at, file] of files.entries()) {
      const line = lineOf(file, live, { hour, conduct, nowMs: clock.now() + at * apartMs, below: random.below })
      live.settled(line)
      lines.push(line)
      const isTime = hour % 8 === 0 && at === Math.floor(files.length / 2)
      if (isTime && live.stage !== undefined) await written(rollout.state, tick)
    }
    await clock.advance(files.length * apartMs)
    await live.close()
    return { percentage: live.percentage, lines, warnings }
  }
}

/** What becomes of a file, and how long it takes. */
function lineOf(
  { source, size, medianMs }: ModelFile,
  { sides, isOn, stage, fallback }: LiveRollout,
  run: {
    readonly hour: number
    readonly conduct: Conduct
    readonly nowMs: number
    readonly below: (below: number) => number
  },
): FileRecord {
  const assigned = sides?.(source)
  // After a rollback what was the candidate's takes the baseline, and counts for neither side.
  const side = assigned === 'candidate' && !isOn ? undefined : assigned
  const isCandidates = side === 'candidate'
  const hasFailed = isCandidates && failsAt(source, run.hour, run.conduct.failureRate(run.hour))
  const durationMs = medianMs * Math.exp(sigma * normal(run.below)) * (isCandidates ? run.conduct.slowness : 1)
  const error = { code: 'SERVER_ERROR', message: 'out of order', status: 500, retryable: true } as const
  return {
    type: 'file',
    path: `in/${source}`,
    source,
    key: source,
    destination: 's3://b/',
    size,
    mtime: null,
    status: hasFailed && !fallback ? 'failed' : 'uploaded',
    attempts: hasFailed && fallback ? 2 : 1,
    startedAt: new Date(run.nowMs).toISOString(),
    durationMs,
    bytesSent: size,
    bytesPerSecond: null,
    parts: 0,
    engine: isCandidates && !hasFailed ? 'fast' : 'standard',
    stage: side === undefined ? undefined : stage,
    side: stage === undefined ? undefined : side,
    fallback:
      hasFailed && fallback
        ? { engine: 'fast', destination: 's3://b/', attempts: 1, durationMs: durationMs / 2, error }
        : undefined,
    contentType: 'audio/wav',
    error: hasFailed && !fallback ? error : undefined,
  }
}

/** Lets a run write what it has counted so far, as it does every two seconds. */
async function written(path: string, tick: () => void): Promise<void> {
  // Replaced as a whole: by another file.
  const { ino } = await stat(path)
  tick()
  while ((await stat(path)).ino === ino) await settled()
}

function modelFile(source: string, below: (below: number) => number): ModelFile {
  let place = below(100)
  const model =
    sizeModel.find(({ percent }) => {
      place -= percent
      return place < 0
    }) ?? sizeModel[0]
  return { source, size: model.least + below(model.most - model.least + 1), medianMs: model.medianMs }
}

/** https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform */
function normal(below: (below: number) => number): number {
  const part = (): number => (below(2 ** 30) + 1) / (2 ** 30 + 1)
  return Math.sqrt(-2 * Math.log(part())) * Math.cos(2 * Math.PI * part())
}
