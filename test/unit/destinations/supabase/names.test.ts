import { describe, expect, it } from 'vitest'
import { encodedKey, fixName, supabaseKeyProblem } from '../../../../src/destinations/supabase/names.ts'
import { randomFrom } from '../../../support/random.ts'

/** The server's own rule. */
const allowed = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]*$/

describe('supabaseKeyProblem', () => {
  it.each(['a.txt', "b_c/!.*'() &$=@;:+,?-", 'a/..b/c..', '...'])('takes %j', (key) => {
    expect(supabaseKeyProblem(key)).toBeUndefined()
  })

  it.each([
    ['', 'an object has to have a key'],
    ['caf\u00e9#', 'Supabase takes no "é" in a key; give --key-fix to have such keys changed, or rename the file'],
    ['a/😀', 'Supabase takes no "😀" in a key; give --key-fix to have such keys changed, or rename the file'],
    ['100%', 'Supabase takes no "%" in a key; give --key-fix to have such keys changed, or rename the file'],
    ['a/../b', 'its key would have a "." or ".." segment'],
    ['.', 'its key would have a "." or ".." segment'],
  ])('refuses %j', (key, problem) => {
    expect(supabaseKeyProblem(key)).toBe(problem)
  })
})

describe('fixName', () => {
  it.each([
    ['a b/c.txt', 'a b/c.txt'],
    ['café.wav', 'caf=C3=A9.wav'],
    ['#1?.txt', '=231?.txt'],
    ['a=b', 'a=b'],
    ['a=B', 'a=B'],
    ['a=BE', 'a=3DBE'],
    ['a=be', 'a=be'],
    ['==41', '==3D41'],
    ['=é', '==C3=A9'],
    ['=3é', '=3=C3=A9'],
    ['=C3=A9', '=3DC3=3DA9'],
    ['😀', '=F0=9F=98=80'],
    ['\ud800', '\ud800'],
  ])('%j becomes %j', (name, fixed) => {
    expect(fixName(name)).toBe(fixed)
  })

  it('gives valid names that can be read back, and changes no other', () => {
    const random = randomFrom(6)
    const signs = [...'aZ09=ABCDEF3dD/.#%~é😀\u0308[]{}"\\|^`<> '] as const
    const fixedBy = new Map<string, string>()
    for (let turn = 0; turn < 6000; turn += 1) {
      let name = ''
      for (let length = random.below(9); length > 0; length -= 1) name += random.oneOf(signs)
      const fixed = fixName(name)
      expect(fixed).toMatch(allowed)
      expect(decoded(fixed)).toBe(name)
      expect(fixedBy.get(fixed) ?? name).toBe(name)
      fixedBy.set(fixed, name)
      if (allowed.test(name) && !/=[0-9A-F]{2}/.test(name)) expect(fixed).toBe(name)
    }
    expect(fixedBy.size).toBeGreaterThan(3000)
  })
})

it('encodes keys segment by segment', () => {
  expect(encodedKey('a b/c?d&e=f+g/h;i')).toBe('a%20b/c%3Fd%26e%3Df%2Bg/h%3Bi')
  expect(encodedKey('%2F/x')).toBe('%252F/x')
})

/** Reads a name back, as anybody would. */
function decoded(fixed: string): string {
  return fixed.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString())
}
