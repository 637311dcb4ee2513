import { describe, expect, it } from 'vitest'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import { createFakeDestination, type FakeDestinationOptions } from '../../support/fake-destination.ts'
import { failure, fates, MiB, planned, type SceneOptions, sparseFile, transfer } from './scene.ts'

/** Files that take the two lanes in turn: even ones the second. */
async function mixed(count: number, size = 10): Promise<PlannedFile[]> {
  const { absolute, mtimeMs } = await sparseFile(size)
  return Array.from({ length: count }, (_, at) =>
    planned(at + 1, { absolute, size, mtimeMs, lane: (at + 1) % 2 === 0 ? 1 : 0 }),
  )
}

async function scene(
  count: number,
  other: FakeDestinationOptions,
  options: Partial<SceneOptions> = {},
  own: FakeDestinationOptions = {},
) {
  const first = createFakeDestination({ url: 'fake://own/', ...own })
  const second = createFakeDestination({ url: 'fake://other/', ...other })
  const lanes = [{ destination: first }, { destination: second }]
  return { first, second, ...transfer({ files: await mixed(count), lanes, ...options }) }
}

const numbers = (count: number, isWanted: (index: number) => boolean) =>
  Array.from({ length: count }, (_, at) => at + 1).filter(isWanted)
const isEven = (index: number): boolean => index % 2 === 0
const warnings = (events: readonly { type: string; message?: string }[]) =>
  events.flatMap(({ type, message }) => (type === 'warning' ? [message] : []))

describe('files of two lanes', () => {
  it('go each to their own destination, and say so in their records', async () => {
    const { first, second, records, causes } = await scene(6, {})
    expect(await causes).toEqual([])
    expect([[...first.objects.keys()], [...second.objects.keys()]]).toEqual([
      numbers(6, (index) => !isEven(index)).map((index) => `audio/take-${index}.wav`),
      numbers(6, isEven).map((index) => `audio/take-${index}.wav`),
    ])
    for (const { path, destination } of records) {
      expect(destination).toBe(isEven(Number(/\d+/.exec(path))) ? 'fake://other/' : 'fake://own/')
    }
  })

  it('share the slots', async () => {
    let inFlight = 0
    let most = 0
    const script = async () => {
      inFlight += 1
      most = Math.max(most, inFlight)
      await settled()
      inFlight -= 1
      return undefined
    }
    const { done } = await scene(40, { script }, { settings: { concurrency: 3 } }, { script })
    await done
    expect(most).toBe(3)
  })

  it('go by the settings of their lane', async () => {
    const file = await sparseFile(5 * MiB)
    const first = createFakeDestination({ url: 'fake://own/', multipart: {} })
    const second = createFakeDestination({ url: 'fake://other/', multipart: {} })
    const partwise = { partSize: MiB, multipartThreshold: MiB }
    const { done, records, lines } = transfer({
      files: [
        file,
        { ...file, index: 2, path: 'b', key: 'b', lane: 1 },
        { ...file, index: 3, path: 'c', key: 'c', lane: 2 },
      ],
      lanes: [
        { destination: first },
        { destination: second, settings: partwise },
        { destination: first, settings: partwise },
      ],
    })
    await done
    expect(Object.fromEntries(records.map(({ path, parts }) => [path, parts]))).toEqual({ 'take-1.wav': 1, b: 5, c: 5 })
    // A beginning says where it is, unless that is the run's own destination.
    const begun = lines.flatMap((line) => (line.type === 'upload-started' ? [[line.path, line.destination]] : []))
    expect(Object.fromEntries(begun)).toEqual({ b: 'fake://other/', c: undefined })
  })

  it('are asked for where their lane says so, and only there', async () => {
    const first = createFakeDestination({ url: 'fake://own/' })
    const second = createFakeDestination({ url: 'fake://other/' })
    second.place('audio/take-2.wav', { size: 1, bytes: Buffer.from('x') })
    const { done, records } = transfer({
      files: await mixed(4),
      lanes: [{ destination: first }, { destination: second, settings: { ifExists: 'skip' } }],
    })
    await done
    expect(fates(records)).toMatchObject({ 'take-2.wav': 'skipped', 'take-4.wav': 'uploaded' })
    expect(first.calls.filter(({ what }) => what === 'head')).toEqual([])
    expect(records.find(({ path }) => path === 'take-4.wav')?.replaced).toBeNull()
    expect(records.find(({ path }) => path === 'take-1.wav')?.replaced).toBeUndefined()
  })
})

