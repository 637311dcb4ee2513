import { describe, expect, it } from 'vitest'
import { fixName } from '../../../../src/destinations/supabase/names.ts'
import { keyFixOf } from '../../../../src/plan/keys/key-fix.ts'
import { keyProblem } from '../../../../src/plan/keys/object-key.ts'
import { nameOfKey } from '../key-notation.ts'

describe('keyFixOf', () => {
  it.each([
    ['a/b c.wav', 'a/b c.wav'],
    ['é/#.wav', 'é/#.wav'],
    ['.../..x', '.../..x'],
    ['a\nb', 'a=0Ab'],
    ['\u0085', '=C2=85'],
    ['..', '=2E.'],
    ['.', '=2E'],
    ['../../x', '=2E./=2E./x'],
    ['a/./b', 'a/=2E/b'],
    ['/a', '=2Fa'],
    ['//a', '=2F=2Fa'],
    ['a//b', 'a/=2Fb'],
    ['a///b', 'a/=2F=2Fb'],
    ['a/', 'a=2F'],
    ['/', '=2F'],
    ['/..', '=2F=2E.'],
    ['=2E', '=3D2E'],
    ['a\u001f\u0301', 'a=1F=CC=81'],
    ['a//\u0307b', 'a/=2F=CC=87b'],
  ])('makes of %j %j', (name, fixed) => {
    const key = keyFixOf({})(name)
    expect(key).toBe(fixed)
    expect(keyProblem(key)).toBeUndefined()
    expect(key.normalize('NFC')).toBe(key)
    expect(nameOfKey(key)).toBe(name)
  })

  it.each(['', '\ud800', 'a\udc00b'])('leaves %j as it is', (name) => {
    expect(keyFixOf({})(name)).toBe(name)
    expect(keyProblem(name)).toBeDefined()
  })

  it.each([
    ['é/../#', '=C3=A9/=2E./=23'],
    ['/=C3', '=2F=3DC3'],
    ['a\u0000/', 'a=00=2F'],
  ])("goes on from a destination's own: %j becomes %j", (name, fixed) => {
    expect(keyFixOf({ fixName })(name)).toBe(fixed)
    expect(nameOfKey(fixed)).toBe(name)
  })
})
