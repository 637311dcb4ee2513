import { describe, expect, it } from 'vitest'
import { UploadError } from '../../../../src/errors.ts'
import type { UploadEvent } from '../../../../src/observe/events.ts'
import { sourceError } from '../../../../src/plan/source-errors.ts'
import { createCrowding } from '../../../../src/transfer/trouble/crowding.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const errno = (code: string): Error => Object.assign(new Error(code), { code })
const crowded = new UploadError('INTERNAL', 'too many', { cause: errno('EMFILE') })
const never = Number.NEGATIVE_INFINITY

function scene(halves: (number | undefined)[] = []) {
  const clock = createFakeClock()
  const events: UploadEvent[] = []
  const crowding = createCrowding({
    clock,
    scheduler: { halve: () => halves.shift() },
    emit: (event) => void events.push(event),
  })
  return { clock, crowding, events, halves }
}

describe('createCrowding', () => {
  it.each<[string, unknown, boolean]>([
    ['a source', sourceError(errno('EMFILE')), true],
    ['a source, for the whole machine', sourceError(errno('ENFILE')), true],
    ['a socket', crowded, true],
    [
      'each of several addresses',
      new UploadError('INTERNAL', 'x', { cause: new AggregateError([errno('EMFILE'), errno('EMFILE')]) }),
      true,
    ],
    ['a file that is not there', sourceError(errno('ENOENT')), false],
    ['a server', new UploadError('THROTTLED', 'busy', { status: 503 }), false],
    ['anything', new UploadError('INTERNAL', 'x', { cause: 'EMFILE' }), false],
  ])('knows it by what it came from: %s', (_name, error, isCrowded) => {
    expect(scene().crowding.pauseMs(error as UploadError, never) !== undefined).toBe(isCrowded)
  })

  it('goes down step by step, a second apart, and warns once', async () => {
    const { clock, crowding, events } = scene([250, undefined, 125, 1])
    for (let n = 0; n < 100; n += 1) crowding.pauseMs(crowded, never)
    expect(events).toEqual([
      { type: 'warning', message: 'too many open files: 250 requests at a time from here on; raise "ulimit -n"' },
    ])
    await clock.advance(1000)
    crowding.pauseMs(crowded, never)
    crowding.pauseMs(crowded, never)
    await clock.advance(1000)
    crowding.pauseMs(crowded, never)
    expect(events.slice(1)).toEqual([
      { type: 'notice', message: expect.stringContaining(': 125 requests at a time') },
      { type: 'notice', message: expect.stringContaining(': 1 request at a time') },
    ])
  })

  it('waits a little, never the same', () => {
    const { crowding } = scene()
    const waits = Array.from({ length: 20 }, () => crowding.pauseMs(crowded, never) ?? 0)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000)
    expect(new Set(waits).size).toBe(20)
  })

  it('gives up where nothing gets through for a minute', async () => {
    const { clock, crowding } = scene()
    crowding.pauseMs(crowded, never)
    await clock.advance(60_000)
    expect(crowding.pauseMs(crowded, never)).toBeDefined()
    const success = clock.elapsed()
    await clock.advance(1)
    expect(crowding.pauseMs(crowded, never)).toBeUndefined()
    expect(crowding.pauseMs(crowded, success)).toBeDefined()
    await clock.advance(60_001)
    expect(crowding.pauseMs(crowded, success)).toBeUndefined()
  })
})
