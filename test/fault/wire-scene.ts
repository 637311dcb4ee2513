import { onTestFinished, vi } from 'vitest'
import { createWire, type Wire, type WirePatience, type WireRequest } from '../../src/http/send.ts'
import type { ScriptedConnection, ScriptedServer } from './scripted-server.ts'

const usual: WirePatience = { connect: 5000, connectThroughProxy: 5000, idle: 10_000 }

export function aWire(patience: Partial<WirePatience> = {}): Wire {
  const wire = createWire({ caBundle: undefined, verify: true }, { ...usual, ...patience })
  onTestFinished(wire.close)
  return wire
}

export type Body = WireRequest['body']

export function put(
  { origin }: Pick<ScriptedServer, 'origin'>,
  body: Body = Buffer.from('body'),
  size?: number,
): WireRequest {
  const length = body instanceof Buffer ? body.length : (size ?? 0)
  return { method: 'PUT', origin, path: '/k?x=1', headers: ['host', 'h', 'content-length', String(length)], body }
}

export const never = () => new AbortController().signal
export const turn = () => new Promise((resolve) => setImmediate(resolve))

export async function until(isSo: () => boolean): Promise<void> {
  await vi.waitUntil(isSo, { interval: 1, timeout: 5000 })
}

export async function failure(outcome: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  const thrown = await outcome.then(
    (value) => new Error(`no failure: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  return thrown as Error
}

/** Answers each request with a status. */
export async function always(
  { request, answer }: ScriptedConnection,
  status = 200,
  ...headers: string[]
): Promise<void> {
  while ((await request()) !== '') answer(status, ...headers)
}
