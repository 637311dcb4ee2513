import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { lockPathOf } from '../../../src/observe/lock-path.ts'
import { begun, completed, promoted, resetState, rolledBack } from '../../../src/rollout/changes.ts'
import { type LiveRollout, openRollout, peekShare } from '../../../src/rollout/rollout.ts'
import type { RolloutSettings } from '../../../src/rollout/rollout-settings.ts'
import { figuresOf } from '../../../src/rollout/stage-figures.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { readState, updateState } from '../../../src/rollout/state-file.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import { rolloutOf } from '../../support/rollout-settings.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { createFakeClock as createTicks } from '../observe/events.ts'
import { failedLine, fileLine, hourMs, stateAt, withCandidate } from './scene.ts'

const startMs = Date.UTC(2026, 10, 20, 2)

interface Scene {
  readonly path: string
  readonly rollout: RolloutSettings
  readonly clock: ReturnType<typeof createFakeClock>
  readonly ticks: ReturnType<typeof createTicks>
  readonly stop: AbortController
  /** What was said, warnings with `!`. */
  readonly said: string[]
  readonly open: () => Promise<LiveRollout>
  /** What another process does. */
  readonly change: (change: (state: RolloutState) => RolloutState) => Promise<RolloutState>
  readonly state: () => Promise<RolloutState>
}

/** A rollout whose state is as given, before its first run where none is. */
async function scene(given?: RolloutState, different: Partial<RolloutSettings> = {}): Promise<Scene> {
  const path = join(await tempDir(), 'state.json')
  const clock = createFakeClock({ now: startMs })
  const ticks = createTicks(startMs)
  const stop = new AbortController()
  const said: string[] = []
  const rollout = { ...rolloutOf(), state: path, ...different }
  const places = { xdgStateHome: undefined, home: undefined, temporary: path, uid: undefined }
  const emit = (event: UploadEvent): void => {
    if (event.type === 'warning' || event.type === 'notice') {
      said.push(`${event.type === 'warning' ? '! ' : ''}${event.message}`)
    }
  }
  const existing = (state: RolloutState | undefined): RolloutState => {
    if (state === undefined) throw new Error('there is no state')
    return state
  }
  if (given !== undefined) await updateState(path, () => given, { waitMs: 0 })
  return {
    path,
    rollout,
    clock,
    ticks,
    stop,
    said,
    open: () => openRollout({ rollout, places, clock, emit, signal: stop.signal, every: ticks.every }),
    change: (change) => updateState(path, (state) => change(existing(state)), { waitMs: 0 }),
    state: async () => existing(await readState(path)),
  }
}

