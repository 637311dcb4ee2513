import { expect, it } from 'vitest'
import { printable } from '../../../src/config/printable.ts'

it.each([
  ['plain ünïcode → 音', 'plain ünïcode → 音'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\u001b[31mred', '\\x1b[31mred'],
  ['\u0000\u0007\u007f\u009b', '\\x00\\x07\\x7f\\x9b'],
  ['line\u2028separator', 'line\\u2028separator'],
  ['gpj.\u202eexe', 'gpj.\\u202eexe'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown)
})
