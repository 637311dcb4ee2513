import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../src/observe/records.ts'
import { absorb, createDelta, type FrozenDelta } from '../../../src/rollout/figures.ts'
import { figuresOf } from '../../../src/rollout/stage-figures.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { begunMs, failedLine, fileLine, hourMs, outcomeOfLine, stateAt, times, withLines } from './scene.ts'

const state = stateAt(10)
const bounds = { window: 500 }

function deltaOf(lines: readonly FileRecord[], begunAt = state.begunAt): FrozenDelta {
  const delta = createDelta(begunAt, bounds)
  for (const line of lines) delta.add(outcomeOfLine(line))
  return delta.take()
}

function at(ms: number): string {
  return new Date(ms).toISOString()
}

/** Lines as a month of runs may have them, at several stages. */
function randomLines(count: number, seed: number): readonly FileRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const line = random() < 0.1 ? failedLine : fileLine
    return line({
      stage: [1, 10, 50][Math.floor(random() * 3)],
      side: random() < 0.3 ? 'candidate' : 'baseline',
      size: Math.floor(10 ** (random() * 9)),
      durationMs: Math.round(10 ** (random() * 5) * 1000) / 1000,
      startedAt: at(begunMs + Math.floor(random() * 100) * hourMs + Math.floor(random() * hourMs)),
    })
  })
}

describe('absorb', () => {
  it('adds files to their stage and side', () => {
    const lines = [
      fileLine({ size: 1000, durationMs: 100, startedAt: at(begunMs + 5000) }),
      failedLine({ startedAt: at(begunMs + 7000) }),
      fileLine({ size: 2_000_000, durationMs: 200, startedAt: at(begunMs + 3000) }),
      fileLine({ side: 'baseline', size: 10, startedAt: at(begunMs + hourMs) }),
    ]
    const after = absorb(state, deltaOf(lines), bounds)
    expect(after).toEqual({
      ...state,
      figures: [
        {
          stage: 10,
          candidate: {
            files: 3,
            failures: 1,
            bytes: 2_001_000,
            firstSeen: at(begunMs + 3000),
            lastSeen: at(begunMs + 7000),
            latency: { '64KiB': [[99_328, 1]], '1MiB': [], '16MiB': [[198_656, 1]], larger: [] },
          },
          baseline: {
            files: 1,
            failures: 0,
            bytes: 10,
            firstSeen: at(begunMs + hourMs),
            lastSeen: at(begunMs + hourMs),
            latency: { '64KiB': [[99_328, 1]], '1MiB': [], '16MiB': [], larger: [] },
          },
        },
      ],
      window: [
        { sizeClass: '64KiB', durationMs: 100 },
        { sizeClass: '64KiB', durationMs: null },
        { sizeClass: '16MiB', durationMs: 200 },
      ],
      hours: [
        {
          hour: at(begunMs),
          candidate: { files: 3, failures: 1, bytes: 2_001_000 },
          baseline: { files: 0, failures: 0, bytes: 0 },
        },
        {
          hour: at(begunMs + hourMs),
          candidate: { files: 0, failures: 0, bytes: 0 },
          baseline: { files: 1, failures: 0, bytes: 10 },
        },
      ],
    })
  })

  it('comes to the same in one piece and in many, from one process and from several', () => {
    const lines = randomLines(3000, 5)
    const whole = absorb(state, deltaOf(lines), bounds)
    let inPieces = state
    for (let from = 0; from < lines.length; from += 170) {
      inPieces = absorb(inPieces, deltaOf(lines.slice(from, from + 170)), bounds)
    }
    expect(inPieces).toEqual(whole)
    const figures = whole.figures.map(({ candidate, baseline }) => candidate.files + baseline.files)
    expect(figures.reduce((sum, files) => sum + files)).toBe(3000)
    const hours = whole.hours.map(({ candidate, baseline }) => candidate.files + baseline.files)
    expect(hours.reduce((sum, files) => sum + files)).toBe(3000)

    const others = [lines.filter((_, index) => index % 2 === 0), lines.filter((_, index) => index % 2 === 1)]
    const fromTwo = others.reduce((sum, half) => absorb(sum, deltaOf(half), bounds), state)
    expect({ ...fromTwo, window: [] }).toEqual({ ...whole, window: [] })
  })

  it('adds what was counted in another stage to that one, and leaves it out of the window', () => {
    const after = withLines(state, [fileLine({ stage: 1 }), fileLine({ stage: 50 }), fileLine({ stage: 10 })])
    expect(after.figures.map(({ stage, candidate }) => [stage, candidate.files])).toEqual([
      [1, 1],
      [10, 1],
      [50, 1],
    ])
    expect(after.window).toHaveLength(1)
  })

  it('forgets what was counted before a reset, and says so by the very same state', () => {
    expect(absorb(state, deltaOf([fileLine()], at(begunMs - 1)), bounds)).toBe(state)
  })

  it('leaves the very same state where nothing was counted', () => {
    expect(absorb(state, deltaOf([]), bounds)).toBe(state)
  })

  it('keeps the last candidate files only, the newest last', () => {
    const lines = Array.from({ length: 1700 }, (_, index) => fileLine({ durationMs: index }))
    const once = withLines(state, lines)
    expect(once.window.map(({ durationMs }) => durationMs)).toEqual(
      Array.from({ length: 500 }, (_, index) => 1200 + index),
    )
    const twice = withLines(once, [...times(100, fileLine({ side: 'baseline' })), fileLine({ durationMs: 1700 })])
    expect([twice.window.length, twice.window[0]?.durationMs, twice.window.at(-1)?.durationMs]).toEqual([
      500, 1201, 1700,
    ])
  })

  it('keeps the hours of a fortnight, whatever order they come in', () => {
    const lines = Array.from({ length: 500 }, (_, index) => fileLine({ startedAt: at(begunMs + index * hourMs) }))
    const after = withLines(withLines(state, lines.slice(250)), lines.slice(0, 250))
    expect(after.hours.map(({ hour }) => hour)).toEqual(
      Array.from({ length: 336 }, (_, index) => at(begunMs + (164 + index) * hourMs)),
    )
  })

  it('knows the first and the last file when a clock was set back meanwhile', () => {
    const first = withLines(state, [fileLine({ startedAt: at(begunMs) })])
    const after = withLines(first, [fileLine({ startedAt: at(begunMs - hourMs) })])
    expect(after.figures[0]?.candidate).toMatchObject({ firstSeen: at(begunMs - hourMs), lastSeen: at(begunMs) })
  })
})

