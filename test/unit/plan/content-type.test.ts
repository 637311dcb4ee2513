import { expect, it } from 'vitest'
import { contentTypeByName } from '../../../src/plan/content-type.ts'

it.each([
  ['a.wav', 'audio/wav'],
  ['./dir/A.WAV', 'audio/wav'],
  ['a.tar.gz', 'application/gzip'],
  ['x.json', 'application/json'],
  ['dir.json/readme', 'application/octet-stream'],
  ['Makefile', 'application/octet-stream'],
  ['a.unheard-of', 'application/octet-stream'],
  ['.json', 'application/octet-stream'],
  ['json', 'application/octet-stream'],
  ['', 'application/octet-stream'],
])('%j is %s', (name, type) => {
  expect(contentTypeByName(name)).toBe(type)
})
