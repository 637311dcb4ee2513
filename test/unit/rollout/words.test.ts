import { expect, it } from 'vitest'
import { candidateFiles, inHours, inPercent } from '../../../src/rollout/words.ts'

it.each([
  [0, '0 %'],
  [0.95, '95 %'],
  [0.995, '99.5 %'],
  [0.57, '57 %'],
  [0.29, '29 %'],
  [0.99497, '99.49 %'],
  [0.999999, '99.99 %'],
  [1, '100 %'],
])('%d is %s', (share, text) => {
  expect(inPercent(share)).toBe(text)
})

it.each([
  [0, '0 s'],
  [119_999, '119 s'],
  [120_000, '2 min'],
  [7_199_999, '119 min'],
  [7_200_000, '2 h'],
  [86_399_999, '23.9 h'],
  [604_800_000, '168 h'],
])('%d ms are %s', (ms, text) => {
  expect(inHours(ms)).toBe(text)
})

it.each([
  [0, '0 candidate files'],
  [1, '1 candidate file'],
  [200, '200 candidate files'],
])('%d are %s', (count, text) => {
  expect(candidateFiles(count)).toBe(text)
})
