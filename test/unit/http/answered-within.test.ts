import { once } from 'node:events'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { beforeEach, expect, it, vi } from 'vitest'
import { answeredWithin } from '../../../src/http/answered-within.ts'

const never = () => new AbortController().signal
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** As the SDK's handler: nothing comes until the request is cut. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut'))))
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  return () => vi.useRealTimers()
})

it('an answer in time is as it came, and nothing is left behind', async () => {
  const answer = await answeredWithin(async () => ({ response: { body: Readable.from(['a', 'b']) } }), never(), 1000)
  expect(vi.getTimerCount()).toBe(1)
  expect(await text(answer.response.body)).toBe('ab')
  await turn()
  expect(vi.getTimerCount()).toBe(0)
  expect(await answeredWithin(async () => ({ response: {} }), undefined, 1000)).toEqual({ response: {} })
  expect(vi.getTimerCount()).toBe(0)
})

it('a request without an answer is cut when its time is over', async () => {
  const outcome = answeredWithin(silence, never(), 1000).catch((error: unknown) => error)
  vi.advanceTimersByTime(1000)
  await turn()
  expect(await outcome).toMatchObject({ name: 'TimeoutError', reason: 'not-done', limitMs: 1000 })
})

it('a body that does not end is cut too', async () => {
  const body = new Readable({ read() {} })
  await answeredWithin(async () => ({ response: { body } }), never(), 1000)
  body.push('a')
  const failed = once(body, 'error')
  vi.advanceTimersByTime(1000)
  expect((await failed)[0]).toMatchObject({ reason: 'not-done' })
  await turn()
  expect(vi.getTimerCount()).toBe(0)
})

it('an answer that came while this program was held up counts', async () => {
  let come = (_: { response: object }): void => {}
  const outcome = answeredWithin(
    () =>
      new Promise<{ response: object }>((resolve) => {
        come = resolve
      }),
    never(),
    1000,
  )
  vi.advanceTimersByTime(1000)
  come({ response: {} })
  expect(await outcome).toEqual({ response: {} })
})

it('a stop cuts it, before and after it began', async () => {
  const stop = new AbortController()
  const outcome = answeredWithin(silence, stop.signal, 1000).catch((error: unknown) => error)
  stop.abort()
  expect(await outcome).toMatchObject({ message: 'cut' })
  let seen: AbortSignal | undefined
  const refused = answeredWithin(
    async (signal) => {
      seen = signal
      throw new Error('cut')
    },
    stop.signal,
    1000,
  )
  await expect(refused).rejects.toThrow('cut')
  expect(seen?.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
