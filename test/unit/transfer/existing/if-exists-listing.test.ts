import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../../src/observe/records.ts'
import { transferFiles } from '../../../../src/transfer/transfer.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'
import { createFakeDestination, type FakeCall, type Fate } from '../../../support/fake-destination.ts'
import { failure, manyOf, type Scene, type SceneOptions, settings, transfer } from '../scene.ts'
import { fileOf, modes, ours, send, theirs, whats } from './if-exists-scene.ts'

const everyMode = ['skip', 'fail', 'newer', 'changed'] as const
type Mode = (typeof everyMode)[number]
const size = 10
const past = new Date(0)
const lists = ({ destination }: Scene): number => destination.calls.filter(({ what }) => what === 'list-objects').length
const heads = ({ destination }: Scene): number => destination.calls.filter(({ what }) => what === 'head').length
const notices = ({ events }: Scene): string[] =>
  events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))

interface Many extends Pick<SceneOptions, 'destination' | 'scope' | 'settings' | 'earlier'> {
  readonly count?: number
  /** Objects that are there: the files' own first. */
  readonly there?: number
}

/** So many files, and objects of other bytes under the keys of some of them. */
async function many(mode: Mode, { count = 150, there = 0, destination, ...options }: Many = {}): Promise<Scene> {
  const file = await fileOf(size)
  const onto = createFakeDestination({ listsBy: 50, ...destination })
  for (let n = 1; n <= there; n += 1) onto.place(`audio/take-${n}.wav`, { ...theirs(size), lastModified: past })
  return transfer({
    files: manyOf(file, count),
    onto,
    scope: { files: count, prefix: 'audio/' },
    ...options,
    settings: { ifExists: mode, ...options.settings },
  })
}

