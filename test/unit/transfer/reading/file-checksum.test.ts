import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../../src/checksums/checksummer.ts'
import type { PartBody } from '../../../../src/destinations/destination.ts'
import { checksumOf, md5Of } from '../../../../src/transfer/reading/file-checksum.ts'
import { bodyOf, someBytes } from '../../../contract/bodies.ts'

const bytes = someBytes(3 * 2 ** 20 + 17, 9)
const never = new AbortController().signal

function watched(body: PartBody) {
  const seen = { largest: 0, closed: 0 }
  const openReader: PartBody['openReader'] = async () => {
    const reader = await body.openReader()
    return {
      ...reader,
      read(into, offset) {
        seen.largest = Math.max(seen.largest, into.length)
        return reader.read(into, offset)
      },
      async close() {
        seen.closed += 1
        await reader.close()
      },
    }
  }
  return { seen, body: { ...body, openReader } }
}

describe.each(['crc32', 'crc32c', 'crc64nvme', 'sha256'] as const)('the %s of a body', (algorithm) => {
  it.each([0, 1, 2 ** 20, bytes.length])('of %i bytes is that of its bytes', async (size) => {
    const some = bytes.subarray(0, size)
    const { body, seen } = watched(bodyOf(some, { pieceSize: 100_000 }))
    const value = await checksummerOf(algorithm).of(some)
    expect(await checksumOf(body, algorithm, never)).toEqual({ algorithm, value })
    expect(seen.largest).toBeLessThanOrEqual(2 ** 20)
    expect(seen.closed).toBe(1)
  })
})

it('the MD5 sum of a body is that of its bytes', async () => {
  expect(await md5Of(bodyOf(bytes), never)).toBe(createHash('md5').update(bytes).digest('hex'))
})

describe('no checksum is made', () => {
  it('of a body that is no longer what it was', async () => {
    const { body, seen } = watched(bodyOf(bytes, { size: bytes.length - 1 }))
    await expect(checksumOf(body, 'crc32', never)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(seen.closed).toBe(1)
  })

  it('of a body that cannot be read', async () => {
    const { body, seen } = watched(bodyOf(bytes, { failAfter: { bytes: 1, error: new Error('broken') } }))
    await expect(md5Of(body, never)).rejects.toThrow('broken')
    expect(seen.closed).toBe(1)
  })

  it('once it is stopped', async () => {
    const { body } = watched(bodyOf(bytes))
    await expect(checksumOf(body, 'crc32', AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('once it is stopped in the middle of a read that never ends', async () => {
    const controller = new AbortController()
    const { body } = watched(bodyOf(bytes, { hangAfter: { bytes: 100, onHang: () => controller.abort() } }))
    await expect(checksumOf(body, 'crc32', controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
