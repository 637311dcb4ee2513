import { describe, expect, it } from 'vitest'
import type { UploadEvent } from '../../../src/observe/events.ts'
import { settled } from '../../support/fake-clock.ts'
import { failure, fates } from './scene.ts'
import { sided, twoSides } from './sides-scene.ts'

const isEven = (index: number): boolean => index % 2 === 0
const all = () => true

/** Answers when it is told to. */
function held() {
  let release = (): void => {}
  const answer = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined)
  })
  return { script: () => answer, release: () => release() }
}

/** Answers a turn later, so that requests overlap. */
const soon = () => settled().then(() => undefined)

describe('sides of as many requests at a time', () => {
  it('share them', async () => {
    const { done, baseline, candidate } = await twoSides({
      files: await sided(40, isEven),
      settings: { concurrency: 3 },
      candidate: { script: soon },
      baseline: { script: soon },
    })
    await done
    expect(baseline.mostRequests + candidate.mostRequests).toBeGreaterThan(3)
    expect(Math.max(baseline.mostRequests, candidate.mostRequests)).toBeLessThanOrEqual(3)
  })
})

describe('sides that share their slots', () => {
  it('leave half of them to a baseline whose candidate answers nothing', async () => {
    const { script, release } = held()
    const { done, baseline, candidate, records } = await twoSides({
      files: await sided(200, isEven),
      settings: { concurrency: 4 },
      percentage: 10,
      candidate: { script },
      baseline: { script: soon },
    })
    while (baseline.objects.size < 100) await settled()
    expect([candidate.requests, baseline.mostRequests, records.length]).toEqual([2, 2, 100])
    release()
    await done
    expect(records).toHaveLength(200)
  })

  it('send what falls back in the slot it has', async () => {
    const { done, baseline, candidate, records } = await twoSides({
      files: await sided(60, all),
      settings: { concurrency: 2 },
      percentage: 99,
      candidate: { script: () => soon().then(() => failure('BAD_RESPONSE', 'nonsense', { status: 400 })) },
      baseline: { script: soon },
    })
    await done
    expect([baseline.mostRequests, candidate.mostRequests]).toEqual([1, 1])
    expect(records.filter(({ status, fallback }) => status === 'uploaded' && fallback !== undefined)).toHaveLength(60)
  })
})

describe('sides of different numbers of requests at a time', () => {
  const lanes = [{}, { concurrency: 7 }] as const

  it('have as many each', async () => {
    const { done, baseline, candidate, records } = await twoSides({
      files: await sided(100, isEven),
      settings: { concurrency: 3 },
      lanes,
      candidate: { script: soon },
      baseline: { script: soon },
    })
    await done
    expect([baseline.mostRequests, candidate.mostRequests]).toEqual([3, 7])
    expect(records).toHaveLength(100)
  })

  it('do not wait for each other', async () => {
    const { script, release } = held()
    const { done, baseline, candidate, records } = await twoSides({
      files: await sided(200, isEven),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script },
    })
    while (baseline.objects.size < 100) await settled()
    expect([candidate.requests, records.length]).toEqual([7, 100])
    release()
    await done
    expect(records).toHaveLength(200)
  })

  it('let no more than a thousand files wait', async () => {
    const { script, release } = held()
    let read = 0
    const files = await sided(3000, (index) => index > 1)
    async function* counted() {
      for (const file of files) {
        read += 1
        yield file
      }
    }
    const { done, candidate, records } = await twoSides({
      files: counted(),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script },
    })
    while (candidate.requests < 7) await settled()
    for (let turns = 0; turns < 20; turns += 1) await settled()
    expect(read).toBeGreaterThan(900)
    expect(read).toBeLessThan(1100)
    release()
    await done
    expect(records).toHaveLength(3000)
  })

  it('send what falls back in slots of the baseline', async () => {
    const { script, release } = held()
    const { done, baseline, candidate, records } = await twoSides({
      files: await sided(60, all),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script: () => script().then(() => failure('QUOTA_EXCEEDED', 'full')) },
      baseline: { script: soon },
    })
    while (candidate.requests < 7) await settled()
    release()
    await done
    expect([baseline.mostRequests, candidate.mostRequests]).toEqual([2, 7])
    expect(records.filter(({ status, fallback }) => status === 'uploaded' && fallback !== undefined)).toHaveLength(60)
  })

  it('end with a stop, what waits included', async () => {
    const { causes, candidate, baseline, records, stop } = await twoSides({
      files: await sided(300, isEven),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script: () => 'hang' },
      baseline: { script: () => 'hang' },
    })
    while (candidate.requests < 7 || baseline.requests < 2) await settled()
    stop.abort()
    expect(await causes).toEqual([])
    expect(Object.values(fates(records))).toEqual(Array(300).fill('cancelled'))
  })

  it('end with a plan that breaks off, once what waits was sent', async () => {
    const files = await sided(50, isEven)
    async function* broken() {
      yield* files
      throw failure('SOURCE_UNREADABLE', 'the directory is gone')
    }
    const { causes, records } = await twoSides({
      files: broken(),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script: soon },
      baseline: { script: soon },
    })
    expect(await causes).toMatchObject([{ error: { code: 'SOURCE_UNREADABLE' } }])
    expect(records).toHaveLength(50)
  })

  it('go on with the baseline alone after a rollback', async () => {
    const { script, release } = held()
    const { done, baseline, candidate, rollout } = await twoSides({
      files: await sided(200, all),
      settings: { concurrency: 2 },
      lanes,
      candidate: { script },
      baseline: { script: soon },
    })
    while (candidate.requests < 7) await settled()
    rollout.isOn = false
    rollout.stage = undefined
    release()
    await done
    // The one that was next had been given a slot to wait for.
    expect([candidate.objects.size, baseline.objects.size, baseline.mostRequests]).toEqual([7, 193, 2])
  })

  it('pass over files that failed, and put some off, as ever', async () => {
    const { done, records } = await twoSides({
      files: await sided(20, isEven),
      settings: { concurrency: 2 },
      lanes,
      baseline: {
        script: ({ attempt }) => (attempt <= 3 ? failure('SERVER_ERROR', 'busy', { status: 500 }) : undefined),
      },
    })
    await done
    expect(new Set(Object.values(fates(records)))).toEqual(new Set(['uploaded']))
  })

  it('may be one that adapts, and says so', async () => {
    const events: UploadEvent[] = []
    const { done, candidate } = await twoSides({
      files: await sided(400, isEven),
      settings: { concurrency: 2 },
      lanes: [{}, { concurrency: 'auto' }],
      candidate: { script: soon },
      baseline: { script: soon },
      emit: (event) => void events.push(event),
    })
    await done
    expect(candidate.mostRequests).toBeGreaterThan(2)
  })
})