describe('many files', () => {
  it.each(everyMode)('are looked for in one listing, and none is asked for: %s', async (mode) => {
    const scene = await many(mode)
    expect(await scene.done).toBeUndefined()
    expect([lists(scene), heads(scene), scene.of('uploaded').length]).toEqual([1, 0, 150])
    expect(new Set(scene.records.map(({ replaced }) => replaced))).toEqual(new Set([null]))
    const { ifAbsent } = scene.destination.calls.find(({ what }) => what === 'put') ?? {}
    expect(ifAbsent).toBe(mode === 'skip' || mode === 'fail')
  })

  it.each([
    ['skip', { status: 'skipped', reason: 'exists' }],
    ['fail', { status: 'failed', error: { code: 'ALREADY_EXISTS' } }],
    ['newer', { status: 'uploaded', replaced: { size } }],
  ] as const)('that are there, each as its mode has it: %s', async (mode, record) => {
    const scene = await many(mode, { there: 120 })
    await scene.done
    const isThere = ({ key }: { readonly key: string }) => Number(/\d+/.exec(key)?.[0]) <= 120
    const met = scene.records.filter(isThere)
    expect(met).toHaveLength(120)
    for (const each of met) expect(each).toMatchObject(record)
    for (const each of scene.records.filter((one) => !isThere(one))) expect(each.status).toBe('uploaded')
    expect([lists(scene), heads(scene)]).toEqual([3, 0])
  })

  it('that overwrite are neither listed nor asked for', async () => {
    const scene = await many('overwrite' as Mode, { there: 10 })
    await scene.done
    expect([lists(scene), heads(scene), scene.of('uploaded').length]).toEqual([0, 0, 150])
  })

  it.each([
    ['a hundred at most', { count: 100 }],
    ['a destination that cannot list', { destination: { listsBy: 0 } }],
    ['one that is asked without a request', { destination: { headIsFree: true } }],
    ['a scope that nobody knows', { scope: undefined }],
  ] as const)('are asked for one by one: %s', async (_why, options) => {
    const { destination = {} } = options as Many
    const cannot = destination.listsBy === 0
    const scene = await many('newer', {
      ...options,
      destination: cannot ? { listsBy: undefined as never } : destination,
    })
    await scene.done
    expect([lists(scene), heads(scene)]).toEqual([0, scene.records.length])
  })

  it('are asked for one by one where the listing turns out to be of others', async () => {
    const scene = await many('skip', { there: 150 * 20 + 1 })
    await scene.done
    expect([lists(scene), heads(scene), scene.of('skipped').length]).toEqual([61, 150, 150])
    expect(notices(scene)).toEqual([expect.stringMatching(/^there are more than 3000 objects in fake:\/\/bucket\//)])
    const just = await many('skip', { there: 150 * 20 })
    await just.done
    expect([lists(just), heads(just), just.of('skipped').length]).toEqual([60, 0, 150])
  })

  it.each([
    ['is denied', failure('ACCESS_DENIED', 'no', { status: 403 })],
    ['is nothing the server knows', failure('BAD_RESPONSE', 'no', { status: 501, retryable: false })],
  ])('are asked for one by one where listing %s', async (_why, fate) => {
    const script = ({ what }: FakeCall): Fate => (what === 'list-objects' ? fate : undefined)
    const scene = await many('newer', { there: 5, destination: { script } })
    expect(await scene.done).toBeUndefined()
    expect([lists(scene), heads(scene), scene.of('uploaded').length]).toEqual([1, 150, 150])
    expect(notices(scene)).toEqual([expect.stringMatching(/may not be listed/)])
  })

  it('whose keys are other than was thought are asked for', async () => {
    const find: NonNullable<SceneOptions['earlier']>['find'] = async ({ index, key }) => ({
      key: index <= 3 ? `earlier/${key}` : key,
    })
    const scene = await many('skip', { earlier: { find } })
    await scene.done
    expect([lists(scene), heads(scene), scene.of('uploaded').length]).toEqual([1, 3, 150])
  })
})

describe('a listing', () => {
  it('that breaks off is made again from its beginning', async () => {
    const script = ({ what, partNumber, attempt }: FakeCall): Fate =>
      what === 'list-objects' && partNumber === 2 && attempt === 1
        ? failure('SERVER_ERROR', 'broken', { status: 500 })
        : undefined
    const scene = await many('skip', { there: 150, destination: { script } })
    expect(await scene.done).toBeUndefined()
    expect([lists(scene), heads(scene), scene.of('skipped').length]).toEqual([2 + 3, 0, 150])
    expect(scene.events.filter(({ type }) => type === 'file-retry')).toHaveLength(1)
    expect(scene.records.map(({ attempts }) => attempts)).toEqual(Array(150).fill(0))
  })

  it('that fails for good fails the files that waited for it, which is not the end', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'list-objects' ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
    const scene = await many('skip', { destination: { script } })
    expect(await scene.done).toBeUndefined()
    expect(scene.of('failed')).toHaveLength(150)
    expect(scene.records[0]).toMatchObject({ attempts: 0, error: { code: 'SERVER_ERROR' } })
    expect([heads(scene), whats(scene).includes('put')]).toEqual([0, false])
  })

  it('that fails is made again in a later pass', async () => {
    let failures = 0
    const script = ({ what }: FakeCall): Fate => {
      // Four wait for it, with two retries.
      if (what !== 'list-objects' || failures === 3) return undefined
      failures += 1
      return failure('SERVER_ERROR', 'broken', { status: 500 })
    }
    const scene = await many('skip', { destination: { script } })
    await scene.done
    expect([scene.of('uploaded').length, heads(scene)]).toEqual([150, 0])
    expect(scene.events.filter(({ type }) => type === 'file-deferred').length).toBeGreaterThan(0)
  })

  it('for a bucket that is not there ends the run', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'list-objects' ? failure('BUCKET_NOT_FOUND', 'no such bucket', { status: 404 }) : undefined
    const scene = await many('newer', { destination: { script } })
    expect(await scene.done).toMatchObject({ code: 'BUCKET_NOT_FOUND' })
    expect(scene.of('cancelled').length).toBeGreaterThan(140)
  })

  it('is cut by a stop', async () => {
    const script = ({ what }: FakeCall): Fate => (what === 'list-objects' ? 'hang' : undefined)
    const scene = await many('newer', { destination: { script } })
    while (lists(scene) === 0) await settled()
    scene.stop.abort()
    await scene.done
    expect(scene.of('cancelled')).toHaveLength(150)
    expect(whats(scene)).toEqual(['list-objects'])
  })
})

it('each lane lists for itself, by its own keys and settings', async () => {
  const file = await fileOf(size)
  const ways = (['skip', 'newer', 'overwrite'] as const).map((ifExists, lane) => {
    const destination = createFakeDestination({ listsBy: 50 })
    const prefix = `lane-${lane}/`
    destination.place(`${prefix}0`, { ...theirs(size), lastModified: new Date(4e12) })
    return { destination, settings: { ...settings, ifExists }, scope: { files: 150, prefix } }
  })
  async function* files() {
    for (let n = 0; n < 450; n += 1)
      yield { ...file, index: n + 1, lane: n % 3, key: `lane-${n % 3}/${Math.floor(n / 3)}` }
  }
  const records: FileRecord[] = []
  await transferFiles({
    files: files(),
    lanes: ways,
    settings,
    stdin: () => Readable.from([]),
    clock: createFakeClock(),
    signal: new AbortController().signal,
    emit: () => {},
    record: async (record) => void (record.type === 'file' && records.push(record)),
  })
  const asked = ways.map(({ destination }) =>
    destination.calls.filter(({ what }) => what !== 'put').map(({ what, key }) => `${what} ${key}`),
  )
  expect(asked).toEqual([['list-objects lane-0/'], ['list-objects lane-1/'], []])
  const passedOver = records.filter(({ status }) => status === 'skipped')
  expect(passedOver.map(({ key, reason }) => `${key} ${reason}`).toSorted()).toEqual([
    'lane-0/0 exists',
    'lane-1/0 not-newer',
  ])
  expect(records).toHaveLength(450)
})

describe('a run that is continued', () => {
  const begunAtMs = Date.UTC(2026, 10, 22, 7)
  const since = new Date(begunAtMs + 1000)
  const scope = { files: 101, prefix: 'audio/' }

  it.each(modes)('knows what it had stored, as the listing has it: %s', async (mode) => {
    const file = await fileOf(size)
    const earlier = { begunAtMs, find: async () => undefined }
    const scene = send(file, mode, { earlier, scope, listsBy: 10 })
    scene.destination.place(file.key, { ...ours(size), lastModified: since })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'skipped', reason: 'already-uploaded', replaced: null }])
    expect(whats(scene)).toEqual(['list-objects', 'head'])
  })

  it.each(modes)('asks for nothing that was there before: %s', async (mode) => {
    const file = await fileOf(size)
    const scene = send(file, mode, { earlier: { begunAtMs, find: async () => undefined }, scope, listsBy: 10 })
    scene.destination.place(file.key, { ...ours(size), lastModified: past })
    await scene.done
    expect(scene.records).toMatchObject([mode === 'skip' ? { reason: 'exists' } : { status: 'failed' }])
    expect(whats(scene)).toEqual(['list-objects'])
  })
})
