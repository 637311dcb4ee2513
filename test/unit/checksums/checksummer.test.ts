import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../src/checksums/checksummer.ts'
import type { ChecksumAlgorithm } from '../../../src/destinations/destination.ts'
import { someBytes } from '../../contract/bodies.ts'

/** The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/), of these nine digits. */
const digits = Buffer.from('123456789')
const known: readonly (readonly [ChecksumAlgorithm, string])[] = [
  ['crc32', 'cbf43926'],
  ['crc32c', 'e3069283'],
  ['crc64nvme', 'ae8b14860a799888'],
  ['sha256', createHash('sha256').update(digits).digest('hex')],
]

describe.each(known)('%s', (algorithm, check) => {
  const checksummer = checksummerOf(algorithm)

  it('makes the value everybody makes', async () => {
    expect(checksummer.algorithm).toBe(algorithm)
    expect(await checksummer.of(digits)).toBe(Buffer.from(check, 'hex').toString('base64'))
  })

  it('makes the same of all bytes and of buffers one after the other', async () => {
    const bytes = someBytes(100_000, 3)
    const running = checksummer.begin()
    for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 3) % 9973) {
      running.update(bytes.subarray(at, at + step))
    }
    expect(await running.result()).toBe(await checksummer.of(bytes))
  })

  it('of nothing is that of no update at all', async () => {
    expect(await checksummer.of(Buffer.alloc(0))).toBe(await checksummer.begin().result())
  })
})
