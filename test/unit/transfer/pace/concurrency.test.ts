import { describe, expect, it } from 'vitest'
import { automaticConcurrency } from '../../../../src/config/automatic-concurrency.ts'
import { type ConcurrencyChange, createConcurrencyController } from '../../../../src/transfer/pace/concurrency.ts'
import { type LoadModel, type LoadResult, simulate } from '../load-simulation.ts'

const fixed = [4, 16, 32, 64, 96, 256]
const seeds = [1, 2]

function total(counts: readonly number[], fromSecond = 0): number {
  return counts.slice(fromSecond).reduce((sum, count) => sum + count, 0)
}

function least(results: readonly LoadResult[], of: (result: LoadResult) => number): number {
  return Math.min(...results.map(of))
}

/** Servers that refuse nothing, and the share of the best fixed number's throughput that is to be reached. */
const servers: readonly (readonly [string, LoadModel, number])[] = [
  ['30 ms away', { server: { latencyMs: 30 }, ownMs: 0.03, seconds: 20 }, 0.95],
  ['30 ms away, for a slow program', { server: { latencyMs: 30 }, ownMs: 0.2, seconds: 20 }, 0.95],
  ['200 ms away', { server: { latencyMs: 200 }, ownMs: 0.03, seconds: 20 }, 0.9],
  ['on this machine', { server: { latencyMs: 1 }, ownMs: 0.1, seconds: 20 }, 0.97],
  ['that works off 500/s', { server: { latencyMs: 30, capacity: () => 500 }, seconds: 30 }, 0.95],
  ['that works off 3,000/s', { server: { latencyMs: 30, capacity: () => 3000 }, ownMs: 0.03, seconds: 20 }, 0.95],
  ['behind a line of 12 MiB/s', { server: { latencyMs: 20, capacity: () => 12 }, size: 2 ** 20, seconds: 60 }, 0.95],
  [
    'whose answers take longer with the load',
    { server: { latencyMs: 30, slowdown: (n) => 1 + n / 64 }, ownMs: 0.03, seconds: 20 },
    0.9,
  ],
  [
    'that breaks down beyond 100',
    { server: { latencyMs: 30, slowdown: (n) => Math.max(1, (n / 100) ** 1.5) }, ownMs: 0.03, seconds: 60 },
    0.9,
  ],
  [
    'that breaks down beyond 16',
    { server: { latencyMs: 30, slowdown: (n) => Math.max(1, (n / 16) ** 1.5) }, seconds: 60 },
    0.9,
  ],
  [
    'that is slow at first',
    { server: { latencyMs: 30, capacity: (atMs) => Math.min(6000, 200 + atMs) }, ownMs: 0.03, seconds: 30 },
    0.9,
  ],
]

