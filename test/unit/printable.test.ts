import { describe, expect, it } from 'vitest'
import { printable } from '../../src/printable.ts'

describe('printable', () => {
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

  it.each([
    ['plain name.wav', 'plain name.wav'],
    ['größe 録音.wav', 'größe 録音.wav'],
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['\x1b[31mred', '\\x1b[31mred'],
    ['\x00\x07\x7f', '\\x00\\x07\\x7f'],
    ['\x9b31m', '\\x9b31m'],
    ['gpj.\u202etxt', 'gpj.\\u202etxt'],
    ['\u202a\u2066\u2069', '\\u202a\\u2066\\u2069'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['back\\slash', 'back\\slash'],
  ])('%j', (name, expected) => expect(printable(name)).toBe(expected))

  it('leaves no control character, whatever the name', () => {
    const every = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
    expect(printable(every)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
  })
})
