import { describe, expect, it } from 'vitest'
import { createKeyHashes } from '../../../../src/plan/keys/key-hashes.ts'

describe('createKeyHashes', () => {
  it('finds what was added, and nothing else', () => {
    const hashes = createKeyHashes()
    const keys = [
      '',
      'a',
      'b',
      'ab',
      'ba',
      'a/b',
      'a\u0000',
      '\u0000',
      '\u0000\u0000',
      'é',
      '\u{1f600}',
      'x'.repeat(1024),
    ]
    for (const key of keys) expect([hashes.has(key), hashes.add(key)], key).toEqual([false, false])
    for (const key of keys) expect([hashes.has(key), hashes.add(key)], key).toEqual([true, true])
    expect(hashes.size).toBe(keys.length)
  })

  it('tells 200,000 keys that differ little apart while it grows', () => {
    const hashes = createKeyHashes()
    const makers = [
      (index: number) => `recordings/2026/take-${String(index).padStart(7, '0')}.wav`,
      (index: number) => `${index}/data.json`,
      (index: number) => `${'a'.repeat(index % 50)}/${index.toString(36)}`,
      (index: number) => String.fromCharCode(index & 0xff, 97 + (index >> 8), 0xffff - index),
    ]
    for (let index = 0; index < 50_000; index += 1) {
      for (const make of makers) if (hashes.add(make(index))) throw new Error(`${make(index)} was not added before`)
    }
    expect(hashes.size).toBe(200_000)
    for (let index = 0; index < 50_000; index += 997) expect(hashes.add(makers[0]?.(index) ?? '')).toBe(true)
  })

  it.each<[string, (key: string) => readonly [number, number]]>([
    ['one hash for all', () => [1, 2]],
    ['both halves 0, which marks a free place', () => [0, 0]],
  ])('%s: every key after the first is a suspect', (_, hash) => {
    const hashes = createKeyHashes(hash)
    expect([hashes.add('a'), hashes.add('b'), hashes.add('a')]).toEqual([false, true, true])
    expect(hashes.size).toBe(1)
  })

  it.each<[string, (index: number) => readonly [number, number]]>([
    ['the same low half', (index) => [index + 1, 7]],
    ['the last place of the table', (index) => [index + 1, 0xffff_ffff]],
    ['the same high half', (index) => [7, index * 1024]],
    ['a high half of 0', (index) => [0, index + 1]],
    ['a low half of 0', (index) => [index + 1, 0]],
  ])('hashes with %s are told apart', (_, hash) => {
    const hashes = createKeyHashes((key) => hash(Number(key)))
    const keys = Array.from({ length: 2000 }, (_, index) => String(index))
    expect(keys.filter((key) => hashes.add(key))).toEqual([])
    expect(keys.filter((key) => !hashes.add(key))).toEqual([])
    expect(hashes.size).toBe(2000)
  })
})
