import { describe, expect, it } from 'vitest'
import { parseDestinationUrl } from '../../../src/config/destination-url.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { UploadError, UsageError } from '../../../src/errors.ts'
import type { RunLane } from '../../../src/lanes.ts'
import type { UploadEvent } from '../../../src/observe/events.ts'
import type { FileRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { guardRun } from '../../../src/undo/guard.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeDestination, type FakeDestination } from '../../support/fake-destination.ts'
import { defaultSettings } from '../../support/settings.ts'
import { planned } from '../transfer/scene.ts'

interface Scene {
  readonly candidate?: FakeDestination
  readonly baseline?: FakeDestination
  readonly settings?: Partial<Settings>
  readonly fallback?: boolean
  readonly signal?: AbortSignal
  readonly files?: readonly PlannedFile[]
}

const retry = { ...defaultSettings.retry, retries: 0 }
/** Which goes to the candidate, under another key than it would have on the baseline. */
const rolledOut = planned(1, {
  lane: 1,
  key: 'new/a.wav',
  side: 'candidate',
  onBaseline: { lane: 0, key: 'old/a.wav', originalKey: undefined, properties: {} },
})

function guarded(scene: Scene = {}) {
  const events: UploadEvent[] = []
  const baseline = scene.baseline ?? createFakeDestination({ url: 's3://b/old/' })
  const candidate = scene.candidate ?? createFakeDestination({ url: 's3://c/new/' })
  const lane = (destination: FakeDestination, side?: 'candidate'): RunLane => ({
    settings: { ...defaultSettings, retry, ...(side && scene.settings) },
    url: parseDestinationUrl(destination.url),
    destination,
    side,
  })
  const files = scene.files ?? [rolledOut, planned(2, { key: 'old/b.wav', side: 'baseline' })]
  const guard = guardRun({
    settings: { concurrency: 4, retry, undoOnFailure: true, rollout: { fallback: scene.fallback ?? true } },
    lanes: [lane(baseline), lane(candidate, 'candidate')],
    candidateOf: [1],
    plan: {
      async *files() {
        yield* files
      },
      scope: () => ({ files: files.length, prefix: '' }),
    },
    cwd: '/',
    clock: createFakeClock(),
    signal: scene.signal ?? new AbortController().signal,
    emit: (event) => void events.push(event),
  })
  return { guard, baseline, candidate, events }
}

const there = { size: 1, bytes: Buffer.from('x') }
const keysAsked = ({ calls }: FakeDestination): string[] => calls.map(({ key }) => key).sort()

describe('--undo-on-failure of a run with a rollout', () => {
  it('is promised at both sides: what goes to the candidate may go by the baseline after that', async () => {
    const { guard, baseline, candidate } = guarded()
    await guard.promise(undefined)
    expect(keysAsked(baseline)).toEqual(['old/a.wav', 'old/b.wav'])
    expect(keysAsked(candidate)).toEqual(['new/a.wav'])
    expect([guard.replacedIn(0), guard.replacedIn(1)]).toEqual([null, null])
  })

  it.each([
    ['baseline', 'old/a.wav'],
    ['candidate', 'new/a.wav'],
  ] as const)('is refused where a file of the candidate’s would replace something at the %s', async (side, key) => {
    const scene = guarded()
    scene[side].place(key, there)
    await expect(scene.guard.promise(undefined)).rejects.toThrow(UsageError)
    await expect(scene.guard.promise(undefined)).rejects.toThrow(`${key}; choose another prefix`)
  })

  it('is asked for once where both sides have the same objects', async () => {
    const candidate = createFakeDestination({ url: 's3://b/old/' })
    const sameKey = planned(1, { ...rolledOut, key: 'old/a.wav' })
    const { guard, baseline } = guarded({ candidate, files: [sameKey] })
    await guard.promise(undefined)
    expect([keysAsked(baseline), keysAsked(candidate)]).toEqual([['old/a.wav'], []])
    expect([guard.replacedIn(0), guard.replacedIn(1)]).toEqual([null, null])
  })

  it.each([
    ['keys', { keyFix: true }, {}],
    ['an endpoint', {}, { endpoint: 'https://elsewhere' }],
  ])('is asked for at either where they have %s of their own', async (_name, settings, destination) => {
    const candidate = createFakeDestination({ url: 's3://b/old/', ...destination })
    const { guard } = guarded({ candidate, settings })
    await guard.promise(undefined)
    expect(keysAsked(candidate)).toEqual(['new/a.wav'])
  })
})

describe('a candidate that cannot be asked what it would replace', () => {
  const denied = new UploadError('CREDENTIALS_INVALID', 'no such key', { status: 403 })
  const unasked = () => createFakeDestination({ url: 's3://c/new/', script: () => denied })
  const control = (settled: (record: FileRecord) => void = () => {}) => ({
    isOn: true,
    percentage: 50,
    fallback: true,
    stage: 10,
    settled,
  })

  it('gets no file, where the baseline can have them', async () => {
    const { guard, events } = guarded({ candidate: unasked() })
    const seen: FileRecord[] = []
    const on = control((record) => seen.push(record))
    expect(guard.rollout(on).isOn).toBe(true)
    await guard.promise(undefined)
    const without = guard.rollout(on)
    expect([without.isOn, without.fallback, without.stage]).toEqual([false, true, 10])
    const record = {} as FileRecord
    without.settled(record)
    expect(seen).toEqual([record])
    expect(events).toEqual([
      {
        type: 'warning',
        message:
          'the candidate gets no file of this run, since --undo-on-failure could not be promised there: no such key (CREDENTIALS_INVALID)',
      },
    ])
  })

  it('ends the run where its files have no other way, where it is the baseline, and where the run is stopped', async () => {
    await expect(guarded({ candidate: unasked(), fallback: false }).guard.promise(undefined)).rejects.toBe(denied)
    await expect(guarded({ baseline: unasked() }).guard.promise(undefined)).rejects.toBe(denied)
    const stop = new AbortController()
    const candidate = createFakeDestination({
      url: 's3://c/new/',
      script() {
        stop.abort()
        return denied
      },
    })
    await expect(guarded({ candidate, signal: stop.signal }).guard.promise(undefined)).rejects.toThrow(UploadError)
  })

  it('has nothing to do with what the rollout decides otherwise', async () => {
    const { guard } = guarded()
    await guard.promise(undefined)
    expect(guard.rollout({ ...control(), isOn: false }).isOn).toBe(false)
    expect(guard.rollout(control()).isOn).toBe(true)
  })
})
