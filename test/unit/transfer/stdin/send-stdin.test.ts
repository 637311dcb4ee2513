import { createCipheriv } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Earlier } from '../../../../src/transfer/earlier.ts'
import { settled } from '../../../support/fake-clock.ts'
import type { FakeCall, Fate } from '../../../support/fake-destination.ts'
import { defaultSettings } from '../../../support/settings.ts'
import { failure, planned, type Scene, type SceneOptions, transfer } from '../scene.ts'
import { ownTemporary } from './temporary.ts'

const stdinFile = planned(1, { path: '-', absolute: '-', source: 'stdin', size: undefined, mtimeMs: undefined })
const sizes = { partSize: 100, multipartThreshold: 200 }
const takesParts = { reads: 'open', multipart: { isOpenEnded: true } } as const
const noLimits = { ...defaultSettings.limits, plannedBytes: 0 }
const broken = (): Fate => failure('SERVER_ERROR', 'broken', { status: 500 })

const temporary = ownTemporary()

afterEach(async () => {
  expect(await readdir(temporary().path)).toEqual([])
})

/** The same for the same seed, and nowhere alike. */
function bytesFrom(seed: number, size: number): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** In pieces that fit no part. */
function inPieces(bytes: Uint8Array, pieceSize = 37): Readable {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceSize) pieces.push(Buffer.from(bytes.subarray(at, at + pieceSize)))
  return Readable.from(pieces)
}

type Given = Omit<SceneOptions, 'files' | 'stdin'> & { readonly script?: (call: FakeCall) => Fate | Promise<Fate> }

function send(stdin: Readable, { script, settings, destination, ...given }: Given = {}): Scene {
  return transfer({
    files: [stdinFile],
    stdin: () => stdin,
    destination: { ...takesParts, ...(script && { script }), ...destination },
    settings: { ...sizes, ...settings },
    ...given,
  })
}

function callsOf({ destination }: Scene, what: FakeCall['what']): readonly FakeCall[] {
  return destination.calls.filter((call) => call.what === what)
}

function stored({ destination }: Scene): Buffer | undefined {
  return destination.objects.get(stdinFile.key)?.bytes
}

function expectNothing(scene: Scene): void {
  const { destination } = scene
  expect([destination.openUploads, destination.objects.size, destination.breaches]).toEqual([0, 0, []])
}

/** Gives what it is told to give, and says how much of it was taken. */
function tap(): { readonly input: Readable; readonly push: (bytes: number | null) => void } {
  const input = new Readable({ read() {} })
  return { input, push: (bytes) => void input.push(bytes === null ? null : Buffer.alloc(bytes)) }
}