describe('a delta', () => {
  it('is empty after it was taken, and loses nothing that is put back', () => {
    const lines = randomLines(1200, 9)
    const delta = createDelta(state.begunAt, bounds)
    const add = (from: number, to: number): void => {
      for (const line of lines.slice(from, to)) delta.add(outcomeOfLine(line))
    }
    add(0, 400)
    const first = delta.take()
    expect([first.files, delta.files]).toEqual([400, 0])
    add(400, 700)
    delta.putBack(first)
    expect(delta.files).toBe(700)
    const both = delta.take()
    add(700, 1200)
    delta.putBack(both)
    expect(delta.files).toBe(1200)
    expect(absorb(state, delta.take(), bounds)).toEqual(absorb(state, deltaOf(lines), bounds))
    expect(delta.take().files).toBe(0)
  })

  it('puts back in order what was taken twice', () => {
    const delta = createDelta(state.begunAt, bounds)
    delta.add(outcomeOfLine(fileLine({ durationMs: 1 })))
    const first = delta.take()
    delta.add(outcomeOfLine(fileLine({ durationMs: 2 })))
    const second = delta.take()
    delta.putBack(second)
    delta.putBack(first)
    expect(absorb(state, delta.take(), bounds).window.map(({ durationMs }) => durationMs)).toEqual([1, 2])
  })

  it('holds no more candidate files than the window, however many there were', () => {
    const delta = createDelta(state.begunAt, { window: 3 })
    for (let ms = 0; ms < 100; ms += 1) delta.add(outcomeOfLine(fileLine({ durationMs: ms })))
    const { windows } = delta.take()
    expect(windows[0]?.window.map(({ durationMs }) => durationMs)).toEqual([97, 98, 99])
  })
})

it('figuresOf a stage that has not been reached are those of no file', () => {
  const none = {
    files: 0,
    failures: 0,
    bytes: 0,
    firstSeen: null,
    lastSeen: null,
    latency: { '64KiB': [], '1MiB': [], '16MiB': [], larger: [] },
  }
  expect(figuresOf(state, 50)).toEqual({ stage: 50, candidate: none, baseline: none })
})