describe('a destination that cannot be gone on with', () => {
  it('is given up alone, said once', async () => {
    const error = failure('BUCKET_NOT_FOUND', 'there is no such bucket')
    const { causes, records, events, first } = await scene(20, { script: () => error })
    expect(await causes).toEqual([{ error, destination: 'fake://other/' }])
    const all = Object.values(fates(records))
    expect(all.filter((fate) => fate === 'uploaded')).toHaveLength(10)
    expect(all.filter((fate) => fate === 'cancelled')).toHaveLength(9)
    expect(all.filter((fate) => fate === 'failed BUCKET_NOT_FOUND')).toHaveLength(1)
    expect(first.objects.size).toBe(10)
    expect(warnings(events)).toEqual([
      'fake://other/ is given up, and its files are cancelled: there is no such bucket (BUCKET_NOT_FOUND)',
    ])
    const told = events.filter((event) => event.type === 'file' && event.stopsRun)
    expect(told).toHaveLength(1)
  })

  it('ends the run with the last of them', async () => {
    const { causes, records, stop, events } = await scene(
      20,
      { script: () => failure('BUCKET_NOT_FOUND', 'gone') },
      {},
      { script: () => failure('CREDENTIALS_INVALID', 'wrong') },
    )
    expect((await causes).map(({ error, destination }) => [error.code, destination]).toSorted()).toEqual([
      ['BUCKET_NOT_FOUND', 'fake://other/'],
      ['CREDENTIALS_INVALID', 'fake://own/'],
    ])
    expect([stop.signal.aborted, records.length, warnings(events).length]).toEqual([false, 20, 2])
  })

  it('cuts what is in flight there, and nothing else', async () => {
    let fail = (_error: Error): void => {}
    const failing = new Promise<Error>((resolve) => {
      fail = resolve
    })
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const { causes, records, second, first } = await scene(
      4,
      { script: ({ key }) => (key.includes('take-2') ? failing : 'hang') },
      {},
      { script: () => held },
    )
    while (first.requests + second.requests < 4) await settled()
    fail(failure('CREDENTIALS_INVALID', 'wrong'))
    while (records.length < 2) await settled()
    expect(fates(records)).toEqual({ 'take-2.wav': 'failed CREDENTIALS_INVALID', 'take-4.wav': 'cancelled' })
    release()
    expect(await causes).toHaveLength(1)
    expect(fates(records)).toMatchObject({ 'take-1.wav': 'uploaded', 'take-3.wav': 'uploaded' })
  })

  it('may be one that was never reached, after three tries', async () => {
    const unreachable = () => failure('CONNECTION', 'refused', { retryable: true, unreachable: true })
    const { causes, second, records } = await scene(20, { script: unreachable }, { settings: { concurrency: 1 } })
    expect(await causes).toMatchObject([{ error: { code: 'CONNECTION' }, destination: 'fake://other/' }])
    expect(second.calls).toHaveLength(3)
    expect(Object.values(fates(records)).filter((fate) => fate === 'uploaded')).toHaveLength(10)
  })

  it('may be one that is gone for too long: the others’ files were not kept from going', async () => {
    const clock = createFakeClock()
    let isGone = false
    const script = ({ key }: { key: string }) => {
      if (key.includes('take-4')) isGone = true
      return isGone ? failure('CONNECTION', 'refused', { retryable: true, unreachable: true }) : undefined
    }
    const { causes, records, events } = await scene(20, { script }, { clock, settings: { concurrency: 8 } })
    expect(await causes).toMatchObject([{ destination: 'fake://other/' }])
    expect(warnings(events)[0]).toMatch(/^fake:\/\/other\/ cannot be reached; waiting for it until/)
    const all = fates(records)
    for (const index of numbers(20, (each) => !isEven(each))) expect(all[`take-${index}.wav`]).toBe('uploaded')
    expect(all['take-2.wav']).toBe('uploaded')
  })

  it('takes with it what was put off to the end', async () => {
    let calls = 0
    const script = () => {
      calls += 1
      return calls <= 3
        ? failure('TIMEOUT', 'late', { retryable: true, status: 504 })
        : failure('BUCKET_NOT_FOUND', 'gone')
    }
    const { causes, records, events } = await scene(6, { script }, { settings: { concurrency: 1 } })
    expect(await causes).toHaveLength(1)
    expect(events.some(({ type }) => type === 'file-deferred')).toBe(true)
    expect(fates(records)).toMatchObject({
      'take-2.wav': 'cancelled',
      'take-4.wav': 'failed BUCKET_NOT_FOUND',
      'take-6.wav': 'cancelled',
    })
  })
})