describe('standard input, where parts may come before the size', () => {
  it.each([0, 1, 37, 99, 100, 199, 200])('of %i bytes goes as a whole, from memory', async (size) => {
    const bytes = bytesFrom(size, size)
    const scene = send(inPieces(bytes))
    expect(await scene.done).toBeUndefined()
    expect(scene.destination.calls.map(({ what }) => what)).toEqual(['put'])
    expect(stored(scene)?.equals(bytes)).toBe(true)
    expect(scene.records).toMatchObject([{ status: 'uploaded', size, mtime: null, parts: 1, bytesSent: size }])
  })

  it.each([
    [201, [100, 100, 1]],
    [300, [100, 100, 100]],
    [301, [100, 100, 100, 1]],
    [999, [100, 100, 100, 100, 100, 100, 100, 100, 100, 99]],
  ])('of %i bytes goes in parts', async (size, parts) => {
    const bytes = bytesFrom(size, size)
    const scene = send(inPieces(bytes))
    expect(await scene.done).toBeUndefined()
    const sent = callsOf(scene, 'part').toSorted((a, b) => (a.partNumber ?? 0) - (b.partNumber ?? 0))
    expect(sent.map((call) => call.size)).toEqual(parts)
    expect(sent.map((call) => call.start)).toEqual(parts.map((_size, at) => at * 100))
    expect(stored(scene)?.equals(bytes)).toBe(true)
    expect(scene.records).toMatchObject([
      { status: 'uploaded', size, mtime: null, parts: parts.length, bytesSent: size, attempts: 1 },
    ])
    expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([0, []])
  })

  it.each([
    ['one part is more than the threshold', { partSize: 300, multipartThreshold: 100 }, 300, [300]],
    ['three parts do not hold the threshold', { partSize: 50, multipartThreshold: 200 }, 230, [50, 50, 50, 50, 30]],
    ['it ends with the parts of the beginning', { partSize: 50, multipartThreshold: 200 }, 250, [50, 50, 50, 50, 50]],
    ['it goes on behind these', { partSize: 50, multipartThreshold: 160 }, 251, [50, 50, 50, 50, 50, 1]],
  ])('where %s', async (_name, given, size, parts) => {
    const bytes = bytesFrom(size, size)
    const scene = send(inPieces(bytes), { settings: given })
    expect(await scene.done).toBeUndefined()
    expect(callsOf(scene, 'part').map((call) => call.size)).toEqual(parts)
    expect(stored(scene)?.equals(bytes)).toBe(true)
  })

  it('goes as a whole from a file where three parts do not hold the threshold', async () => {
    const bytes = bytesFrom(1, 200)
    const scene = send(inPieces(bytes), { settings: { partSize: 50 } })
    expect(await scene.done).toBeUndefined()
    expect(callsOf(scene, 'put')).toHaveLength(1)
    expect(stored(scene)?.equals(bytes)).toBe(true)
  })

  it('parts double after each thousand', async () => {
    const bytes = bytesFrom(1, 1000 + 2 * 1000 + 4 * 3 + 1)
    const scene = send(inPieces(bytes, 1009), { settings: { partSize: 1, multipartThreshold: 2 } })
    expect(await scene.done).toBeUndefined()
    const bySize = new Map<number | undefined, number>()
    for (const { size } of callsOf(scene, 'part')) bySize.set(size, (bySize.get(size) ?? 0) + 1)
    expect([...bySize]).toEqual([
      [1, 1001],
      [2, 1000],
      [4, 3],
    ])
    expect(stored(scene)?.equals(bytes)).toBe(true)
  })

  it('parts that are too large for memory are held in files', async () => {
    const partSize = 22 * 2 ** 20
    const bytes = bytesFrom(1, 2 * partSize + 1)
    let inFiles: readonly string[] = []
    const script = async ({ what }: FakeCall): Promise<Fate> => {
      if (what === 'complete') {
        const [directory = ''] = await readdir(temporary().path)
        inFiles = await readdir(`${temporary().path}/${directory}`)
      }
      return undefined
    }
    const scene = send(inPieces(bytes, 2 ** 20), { script, settings: { partSize, multipartThreshold: 100 } })
    expect(await scene.done).toBeUndefined()
    expect(inFiles).toEqual(expect.arrayContaining(['beginning', 'part-1', 'part-2']))
    expect(stored(scene)?.equals(bytes)).toBe(true)
  })

  it.each([
    ['limited to the parts that are held', {}, 3],
    ['to --part-concurrency', { partConcurrency: 2 }, 2],
    ['to the slots there are', { concurrency: 1 }, 1],
  ])('%s at a time', async (_name, given, most) => {
    const bytes = bytesFrom(1, 2000)
    let inFlight = 0
    let mostInFlight = 0
    const script = async ({ what }: FakeCall): Promise<Fate> => {
      if (what !== 'part') return undefined
      inFlight += 1
      mostInFlight = Math.max(mostInFlight, inFlight)
      for (let turn = 0; turn < 5; turn += 1) await settled()
      inFlight -= 1
      return undefined
    }
    const scene = send(inPieces(bytes), { script, settings: { concurrency: 16, ...given } })
    expect(await scene.done).toBeUndefined()
    expect([mostInFlight, stored(scene)?.equals(bytes)]).toEqual([most, true])
  })

  it('is not read on while three parts are held', async () => {
    let given = 0
    const input = new Readable({
      highWaterMark: 50,
      read() {
        given += 50
        this.push(Buffer.alloc(50))
      },
    })
    const scene = send(input, { script: ({ what }) => (what === 'part' ? 'hang' : undefined) })
    while (callsOf(scene, 'part').length < 3) await settled()
    for (let turn = 0; turn < 50; turn += 1) await settled()
    // What was read with the last of the three parts, and what the stream has ready for the next reading.
    expect(given).toBeLessThanOrEqual(300 + 100)
    expect(callsOf(scene, 'part')).toHaveLength(3)
    scene.stop.abort()
    await scene.done
    expectNothing(scene)
    expect(input.destroyed).toBe(true)
  })

  it('a part is sent again, while others go on', async () => {
    const bytes = bytesFrom(1, 1000)
    const script = ({ what, partNumber, attempt }: FakeCall): Fate =>
      what === 'part' && partNumber === 2 && attempt <= 2 ? broken() : undefined
    const scene = send(inPieces(bytes), { script })
    expect(await scene.done).toBeUndefined()
    expect(stored(scene)?.equals(bytes)).toBe(true)
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 3, bytesSent: 1200, parts: 10 }])
    expect(callsOf(scene, 'part')).toHaveLength(12)
  })

  it('what has no end yet is sent all the same', async () => {
    const { input, push } = tap()
    const scene = send(input)
    push(300)
    while (callsOf(scene, 'part').length < 3) await settled()
    expect(scene.events.find(({ type }) => type === 'file-started')).toMatchObject({
      size: undefined,
      parts: undefined,
    })
    expect(scene.lines).toMatchObject([{ type: 'upload-started', path: '-', size: null, mtime: null, partSize: 100 }])
    input.push(null)
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 300, parts: 3 }])
  })
})

