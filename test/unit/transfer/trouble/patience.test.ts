import { describe, expect, it } from 'vitest'
import { patienceAfterStopMs, withPatience } from '../../../../src/transfer/trouble/patience.ts'
import { createFakeClock, settled } from '../../../support/fake-clock.ts'

function scene() {
  const clock = createFakeClock()
  const stop = new AbortController()
  let end = (): void => {}
  let fail = (_error: Error): void => {}
  const work = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  let isOver = false
  const waiting = withPatience(work, stop.signal, clock).finally(() => {
    isOver = true
  })
  return { clock, stop, end, fail, waiting, isOver: () => isOver }
}

describe('withPatience', () => {
  it('waits for as long as the work takes', async () => {
    const { clock, end, waiting, isOver } = scene()
    await clock.advance(10_000_000)
    expect(isOver()).toBe(false)
    end()
    await waiting
    expect(clock.sleeping).toBe(0)
  })

  it('waits a while after a stop, and no longer', async () => {
    const { clock, stop, waiting, isOver } = scene()
    stop.abort()
    await settled()
    await clock.advance(patienceAfterStopMs - 1)
    expect(isOver()).toBe(false)
    await clock.advance(1)
    await waiting
  })

  it('has the same patience where the stop came first', async () => {
    const clock = createFakeClock()
    const waiting = withPatience(new Promise(() => {}), AbortSignal.abort(), clock)
    await settled()
    await clock.advance(patienceAfterStopMs)
    await waiting
  })

  it('ends with work that ends soon after a stop', async () => {
    const { clock, stop, end, waiting } = scene()
    stop.abort()
    await settled()
    end()
    await waiting
    await settled()
    expect([clock.elapsed(), clock.sleeping]).toEqual([0, 0])
  })

  it('fails as the work does', async () => {
    const { fail, waiting } = scene()
    fail(new Error('broken'))
    await expect(waiting).rejects.toThrow('broken')
  })

  it('leaves time for the report within the ten seconds of a stop', () => {
    expect(patienceAfterStopMs).toBeLessThanOrEqual(7000)
  })
})
