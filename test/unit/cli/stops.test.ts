import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listenForStops, stoppable } from '../../../src/cli/stops.ts'
import type { StopReason } from '../../../src/exit-code.ts'
import { fakeHost } from './fake-host.ts'

function listen() {
  const host = fakeHost()
  const announced: StopReason[] = []
  return { host, announced, stops: listenForStops(host, (reason) => announced.push(reason)) }
}

const broken = (code: string) => Object.assign(new Error(code), { code })

it('nothing happens by itself', () => {
  const { stops, announced } = listen()
  expect(stops.signal.aborted).toBe(false)
  expect(stops.reason()).toBeUndefined()
  expect(announced).toEqual([])
})

it.each(['SIGINT', 'SIGTERM'] as const)('%s stops the run in good order, and is announced', (name) => {
  const { host, stops, announced } = listen()
  host.send(name)
  expect(stops.signal.reason).toBe(name)
  expect(stops.reason()).toBe(name)
  expect(announced).toEqual([name])
  expect(host.exits).toEqual([])
})

it.each([
  ['SIGINT', 'SIGINT', 130],
  ['SIGINT', 'SIGTERM', 143],
  ['SIGTERM', 'SIGINT', 130],
] as const)('%s and then %s ends it on the spot with %d', (first, second, code) => {
  const { host, stops } = listen()
  host.send(first)
  host.send(second)
  expect(host.exits).toEqual([code])
  expect(stops.reason()).toBe(first)
})

describe('a reader of stdout that has gone', () => {
  it.each(['EPIPE', 'ERR_STREAM_DESTROYED'])('%s stops the run and is not announced', (code) => {
    const { host, stops, announced } = listen()
    host.stdout.emit('error', broken(code))
    host.stdout.emit('error', broken(code))
    expect(stops.signal.reason).toBe('EPIPE')
    expect(announced).toEqual([])
  })

  it('and a signal after it changes nothing, a second one ends it', () => {
    const { host, stops, announced } = listen()
    host.stdout.emit('error', broken('EPIPE'))
    host.send('SIGINT')
    expect(stops.reason()).toBe('EPIPE')
    expect(host.exits).toEqual([])
    host.send('SIGINT')
    expect(host.exits).toEqual([130])
    expect(announced).toEqual([])
  })
})

it('listens no more after release', () => {
  const { host, stops } = listen()
  stops.release()
  expect(host.send('SIGINT')).toBe(false)
  expect(host.stdout.listenerCount('error')).toBe(0)
  expect(stops.signal.aborted).toBe(false)
})

it('any number of requests may listen for the stop', async () => {
  const warned = vi.fn()
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  const { stops } = listen()
  for (let n = 0; n < 20; n += 1) stops.signal.addEventListener('abort', () => n)
  await new Promise(setImmediate)
  expect(warned).not.toHaveBeenCalled()
})

describe('stoppable', () => {
  it('has the exit code of the work', async () => {
    expect(await stoppable(fakeHost(), async () => 5)).toBe(5)
  })

  it('passes on what the work throws', async () => {
    await expect(stoppable(fakeHost(), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })

  it('has the exit code of what stopped it, whatever the work throws then', async () => {
    const host = fakeHost()
    const work = async (signal: AbortSignal): Promise<number> => {
      host.send('SIGTERM')
      throw signal.reason
    }
    expect(await stoppable(host, work)).toBe(143)
  })
})
