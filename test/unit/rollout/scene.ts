import type { FileRecord } from '../../../src/observe/records.ts'
import { begun, promoted } from '../../../src/rollout/changes.ts'
import { absorb, createDelta } from '../../../src/rollout/figures.ts'
import { type Outcome, outcomeOf, type SizeClass } from '../../../src/rollout/outcome.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState, WindowEntry } from '../../../src/rollout/state.ts'
import { defaultTriggers } from '../../../src/rollout/triggers.ts'

export const begunMs = Date.UTC(2026, 10, 20, 2)
export const hourMs = 3_600_000

/** A file's line: uploaded by the candidate at 10 %, unless said otherwise. */
export function fileLine(different: Partial<FileRecord> = {}): FileRecord {
  return {
    type: 'file',
    path: 'in/a.wav',
    source: 'a.wav',
    key: 'a.wav',
    destination: 's3://b/',
    size: 1000,
    mtime: null,
    status: 'uploaded',
    attempts: 1,
    startedAt: '2026-11-20T02:00:00.000Z',
    durationMs: 100,
    bytesSent: 1000,
    bytesPerSecond: 10_000,
    parts: 0,
    engine: 'fast',
    stage: 10,
    side: 'candidate',
    contentType: 'audio/wav',
    ...different,
  }
}

export function failedLine(different: Partial<FileRecord> = {}): FileRecord {
  return fileLine({
    status: 'failed',
    error: { code: 'SERVER_ERROR', message: 'the server failed', retryable: true },
    ...different,
  })
}

/** What a line counts for that counts. */
export function outcomeOfLine(line: FileRecord): Outcome {
  const outcome = outcomeOf(line)
  if (outcome === undefined) throw new Error('a line that counts for nothing')
  return outcome
}

/** A rollout that has come to a stage of the default ones, of which nothing is counted. */
export function stateAt(stage: number, different: Partial<RolloutState> = {}): RolloutState {
  let state = begun('nightly', defaultStages, begunMs)
  while (state.stage < stage) {
    state = promoted(state, defaultStages, begunMs, { by: 'automatic', cause: 'all criteria met' })
  }
  return { ...state, ...different }
}

/** With lines counted as a run counts them. */
export function withLines(state: RolloutState, lines: Iterable<FileRecord>): RolloutState {
  const delta = createDelta(state.begunAt, defaultTriggers)
  for (const line of lines) delta.add(outcomeOfLine(line))
  return absorb(state, delta.take(), defaultTriggers)
}

/** As many candidate lines as said, the first of them failed; at the state's stage. */
export function withCandidate(state: RolloutState, files: number, failures: number): RolloutState {
  const { stage } = state
  return withLines(
    state,
    Array.from({ length: files }, (_, index) => (index < failures ? failedLine({ stage }) : fileLine({ stage }))),
  )
}

export function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value)
}

export function entry(durationMs: number | null, sizeClass: SizeClass = '64KiB'): WindowEntry {
  return { sizeClass, durationMs }
}