describe('auto', () => {
  it.each(servers)(
    'is about as fast as the best fixed number with a server %s',
    { timeout: 30_000 },
    (_, model, share) => {
      const best = Math.max(...fixed.map((concurrency) => simulate(model, concurrency).accepted))
      const results = seeds.map((seed) => simulate(model, 'auto', seed))
      expect(least(results, ({ accepted }) => accepted / best)).toBeGreaterThan(share)
      for (const { changes, limit, mostInFlight } of results) {
        expect(mostInFlight).toBeLessThanOrEqual(automaticConcurrency.most)
        for (const { to } of changes) expect(to).toSatisfy((n: number) => n >= 1 && n <= automaticConcurrency.most)
        expect(limit).toBe(changes.at(-1)?.to ?? automaticConcurrency.start)
        // It settles: what does not help is tried ever more rarely.
        const late = changes.filter(({ atMs }) => atMs > (model.seconds * 1000) / 2)
        expect(late.length).toBeLessThanOrEqual(10)
      }
    },
  )

  it('climbs within the first second where that helps, and says why', () => {
    const { changes } = simulate({ server: { latencyMs: 30 }, ownMs: 0.03, seconds: 1 }, 'auto')
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      [32, 64],
      [64, 128],
      [128, 256],
    ])
    expect(changes[0]?.reason).toBe('trying whether more are faster')
    expect(changes[1]?.reason).toMatch(/^throughput grew (9\d|1[01]\d) %$/)
    expect(changes[0]?.atMs).toBeLessThan(300)
  })

  it.each<[string, LoadModel]>([
    ['the program itself has no time for more', { server: { latencyMs: 1 }, ownMs: 0.1, seconds: 5 }],
    ['there is less to send than slots', { server: { latencyMs: 30 }, requests: 30, seconds: 5 }],
    ['the source is slower than the slots', { server: { latencyMs: 30 }, foundPerSecond: 500, seconds: 5 }],
    ['one request does not end', { server: { latencyMs: 60_000 }, requests: 1, seconds: 5 }],
  ])('stays at 32 where %s', (_, model) => {
    expect(simulate(model, 'auto').changes).toEqual([])
  })

  describe('with a server that refuses', () => {
    const limits = [
      [1, 20, 2],
      [1, 200, 2],
      [1, 200, 20],
      [1, 200, 200],
      [1, 1000, 100],
      [30, 20, 2],
      [30, 200, 2],
      [30, 200, 20],
      [30, 200, 200],
      [30, 1000, 100],
      [200, 200, 200],
    ] as const
    it.each(limits)(
      '%i ms away, more than %i/s, %i at once: holds the rate',
      { timeout: 30_000 },
      (latencyMs, perSecond, burst) => {
        const server = { latencyMs, refusesAbove: { perSecond: () => perSecond, burst } }
        for (const seed of seeds) {
          const result = simulate({ server, ownMs: 0.03, seconds: 40 }, 'auto', seed)
          const [accepted, refused] = [total(result.acceptedBySecond, 5), total(result.refusedBySecond, 5)]
          expect(accepted / (perSecond * 35), 'share of the rate').toBeGreaterThan(0.9)
          expect(refused / (accepted + refused), 'share refused').toBeLessThan(0.02)
          const first = result.changes.find(({ reason }) => reason === 'the server asked for fewer requests')
          expect(first?.to).toBe((first?.from ?? 0) / 2)
        }
      },
    )

    it.each([64, 150])('more than %i at once: stays close below', (refusesBeyond) => {
      const load = { server: { latencyMs: 30, refusesBeyond }, ownMs: 0.03, seconds: 60 }
      const result = simulate(load, 'auto')
      const best = simulate(load, refusesBeyond)
      const [accepted, refused] = [total(result.acceptedBySecond, 5), total(result.refusedBySecond, 5)]
      expect(accepted / total(best.acceptedBySecond, 5)).toBeGreaterThan(0.8)
      expect(refused / (accepted + refused)).toBeLessThan(0.02)
      expect(result.changes.map(({ reason }) => reason)).toContain('nothing refused')
    })

    it('a few whatever one does: is not slowed down', () => {
      const load = { server: { latencyMs: 30, refusesShare: 0.004 }, ownMs: 0.03, seconds: 10 }
      expect(simulate(load, 'auto').accepted / simulate(load, 256).accepted).toBeGreaterThan(0.9)
    })

    it('more than it did for a while: finds what it takes again', () => {
      const perSecond = (atMs: number): number => (atMs > 10_000 && atMs < 20_000 ? 100 : 1000)
      const server = { latencyMs: 30, refusesAbove: { perSecond, burst: 100 } }
      const { acceptedBySecond } = simulate({ server, ownMs: 0.03, seconds: 60 }, 'auto')
      expect(total(acceptedBySecond.slice(13, 20)) / 700).toBeGreaterThan(0.8)
      expect(total(acceptedBySecond, 50) / 10_000).toBeGreaterThan(0.9)
    })

    it('for a time: climbs on after a minute without any', { timeout: 30_000 }, () => {
      const perSecond = (atMs: number): number => (atMs < 3000 ? 100 : 1e6)
      const server = { latencyMs: 100, refusesAbove: { perSecond, burst: 20 } }
      const { changes, limit } = simulate({ server, ownMs: 0.05, seconds: 100 }, 'auto')
      expect(limit).toBe(256)
      const last = changes.findLast(({ reason }) => reason.startsWith('the server'))
      expect(last?.atMs).toBeLessThan(20_000)
    })
  })
})

