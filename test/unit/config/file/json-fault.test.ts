import { describe, expect, it } from 'vitest'
import { findJsonFault } from '../../../../src/config/file/json-fault.ts'

const str = 'a string that ends on its line, its \\ and control characters escaped'

it.each([
  ['', 1, 1, 'a value'],
  ['  ', 1, 3, 'a value'],
  ['{', 1, 2, 'a key in double quotes'],
  ['{\n  "a": 1,\n}', 3, 1, 'a key in double quotes'],
  ['{\r\n  "a": 1,\r\n  // no\r\n}', 3, 3, 'a key in double quotes'],
  ['{"a" 1}', 1, 6, '":"'],
  ['{"a": }', 1, 7, 'a value'],
  ['{"a": 1 "b": 2}', 1, 9, '"," or "}"'],
  ['{"a": 1', 1, 8, '"," or "}"'],
  ['{"a": [1, 2}', 1, 12, '"," or "]"'],
  ['[1,]', 1, 4, 'a value'],
  ['{a: 1}', 1, 2, 'a key in double quotes'],
  ["{'a': 1}", 1, 2, 'a key in double quotes'],
  ['{"a": \'b\'}', 1, 7, 'a value'],
  ['{"a": "b\n"}', 1, 7, str],
  ['{"a": "\\x"}', 1, 7, str],
  ['{"a": "b', 1, 7, str],
  ['{"a": 01}', 1, 7, 'a value'],
  ['{"a": 1.}', 1, 7, 'a value'],
  ['{"a": tru}', 1, 7, 'a value'],
  ['{"a": [true, false, null, -1.5e+3, "\\u00e4\\n", {}, []]} x', 1, 57, 'the end of the file'],
  ['1\r2', 2, 1, 'the end of the file'],
])('%j at %d:%d, expected %s', (text, line, column, expected) => {
  expect(() => JSON.parse(text)).toThrow()
  expect(findJsonFault(text)).toEqual({ line, column, expected })
})

describe('texts that are JSON', () => {
  it.each(['{}', ' [ 1 , {"a" : "b\\"c"} ] \n', '"x"', '-0', '{"a":{"b":[[],{}]}}'])(
    '%j has none before its end',
    (text) => {
      expect(() => JSON.parse(text)).not.toThrow()
      expect(findJsonFault(`${text}?`)).toMatchObject({ expected: 'the end of the file' })
    },
  )
})
