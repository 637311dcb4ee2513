import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createTally } from '../../../src/observe/tally.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { transferFiles } from '../../../src/transfer/transfer.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { bytesInUse } from '../plan/tree.ts'
import { manyOf, settings, sparseFile } from './scene.ts'

const count = 100_000
const warmUp = 20_000

describe('a very large plan', () => {
  it('takes no more memory at its end than at its beginning', { timeout: 60_000 }, async () => {
    const file = await sparseFile(10)
    async function* files(): AsyncGenerator<PlannedFile> {
      yield* manyOf(file, count)
    }
    let first = 0
    let last = 0
    const tally = createTally()
    let recorded = 0
    const stopped = await transferFiles({
      files: files(),
      lanes: [{ destination: createFakeDestination({ remembers: false }), settings }],
      settings: { ...settings, concurrency: 32 },
      stdin: () => Readable.from([]),
      clock: createFakeClock(),
      signal: new AbortController().signal,
      emit: tally.see,
      record: async () => {
        recorded += 1
        if (recorded === warmUp) first = bytesInUse()
        if (recorded === count) last = bytesInUse()
      },
    })
    tally.stop()
    expect(stopped).toEqual([])
    expect([recorded, tally.counts.uploaded, tally.listed]).toEqual([count, count, count])

    expect((last - first) / (count - warmUp), 'bytes kept of each file').toBeLessThan(20)
  })
})
