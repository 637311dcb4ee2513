import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../../src/errors.ts'
import {
  compilePattern,
  isGlob,
  literalPattern,
  splitPattern,
  toSlashes,
} from '../../../../src/plan/sources/pattern.ts'

describe('isGlob', () => {
  it.each(['*', 'a?.wav', '[ab].wav', '{a,b}', '{1..3}', 'a/**', '!(a)', '@(a|b)', '(a|b)', 'a\\*'])(
    '%s',
    (argument) => {
      expect(isGlob(argument)).toBe(true)
    },
  )

  it.each(['', 'a.wav', '{a}', 'a(1).wav', '[', 'a!b', '/abs/a.wav', '-', 'C:/x'])('not %j', (argument) => {
    expect(isGlob(argument)).toBe(false)
  })
})

describe('splitPattern', () => {
  it.each([
    ['*.wav', '', '*.wav'],
    ['./*.wav', './', '*.wav'],
    ['audio/*.wav', 'audio/', '*.wav'],
    ['audio/**/*.wav', 'audio/', '**/*.wav'],
    ['a/b*/c/*.wav', 'a/', 'b*/c/*.wav'],
    ['../x/*', '../x/', '*'],
    ['/srv/audio/*.wav', '/srv/audio/', '*.wav'],
    ['/*', '/', '*'],
    ['audio/{a,b}/*', 'audio/', '{a,b}/*'],
    ['audio/{a/b,c}/*.wav', 'audio/', '{a/b,c}/*.wav'],
    ['{a/b,c}.wav', '', '{a/b,c}.wav'],
    ['x/{a/*,b}', 'x/', '{a/*,b}'],
    ['x/@(a/b|c)/d', 'x/', '@(a/b|c)/d'],
    ['x/{a}/*', 'x/{a}/', '*'],
    ['x/take (1)/*.wav', 'x/take (1)/', '*.wav'],
    ['x/!new/*.wav', 'x/!new/', '*.wav'],
    ['x/\\[1\\]/*.wav', 'x/[1]/', '*.wav'],
    ['x/\\{a,b}/*', 'x/{a,b}/', '*'],
    ['x/take\\[1\\].wav', 'x/', 'take\\[1\\].wav'],
    ['take\\*.wav', '', 'take\\*.wav'],
    ['we{ird/*', 'we{ird/', '*'],
  ])('%s is %j and %j', (pattern, head, rest) => {
    expect(splitPattern(pattern)).toEqual({ head, rest })
  })
})

