import { describe, expect, it } from 'vitest'
import { ignorePatterns } from '../../../../src/plan/sources/ignore-patterns.ts'
import { bytesInUse } from '../tree.ts'

describe('ignorePatterns', () => {
  const cases: [patterns: string[], ignored: string[], not: string[]][] = [
    [['*.log'], ['a.log', 'x/a.log', 'x.log/y'], ['a.LOG', 'log', 'a.log.txt']],
    [['/build'], ['build', 'build/a', 'build/'], ['x/build', 'x/build/a']],
    [['build/'], ['build/', 'build/a', 'x/build/a'], ['build', 'x/build']],
    [['a/b'], ['a/b', 'a/b/c'], ['x/a/b']],
    [['**/a/b'], ['a/b', 'x/a/b'], ['a/x/b']],
    [['a/**/b'], ['a/b', 'a/x/y/b'], ['b']],
    [['a/**'], ['a/b', 'a/b/c'], ['a', 'a/']],
    [
      ['*', '!*.txt', '!*/'],
      ['a.wav', 'x/a.wav'],
      ['a.txt', 'x/a.txt', 'x/'],
    ],
    [['x/', '!x/a.txt'], ['x/a.txt', 'x/'], ['y/']],
    [
      ['# no', '\\#yes', '\\!yes'],
      ['#yes', '!yes'],
      ['# no', 'no'],
    ],
    [
      ['a?', '[bc]1', '{d,e}'],
      ['ab', 'b1', '{d,e}'],
      ['a', 'd1', 'd', 'e'],
    ],
    [['take (1).wav'], ['take (1).wav'], ['take 1.wav']],
    [['a\\ '], ['a '], ['a']],
    [['  '], [], [' ', 'a']],
    [['caf\u00e9'], ['cafe\u0301', 'caf\u00e9'], ['cafe']],
    [['cafe\u0301'], ['cafe\u0301', 'caf\u00e9'], ['cafe']],
    [[], [], ['a', 'a/b']],
  ]
  for (const [patterns, yes, no] of cases) {
    it(JSON.stringify(patterns), () => {
      const test = ignorePatterns(patterns)
      expect(yes.filter((name) => !test(name).ignored)).toEqual([])
      expect(no.filter((name) => test(name).ignored)).toEqual([])
    })
  }

  it.each(['..', '../a', '../../a/b', '..a', '..a/b', '...', './a', '/a', 'a//b', '\u0000', ' '])(
    'does not throw for %j',
    (name) => {
      expect(ignorePatterns(['a', '*.wav'])(name)).toBeDefined()
      expect(ignorePatterns(['*.wav'])(`${name}.wav`).ignored).toBe(true)
    },
  )

  it('takes files of patterns, the last one deciding', () => {
    const test = ignorePatterns(['*.a', '!x.a'], '\ufeff*.b\r\n\r\n# no\r\nx.a\r\n', '!y.b')
    const ignored = ['1.a', 'x.a', '1.b', 'y.b', '# no', ''].map((name) => name !== '' && test(name).ignored)
    expect(ignored).toEqual([true, true, true, false, false, false])
  })

  it('says what is taken back', () => {
    const test = ignorePatterns('*.log\n!keep.log')
    expect(test('keep.log')).toMatchObject({ ignored: false, unignored: true })
    expect(test('a.txt')).toMatchObject({ ignored: false, unignored: false })
  })

  it('says the same of the same name however many others come between', () => {
    const test = ignorePatterns('*.log')
    const names = Array.from({ length: 25_000 }, (_, index) => `${index}.${index % 3 === 0 ? 'log' : 'wav'}`)
    const expected = names.map((name) => name.endsWith('.log'))
    expect(names.map((name) => test(name).ignored)).toEqual(expected)
    expect(names.map((name) => test(name).ignored)).toEqual(expected)
  })

  it('does not remember 200,000 names', () => {
    const test = ignorePatterns('*.log')
    const before = bytesInUse()
    // Just short of when it forgets them: as many as it ever holds.
    for (let index = 0; index < 199_999; index += 1) test(`recordings/2026/session-${index}/take.wav`)
    expect((bytesInUse() - before) / 1e6).toBeLessThan(10)
    expect(test('a.log').ignored).toBe(true)
  }, 30_000)
})
