import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createTally } from '../../../src/observe/tally.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { transferFiles } from '../../../src/transfer/transfer.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { manyOf, settings, sparseFile } from './scene.ts'

const count = 100_000
const sampleEvery = 500

describe('a very large plan', () => {
  it('takes no more memory at its end than at its beginning', { timeout: 60_000 }, async () => {
    const file = await sparseFile(10)
    async function* files(): AsyncGenerator<PlannedFile> {
      yield* manyOf(file, count)
    }
    const heap: number[] = []
    const tally = createTally()
    let recorded = 0
    const stopped = await transferFiles({
      files: files(),
      destination: createFakeDestination({ remembers: false }),
      settings: { ...settings, concurrency: 32 },
      stdin: () => Readable.from([]),
      clock: createFakeClock(),
      signal: new AbortController().signal,
      emit: tally.see,
      record: async () => {
        recorded += 1
        if (recorded % sampleEvery === 0) heap.push(process.memoryUsage().heapUsed)
      },
    })
    tally.stop()
    expect(stopped).toBeUndefined()
    expect([recorded, tally.counts.uploaded, tally.listed]).toEqual([count, count, count])

    // What is left after a collection: the least of many looks.
    const fifth = heap.length / 5
    const [first, last] = [heap.slice(fifth, 2 * fifth), heap.slice(-fifth)].map((looks) => Math.min(...looks))
    const perFile = ((last ?? 0) - (first ?? 0)) / (count * 0.6)
    expect(perFile, 'bytes kept of each file').toBeLessThan(100)
  })
})