describe('compilePattern', () => {
  const cases: [pattern: string, matches: string[], not: string[]][] = [
    ['*.wav', ['a.wav', ' .wav', 'a.b.wav'], ['a.WAV', '.wav', '.a.wav', 'x/a.wav', 'a.wav.txt', '']],
    ['**/*.wav', ['a.wav', 'x/a.wav', 'x/y/a.wav'], ['.x/a.wav', 'x/.a.wav', 'x/.y/a.wav']],
    ['**', ['a', 'x/a', 'x/y/.z'].slice(0, 2), ['.a', '.x/a', 'x/.a']],
    ['.*', ['.a'], ['a', '.x/a']],
    ['**/.github/*', ['.github/a', 'x/.github/a'], ['.github/.a', 'github/a']],
    ['a?[0-9].wav', ['ab1.wav', 'a-9.wav'], ['a1.wav', 'a/1.wav']],
    ['[!a].wav', ['b.wav'], ['a.wav', '.wav']],
    ['[[:digit:]]*', ['1a'], ['a1']],
    ['*.{wav,mp3}', ['a.wav', 'a.mp3'], ['a.txt', 'a.{wav,mp3}']],
    ['{a,b/c}/*.wav', ['a/x.wav', 'b/c/x.wav'], ['b/x.wav', 'c/x.wav']],
    ['x{01..12}', ['x01', 'x09', 'x12'], ['x1', 'x13']],
    ['{a,{b,c/d}}', ['a', 'b', 'c/d'], ['c']],
    ['!(a)*.wav', ['b.wav'], []],
    ['@(a|b).wav', ['a.wav', 'b.wav'], ['c.wav', 'ab.wav']],
    ['(a|b).wav', ['a.wav', 'b.wav'], ['(a|b).wav']],
    ['take (1)*.wav', ['take (1).wav', 'take (1)b.wav'], ['take 1.wav']],
    ['*(1).wav', ['1.wav', '11.wav'], ['take (1).wav']],
    ['!a*', ['!a', '!ab'], ['a', 'b']],
    ['take\\[1\\]*', ['take[1].wav'], ['take1.wav']],
    ['a//*.wav', ['a/b.wav'], ['b.wav']],
    ['./*.wav', ['a.wav'], ['x/a.wav']],
    ['a\\\\*', ['a\\b'], ['ab']],
    ['caf\u00e9*', ['cafe\u0301.wav', 'caf\u00e9.wav'], ['cafe.wav']],
    ['*/', [], ['a', 'a/b']],
    ['a{b*', ['a{bc'], ['ab']],
  ]
  for (const [pattern, yes, no] of cases) {
    it(pattern, () => {
      const { matches } = compilePattern(pattern, false)
      expect(yes.filter((name) => !matches(name))).toEqual([])
      expect(no.filter(matches)).toEqual([])
    })
  }

  it('takes hidden files in where it is told to', () => {
    const { matches, mayHold } = compilePattern('**/*.wav', true)
    expect(['.wav', '.x/.a.wav', 'x/.y/a.wav'].filter((name) => !matches(name))).toEqual([])
    expect(mayHold('x/.y')).toBe(true)
  })

  it.each(['{1..100000}', '{{a,b}!(a)*'])('%s is refused', (pattern) => {
    expect(() => compilePattern(pattern, false)).toThrow(UsageError)
    expect(() => compilePattern(pattern, false)).toThrow(pattern)
  })

  const directories: [pattern: string, entered: string[], not: string[]][] = [
    ['*.wav', [], ['a', '.a', 'a/b']],
    ['*/*.wav', ['a'], ['.a', 'a/b']],
    ['a*/b/*.wav', ['a', 'ab', 'ab/b'], ['b', 'ab/c', 'ab/b/c']],
    ['{a,b/c}/*.wav', ['a', 'b', 'b/c'], ['c', 'a/x', 'b/d', 'b/c/x']],
    ['a/**/*.wav', ['a', 'a/b', 'a/b/c'], ['b', '.a', 'a/.b', 'a/b/.c']],
    ['**/.github/*', ['.github', 'a/.github', '.a'], []],
    ['**/@(.a|b)/*', ['.a', 'b', 'c/d'], []],
    ['**/[.]a/*', ['b', 'b/c'], []],
    ['a**b', ['a', 'x/y'], ['.x']],
    ['@(a/b|c)/*.wav', ['a', 'a/b', 'c', 'd'], []],
    ['caf\u00e9/*.wav', ['cafe\u0301', 'caf\u00e9'], ['cafe']],
  ]
  for (const [pattern, yes, no] of directories) {
    it(`${pattern}: directories`, () => {
      const { mayHold } = compilePattern(pattern, false)
      expect(yes.filter((name) => !mayHold(name))).toEqual([])
      expect(no.filter(mayHold)).toEqual([])
    })
  }
})

describe('literalPattern', () => {
  it.each(['a.wav', 'take[1].wav', '{a,b}', '!a', '*', 'a?', 'a(1)', '@(a|b)', 'a\\b', '\\', '**', '(a|b)'])(
    '%s matches itself alone',
    (name) => {
      if (process.platform === 'win32' && /[*?\\|]/.test(name)) return
      const { matches } = compilePattern(literalPattern(name), true)
      expect(matches(name)).toBe(true)
      expect(['a', 'b', 'ab', 'a1', 'take1.wav', 'a1.wav'].filter((other) => other !== name && matches(other))).toEqual(
        [],
      )
    },
  )
})

describe('toSlashes', () => {
  it.each([
    ['audio\\*.wav', 'audio/*.wav'],
    ['C:\\audio\\?x\\**\\a.wav', 'C:/audio/?x/**/a.wav'],
    ['.\\a\\b', './a/b'],
    ['audio\\take \\(1\\).wav', 'audio/take \\(1\\).wav'],
    ['a\\[1\\]\\{x\\}', 'a\\[1\\]\\{x\\}'],
  ])('on Windows %s is %s', (pattern, expected) => {
    expect(toSlashes(pattern, '\\')).toBe(expected)
  })

  it('elsewhere a backslash escapes', () => {
    expect(toSlashes('a\\b\\*', '/')).toBe('a\\b\\*')
  })
})