describe('what goes wrong with standard input that is sent while it is read', () => {
  it('a part that fails for good: the upload is removed, and there is no other pass', async () => {
    const script = ({ what, partNumber }: FakeCall): Fate =>
      what === 'part' && partNumber === 4 ? broken() : undefined
    const scene = send(inPieces(bytesFrom(1, 5000)), { script })
    await scene.done
    expect(scene.records).toMatchObject([
      {
        status: 'failed',
        size: null,
        error: {
          code: 'SERVER_ERROR',
          message: 'broken; standard input cannot be read twice; give the whole command again',
          status: 500,
          retryable: false,
        },
      },
    ])
    expect(callsOf(scene, 'create')).toHaveLength(1)
    expect(scene.events.filter(({ type }) => type === 'file-deferred')).toEqual([])
    expectNothing(scene)
  })

  it('input that breaks off', async () => {
    const cause = new Error('the pipe broke')
    const input = Readable.from(
      (async function* () {
        yield Buffer.alloc(450)
        throw cause
      })(),
    )
    const scene = send(input)
    await scene.done
    expect(scene.records).toMatchObject([
      {
        status: 'failed',
        error: {
          code: 'SOURCE_UNREADABLE',
          message: 'standard input broke off: the pipe broke; give the whole command again',
        },
      },
    ])
    expectNothing(scene)
  })

  it('a stop, while it is waited for', async () => {
    const { input, push } = tap()
    const scene = send(input)
    push(450)
    while (callsOf(scene, 'part').length < 4) await settled()
    scene.stop.abort()
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'cancelled' }])
    expect(input.destroyed).toBe(true)
    expectNothing(scene)
  })

  it('an upload that cannot be removed is told of, as one that is kept', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'abort' || what === 'resume' ? failure('ACCESS_DENIED', 'no') : what === 'part' ? broken() : undefined
    const scene = send(inPieces(bytesFrom(1, 500)), { script })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'SERVER_ERROR' } }])
    expect(scene.events.find(({ type }) => type === 'file')).toMatchObject({ keepsUpload: true })
    expect(scene.destination.openUploads).toBe(1)
  })

  it('one that the destination has lost is not begun anew', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'complete' ? failure('BAD_RESPONSE', 'no such upload', { status: 404 }) : undefined
    const scene = send(inPieces(bytesFrom(1, 500)), { script })
    await scene.done
    expect(scene.records).toMatchObject([
      { status: 'failed', error: { code: 'BAD_RESPONSE', message: expect.stringContaining('cannot be read twice') } },
    ])
    expect([callsOf(scene, 'create').length, callsOf(scene, 'complete').length]).toEqual([1, 1])
    expectNothing(scene)
  })

  it('a fault of everybody ends the run, in its own words', async () => {
    const script = ({ what }: FakeCall): Fate =>
      what === 'part' ? failure('CREDENTIALS_EXPIRED', 'log in again') : undefined
    const scene = send(inPieces(bytesFrom(1, 500)), { script })
    expect(await scene.done).toMatchObject({ code: 'CREDENTIALS_EXPIRED', message: 'log in again' })
    expectNothing(scene)
  })

  it('a journal that cannot take its beginning ends the run before a part is sent', async () => {
    const full = failure('INTERNAL', 'the disk is full')
    const scene = send(inPieces(bytesFrom(1, 500)), {
      record: async () => {
        throw full
      },
    })
    expect(await scene.done).toBe(full)
    expect(callsOf(scene, 'part')).toEqual([])
    expectNothing(scene)
  })

  it('what goes as a whole is sent again in another pass', async () => {
    const bytes = bytesFrom(1, 150)
    const script = ({ attempt }: FakeCall): Fate => (attempt <= 3 ? broken() : undefined)
    const scene = send(inPieces(bytes), { script })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 4 }])
    expect(stored(scene)?.equals(bytes)).toBe(true)
  })
})

