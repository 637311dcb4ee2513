import type { RolloutState, SideFigures, StageFigures } from './state.ts'
import type { Triggers } from './triggers.ts'

/** Of a side that has had no file. */
const noFigures: SideFigures = {
  files: 0,
  failures: 0,
  bytes: 0,
  firstSeen: null,
  lastSeen: null,
  latency: { '64KiB': [], '1MiB': [], '16MiB': [], larger: [] },
}

/** Figures of a stage, which may be one without any file. */
export function figuresOf({ figures }: Pick<RolloutState, 'figures'>, stage: number): StageFigures {
  return figures.find((each) => each.stage === stage) ?? { stage, candidate: noFigures, baseline: noFigures }
}

/** Share of the files that succeeded, from 0 to 1; null where there were none. */
export function successRateOf({ files, failures }: Pick<SideFigures, 'files' | 'failures'>): number | null {
  return files === 0 ? null : (files - failures) / files
}

/** The last candidate files of a state's stage that triggers look at. */
export function windowFigures(
  { window }: Pick<RolloutState, 'window'>,
  triggers: Pick<Triggers, 'window'>,
): Pick<SideFigures, 'files' | 'failures'> {
  const entries = window.slice(-triggers.window)
  return { files: entries.length, failures: entries.filter(({ durationMs }) => durationMs === null).length }
}