/** Lets what was begun come to its end: some of it waits for the disk. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await settled()
}

function settle(live: LiveRollout, good: number, bad: number): void {
  for (let file = 0; file < good + bad; file += 1) {
    const { stage } = live
    live.settled(file < bad ? failedLine({ stage }) : fileLine({ stage }))
  }
}

const rolledBackLine =
  /^! rollout nightly was rolled back: .* failed \(.*\); what is left goes by the baseline \(see upload rollout status\)$/

describe('at the beginning of a run', () => {
  it('the first one begins the rollout, at its first stage', async () => {
    const { open, state, said } = await scene()
    const live = await open()
    expect(live).toMatchObject({ percentage: 0, isOn: false, fallback: true, stage: 0 })
    expect(live.run).toEqual({ name: 'nightly', begunAt: '2026-11-20T02:00:00.000Z', stage: 0, percentage: 0 })
    expect(await state()).toEqual({ ...begun('nightly', defaultStages, startMs), revision: 1 })
    expect(live.sides?.('a')).toBe('baseline')
    await live.close()
    expect(said).toEqual([])
  })

  it.each<
    [name: string, state: RolloutState, different: Partial<RolloutSettings>, share: number, stage: number | undefined]
  >([
    ['the stage’s', stateAt(10), {}, 10, 10],
    ['the environment’s', stateAt(10), { percentage: 50 }, 50, 10],
    ['the environment’s: none', stateAt(10), { percentage: 0 }, 0, 10],
    ['rolled back', rolledBack(stateAt(10), startMs, { by: 'person', cause: 'x' }), {}, 0, undefined],
    [
      'rolled back, for the environment too',
      rolledBack(stateAt(10), startMs, { by: 'person', cause: 'x' }),
      { percentage: 50 },
      0,
      undefined,
    ],
    ['complete', completed(stateAt(100), startMs, { by: 'person', cause: 'x' }), {}, 100, undefined],
    [
      'complete, but the environment’s',
      completed(stateAt(100), startMs, { by: 'person', cause: 'x' }),
      { percentage: 5 },
      5,
      undefined,
    ],
    ['under review', stateAt(50, { status: 'review' }), {}, 50, 50],
  ])('its share: %s', async (_name, given, different, percentage, stage) => {
    const { open, rollout, clock } = await scene(given, different)
    const places = { xdgStateHome: undefined, home: undefined, temporary: '/nowhere', uid: undefined }
    const peeked = await peekShare({ rollout, places, clock })
    const live = await open()
    expect(live).toMatchObject({ percentage, isOn: percentage > 0, stage })
    expect(live.run).toMatchObject({ percentage, stage: given.stage })
    expect(live.sides === undefined).toBe(given.status === 'rolled-back')
    expect(peeked.percentage).toBe(percentage)
    for (const source of ['a', 'b', 'c']) expect(peeked.sides?.(source)).toBe(live.sides?.(source))
    await live.close()
  })

  it('switched off: neither reads nor writes the state', async () => {
    const { open, path, rollout, clock } = await scene(undefined, { isEnabled: false })
    await writeFile(path, 'damaged')
    const live = await open()
    expect(live).toMatchObject({ percentage: 0, run: undefined, isOn: false, stage: undefined, sides: undefined })
    live.settled(fileLine())
    await live.close()
    expect(await readFile(path, 'utf8')).toBe('damaged')
    const places = { xdgStateHome: undefined, home: undefined, temporary: '/nowhere', uid: undefined }
    expect(await peekShare({ rollout, places, clock })).toMatchObject({ percentage: 0 })
  })

  it.each([
    ['is promoted where that is due', true, 1, ['rollout nightly was promoted from 0 % to 1 %']],
    ['is left to people', false, 0, []],
  ])('auto %s', async (_name, auto, stage, expected) => {
    const { open, state, clock, said, rollout } = await scene(begun('nightly', defaultStages, startMs), { auto })
    await clock.advance(24 * hourMs)
    const places = { xdgStateHome: undefined, home: undefined, temporary: '/nowhere', uid: undefined }
    expect(await peekShare({ rollout, places, clock })).toMatchObject({ percentage: stage })
    const live = await open()
    expect(live).toMatchObject({ percentage: stage, stage, run: { stage } })
    expect(said).toEqual(expected)
    expect((await state()).stage).toBe(stage)
    await live.close()
  })

  it('damaged, or another’s: refused', async () => {
    const { open, path } = await scene()
    await writeFile(path, '{}')
    await expect(open()).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining(path) })
    await writeFile(path, JSON.stringify(begun('weekly', defaultStages, startMs)))
    await expect(open()).rejects.toThrow('is the state of the rollout weekly, not of nightly')
  })

  it('that cannot be written: says so, and takes no part', async () => {
    const { open, path, said, rollout, clock } = await scene()
    mkdirSync(path)
    const live = await open()
    expect(live).toMatchObject({ percentage: 0, run: undefined, isOn: false, stage: undefined })
    expect(said).toEqual([
      `! rollout nightly takes no part in this run, which goes by the baseline: the state of the rollout, ${path}, cannot be read (EISDIR); it is a directory; name a file as rollout.state`,
    ])
    const places = { xdgStateHome: undefined, home: undefined, temporary: '/nowhere', uid: undefined }
    expect(await peekShare({ rollout, places, clock })).toMatchObject({ percentage: 0 })
  })

  it('a stop ends the waiting for others', async () => {
    const { open, path, stop } = await scene()
    mkdirSync(lockPathOf(path))
    stop.abort('SIGINT')
    await expect(open()).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('while a run goes on', () => {
  it('what it counts is in the state within seconds, and all of it in the end', async () => {
    const { open, state, ticks } = await scene(stateAt(10))
    const live = await open()
    settle(live, 30, 1)
    live.settled(fileLine({ side: 'baseline', size: 500 }))
    live.settled(fileLine({ stage: undefined, side: undefined }))
    expect(figuresOf(await state(), 10).candidate.files).toBe(0)
    ticks.advance(2000)
    await until(async () => figuresOf(await state(), 10).candidate.files > 0)
    expect(figuresOf(await state(), 10)).toMatchObject({
      candidate: { files: 31, failures: 1, bytes: 30_000 },
      baseline: { files: 1, failures: 0, bytes: 500 },
    })
    settle(live, 4, 0)
    await live.close()
    await live.close()
    expect(figuresOf(await state(), 10).candidate.files).toBe(35)
    expect((await state()).window).toHaveLength(35)
    expect(ticks.timers).toBe(0)
  })

  it('nothing is written where there is nothing to tell', async () => {
    const { open, state, ticks } = await scene(stateAt(10))
    const live = await open()
    const { revision } = await state()
    ticks.advance(20_000)
    await live.close()
    expect((await state()).revision).toBe(revision)
  })

  it('a candidate that fails is given up at once, in the state too', async () => {
    const { open, state, said } = await scene(stateAt(50))
    const live = await open()
    settle(live, 49, 50)
    expect(live).toMatchObject({ isOn: true, stage: 50 })
    settle(live, 0, 1)
    expect(live).toMatchObject({ isOn: false, stage: undefined, percentage: 50 })
    expect(said).toEqual([expect.stringMatching(rolledBackLine)])
    await until(async () => (await state()).status === 'rolled-back')
    // What was under way is counted still, and changes nothing any more.
    live.settled(failedLine({ stage: 50 }))
    await live.close()
    const after = await state()
    expect(after).toMatchObject({ status: 'rolled-back', stage: 50 })
    expect(figuresOf(after, 50).candidate).toMatchObject({ files: 101, failures: 52 })
    expect(after.history.filter(({ action }) => action === 'rollback')).toMatchObject([
      { by: 'automatic', from: 50, to: 0, cause: expect.stringContaining('51 of the last') },
    ])
    expect(said).toHaveLength(1)
  })

  it('goes by what earlier runs have counted', async () => {
    const { open, said } = await scene(withCandidate(stateAt(50), 199, 10))
    const live = await open()
    settle(live, 0, 1)
    expect(live.isOn).toBe(false)
    expect(said).toEqual([expect.stringMatching(/11 of the last 200 candidate files failed/)])
    await live.close()
  })

  it('goes by what other runs count meanwhile', async () => {
    const { open, change, ticks, said, state } = await scene(stateAt(50))
    const live = await open()
    settle(live, 100, 3)
    await change((present) => withCandidate(present, 99, 8))
    expect(live.isOn).toBe(true)
    ticks.advance(2000)
    await until(() => !live.isOn)
    expect(said).toEqual([expect.stringMatching(/11 of the last 202 candidate files failed/)])
    await live.close()
    expect((await state()).status).toBe('rolled-back')
  })

  it.each([
    ['by hand', { by: 'person', cause: 'complaints\u001b[2J' }, 'was rolled back by hand: complaints\\x1b[2J;'],
    [
      'by another run',
      { by: 'automatic', cause: '6 of the last 100 failed' },
      'was rolled back: 6 of the last 100 failed;',
    ],
  ] as const)('obeys a rollback %s within 5 seconds', async (_name, reason, text) => {
    const { open, change, ticks, said } = await scene(stateAt(50))
    const live = await open()
    ticks.advance(2000)
    await settled()
    await change((state) => rolledBack(state, startMs, reason))
    ticks.advance(4999)
    await until(() => !live.isOn)
    expect(live.stage).toBeUndefined()
    expect(said).toEqual([expect.stringContaining(text)])
    await live.close()
    expect(said).toHaveLength(1)
  })

  it('obeys it, too, while it cannot write itself', async () => {
    const { open, change, ticks, path, state } = await scene(stateAt(50))
    const live = await open()
    await change((present) => rolledBack(present, startMs, { by: 'person', cause: 'x' }))
    settle(live, 1, 0)
    mkdirSync(lockPathOf(path))
    ticks.advance(2000)
    await until(() => !live.isOn)
    rmdirSync(lockPathOf(path))
    await live.close()
    expect(figuresOf(await state(), 50).candidate.files).toBe(1)
  })

  it('promoted meanwhile: later files count in the new stage, and the share stays', async () => {
    const { open, change, ticks, said, state } = await scene(stateAt(10))
    const live = await open()
    settle(live, 3, 0)
    await change((present) => promoted(present, defaultStages, startMs, { by: 'person', cause: 'x' }))
    ticks.advance(2000)
    await until(() => live.stage === 50)
    expect(live).toMatchObject({ percentage: 10, isOn: true })
    settle(live, 4, 0)
    await live.close()
    expect(figuresOf(await state(), 10).candidate.files).toBe(3)
    expect(figuresOf(await state(), 50).candidate.files).toBe(4)
    expect(said).toEqual(['rollout nightly was promoted from 10 % to 50 %; this run keeps its share of 10 %'])
  })

  it('promotes it itself where that is due', async () => {
    const { open, state, clock, said } = await scene(withCandidate(stateAt(10), 190, 0), { auto: true })
    await clock.advance(48 * hourMs)
    const live = await open()
    expect(live).toMatchObject({ percentage: 10, stage: 10 })
    settle(live, 10, 0)
    await live.close()
    expect(await state()).toMatchObject({ stage: 50, window: [] })
    expect(live).toMatchObject({ percentage: 10, stage: 50 })
    expect(said).toEqual(['rollout nightly was promoted from 10 % to 50 %; this run keeps its share of 10 %'])
  })

  it('a candidate that is too slow is put under review, and goes on', async () => {
    const { open, state, said } = await scene(stateAt(50), { auto: true })
    const live = await open()
    for (let file = 0; file < 200; file += 1) {
      live.settled(fileLine({ stage: 50, side: 'baseline', durationMs: 100 }))
      live.settled(fileLine({ stage: 50, durationMs: 130 }))
    }
    await live.close()
    expect(live).toMatchObject({ isOn: true, stage: 50 })
    expect(await state()).toMatchObject({ status: 'review', stage: 50 })
    expect(said).toEqual([
      expect.stringMatching(
        /^! rollout nightly is under review: p95 .*; it is not promoted before somebody decides \(see upload rollout status\)$/,
      ),
    ])
  })

  it('complete meanwhile: goes on by the candidate, and counts no more', async () => {
    const { open, change, ticks, said } = await scene(stateAt(100))
    const live = await open()
    await change((state) => completed(state, startMs, { by: 'person', cause: 'x' }))
    ticks.advance(2000)
    await until(() => live.stage === undefined)
    expect(live.isOn).toBe(true)
    await live.close()
    expect(said).toEqual(['rollout nightly is complete; this run keeps its share of 100 %'])
  })

  it.each([
    [
      'reset',
      (_path: string, change: Scene['change']) => change((state) => resetState(state, defaultStages, startMs + 1, 'x')),
      true,
    ],
    ['removed', async (path: string) => rmSync(path), false],
  ])('%s meanwhile: the rest goes by the baseline, and nothing of it is counted', async (_name, anew, isSeen) => {
    const { open, change, ticks, said, path, state, clock } = await scene(stateAt(50))
    const live = await open()
    settle(live, 5, 0)
    await clock.advance(10_000)
    await anew(path, change)
    if (isSeen) {
      ticks.advance(2000)
      await until(() => !live.isOn)
      live.settled(fileLine({ stage: 50 }))
    }
    await live.close()
    expect(live).toMatchObject({ isOn: false, stage: undefined })
    expect((await state()).figures).toEqual([])
    expect(said).toEqual(['! rollout nightly was begun anew; what is left goes by the baseline, and is not counted'])
  })
})

describe('at the end of a run', () => {
  it('what could not be written all along is waited for, for a minute', async () => {
    const { open, path, clock, said, ticks } = await scene(stateAt(10))
    const live = await open()
    settle(live, 7, 0)
    mkdirSync(lockPathOf(path))
    ticks.advance(2000)
    const before = clock.elapsed()
    await live.close()
    expect(clock.elapsed() - before).toBeGreaterThanOrEqual(60_000)
    expect(clock.elapsed() - before).toBeLessThan(63_000)
    expect(said).toEqual([
      expect.stringMatching(
        /^! rollout nightly: 7 files of this run are not counted: the state of the rollout, .*, cannot be written: other processes/,
      ),
    ])
  })

  it.each([
    ['before it', true],
    ['meanwhile', false],
  ])('not for longer than a stop may take, where that came %s', async (_name, isBefore) => {
    const { open, path, clock, stop, said } = await scene(stateAt(10))
    const live = await open()
    settle(live, 7, 0)
    mkdirSync(lockPathOf(path))
    const sleep = clock.sleep.bind(clock)
    clock.sleep = async (ms, signal) => {
      if (clock.elapsed() - before > 1000) stop.abort('SIGTERM')
      signal.throwIfAborted()
      await sleep(ms, signal)
    }
    const before = clock.elapsed()
    if (isBefore) stop.abort('SIGINT')
    await live.close()
    expect(clock.elapsed() - before).toBeLessThan(7000)
    expect(said).toEqual([expect.stringContaining('7 files of this run are not counted')])
  })

  it('a rollback that could not be recorded is told of', async () => {
    const { open, path, said } = await scene(stateAt(50))
    const live = await open()
    mkdirSync(lockPathOf(path))
    settle(live, 0, 100)
    await live.close()
    expect(said).toEqual([
      expect.stringMatching(rolledBackLine),
      expect.stringMatching(
        /100 files of this run are not counted, and its rollback is not recorded \(upload rollout rollback does it\): /,
      ),
    ])
  })

  it('a rollback that others have recorded is not said to be missing', async () => {
    const { open, path, state, said } = await scene(stateAt(50))
    const live = await open()
    mkdirSync(lockPathOf(path))
    settle(live, 0, 100)
    const byHand = rolledBack(await state(), startMs, { by: 'person', cause: 'x' })
    await writeFile(path, JSON.stringify({ ...byHand, revision: byHand.revision + 1 }))
    await live.close()
    expect(said).toEqual([
      expect.stringMatching(rolledBackLine),
      expect.stringMatching(/^! rollout nightly: 100 files of this run are not counted: /),
    ])
  })

  it('what is counted while others write is not lost where the candidate is given up meanwhile', async () => {
    const { open, path, state, clock, said, ticks } = await scene(stateAt(50))
    const live = await open()
    settle(live, 10, 0)
    mkdirSync(lockPathOf(path))
    const before = clock.elapsed()
    const sleep = clock.sleep.bind(clock)
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal)
      // Longer than is waited for in between, twice over.
      if (clock.elapsed() - before > 6000) rmSync(lockPathOf(path), { recursive: true, force: true })
    }
    ticks.advance(2000)
    settle(live, 0, 90)
    await live.close()
    const { status, figures } = await state()
    expect(status).toBe('rolled-back')
    expect(figures.find(({ stage }) => stage === 50)?.candidate).toMatchObject({ files: 100, failures: 90 })
    expect(said).toEqual([expect.stringMatching(rolledBackLine)])
  })
})
