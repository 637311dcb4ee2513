import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../../src/checksums/checksummer.ts'
import { combineChecksums, isCombinable } from '../../../src/checksums/crc-combine.ts'
import { someBytes } from '../../contract/bodies.ts'

const sizesOfParts: readonly (readonly number[])[] = [
  [0],
  [1],
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [3, 5, 7],
  [8, 8, 8, 3],
  [1000, 1000, 1000, 1],
  [4096, 4095, 4097],
  [65_536, 65_536, 12_345],
  [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
]

describe.each(['crc32', 'crc32c', 'crc64nvme'] as const)('the %s of a whole', (algorithm) => {
  const { of } = checksummerOf(algorithm)

  it.each(sizesOfParts.map((sizes) => [sizes.join(' + '), sizes] as const))(
    'follows from that of parts of %s bytes',
    async (_, sizes) => {
      const bytes = someBytes(
        sizes.reduce((sum, size) => sum + size, 0),
        sizes.length,
      )
      let from = 0
      const parts = []
      for (const size of sizes) {
        parts.push({ size, value: await of(bytes.subarray(from, from + size)) })
        from += size
      }
      expect(combineChecksums(algorithm, parts)).toBe(await of(bytes))
    },
  )

  it('follows where parts are larger than 32 bits can count', async () => {
    // Where a part's checksum is 0, only its length counts.
    const value = await of(Buffer.from('a'))
    const large = 5 * 2 ** 30
    const whole = combineChecksums(algorithm, [
      { size: 1, value },
      { size: 2 * large, value },
    ])
    const zero = Buffer.alloc(Buffer.from(value, 'base64').length).toString('base64')
    const halves = combineChecksums(algorithm, [
      { size: 1, value },
      { size: large, value: zero },
      { size: large, value },
    ])
    expect(halves).toBe(whole)
  })

  it('is another where two parts change places', async () => {
    const [a, b] = [
      { size: 10, value: await of(someBytes(10, 1)) },
      { size: 10, value: await of(someBytes(10, 2)) },
    ]
    expect(combineChecksums(algorithm, [a, b])).not.toBe(combineChecksums(algorithm, [b, a]))
  })

  it('takes little for as many parts as there may be', async () => {
    const value = await of(someBytes(10, 1))
    const parts = Array.from({ length: 10_000 }, () => ({ size: 8 * 2 ** 20, value }))
    expect(combineChecksums(algorithm, parts)).toHaveLength(value.length)
  })

  it('can be had', () => expect(isCombinable(algorithm)).toBe(true))
})

it('a digest of a whole does not follow from its parts’', () => {
  expect(isCombinable('sha256')).toBe(false)
  expect(combineChecksums('sha256', [{ size: 1, value: 'AAAA' }])).toBeUndefined()
})
