import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { base64OfCrc32 } from '../../src/checksums/checksummer.ts'
import type {
  Call,
  MultipartUpload,
  ObjectToPut,
  Part,
  PartBody,
  UnfinishedUpload,
} from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'
import { checkParts, type PartCheck } from '../../src/transfer/part-check.ts'
import { createLocalBytes } from '../../src/transfer/reading/local-bytes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject, keyFor, partSizeOf, type Subject, type Traits } from './destination-contract.ts'
import { testPartsInOrder } from './parts-in-order-contract.ts'

/** An object of three parts, and how tests send it. */
export interface PartsScene {
  readonly partSize: number
  readonly bytes: Buffer
  readonly current: () => Subject
  /** The object under a key; `a/k` where none is given. */
  readonly object: (key?: string) => ObjectToPut
  /** Undefined where the destination cannot be called part by part. */
  readonly begin: () => Promise<MultipartUpload | undefined>
  readonly partBody: (partNumber: number, source?: Buffer) => PartBody
  readonly send: (upload: MultipartUpload, partNumber: number, call?: Call) => Promise<Part>
  /** The same upload, as another process sees it that goes on with it. */
  readonly takeUp: (uploadId: string) => Promise<MultipartUpload>
  readonly stored: () => Promise<Buffer>
  /** Stops the first part in its middle. */
  readonly stop: (upload: MultipartUpload) => Promise<void>
  /** Compares the parts that are there with the bytes, in a file: which fit, and how many do not. */
  readonly compare: (upload: MultipartUpload, isUnchanged: boolean) => Promise<PartCheck>
}

/** What a destination does that can be called part by part; one that cannot has nothing of it. */
export function testMultipart(current: () => Subject, traits: Traits): void {
  describe('part by part', () => {
    const scene = partsScene(current, traits)
    if (traits.partsInOrder) testPartsInOrder(scene)
    else testPartsInAnyOrder(scene, traits)
    testUnfinished(scene, traits)
  })
}

function partsScene(current: () => Subject, traits: Traits): PartsScene {
  const partSize = partSizeOf(traits)
  const bytes = someBytes(2 * partSize + 100_000)
  const partBody: PartsScene['partBody'] = (partNumber, source = bytes) =>
    bodyOf(source.subarray((partNumber - 1) * partSize, partNumber * partSize))
  const object = (key = 'a/k'): ObjectToPut => ({ ...anObject(key, partSize), size: bytes.length })
  return {
    partSize,
    bytes,
    current,
    object,
    partBody,
    async begin() {
      const upload = await current().destination.multipart?.create(object(), aCall())
      if (upload === undefined) return undefined
      expect(upload).toMatchObject({ partSize, ...(traits.partsInOrder ? { maxConcurrentParts: 1 } : {}) })
      expect(upload.isSequential ?? false).toBe(traits.partsInOrder ?? false)
      return upload
    },
    send: (upload, partNumber, call = aCall()) => upload.uploadPart(partNumber, partBody(partNumber), call),
    async takeUp(uploadId) {
      const again = await (await current().reopen()).multipart?.resume(uploadId, object(), aCall())
      if (again === undefined) throw new Error('the upload is not known any more')
      return again
    },
    stored: async () => Buffer.from((await current().read('a/k')) ?? []),
    async stop(upload) {
      const controller = new AbortController()
      const body = bodyOf(bytes.subarray(0, partSize), {
        hangAfter: { bytes: 200_000, onHang: () => setImmediate(() => controller.abort()) },
      })
      const outcome = upload.uploadPart(1, body, aCall({ signal: controller.signal }))
      await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
    },
    async compare(upload, isUnchanged) {
      const absolute = join(await tempDir(), 'source.bin')
      await writeFile(absolute, bytes)
      return checkParts(await upload.listParts(aCall()), {
        facts: { absolute, size: bytes.length, mtimeMs: (await stat(absolute)).mtimeMs },
        partSize,
        recorded: [],
        isUnchanged,
        isSequential: upload.isSequential,
        bytes: createLocalBytes(),
        signal: aCall().signal,
      })
    },
  }
}

