import { describe, expect, it } from 'vitest'
import { partsOf } from '../../../src/transfer/upload-object.ts'
import { settled } from '../../support/fake-clock.ts'
import { createFakeDestination, type FakeCall, type Fate } from '../../support/fake-destination.ts'
import { failure, MiB, manyOf, settings, sparseFile, transfer } from './scene.ts'

describe('partsOf', () => {
  const whole = createFakeDestination()
  const inParts = createFakeDestination({ multipart: {} })
  it.each([
    // size, parts, in parts where the destination offers it
    [0, 1, false],
    [8 * MiB + 1, 1, false],
    [16 * MiB, 1, false],
    [16 * MiB + 1, 3, true],
    [80_000 * MiB, 10_000, true],
    [80_000 * MiB + 1, 8889, true],
  ])('%i bytes: %i parts', (size, parts, isInParts) => {
    expect(partsOf(size, inParts, settings)).toMatchObject({ parts, inParts: isInParts })
    expect(partsOf(size, whole, settings)).toMatchObject({ parts, inParts: false })
  })

  it('sends one part as a whole', () => {
    const small = { ...settings, partSize: 8 * MiB, multipartThreshold: 0 }
    expect(partsOf(MiB, inParts, small)).toMatchObject({ parts: 1, inParts: false })
  })
})

describe('a destination that takes objects as a whole', () => {
  const hang = (): Fate => 'hang'

  it.each([
    // MiB, slots, --part-concurrency, requests it may make
    [1, 8, undefined, 1],
    [16, 8, undefined, 1],
    [17, 8, undefined, 3],
    [100, 8, undefined, 4],
    [100, 2, undefined, 2],
    [100, 1, undefined, 1],
    [100, 8, 1, 1],
    [100, 8, 6, 6],
    [100, 20, 20, 13],
  ])(
    '%i MiB with %i slots and --part-concurrency %s: %i requests',
    async (size, concurrency, partConcurrency, expected) => {
      const file = await sparseFile(size * MiB)
      const scene = transfer({
        files: [file],
        destination: { script: hang },
        settings: { concurrency, partConcurrency },
      })
      while (scene.destination.calls.length === 0) await settled()
      expect(scene.destination.calls[0]?.requests).toBe(expected)
      scene.stop.abort()
      await scene.done
    },
  )

  it('never has more requests than slots with several of them, and gives all back', async () => {
    const file = await sparseFile(100 * MiB)
    const script = async ({ attempt }: FakeCall): Promise<Fate> => {
      await settled()
      return attempt === 1 ? failure('CONNECTION', 'reset') : undefined
    }
    const scene = transfer({ files: manyOf(file, 30), destination: { script }, settings: { concurrency: 6 } })
    await scene.done
    expect([scene.destination.mostRequests <= 6, scene.destination.requests, scene.of('uploaded').length]).toEqual([
      true,
      0,
      30,
    ])
  })

  it('takes its spare slots anew for each attempt', async () => {
    const file = await sparseFile(100 * MiB)
    const script = ({ attempt }: FakeCall): Fate =>
      attempt < 3 ? failure('CONNECTION', 'reset', { status: 500 }) : undefined
    const scene = transfer({ files: [file], destination: { script }, settings: { concurrency: 4 } })
    await scene.done
    expect(scene.destination.calls.map((call) => call.requests)).toEqual([4, 4, 4])
  })

  it('counts bytes of attempts that failed as sent, but not as progress', async () => {
    const file = await sparseFile(100)
    const script = ({ attempt }: FakeCall): Fate =>
      attempt === 1 ? failure('CONNECTION', 'reset', { status: 500 }) : undefined
    const scene = transfer({ files: [file], destination: { script } })
    await scene.done
    const progress = scene.events.filter((event) => event.type === 'file-progress')
    expect(progress.map(({ sent, partsDone }) => [sent, partsDone])).toEqual([
      [100, 0],
      [0, 0],
      [100, 0],
    ])
    expect(scene.records).toMatchObject([{ bytesSent: 200, attempts: 2, parts: 1 }])
  })
})

describe('a destination that takes parts', () => {
  it('gets them, with the bytes of their range', async () => {
    const file = await sparseFile(20 * MiB)
    const scene = transfer({ files: [file], destination: { multipart: {}, reads: 'open' } })
    await scene.done
    const stored = scene.destination.objects.get(file.key)
    expect([stored?.size, stored?.bytes.length]).toEqual([20 * MiB, 20 * MiB])
    expect(scene.records).toMatchObject([{ status: 'uploaded', parts: 3, bytesSent: 20 * MiB, attempts: 1 }])
    expect(scene.events.find((event) => event.type === 'file-started')).toMatchObject({ parts: 3, size: 20 * MiB })
    expect(scene.events.findLast((event) => event.type === 'file-progress')).toMatchObject({
      sent: 20 * MiB,
      partsDone: 3,
    })
  })

  it('gets small files whole', async () => {
    const file = await sparseFile(16 * MiB)
    const scene = transfer({ files: [file], destination: { multipart: {} } })
    await scene.done
    expect(scene.destination.calls.map((call) => call.what)).toEqual(['put'])
  })

  it('that has stored a part has answered: no connection after that is no reason to stop', async () => {
    const file = await sparseFile(20 * MiB)
    const script = ({ what, partNumber }: FakeCall): Fate =>
      what === 'part' && partNumber === 3 ? failure('CONNECTION', 'reset') : undefined
    const scene = transfer({ files: [file], destination: { multipart: {}, script }, settings: { concurrency: 1 } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'CONNECTION' } }])
    expect(scene.destination.openUploads).toBe(1)
  })
})
