import { describe, expect, it } from 'vitest'
import { parseDuration, showDuration } from '../../../src/config/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '30', 's', '-1s', '30 s', '30S', '1h30m', '1w', '.5s', '99999999999999999d'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

it.each([
  [0, '0'],
  [200, '200ms'],
  [1500, '1500ms'],
  [20_000, '20s'],
  [600_000, '10m'],
  [7_200_000, '2h'],
  [604_800_000, '7d'],
])('showDuration(%d) is %s', (ms, text) => {
  expect(showDuration(ms)).toBe(text)
  expect(parseDuration(text)).toBe(ms)
})
