import type { FileRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { RolloutControl } from '../../../src/transfer/rollout-control.ts'
import { createFakeDestination, type FakeDestinationOptions } from '../../support/fake-destination.ts'
import { type FakeLane, planned, type SceneOptions, sparseFile, transfer } from './scene.ts'

/** A rollout that a test turns off. */
export interface FakeRollout extends RolloutControl {
  isOn: boolean
  stage: number | undefined
  /** Files it was told of, in order. */
  readonly counted: readonly FileRecord[]
}

function fakeRollout(fallback = true, percentage = 100): FakeRollout {
  const counted: FileRecord[] = []
  return { isOn: true, percentage, fallback, stage: 10, counted, settled: (record) => void counted.push(record) }
}

/** What a file of the candidate's is besides: lane 1, and how it goes on lane 0. */
export function candidates(
  file: PlannedFile,
  onBaseline: Partial<NonNullable<PlannedFile['onBaseline']>> = {},
): PlannedFile {
  const { key, originalKey, properties } = file
  return { ...file, lane: 1, side: 'candidate', onBaseline: { lane: 0, key, originalKey, properties, ...onBaseline } }
}

/** So many files, each of the side that `isCandidates` says by its number. */
export async function sided(
  count: number,
  isCandidates: (index: number) => boolean,
  size = 10,
): Promise<PlannedFile[]> {
  const { absolute, mtimeMs } = await sparseFile(size)
  return Array.from({ length: count }, (_, at) => {
    const file = planned(at + 1, { absolute, size, mtimeMs })
    return isCandidates(at + 1) ? candidates(file) : { ...file, side: 'baseline' as const }
  })
}

export interface SidesOptions extends Omit<SceneOptions, 'files' | 'lanes' | 'rollout'> {
  readonly files?: SceneOptions['files']
  readonly baseline?: FakeDestinationOptions
  readonly candidate?: FakeDestinationOptions
  /** Of the two lanes, where they differ. */
  readonly lanes?: readonly [FakeLane['settings'], FakeLane['settings']]
  readonly fallback?: boolean
  /** What is said of the candidate's share; which files are its own is in `files`. */
  readonly percentage?: number
}

/** Four files, the even ones the candidate's, unless told otherwise; both sides at places of their own. */
export async function twoSides({ files, lanes = [{}, {}], fallback, percentage, ...options }: SidesOptions = {}) {
  const baseline = createFakeDestination({ url: 'fake://old/', ...options.baseline })
  const candidate = createFakeDestination({ url: 'fake://new/', ...options.candidate })
  const rollout = fakeRollout(fallback, percentage)
  const scene = transfer({
    files: files ?? (await sided(4, (index) => index % 2 === 0)),
    lanes: [
      { destination: baseline, settings: lanes[0] ?? {} },
      { destination: candidate, settings: lanes[1] ?? {}, side: 'candidate' },
    ],
    rollout,
    ...options,
  })
  const record = (index: number): FileRecord => {
    const found = scene.records.filter(({ path }) => path === `take-${index}.wav`)
    if (found.length !== 1) throw new Error(`${found.length} lines of take-${index}.wav`)
    return found[0] as FileRecord
  }
  return { baseline, candidate, rollout, record, ...scene }
}

export const warningsOf = (events: readonly { type: string; message?: string }[]): readonly (string | undefined)[] =>
  events.flatMap(({ type, message }) => (type === 'warning' ? [message] : []))