/** A controller whose windows are filled by hand. */
function start(isBinding = () => false) {
  const changes: ConcurrencyChange[] = []
  let nowMs = 0
  let busyMs = 0
  const controller = createConcurrencyController({
    now: () => nowMs,
    busyMs: () => busyMs,
    rate: {
      get isBinding() {
        return isBinding()
      },
    },
    onChange: (change) => void changes.push(change),
  })
  /** So many requests, evenly over the time. */
  const send = (count: number, ms: number, over: { bytes?: number; isFull?: boolean; busy?: number } = {}): void => {
    for (let n = 0; n < count; n += 1) {
      nowMs += ms / count
      busyMs += (ms / count) * (over.busy ?? 0)
      if (over.isFull ?? true) controller.waited()
      controller.completed(over.bytes ?? 0)
    }
  }
  return {
    controller,
    send,
    changes,
    pass: (ms: number) => {
      nowMs += ms
    },
    last: () => changes.at(-1),
  }
}

describe('createConcurrencyController', () => {
  it('takes back what brought nothing', () => {
    const { send, changes } = start()
    send(900, 1800)
    expect(changes).toEqual([
      { from: 32, to: 64, reason: 'trying whether more are faster' },
      { from: 64, to: 32, reason: 'no faster with 64' },
    ])
  })

  it('looks twice before it takes back what seems to have brought nothing', () => {
    const { send, changes } = start()
    // A moment in which the machine had something else to do.
    send(64, 320)
    send(140, 1000)
    send(1600, 4000)
    expect(changes.slice(0, 2)).toEqual([
      { from: 32, to: 64, reason: 'trying whether more are faster' },
      { from: 64, to: 96, reason: expect.stringMatching(/^throughput grew \d+ %$/) },
    ])
  })

  it('climbs where requests that began together end together, so that only the last of a round has to wait', () => {
    const { controller, pass } = start()
    for (let round = 0; round < 1000 && controller.limit < automaticConcurrency.most; round += 1) {
      const { limit } = controller
      pass(30)
      for (let n = 0; n < limit; n += 1) controller.completed(16 * 1024)
      controller.waited()
    }
    expect(controller.limit).toBe(automaticConcurrency.most)
  })

  it('takes back what there is no work for', () => {
    const { send, last } = start()
    send(64, 320)
    send(1000, 2000, { isFull: false })
    expect(last()).toEqual({ from: 64, to: 32, reason: 'no work for more' })
  })

  it('counts bytes as they leave, so that large requests show before their end', () => {
    const { controller, send, last } = start()
    send(32, 100)
    send(32, 200)
    expect(controller.limit).toBe(64)
    // Settles; then the same number of requests with more bytes.
    send(64, 400)
    controller.moved(64 * 2 ** 20)
    send(64, 400)
    expect(last()).toMatchObject({ from: 64, to: 128, reason: expect.stringMatching(/^throughput grew \d+ %$/) })
  })

  it('does not wait for ever where answers are rare', () => {
    const { send, changes } = start()
    send(1, 2000)
    send(1, 5000)
    expect(changes).toHaveLength(1)
  })

  it('does not go below 1, nor up while the rate or the program is what limits', () => {
    let isBinding = false
    const { controller, send, pass, last } = start(() => isBinding)
    for (let n = 0; n < 10; n += 1) {
      pass(1000)
      controller.throttled()
    }
    expect(controller.limit).toBe(1)
    expect(last()).toEqual({ from: 2, to: 1, reason: 'the server asked for fewer requests' })
    isBinding = true
    send(1000, 5000)
    expect(controller.limit).toBe(1)
    send(1000, 5000, { busy: 1 })
    isBinding = false
    send(1000, 5000, { busy: 1 })
    send(1000, 5000, { busy: 1, isFull: false })
    send(1000, 5000, { isFull: false })
    expect(controller.limit).toBe(1)
    send(2000, 5000)
    expect(controller.limit).toBeGreaterThan(1)
    expect(last()?.reason).toBe('nothing refused')
  })
})
