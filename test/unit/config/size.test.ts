import { describe, expect, it } from 'vitest'
import { parseSize, showSize } from '../../../src/config/size.ts'

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['10485760', 10_485_760],
    ['100B', 100],
    ['10kB', 10_000],
    ['10KB', 10_000],
    ['10MB', 10_000_000],
    ['10 MB', 10_000_000],
    ['10MiB', 10_485_760],
    ['10mib', 10_485_760],
    ['1GB', 1e9],
    ['1GiB', 2 ** 30],
    ['2TB', 2e12],
    ['2TiB', 2 * 2 ** 40],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['0.3KB', 300],
    ['1.0001KB', 1000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each([
    '',
    '512k',
    '8M',
    '8Mi',
    'MB',
    '-1',
    '-1MB',
    '1.5',
    '1.5B',
    '1iB',
    '1,5MB',
    '1e3',
    '8 MiB ',
    '8  MiB',
    '1PB',
    '9999999TB',
    'auto',
  ])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })
})

it.each([
  [0, '0'],
  [1000, '1000'],
  [65_536, '64KiB'],
  [8 * 2 ** 20, '8MiB'],
  [5 * 2 ** 30, '5GiB'],
])('showSize(%d) is %s', (bytes, text) => {
  expect(showSize(bytes)).toBe(text)
  expect(parseSize(text)).toBe(bytes)
})
