import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bucketOf, isCandidates, wholeShare } from '../../../src/rollout/assign.ts'
import { seededRandom } from '../../support/fake-clock.ts'

const long = 'x'.repeat(1000)

describe('bucketOf', () => {
  // Computed by Python: int.from_bytes(hashlib.sha256((name + ":" + source).encode()).digest()[:8], "big") % 10000
  it.each([
    ['async-upload', 'a.wav', 4310],
    ['nightly', 'a.wav', 8531],
    ['nightly-import', 'recordings/2026/11/22/session 7/take-0001.wav', 2031],
    ['nightly', 'caf\u00e9.wav', 4317],
    ['nightly', 'cafe\u0301.wav', 6708],
    ['\u00dcbertragung', '音声/日本語.wav', 5037],
    ['nightly', '🎵/👨‍👩‍👧.flac', 7592],
    ['nightly', '', 5091],
    ['nightly', 'a:b', 943],
    ['n', long, 7731],
    ['nightly', 'take-13202.wav', 0],
    ['nightly', 'take-27752.wav', 9999],
  ])('of %s, %.80s', (name, source, bucket) => {
    expect(bucketOf(name, source)).toBe(bucket)
  })

  it('is the first 8 bytes mod 10,000 in whole numbers of any size', () => {
    for (let number = 0; number < 2000; number += 1) {
      const source = `take ${number}.wav`
      const digest = createHash('sha256').update(`n:${source}`).digest()
      expect(bucketOf('n', source)).toBe(Number(digest.readBigUInt64BE(0) % 10_000n))
    }
  })
})

describe('isCandidates', () => {
  it.each([
    [0, 0, false],
    [0, 0.01, true],
    [1, 0.01, false],
    // 0.29 * 100 is 28.999999999999996.
    [28, 0.29, true],
    [29, 0.29, false],
    [49, 0.5, true],
    [50, 0.5, false],
    [99, 1, true],
    [100, 1, false],
    [9998, 99.99, true],
    [9999, 99.99, false],
    [9999, 100, true],
  ])('bucket %d at %d percent: %s', (bucket, percentage, expected) => {
    expect(isCandidates(bucket, percentage)).toBe(expected)
  })
})

it.each([
  [0, 'none'],
  [0.004, 'none'],
  [0.01, undefined],
  [50, undefined],
  [99.99, undefined],
  [99.996, 'all'],
  [100, 'all'],
] as const)('a share of %d percent decides for itself about %s', (percentage, whole) => {
  expect(wholeShare(percentage)).toBe(whole)
})

const random = seededRandom(11)
const digits = (count: number): string =>
  Math.floor(random() * 10 ** count)
    .toString()
    .padStart(count, '0')

/** Names as sources have them: numbered in a row, by date, deep, long, and in other scripts. */
const kinds: readonly ((number: number) => string)[] = [
  (number) => `take-${number}.wav`,
  (number) => `recordings/2026/${digits(2)}/${digits(2)}/session ${digits(4)}/take ${number}.wav`,
  (number) => `записи/${digits(3)}/дубль ${number}.flac`.normalize('NFC'),
  (number) => `音声/🎵 ${digits(2)}/é${number}.mp3`.normalize('NFC'),
  (number) => `${'deep/'.repeat(number % 40)}${'long name '.repeat(20)}${number}.bin`,
]
const sources = Array.from({ length: 100_000 }, (_, number) => kinds[number % kinds.length]?.(number) ?? '')
const buckets = sources.map((source) => bucketOf('nightly', source))

describe('shares of 100,000 files', () => {
  it.each([1, 10, 50])('are within three standard deviations of %d percent', (percentage) => {
    const share = percentage / 100
    const expected = sources.length * share
    const deviation = Math.sqrt(sources.length * share * (1 - share))
    const candidates = buckets.filter((bucket) => isCandidates(bucket, percentage)).length
    expect(Math.abs(candidates - expected)).toBeLessThanOrEqual(3 * deviation)
  })

  it.each([
    [0, 0],
    [100, 100_000],
  ])('are, at %d percent, %d files', (percentage, count) => {
    expect(buckets.filter((bucket) => isCandidates(bucket, percentage))).toHaveLength(count)
  })

  it('only ever come to the candidate when its share is raised', () => {
    const shares = [0, 0.01, 0.29, 0.5, 1, 5, 10, 33.3, 50, 99.99, 100]
    const movedBack = buckets.filter((bucket) => {
      const got = shares.map((percentage) => isCandidates(bucket, percentage))
      return got.lastIndexOf(false) > got.indexOf(true)
    })
    expect(movedBack).toEqual([])
  })

  it('are other files under another name', () => {
    const both = sources.filter(
      (source, index) => isCandidates(buckets[index] ?? 0, 10) && isCandidates(bucketOf('weekly', source), 10),
    )
    expect(both.length).toBeGreaterThan(700)
    expect(both.length).toBeLessThan(1300)
  })
})