describe('limits', () => {
  const tooLarge = { code: 'TOO_LARGE', message: expect.stringContaining('450 bytes that --max-size allows') }

  it('450 bytes pass a limit of 450', async () => {
    const scene = send(inPieces(bytesFrom(1, 450)), { limits: { ...noLimits, maxSize: 450 } })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 450 }])
  })

  it.each([
    ['in parts', takesParts.multipart],
    ['kept first', undefined],
  ])('451 bytes do not: %s', async (_name, multipart) => {
    const scene = send(inPieces(bytesFrom(1, 451)), {
      destination: { reads: 'open', multipart },
      limits: { ...noLimits, maxSize: 450 },
    })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'failed', error: tooLarge }])
    expectNothing(scene)
  })

  it('at the first byte beyond, it is read no further', async () => {
    const { input, push } = tap()
    const scene = send(input, { limits: { ...noLimits, maxSize: 450 } })
    push(451)
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'failed', error: tooLarge }])
    expect(input.destroyed).toBe(true)
    expectNothing(scene)
  })

  it('what a destination takes in one object', async () => {
    const scene = send(inPieces(bytesFrom(1, 451)), { destination: { ...takesParts, limits: { maxObjectSize: 450 } } })
    await scene.done
    expect(scene.records).toMatchObject([
      {
        status: 'failed',
        error: {
          code: 'TOO_LARGE',
          message: 'it has more than the 450 bytes that the destination takes in one object',
        },
      },
    ])
    expectNothing(scene)
  })

  it('what its parts hold', async () => {
    const scene = send(inPieces(bytesFrom(1, 451)), { destination: { ...takesParts, limits: { maxParts: 4 } } })
    await scene.done
    expect(scene.records).toMatchObject([
      {
        status: 'failed',
        error: { message: 'it has more than the 400 bytes that 4 parts hold; give a larger --part-size' },
      },
    ])
    expectNothing(scene)
  })

  it('--max-total-size ends the run', async () => {
    const limits = { ...noLimits, maxTotalSize: 1000, plannedBytes: 600 }
    const scene = send(inPieces(bytesFrom(1, 401)), { limits })
    expect(await scene.done).toMatchObject({ code: 'HALTED' })
    expect(scene.records).toMatchObject([{ status: 'cancelled' }])
    expectNothing(scene)
  })

  it('--min-size, once it was read', async () => {
    const scene = send(inPieces(bytesFrom(1, 401)), { limits: { ...noLimits, minSize: 402 } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'TOO_SMALL' } }])
    expectNothing(scene)
  })

  it('--allow-type, before anything is sent', async () => {
    const html = Buffer.concat([Buffer.from('<!doctype html><html>'), Buffer.alloc(5000, 'x')])
    const scene = send(inPieces(html), { limits: { ...noLimits, allowType: ['audio/*'] } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'TYPE_NOT_ALLOWED' } }])
    expect(scene.destination.calls).toEqual([])
  })
})

