import { describe, expect, it } from 'vitest'
import {
  displayWidth,
  fitName,
  formatCount,
  formatDuration,
  formatFileRate,
  formatFiles,
  formatPercent,
  formatRate,
  formatRemaining,
  formatSize,
  formatSizeOf,
  oneLine,
} from '../../../src/observe/format.ts'

describe('numbers', () => {
  it.each([
    [formatSize(0), '0 B'],
    [formatSize(999), '999 B'],
    [formatSize(1000), '1.0 kB'],
    [formatSize(16_384), '16.4 kB'],
    [formatSize(99_949), '99.9 kB'],
    [formatSize(99_950), '100 kB'],
    [formatSize(999_499), '999 kB'],
    [formatSize(999_500), '1.0 MB'],
    [formatSize(81_200_000), '81.2 MB'],
    [formatSize(3_200_000_000), '3.2 GB'],
    [formatSize(5e12), '5.0 TB'],
    [formatSize(2.5e18), '2500 PB'],
    [formatSizeOf(60_100_000, 81_200_000), '60.1/81.2 MB'],
    [formatSizeOf(700_000_000, 2_100_000_000), '0.7/2.1 GB'],
    [formatSizeOf(0, 812), '0/812 B'],
    [formatSizeOf(12_340_000, 812_000_000), '12/812 MB'],
    [formatSizeOf(1_800_000_000, 3_200_000_000, true), '1.8/~3.2 GB'],
    [formatRate(41_000_000), '41.0 MB/s'],
    [formatRate(312_000_000), '312 MB/s'],
    [formatFileRate(20.48), '20.5 files/s'],
    [formatFileRate(99.95), '100 files/s'],
    [formatFileRate(12_345.6), '12,346 files/s'],
    [formatCount(1_000_000), '1,000,000'],
    [formatFiles(1), '1 file'],
    [formatFiles(1000), '1,000 files'],
    [formatFiles(214, true), '~214 files'],
    [formatPercent(0), '0 %'],
    [formatPercent(0.57), '57 %'],
    [formatPercent(0.9999), '99 %'],
    [formatPercent(1), '100 %'],
    [formatPercent(1.2), '100 %'],
  ])('%s', (actual, expected) => expect(actual).toBe(expected))

  it.each([
    [0, '0:00'],
    [0.2, '0:01'],
    [16, '0:16'],
    [59.5, '1:00'],
    [3723, '1:02:03'],
    [99 * 3600 + 3599, '99:59:59'],
    [100 * 3600, '4d 04h'],
    [100 * 86_400, '-:--'],
    [Number.POSITIVE_INFINITY, '-:--'],
    [Number.NaN, '-:--'],
    [-1, '-:--'],
  ])('%d s left: %s', (seconds, expected) => expect(formatRemaining(seconds)).toBe(expected))

  it.each([
    [0, '0 ms'],
    [0.34, '0.3 ms'],
    [9.96, '10 ms'],
    [212, '212 ms'],
    [999.6, '1.0 s'],
    [1400, '1.4 s'],
    [10_400, '10.4 s'],
    [59_949, '59.9 s'],
    [59_950, '1m 00s'],
    [123_000, '2m 03s'],
    [3_599_600, '1h 00m 00s'],
    [3_723_000, '1h 02m 03s'],
  ])('%d ms: %s', (ms, expected) => expect(formatDuration(ms)).toBe(expected))
})

describe('oneLine', () => {
  it('joins lines and escapes the rest', () => {
    expect(oneLine('first,\n  second\r\n\x1b[2Jthird\n')).toBe('first, second \\x1b[2Jthird')
  })
})

describe('fitName', () => {
  it.each([
    ['short.wav', 12, 'short.wav   '],
    ['exactly.wav', 11, 'exactly.wav'],
    ['interview-with-a-long-name-0042.wav', 20, 'interview…e-0042.wav'],
    ['録音テスト.wav', 20, '録音テスト.wav      '],
    ['録音テスト東京スタジオ.wav', 12, '録音…オ.wav '],
    ['', 3, '   '],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%j in %d columns', (name, width, expected) => {
    expect(fitName(name, width)).toBe(expected)
    expect(displayWidth(fitName(name, width))).toBe(width)
  })

  it('never cuts inside a character, and is exactly as wide as asked', () => {
    const name = '👨‍👩‍👧‍👦é́🇩🇪録音日本e\u0301'.repeat(4)
    const whole = new Set(Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment))
    for (let width = 1; width < 60; width += 1) {
      const fitted = fitName(name, width)
      expect(displayWidth(fitted)).toBe(width)
      const strange = Array.from(new Intl.Segmenter().segment(fitted), ({ segment }) => segment).filter(
        (character) => !whole.has(character) && character !== '…' && character !== ' ',
      )
      expect(strange).toEqual([])
    }
  })
})
