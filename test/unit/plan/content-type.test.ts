import { expect, it } from 'vitest'
import { contentTypeByName } from '../../../src/plan/content-type.ts'

it.each([
  ['a.wav', 'audio/wav'],
  ['./dir/A.WAV', 'audio/wav'],
  ['a.tar.gz', 'application/gzip'],
  ['x.json', 'application/json'],
  ['notes.TXT', 'text/plain; charset=utf-8'],
  ['page.html', 'text/html; charset=utf-8'],
  ['table.csv', 'text/csv; charset=utf-8'],
  ['README.md', 'text/markdown; charset=utf-8'],
  ['main.rs', 'text/x-rust; charset=utf-8'],
  ['app.js', 'text/javascript; charset=utf-8'],
  ['logo.svg', 'image/svg+xml'],
  ['dir.json/readme', 'application/octet-stream'],
  ['Makefile', 'application/octet-stream'],
  ['a.unheard-of', 'application/octet-stream'],
  ['.json', 'application/octet-stream'],
  ['json', 'application/octet-stream'],
  ['', 'application/octet-stream'],
])('%j is %s', (name, type) => {
  expect(contentTypeByName(name)).toBe(type)
})
