import { describe, expect, it } from 'vitest'
import { createByteMeter } from '../../../src/transfer/byte-meter.ts'

function metered() {
  const seen: number[] = []
  return { seen, meter: createByteMeter((current) => void seen.push(current)) }
}

describe('createByteMeter', () => {
  it('adds up requests that go on side by side', () => {
    const { meter, seen } = metered()
    const one = meter.begin()
    const other = meter.begin()
    one.onBytes(10)
    other.onBytes(5)
    one.onBytes(30)
    expect([meter.current, meter.total, seen]).toEqual([35, 35, [10, 15, 35]])
  })

  it('takes back what a failed request sent, but not that it went out', () => {
    const { meter, seen } = metered()
    const failing = meter.begin()
    failing.onBytes(40)
    failing.discard()
    meter.begin().onBytes(40)
    expect([meter.current, meter.total, seen]).toEqual([40, 80, [40, 0, 40]])
  })

  it.each([
    ['less than before', 10],
    ['the same as before', 30],
  ])('hears no more of %s', (_name, sent) => {
    const { meter, seen } = metered()
    const request = meter.begin()
    request.onBytes(30)
    request.onBytes(sent)
    expect([meter.current, seen]).toEqual([30, [30]])
  })

  it('begins anew with what is there already, which never went out', () => {
    const { meter, seen } = metered()
    meter.restart(0)
    meter.begin().onBytes(40)
    meter.restart(30)
    meter.begin().onBytes(5)
    expect([meter.current, meter.before, meter.total, seen]).toEqual([35, 30, 45, [40, 30, 35]])
    meter.restart(0)
    expect([meter.current, meter.before, meter.total]).toEqual([0, 0, 45])
  })

  it('counts what the destination had before a request, but not as sent by it', () => {
    const { meter, seen } = metered()
    const failing = meter.begin()
    failing.onBytes(30)
    failing.discard()
    const going = meter.begin()
    going.onBytes(25, 25)
    going.onBytes(40)
    expect([meter.current, meter.total, seen]).toEqual([40, 45, [30, 0, 25, 40]])
  })

  it('hears nothing of a request that has failed', () => {
    const { meter, seen } = metered()
    const request = meter.begin()
    request.onBytes(30)
    request.discard()
    request.discard()
    request.onBytes(50)
    expect([meter.current, meter.total, seen]).toEqual([0, 30, [30, 0]])
  })
})
