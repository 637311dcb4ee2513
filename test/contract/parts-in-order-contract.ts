import { expect, it } from 'vitest'
import type { MultipartUpload } from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import type { PartsScene } from './multipart-contract.ts'

/** What a destination does that takes parts one after the other, and each byte once. */
export function testPartsInOrder(scene: PartsScene): void {
  const { partSize, bytes, current, begin, send, partBody, takeUp, stored, stop, compare } = scene
  const lost = { code: 'BAD_RESPONSE', status: 404 }
  const sizesOf = async (upload: MultipartUpload) => (await upload.listParts(aCall())).map(({ size }) => size)
  /** Waits until the server has got so many bytes, where it tells. */
  const arrived = async (wanted: number): Promise<void> => {
    while ((current().received?.() ?? wanted) < wanted) await new Promise((resolve) => setImmediate(resolve))
  }
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0)

  it('makes an object of parts sent one after the other', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const parts = [await send(upload, 1), await send(upload, 2)]
    expect(await current().keys()).toEqual([])
    expect(await upload.listParts(aCall())).toMatchObject([
      { partNumber: 1, size: partSize },
      { partNumber: 2, size: partSize },
    ])
    parts.push(await send(upload, 3))
    expect(await sizesOf(upload)).toEqual([partSize, partSize, 100_000])
    expect(await upload.complete(parts, aCall())).toMatchObject({ key: 'a/k', size: bytes.length })
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(current().received?.() ?? bytes.length).toBe(bytes.length)
    expect(await current().leftovers()).toEqual([])
  })

  it('goes on after a restart in the middle of a part, and does not send again what was kept', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    await send(upload, 1)
    const controller = new AbortController()
    const half = bodyOf(bytes.subarray(partSize, 2 * partSize), {
      hangAfter: { bytes: 4_000_000, onHang: () => void arrived(partSize + 3_000_000).then(() => controller.abort()) },
    })
    const outcome = upload.uploadPart(2, half, aCall({ signal: controller.signal }))
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })

    const again = await takeUp(upload.uploadId)
    const [first, second = 0, ...more] = await sizesOf(again)
    expect([first, more]).toEqual([partSize, []])
    expect(second).toBeLessThan(partSize)
    const told: number[] = []
    await send(again, 2, aCall({ onBytes: (sent) => told.push(sent) }))
    expect([told[0], told.at(-1)]).toEqual([second, partSize])
    await send(again, 3)
    expect(await again.complete(await again.listParts(aCall()), aCall())).toMatchObject({ size: bytes.length })
    expect(Buffer.compare(await stored(), bytes)).toBe(0)
    expect(await current().leftovers()).toEqual([])
    const received = current().received?.()
    if (received === undefined) return
    expect(second).toBeGreaterThan(2_000_000)
    // What the server had read, but not yet kept when the connection went, is sent again: a piece or two.
    expect(received - bytes.length).toBeLessThan(256 * 1024)
  })

  it('tells which parts are there, to be gone on with where the file is as it was', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    await send(upload, 1)
    await send(upload, 2)
    await upload.release?.()

    const again = await takeUp(upload.uploadId)
    expect(await compare(again, false)).toMatchObject({ fitting: [], differing: 2 })
    const fitting = [{ partNumber: 1 }, { partNumber: 2 }]
    expect(await compare(again, true)).toMatchObject({ fitting, differing: 0 })
    await again.abort(aCall())
    expect(await current().leftovers()).toEqual([])
  })

  it('does not send a part again that is there; one that others follow is not replaced, but ends the upload', async () => {
    const upload = await begin()
    const { multipart } = current().destination
    if (upload === undefined || multipart === undefined) return expect(current().destination.engine).toBe('standard')
    expect(await send(upload, 1)).toEqual(await send(upload, 1))
    expect(current().received?.() ?? partSize).toBe(partSize)
    await send(upload, 2)
    const other = partBody(1, someBytes(bytes.length, 7))
    await expect(upload.uploadPart(1, other, aCall())).rejects.toMatchObject(lost)
    expect(await multipart.resume(upload.uploadId, scene.object(), aCall())).toBeUndefined()
    expect([await current().keys(), await current().leftovers()]).toEqual([[], []])
  })

  it('makes no object while a part is missing', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    const first = await send(upload, 1)
    const invented = { ...first, partNumber: 2 }
    await expect(upload.complete([first, invented], aCall())).rejects.toBeInstanceOf(UploadError)
    await expect(send(upload, 3)).rejects.toMatchObject(lost)
    expect([await current().keys(), await current().leftovers()]).toEqual([[], []])
  })

  it('stops a part at once', async () => {
    const upload = await begin()
    if (upload === undefined) return expect(current().destination.engine).toBe('standard')
    await stop(upload)
    expect(sum(await sizesOf(upload))).toBeLessThan(partSize)
  })
}
