import { describe, expect, it } from 'vitest'
import { mtimeText, namesMtime, withMtime } from '../../../src/destinations/mtime.ts'
import { seeded } from '../plan/tree.ts'

describe('a modification time in metadata', () => {
  // As the tests of rclone's library for it have them.
  it.each([
    [0n, '0'],
    [1n, '0.000000001'],
    [1_000n, '0.000001'],
    [1_000_000n, '0.001'],
    [100_000_000n, '0.1'],
    [1_000_000_000n, '1'],
    [10_000_000_000n, '10'],
    [1_234_567_890_123_456_789n, '1234567890.123456789'],
    [12_345_678_901_123_456_789n, '12345678901.123456789'],
    [1_354_040_105_120_000_000n, '1354040105.12'],
    [-1n, '-0.000000001'],
    [-100_000_000n, '-0.1'],
    [-1_000_000_000n, '-1'],
    [-1_234_567_890_123_456_789n, '-1234567890.123456789'],
  ])('%s ns is %s', (ns, text) => {
    expect(mtimeText(ns)).toBe(text)
  })

  it('says each time to the nanosecond, and no more than that', () => {
    const below = seeded(9)
    for (let at = 0; at < 1000; at += 1) {
      const ns = BigInt(below(2 ** 31)) * 1_000_000_000n + BigInt(below(10 ** (at % 10)))
      const text = mtimeText(ns)
      const [seconds, decimals = ''] = text.split('.')
      expect(BigInt(seconds as string) * 1_000_000_000n + BigInt(decimals.padEnd(9, '0'))).toBe(ns)
      expect(text).not.toMatch(/\.$|\.\d*0$/)
    }
  })

  it('comes to the user’s own', () => {
    expect(withMtime(undefined, undefined)).toBeUndefined()
    expect(withMtime({ a: 'b' }, undefined)).toEqual({ a: 'b' })
    expect(withMtime(undefined, 0n)).toEqual({ mtime: '0' })
    expect(withMtime({ a: 'b' }, 1_500_000_000n)).toEqual({ a: 'b', mtime: '1.5' })
  })

  it('may be one of them, in any case', () => {
    expect([undefined, {}, { mtimes: '1' }].map(namesMtime)).toEqual([false, false, false])
    expect([{ mtime: '' }, { a: 'b', MTime: '1' }].map(namesMtime)).toEqual([true, true])
  })
})
