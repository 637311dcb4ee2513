import { describe, expect, it } from 'vitest'
import { deadline, share } from '../../../src/config/halting-values.ts'

describe('a deadline', () => {
  it.each([
    ['06:00', { kind: 'at', hours: 6, minutes: 0 }],
    ['6:05', { kind: 'at', hours: 6, minutes: 5 }],
    ['23:59', { kind: 'at', hours: 23, minutes: 59 }],
    ['2h', { kind: 'after', ms: 7_200_000 }],
    ['90m', { kind: 'after', ms: 5_400_000 }],
    ['24d', { kind: 'after', ms: 24 * 86_400_000 }],
  ])('%s', (given, expected) => {
    expect(deadline().parse(given)).toEqual(expected)
  })

  it.each(['24:00', '6:5', '06:60', '0', '0s', '25d', '7', 'soon', '', 6])('%j is none', (given) => {
    const { error } = deadline().safeParse(given)
    expect(error?.issues[0]?.message).toBe('expected a local time such as 06:00, or a duration such as 90m, 2h or 1d')
  })
})

describe('a share', () => {
  it.each([
    ['5%', 0.05],
    ['0.5%', 0.005],
    ['100 %', 1],
    ['0%', 0],
  ])('%s', (given, expected) => {
    expect(share().parse(given)).toBe(expected)
  })

  it.each(['5', '101%', '-1%', '%', 'five%', '', 0.05])('%j is none', (given) => {
    const { error } = share().safeParse(given)
    expect(error?.issues[0]?.message).toBe('expected a percentage such as 5% or 0.5%')
  })
})
