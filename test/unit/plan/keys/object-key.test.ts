import { describe, expect, it } from 'vitest'
import { compileKeyTemplate } from '../../../../src/plan/keys/key-template.ts'
import { baseNameOf, directoryOf, keyProblem, normalizeName } from '../../../../src/plan/keys/object-key.ts'
import { templateFile } from '../template-file.ts'
import { seeded } from '../tree.ts'

describe('keyProblem', () => {
  it.each([
    'a.wav',
    'a/b/c.wav',
    ' a ',
    '...',
    '.hidden/..x',
    'a\\b',
    '..\\x',
    'caf\u00e9',
    '\u{1f600}',
    'a\u2028b',
    'a\ufffdb',
    '%2e%2e/a',
  ])('%j can be one', (key) => {
    expect(keyProblem(key)).toBeUndefined()
  })

  it.each([
    ['', 'empty'],
    ['/a', 'begin with "/"'],
    ['//a', 'begin with "/"'],
    ['a//b', 'empty segment'],
    ['a/../b', 'its key would have a ".." segment; give another one, or --key-fix'],
    ['a/', 'empty segment'],
    ['.', '"." segment'],
    ['a/./b', '"." segment'],
    ['..', '".." segment'],
    ['../a', '".." segment'],
    ['a/..', '".." segment'],
    ['a\u0000b', 'control character'],
    ['a\nb', 'control character'],
    ['a\u001b[0m', 'control character'],
    ['a\u007f', 'control character'],
    ['a\u0085', 'control character'],
    ['a\u009f', 'control character'],
    ['a\ud800b', 'not valid Unicode'],
    ['\udc00', 'not valid Unicode'],
  ])('%j cannot: %s', (key, why) => {
    expect(keyProblem(key)).toContain(why)
  })
})

it.each([
  ['cafe\u0301', 'caf\u00e9'],
  ['\u212a', 'K'],
  ['\u1112\u1161\u11ab', '\ud55c'],
  ['plain', 'plain'],
])('%j is written %j', (name, composed) => {
  expect(normalizeName(name)).toBe(composed)
})

it.each([
  ['a/b/c.wav', 'a/b', 'c.wav'],
  ['c.wav', '', 'c.wav'],
  ['a/', 'a', ''],
  ['/c', '', 'c'],
  ['', '', ''],
])('%j is in %j and called %j', (name, directory, baseName) => {
  expect([directoryOf(name), baseNameOf(name)]).toEqual([directory, baseName])
})

describe('of 10,000 random names', () => {
  const pieces = [
    ...['a', 'B', '7', ' ', '-', 'é', 'e\u0301', '\u212a', '語', '\u{1f469}\u200d\u{1f467}', '%2f', '\\', ':', '*'],
    ...['/', '/', '/', '.', '.', '..', '../', './', '//', '.wav', '.tar.gz', '{path}', '\ufffd', '\u2028', '\u202e'],
    ...['\u0000', '\n', '\r', '\t', '\u001b', '\u007f', '\u0080', '\u009f', '\ud800', '\udfff', '\u0301', '\u3000'],
  ]
  const templates = ['{path}', '{dir}/{name}{ext}', 'x/{dir}/{name}', '{dir}{name}', '{name}/{ext}', '{index}{ext}']

  /** The rule once more, character by character. */
  function isSound(key: string): boolean {
    let segment = ''
    for (const character of [...key, '/']) {
      const code = character.codePointAt(0) as number
      if (code < 32 || (code > 126 && code < 160) || (code >= 0xd800 && code < 0xe000)) return false
      if (character !== '/') {
        segment += character
        continue
      }
      if (['', '.', '..'].includes(segment)) return false
      segment = ''
    }
    return true
  }

  it.each(templates)('%s makes no key that is let through and is none', (template) => {
    const below = seeded(template.length)
    const makeKey = compileKeyTemplate(template)
    const outcomes = { sound: 0, refused: 0 }
    for (let index = 1; index <= 10_000; index += 1) {
      const source = Array.from({ length: below(8) }, () => pieces[below(pieces.length)]).join('')
      const key = normalizeName(makeKey(templateFile({ source: normalizeName(source), index })))
      const problem = keyProblem(key)
      expect(problem === undefined, JSON.stringify({ source, key, problem })).toBe(isSound(key))
      outcomes[problem === undefined ? 'sound' : 'refused'] += 1
    }
    // Neither all names nor none: otherwise the names prove nothing.
    expect(Math.min(outcomes.sound, outcomes.refused), JSON.stringify(outcomes)).toBeGreaterThan(200)
  })
})
