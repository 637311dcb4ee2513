import { Writable } from 'node:stream'
import type { Host, Output } from '../../../src/cli/host.ts'

export type FakeOutput = Writable & Output & { readonly text: () => string }

/** A stream that keeps what is written to it, and a `slow` one takes its time; `as` adds what a terminal has. */
export function fakeOutput(as: Partial<Output> = {}, { slow = false } = {}): FakeOutput {
  let text = ''
  const stream = new Writable({
    ...(slow ? { highWaterMark: 1 } : {}),
    decodeStrings: false,
    write(data, _encoding, done) {
      text += String(data)
      if (slow) setImmediate(done)
      else done()
    },
  })
  return Object.assign(stream, { text: () => text }, as) as FakeOutput
}

export interface FakeHost extends Host {
  readonly stdout: FakeOutput
  readonly stderr: FakeOutput
  /** Sends a signal to whoever listens; false where nobody does. */
  readonly send: (signal: 'SIGINT' | 'SIGTERM') => boolean
  /** The codes the process was ended with on the spot. */
  readonly exits: readonly number[]
}

export function fakeHost(with_: Partial<Pick<FakeHost, 'stdout' | 'stderr' | 'env' | 'cwd' | 'home'>> = {}): FakeHost {
  const listeners = new Map<string, Set<() => void>>([
    ['SIGINT', new Set()],
    ['SIGTERM', new Set()],
  ])
  const exits: number[] = []
  return {
    stdout: fakeOutput(),
    stderr: fakeOutput(),
    env: {},
    cwd: '/nowhere/cwd',
    home: '/nowhere',
    uid: undefined,
    ...with_,
    onSignal(signal, listener) {
      listeners.get(signal)?.add(listener)
      return () => listeners.get(signal)?.delete(listener)
    },
    exitNow: (code) => void exits.push(code),
    send(signal) {
      const heard = [...(listeners.get(signal) ?? [])]
      for (const listener of heard) listener()
      return heard.length > 0
    },
    exits,
  }
}