function testPartsInAnyOrder(scene: PartsScene, traits: Traits): void {
  const { partSize, bytes, current, begin, send, partBody, takeUp, stored } = scene

  it('makes an object of parts sent in any order', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const parts = [await send(upload, 3), ...(await Promise.all([send(upload, 1), send(upload, 2)]))]
    expect(await current().keys()).toEqual([])
    parts.sort((a, b) => a.partNumber - b.partNumber)
    expect(await upload.listParts(aCall())).toMatchObject([
      { partNumber: 1, size: partSize },
      { partNumber: 2, size: partSize },
      { partNumber: 3, size: 100_000 },
    ])
    expect(await upload.complete(parts, aCall())).toMatchObject({ key: 'a/k', size: bytes.length })
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(await current().leftovers()).toEqual([])
  })

  it('makes an object of parts that grow, begun before its size is known', async () => {
    const { multipart, engine } = current().destination
    if (!multipart?.isOpenEnded) return expect(engine).toBe('standard')
    const { size: _unknown, ...object } = scene.object()
    const upload = await multipart.create(object, aCall())
    const starts = [0, partSize, bytes.length - 10, bytes.length]
    const grown = async (partNumber: number): Promise<Part> => {
      const start = starts[partNumber - 1] ?? 0
      const body = { ...bodyOf(bytes.subarray(start, starts[partNumber])), start }
      return upload.uploadPart(partNumber, body, aCall())
    }
    const parts = [await grown(3), ...(await Promise.all([grown(2), grown(1)]))]
    parts.sort((a, b) => a.partNumber - b.partNumber)
    expect(parts.map((part) => part.size)).toEqual([partSize, bytes.length - 10 - partSize, 10])
    const info = await upload.complete(parts, aCall())
    expect(info).toMatchObject({ key: 'a/k', size: bytes.length })
    if (info.checksum?.algorithm === 'crc32') expect(info.checksum.value).toBe(base64OfCrc32(crc32(bytes)))
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(await current().leftovers()).toEqual([])
  })

  it('takes up an upload after a restart, with the parts that were whole', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    await send(upload, 2)
    const error = new UploadError('SOURCE_UNREADABLE', 'the disk is gone')
    const torn = bodyOf(partBody(1).size === 0 ? bytes : bytes.subarray(0, partSize), {
      failAfter: { bytes: 100_000, error },
    })
    await expect(upload.uploadPart(1, torn, aCall())).rejects.toBe(error)

    const again = await takeUp(upload.uploadId)
    expect(again.partSize).toBe(partSize)
    expect(await again.listParts(aCall())).toMatchObject([{ partNumber: 2, size: partSize }])
    await send(again, 1)
    await send(again, 3)
    await again.complete(await again.listParts(aCall()), aCall())
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(await current().leftovers()).toEqual([])
  })

  it('tells enough of its parts to compare them with a file', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const other = someBytes(bytes.length, 7)
    await send(upload, 1)
    await upload.uploadPart(2, partBody(2, other), aCall())
    await upload.uploadPart(3, bodyOf(bytes.subarray(2 * partSize + 1)), aCall())
    await upload.release?.()

    const again = await takeUp(upload.uploadId)
    const { fitting, differing } = await scene.compare(again, false)
    expect([fitting.map((part) => part.partNumber), differing]).toEqual([[1], traits.hidesPartSizes ? 2 : 1])
    const sentAgain = [await send(again, 2), await send(again, 3)]
    await again.complete([...fitting, ...sentAgain], aCall())
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(await current().leftovers()).toEqual([])
  })

  it('takes a part again, and does not count it while that goes wrong', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const other = someBytes(bytes.length, 7)
    await upload.uploadPart(1, partBody(1, other), aCall())
    await send(upload, 1)
    await send(upload, 2)
    expect(await upload.listParts(aCall())).toHaveLength(2)
    await upload.complete(await upload.listParts(aCall()), aCall())
    expect(Buffer.compare(await stored(), bytes.subarray(0, 2 * partSize))).toBe(0)
  })

  it('makes no object while a part is missing', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const parts = [await send(upload, 1), await send(upload, 3)]
    const invented = [...parts.slice(0, 1), { partNumber: 2, size: partSize, etag: '"none"' }, ...parts.slice(1)]
    await expect(upload.complete(invented, aCall())).rejects.toBeInstanceOf(UploadError)
    expect(await current().keys()).toEqual([])
  })

  it('stops a part at once', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    await scene.stop(upload)
    expect(await upload.listParts(aCall())).toEqual([])
  })
}

function testUnfinished({ current, object, begin, send, partBody }: PartsScene, traits: Traits): void {
  it('knows nothing of an upload that never was, was aborted, or is of another key', async () => {
    const upload = await begin()
    const { multipart } = current().destination
    if (upload === undefined || multipart === undefined) return expect(current().destination.engine).toBe('standard')
    const invented = ['unknown', '../../etc/passwd', '', '00000000-0000-0000-0000-000000000000']
    for (const id of invented) expect(await multipart.resume(id, object(), aCall()), id).toBeUndefined()
    expect(await multipart.resume(upload.uploadId, object('other'), aCall())).toBeUndefined()
    await upload.abort(aCall())
    await upload.abort(aCall())
    expect(await multipart.resume(upload.uploadId, object(), aCall())).toBeUndefined()
    expect(await current().leftovers()).toEqual([])
    expect(await current().keys()).toEqual([])
  })

  if (traits.hidesUnfinished) {
    it('does not offer to list what was neither completed nor aborted', () => {
      expect(current().destination.multipart?.list).toBeUndefined()
    })
    return
  }

  it('lists what was neither completed nor aborted, by prefix, and removes it', async () => {
    const { destination } = current()
    const { multipart } = destination
    if (multipart?.list === undefined) return expect(current().destination.engine).toBe('standard')
    const odd = keyFor('a/ +ü&é.wav', destination)
    const keys = ['a/k', odd, 'b']
    const begun = new Map<string, string>()
    for (const key of keys) {
      const upload = await multipart.create(object(key), aCall())
      await upload.uploadPart(1, partBody(1), aCall())
      begun.set(upload.uploadId, key)
    }
    const completed = await multipart.create(object('a/done'), aCall())
    await completed.complete([await send(completed, 1)], aCall())

    const { multipart: again } = await current().reopen()
    const list = async (prefix: string) => {
      const found: UnfinishedUpload[] = []
      for await (const upload of again?.list?.(prefix, aCall()) ?? []) found.push(upload)
      return found
    }
    const all = await list('')
    expect(new Map(all.map(({ uploadId, key }) => [uploadId, key]))).toEqual(begun)
    for (const { initiatedAt } of all) expect(Math.abs(initiatedAt.getTime() - Date.now())).toBeLessThan(60_000)
    expect((await list('a/')).map(({ key }) => key).toSorted()).toEqual([odd, 'a/k'])
    expect(await list('none')).toEqual([])

    for (const upload of all) {
      await again?.remove?.(upload, aCall())
      await again?.remove?.(upload, aCall())
    }
    expect(await list('')).toEqual([])
    expect(await current().leftovers()).toEqual([])
    expect(await current().keys()).toEqual(['a/done'])
  })
}