describe('objects that are there already', () => {
  it.each([
    ['skip', { status: 'skipped', reason: 'exists' }],
    ['fail', { status: 'failed', error: { code: 'ALREADY_EXISTS' } }],
  ] as const)('--if-exists %s asks before it reads', async (ifExists, record) => {
    const stdin = vi.fn(() => inPieces(bytesFrom(1, 500)))
    const scene = transfer({
      files: [stdinFile],
      stdin,
      destination: takesParts,
      settings: { ...sizes, ifExists },
    })
    scene.destination.place(stdinFile.key, { size: 1, bytes: Buffer.alloc(1) })
    await scene.done
    expect(scene.records).toMatchObject([record])
    expect(stdin).not.toHaveBeenCalled()
  })

  it('one that came meanwhile stays', async () => {
    const script = ({ what, key }: FakeCall): Fate => {
      if (what === 'complete') scene.destination.place(key, { size: 1, bytes: Buffer.alloc(1) })
      return undefined
    }
    const scene = send(inPieces(bytesFrom(1, 500)), { script, settings: { ifExists: 'fail' } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'ALREADY_EXISTS' } }])
    expect(stored(scene)).toHaveLength(1)
    expect(scene.destination.openUploads).toBe(0)
  })

  it('where it was in doubt whose it is, that is not compared with what is gone', async () => {
    const script = ({ what, key, attempt }: FakeCall): Fate => {
      if (what === 'part' && attempt === 1) return failure('CHECKSUM_MISMATCH', 'other bytes')
      if (what === 'complete') scene.destination.place(key, { size: 1, bytes: Buffer.alloc(1) })
      return undefined
    }
    const scene = send(inPieces(bytesFrom(1, 500)), { script, settings: { ifExists: 'fail' } })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'ALREADY_EXISTS' } }])
  })
})

describe('--verify', () => {
  it('asks for the object afterwards', async () => {
    const scene = send(inPieces(bytesFrom(1, 500)), { settings: { verify: true } })
    expect(await scene.done).toBeUndefined()
    expect(scene.destination.calls.at(-1)?.what).toBe('head')
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
  })

  it('an object that is another is not sent again', async () => {
    const script = ({ what, key }: FakeCall): Fate => {
      if (what === 'head') scene.destination.place(key, { size: 1, bytes: Buffer.alloc(1) })
      return undefined
    }
    const scene = send(inPieces(bytesFrom(1, 500)), { script, settings: { verify: true } })
    await scene.done
    expect(scene.records).toMatchObject([
      {
        status: 'failed',
        error: { code: 'CHECKSUM_MISMATCH', message: expect.stringMatching(/cannot be read twice/), retryable: false },
      },
    ])
    expect(callsOf(scene, 'create')).toHaveLength(1)
  })
})

describe('after a run that was killed', () => {
  const unfinished = { partSize: 100, size: undefined, mtime: undefined, parts: [] }
  const knows = (uploadId: string): Earlier => ({
    find: async ({ key }) => ({ key, unfinished: { ...unfinished, uploadId } }),
  })

  it('the upload that was begun is removed, and another begun', async () => {
    const { input, push } = tap()
    const killed = send(input)
    push(300)
    while (callsOf(killed, 'part').length < 3) await settled()
    // As a process that is killed: nothing more comes of it.
    const bytes = bytesFrom(2, 500)
    const scene = send(inPieces(bytes), {
      onto: killed.destination,
      earlier: knows(`upload of ${stdinFile.key}`),
    })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 500, parts: 5 }])
    expect([stored(scene)?.equals(bytes), scene.destination.openUploads]).toEqual([true, 0])
    killed.stop.abort()
    await killed.done
  })

  it('one that cannot be removed is left, and said so', async () => {
    const script = ({ what }: FakeCall): Fate => (what === 'resume' ? failure('ACCESS_DENIED', 'no') : undefined)
    const scene = send(inPieces(bytesFrom(2, 500)), { script, earlier: knows('another') })
    expect(await scene.done).toBeUndefined()
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
    expect(scene.events).toContainEqual({
      type: 'notice',
      message: `${stdinFile.key}: its half-sent upload is left for upload cleanup`,
    })
  })
})
