import type { Outcome } from './outcome.ts'
import {
  addToSide,
  addToTotals,
  createSideCounter,
  createTotals,
  type SideCounter,
  sideFiguresOf,
  type Totals,
} from './side-counter.ts'
import type { HourFigures, StageFigures, WindowEntry } from './state.ts'

/** What was counted of some files. */
export interface Counted {
  /** How many there were. */
  readonly files: number
  readonly figures: readonly StageFigures[]
  readonly windows: readonly StageWindow[]
  readonly hours: readonly HourFigures[]
}

/** The last candidate files that were counted in a stage, the newest last. */
export interface StageWindow {
  readonly stage: number
  readonly window: readonly WindowEntry[]
}

/** Counts one file after the other. */
export interface Counter {
  readonly files: number
  add(outcome: Outcome): void
  content(): Counted
}

interface StageCounter {
  readonly stage: number
  readonly candidate: SideCounter
  readonly baseline: SideCounter
  window: WindowEntry[]
}

interface SidesOfHour {
  /** `2026-11-20T02` */
  readonly name: string
  readonly candidate: Totals
  readonly baseline: Totals
}

/** @param windowSize how many of a stage's last candidate files are kept */
export function createCounter(windowSize: number): Counter {
  const stages: StageCounter[] = []
  const hours: SidesOfHour[] = []
  // Nearly always those of the file before.
  let stage: StageCounter | undefined
  let hour: SidesOfHour | undefined
  let files = 0

  const stageAt = (percentage: number): StageCounter => {
    if (stage?.stage === percentage) return stage
    stage = stages.find((each) => each.stage === percentage)
    if (stage !== undefined) return stage
    stage = { stage: percentage, candidate: createSideCounter(), baseline: createSideCounter(), window: [] }
    stages.push(stage)
    return stage
  }
  const hourAt = (time: string): SidesOfHour => {
    if (hour !== undefined && time.startsWith(hour.name)) return hour
    const name = time.slice(0, 'yyyy-mm-ddThh'.length)
    hour = hours.find((each) => each.name === name)
    if (hour !== undefined) return hour
    hour = { name, candidate: createTotals(), baseline: createTotals() }
    hours.push(hour)
    return hour
  }

  return {
    get files() {
      return files
    },
    add(outcome) {
      files += 1
      const counter = stageAt(outcome.stage)
      addToSide(counter[outcome.side], outcome)
      addToTotals(hourAt(outcome.beganAt)[outcome.side], outcome)
      if (outcome.side !== 'candidate') return
      counter.window.push({ sizeClass: outcome.sizeClass, durationMs: outcome.durationMs ?? null })
      // Not with every file: it copies the window.
      if (counter.window.length >= 2 * windowSize) counter.window = counter.window.slice(-windowSize)
    },
    content: () => ({
      files,
      figures: stages.map(({ stage, candidate, baseline }) => ({
        stage,
        candidate: sideFiguresOf(candidate),
        baseline: sideFiguresOf(baseline),
      })),
      windows: stages.map(({ stage, window }) => ({ stage, window: window.slice(-windowSize) })),
      hours: hours.map(({ name, candidate, baseline }) => ({
        hour: `${name}:00:00.000Z`,
        candidate: { ...candidate },
        baseline: { ...baseline },
      })),
    }),
  }
}