describe('access denied', () => {
  const denied = () => failure('ACCESS_DENIED', 'no')

  it('everywhere at one of them is its end, though the other works', async () => {
    const { causes, records } = await scene(10, { script: denied })
    expect(await causes).toMatchObject([{ error: { code: 'ACCESS_DENIED' }, destination: 'fake://other/' }])
    const all = Object.values(fates(records))
    expect(all.filter((fate) => fate === 'failed ACCESS_DENIED')).toHaveLength(1)
    expect(all.filter((fate) => fate === 'cancelled')).toHaveLength(4)
    expect(all.filter((fate) => fate === 'uploaded')).toHaveLength(5)
  })

  it('for one file of several there is that file’s failure', async () => {
    const script = ({ key }: { key: string }) => (key.includes('take-2') ? denied() : undefined)
    const { causes, records } = await scene(10, { script })
    expect(await causes).toEqual([])
    expect(fates(records)['take-2.wav']).toBe('failed ACCESS_DENIED')
  })
})

describe('what ends the run ends all of it', () => {
  it('a rule', async () => {
    const halt = { maxFailures: 2, maxErrorRate: undefined }
    const { causes, records } = await scene(
      40,
      { script: () => failure('KEY_INVALID', 'no') },
      { settings: { halt, concurrency: 1 } },
    )
    expect(await causes).toMatchObject([{ error: { code: 'HALTED' } }])
    expect(records.filter(({ status }) => status === 'uploaded').length).toBeLessThan(10)
  })

  it('the user', async () => {
    const { causes, records, stop, first, second } = await scene(
      4,
      { script: () => 'hang' },
      {},
      { script: () => 'hang' },
    )
    while (first.requests + second.requests < 4) await settled()
    stop.abort()
    expect(await causes).toEqual([])
    expect(Object.values(fates(records))).toEqual(Array(4).fill('cancelled'))
  })

  it('a journal that cannot be written', async () => {
    const record = async (): Promise<void> => {
      throw failure('INTERNAL', 'the disk is full')
    }
    const { causes } = await scene(4, {}, { record })
    const [cause, ...others] = await causes
    expect([cause?.error.message, cause?.destination, others]).toEqual(['the disk is full', undefined, []])
  })
})

it('files that a route leaves out are passed over, and none is sent', async () => {
  const own = createFakeDestination()
  const files = (await mixed(4)).map((file) =>
    file.lane === 1 ? { ...file, skip: 'excluded-by-rule' as const } : file,
  )
  const { done, records } = transfer({ files, lanes: [{ destination: own }, { destination: own }] })
  await done
  expect(records.filter(({ reason }) => reason === 'excluded-by-rule').map(({ attempts }) => attempts)).toEqual([0, 0])
  expect(own.objects.size).toBe(2)
})
