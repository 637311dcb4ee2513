import { describe, expect, it } from 'vitest'
import type { FileRecord } from '../../../src/observe/records.ts'
import { createBreaker } from '../../../src/transfer/breaker.ts'
import { newWork } from '../../../src/transfer/file-record.ts'
import { createSettlement } from '../../../src/transfer/settlement.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { failure, fates, planned } from './scene.ts'

function scene(passes = 1) {
  const stop = new AbortController()
  const records: FileRecord[] = []
  const breaker = createBreaker()
  const settlement = createSettlement({
    destination: createFakeDestination(),
    breaker,
    emit: () => {},
    record: async (record) => void records.push(record),
    passes,
    signal: stop.signal,
    stop: () => stop.abort(),
  })
  return { settlement, records, stop, breaker }
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

  it('tells the first cause where there are several', async () => {
    const { settlement } = scene()
    const first = failure('CREDENTIALS_INVALID', 'first')
    settlement.stop(first)
    settlement.stop(failure('INTERNAL', 'second'))
    expect(settlement.stopped).toBe(first)
  })

  it('takes files that were refused for what they are once one has arrived', async () => {
    const { settlement, records } = scene()
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
    expect(settlement.stopped).toBeUndefined()
  })

  it('records nothing after the end', async () => {
    const { settlement, records } = scene()
    await settlement.end()
    await settlement.uploaded(work(1), info)
    await settlement.cancelled(work(2))
    expect(records).toEqual([])
  })
})
