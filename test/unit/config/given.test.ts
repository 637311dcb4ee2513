import { expect, it } from 'vitest'
import { fault, shown } from '../../../src/config/given.ts'

it.each([
  ['--to', 'is missing', '--to: is missing'],
  ['--if-exists', '--if-exists is not yet available', '--if-exists is not yet available'],
  ['/x\n/.uploadrc.json: to', 'found "http://u:p@h"', '/x\\n/.uploadrc.json: to: found "http://***@h"'],
])('fault(%j, %j)', (from, what, line) => {
  expect(fault(from, what)).toBe(line)
})

it.each([
  ['abc', '"abc"'],
  ['a"b\n', '"a\\"b\\n"'],
  ['', '""'],
  [12, '12'],
  [true, 'true'],
  [null, 'null'],
  [['a'], 'a list'],
  [{ a: 1 }, 'an object'],
  ['http://u:p@h', '"http://***@h"'],
  ['u:p@h:9000', '"***@h:9000"'],
  ['x'.repeat(100), `"${'x'.repeat(80)}…"`],
])('shown(%j)', (value, text) => {
  expect(shown(value)).toBe(text)
})
