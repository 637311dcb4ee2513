import { describe, expect, it } from 'vitest'
import type { Call, PartBody } from '../../../../src/destinations/destination.ts'
import { watchDestination } from '../../../../src/transfer/pace/watched-destination.ts'
import { createFakeDestination, type FakeDestinationOptions } from '../../../support/fake-destination.ts'
import { failure, MiB } from '../scene.ts'

const object = { key: 'a', contentType: 'audio/wav', partSize: 8 * MiB }

/** The fake destination asks for nothing else of a body it does not read. */
function body(size: number): PartBody {
  return { size } as PartBody
}

function start(
  options: FakeDestinationOptions = {},
  turn: (signal: AbortSignal) => Promise<void> | undefined = () => undefined,
) {
  const seen: (readonly [string, ...number[]])[] = []
  let nowMs = 0
  const inner = createFakeDestination({ multipart: {}, ...options })
  const destination = watchDestination(inner, {
    now: () => {
      nowMs += 1
      return nowMs
    },
    turn,
    moved: (bytes) => void seen.push(['moved', bytes]),
    completed: (beganMs, bytes) => void seen.push(['completed', beganMs, bytes]),
    throttled: (beganMs) => void seen.push(['throttled', beganMs]),
  })
  const sent: number[] = []
  const call: Call = { signal: new AbortController().signal, requests: 1, onBytes: (bytes) => void sent.push(bytes) }
  return { inner, destination, seen, sent, call }
}

describe('watchDestination', () => {
  it('sees a small request at its end', async () => {
    const { destination, seen, sent, call } = start()
    await destination.putObject(object, body(1000), call)
    expect([seen, sent]).toEqual([[['completed', 1, 1000]], [1000]])
  })

  it('sees the bytes of a large one as they leave, each once, and hides them from nobody', async () => {
    const { destination, seen, sent, call } = start()
    await destination.putObject(object, body(2 * MiB), call)
    await destination.putObject(object, body(2 * MiB), { ...call, onBytes: undefined })
    expect(sent).toEqual([2 * MiB])
    expect(seen).toEqual([
      ['moved', 2 * MiB],
      ['completed', 1, 0],
      ['moved', 2 * MiB],
      ['completed', 2, 0],
    ])
  })

  it('does not take what the destination had before for what has left', async () => {
    const { inner, destination, seen, call } = start()
    const told: (number | undefined)[][] = []
    inner.putObject = async ({ key }, { size }, { onBytes }) => {
      onBytes?.(MiB, MiB)
      onBytes?.(2 * MiB)
      return { key, size }
    }
    const onBytes = (...numbers: (number | undefined)[]): void => void told.push(numbers)
    await destination.putObject(object, body(2 * MiB), { ...call, onBytes })
    expect([seen, told]).toEqual([
      [
        ['moved', 0],
        ['moved', MiB],
        ['completed', 1, 0],
      ],
      [
        [MiB, MiB],
        [2 * MiB, 0],
      ],
    ])
  })

  it('sees every request of an upload in parts, taken up again or not', async () => {
    const { destination, seen, call, inner } = start()
    const upload = await destination.multipart?.create(object, call)
    if (upload === undefined) throw new Error('the fake destination takes parts')
    const part = await upload.uploadPart(1, body(1000), call)
    await upload.complete([part], call)
    expect(seen.map(([what, , bytes]) => [what, bytes])).toEqual([
      ['completed', 0],
      ['completed', 1000],
      ['completed', 0],
    ])
    expect(upload).toMatchObject({ uploadId: 'upload of a', partSize: 8 * MiB, maxConcurrentParts: 1000 })
    expect(await destination.multipart?.resume('gone', object, call)).toBeUndefined()
    const other = (await destination.multipart?.create(object, call)) ?? upload
    const again = watchDestination(
      { ...inner, multipart: { create: async () => other, resume: async () => other } },
      {
        now: () => 0,
        turn: () => undefined,
        moved: () => {},
        completed: () => seen.push(['again']),
        throttled: () => {},
      },
    )
    const resumed = await again.multipart?.resume('upload of a', object, call)
    await resumed?.uploadPart(2, body(10), call)
    expect(seen.at(-1)).toEqual(['again'])
  })

  it('offers no parts where the destination takes none', () => {
    expect(start({ multipart: undefined }).destination.multipart).toBeUndefined()
  })

  it('tells refusals for sending too much from all other failures, and passes both on', async () => {
    const errors = [failure('THROTTLED', 'busy'), failure('TIMEOUT', 'no answer')]
    const { destination, seen, call } = start({ script: ({ attempt }) => errors[attempt - 1] })
    await expect(destination.putObject(object, body(10), call)).rejects.toBe(errors[0])
    await expect(destination.putObject(object, body(10), call)).rejects.toBe(errors[1])
    expect(seen).toEqual([['throttled', 1]])
  })

  it('begins when it is its turn, or not at all', async () => {
    let begin = (): void => {}
    const turns = [
      new Promise<void>((resolve) => {
        begin = resolve
      }),
      Promise.reject(new Error('cut')),
    ]
    const { destination, inner, call } = start({}, () => turns.shift())
    const first = destination.putObject(object, body(10), call)
    expect(inner.calls).toHaveLength(0)
    begin()
    await first
    expect(inner.calls).toHaveLength(1)
    await expect(destination.putObject(object, body(10), call)).rejects.toThrow('cut')
    expect(inner.calls).toHaveLength(1)
  })

  describe('the way for small files', () => {
    const small = { maxSize: 1000 }

    it('is offered only where there is one', () => {
      expect(start().destination.small).toBeUndefined()
      expect(start({ small }).destination.small?.maxSize).toBe(1000)
    })

    it('is seen at its end', async () => {
      const { destination, seen, call, inner } = start({ small })
      expect(await destination.small?.put(object, body(999), call)).toMatchObject({ key: 'a', size: 999 })
      expect(seen).toEqual([['completed', 1, 999]])
      expect(inner.calls).toMatchObject([{ what: 'small', size: 999, signal: call.signal }])
    })

    it('is not seen where nothing was stored', async () => {
      const { destination, seen, call, inner } = start({ small, script: () => 'decline' })
      expect(await destination.small?.put(object, body(10), call)).toBeUndefined()
      expect([seen, inner.calls.length]).toEqual([[], 1])
    })

    it('has its refusals told from all other failures, and both passed on', async () => {
      const errors = [failure('THROTTLED', 'busy'), failure('TIMEOUT', 'no answer')]
      const { destination, seen, call } = start({ small, script: ({ attempt }) => errors[attempt - 1] })
      await expect(destination.small?.put(object, body(10), call)).rejects.toBe(errors[0])
      await expect(destination.small?.put(object, body(10), call)).rejects.toBe(errors[1])
      expect(seen).toEqual([['throttled', 1]])
    })

    it('is gone when it is its turn, or not at all', async () => {
      let begin = (): void => {}
      const turns = [
        new Promise<void>((resolve) => {
          begin = resolve
        }),
        Promise.reject(new Error('cut')),
      ]
      const asked: AbortSignal[] = []
      const { destination, inner, call, seen } = start({ small }, (signal) => {
        asked.push(signal)
        return turns.shift()
      })
      const first = destination.small?.put(object, body(10), call)
      expect([inner.calls.length, asked]).toEqual([0, [call.signal]])
      begin()
      await first
      expect(inner.calls).toHaveLength(1)
      await expect(destination.small?.put(object, body(10), call)).rejects.toThrow('cut')
      expect([inner.calls.length, seen]).toEqual([1, [['completed', 1, 10]]])
    })
  })
})
