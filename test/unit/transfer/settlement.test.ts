import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../src/observe/records.ts'
import { newWork } from '../../../src/transfer/file-record.ts'
import { createSettlement } from '../../../src/transfer/settlement.ts'
import { createBreaker } from '../../../src/transfer/trouble/breaker.ts'
import { createHalt } from '../../../src/transfer/trouble/halt.ts'
import { createStops } from '../../../src/transfer/trouble/stops.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { failure, fates, planned } from './scene.ts'

function scene(passes = 1, rules: Partial<Parameters<typeof createHalt>[0]> = {}) {
  const stops = createStops(new AbortController().signal, [{ url: 'fake://bucket/' }], () => {})
  const records: FileRecord[] = []
  const breaker = createBreaker()
  const [part] = stops.parts
  if (part === undefined) throw new Error('no destination')
  const settlement = createSettlement({
    lanes: [{ destination: createFakeDestination(), breaker, skipsExisting: false, replaced: undefined, ...part }],
    stops,
    halt: createHalt({ maxFailures: undefined, maxErrorRate: undefined, ...rules }),
    emit: () => {},
    record: async (record) => void records.push(record),
    passes,
  })
  return { settlement, records, stops, breaker }
}

const work = (index: number) => newWork(planned(index))
const info = { key: 'k', size: 0 }

describe('createSettlement', () => {
  it('holds no more than 10,000 files for another pass', async () => {
    const { settlement, records, breaker } = scene()
    breaker.succeeded()
    for (let index = 1; index <= 10_002; index += 1) await settlement.failed(work(index), failure('TIMEOUT', 'late'))
    expect(records.map((record) => record.path)).toEqual(['take-10001.wav', 'take-10002.wav'])
    expect(settlement.nextPass()).toHaveLength(10_000)
    expect(settlement.nextPass()).toHaveLength(0)
  })

  it('halts at the failure that a rule allows no more, refused files and late ones included', async () => {
    const { settlement, records, stops, breaker } = scene(1, { maxFailures: 3 })
    breaker.succeeded()
    await settlement.refused(work(1), failure('KEY_INVALID', 'no'))
    await settlement.failed(work(2), failure('TIMEOUT', 'put off'))
    await settlement.failed(work(3), failure('TOO_LARGE', 'no'))
    expect(stops.signal.aborted).toBe(false)
    const [late] = settlement.nextPass()
    expect(late?.file.index).toBe(2)
    await settlement.failed(work(2), failure('TIMEOUT', 'for good'))
    expect(stops.causes).toMatchObject([
      { error: { code: 'HALTED', message: expect.stringContaining('--max-failures 3') } },
    ])
    await settlement.failed(work(5), failure('TOO_LARGE', 'no'))
    expect(fates(records)).toMatchObject({ 'take-2.wav': 'failed TIMEOUT', 'take-5.wav': 'cancelled' })
  })

  it('counts failures as they come, however slowly they are recorded', async () => {
    const { settlement, records, breaker } = scene(0, { maxFailures: 2 })
    breaker.succeeded()
    await Promise.all([1, 2, 3, 4, 5].map((index) => settlement.failed(work(index), failure('TOO_LARGE', 'no'))))
    expect(Object.values(fates(records))).toEqual([
      'failed TOO_LARGE',
      'failed TOO_LARGE',
      'cancelled',
      'cancelled',
      'cancelled',
    ])
  })

  it('tells the first cause where there are several', async () => {
    const { stops } = scene()
    const first = failure('CREDENTIALS_INVALID', 'first')
    stops.stop(first)
    stops.stop(failure('INTERNAL', 'second'))
    expect(stops.causes).toEqual([{ error: first }])
  })

  it('takes files that were refused for what they are once one has arrived', async () => {
    const { settlement, records, stops } = scene()
    await settlement.failed(work(1), failure('ACCESS_DENIED', 'no'))
    await settlement.failed(work(2), failure('ACCESS_DENIED', 'no'))
    expect(records).toEqual([])
    await settlement.uploaded(work(3), info)
    await settlement.failed(work(4), failure('ACCESS_DENIED', 'no'))
    await settlement.end()
    expect(fates(records)).toEqual({
      'take-3.wav': 'uploaded',
      'take-1.wav': 'failed ACCESS_DENIED',
      'take-2.wav': 'failed ACCESS_DENIED',
      'take-4.wav': 'failed ACCESS_DENIED',
    })
    expect(stops.causes).toEqual([])
  })

  it('records nothing after the end', async () => {
    const { settlement, records } = scene()
    await settlement.end()
    await settlement.uploaded(work(1), info)
    await settlement.cancelled(work(2))
    expect(records).toEqual([])
  })
})
