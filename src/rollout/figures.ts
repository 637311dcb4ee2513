import { type Counted, createCounter, type StageWindow } from './counted.ts'
import type { Outcome } from './outcome.ts'
import { sumOf, sumOfHours } from './side-figures.ts'
import { figuresOf } from './stage-figures.ts'
import type { HourFigures, RolloutState, StageFigures, WindowEntry } from './state.ts'

/** What one process has counted since it last changed the state. */
export interface Delta {
  /** The state's, under which it counts. */
  readonly begunAt: string
  /** How many files are in it. */
  readonly files: number
  add(outcome: Outcome): void
  /** All of it; it is empty from then on. */
  take(): FrozenDelta
  /** Gives back what was taken and could not be written, ahead of what has been added since. */
  putBack(taken: FrozenDelta): void
}

/** A {@link Delta} at rest. */
export interface FrozenDelta extends Counted {
  readonly begunAt: string
}

/** How much a state holds of what would grow for ever. */
export interface Bounds {
  /** Of the current stage's candidate files. */
  readonly window: number
}

/** A fortnight, which is what the default stages take. */
const hoursKept = 336

/** @param begunAt the state's: what was counted under one is not added to another */
export function createDelta(begunAt: string, bounds: Bounds): Delta {
  let counter = createCounter(bounds.window)
  let before: FrozenDelta | undefined

  return {
    begunAt,
    get files() {
      return counter.files + (before?.files ?? 0)
    },
    add(outcome) {
      counter.add(outcome)
    },
    take() {
      const since = { ...counter.content(), begunAt }
      const all = before === undefined ? since : joined(before, since, bounds)
      counter = createCounter(bounds.window)
      before = undefined
      return all
    },
    putBack(taken) {
      before = before === undefined ? taken : joined(taken, before, bounds)
    },
  }
}

/**
 * The state with what a process has counted added to it, to the stages it was counted in.
 *
 * @returns the very same state where nothing was added: the delta is empty, or it was counted before a reset, and is to
 * be forgotten
 */
export function absorb(state: RolloutState, delta: FrozenDelta, bounds: Bounds): RolloutState {
  if (delta.files === 0 || delta.begunAt !== state.begunAt) return state
  return {
    ...state,
    figures: sumOfStages(state.figures, delta.figures),
    window: [...state.window, ...windowOf(delta, state.stage)].slice(-bounds.window),
    hours: sumOfHourLists(state.hours, delta.hours).slice(-hoursKept),
  }
}

function joined(one: FrozenDelta, other: FrozenDelta, bounds: Bounds): FrozenDelta {
  const figures = sumOfStages(one.figures, other.figures)
  return {
    begunAt: one.begunAt,
    files: one.files + other.files,
    figures,
    windows: figures.map(
      ({ stage }): StageWindow => ({
        stage,
        window: [...windowOf(one, stage), ...windowOf(other, stage)].slice(-bounds.window),
      }),
    ),
    hours: sumOfHourLists(one.hours, other.hours),
  }
}

function windowOf({ windows }: FrozenDelta, stage: number): readonly WindowEntry[] {
  return windows.find((each) => each.stage === stage)?.window ?? []
}

/** By rising percentage. */
function sumOfStages(one: readonly StageFigures[], other: readonly StageFigures[]): readonly StageFigures[] {
  const sums = new Map(one.map((figures) => [figures.stage, figures]))
  for (const figures of other) {
    const { stage, candidate, baseline } = sums.get(figures.stage) ?? figuresOf({ figures: [] }, figures.stage)
    sums.set(stage, {
      stage,
      candidate: sumOf(candidate, figures.candidate),
      baseline: sumOf(baseline, figures.baseline),
    })
  }
  return [...sums.values()].sort((a, b) => a.stage - b.stage)
}

/** By rising time. */
function sumOfHourLists(one: readonly HourFigures[], other: readonly HourFigures[]): readonly HourFigures[] {
  const sums = new Map(one.map((figures) => [figures.hour, figures]))
  for (const figures of other) {
    const before = sums.get(figures.hour)
    sums.set(
      figures.hour,
      before === undefined
        ? figures
        : {
            hour: figures.hour,
            candidate: sumOfHours(before.candidate, figures.candidate),
            baseline: sumOfHours(before.baseline, figures.baseline),
          },
    )
  }
  return [...sums.values()].sort((a, b) => (a.hour < b.hour ? -1 : 1))
}
