import { describe, expect, it } from 'vitest'
import { fixName, keyProblem } from '../../../../src/destinations/file/key-problem.ts'

function check(key: string, platform: NodeJS.Platform, expected: string | undefined): void {
  if (expected === undefined) expect(keyProblem(key, platform)).toBeUndefined()
  else expect(keyProblem(key, platform)).toContain(expected)
}

describe('everywhere', () => {
  it.each([
    ['a/b.wav', undefined],
    ['a\\b:c*?.wav', undefined],
    ['con', undefined],
    ['é'.repeat(127), undefined],
    [`${'x'.repeat(255)}/${'y'.repeat(255)}`, undefined],
    ['a/.upload-tmp', undefined],
    ['.upload-tmp', 'this program uses itself'],
    ['.upload-tmp/x', 'this program uses itself'],
    ['', 'empty segment'],
    ['/a', 'empty segment'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['..', '".." segment'],
    ['a/../b', '".." segment'],
    ['./a', '"." segment'],
    ['a\0b', 'NUL'],
    ['x'.repeat(256), '256 bytes'],
    [`a/${'é'.repeat(128)}/b`, '256 bytes'],
  ])('%j', (key, expected) => check(key, 'linux', expected))
})

describe('on Windows', () => {
  it.each([
    ['a/b.wav', undefined],
    ['console.wav', undefined],
    ['con', 'device'],
    ['a/NUL.txt', 'device'],
    ['com1', 'device'],
    ['a:b', 'cannot hold'],
    ['a\\b', 'cannot hold'],
    ['a?', 'cannot hold'],
    ['dot.', 'cannot hold'],
    ['space /b', 'cannot hold'],
  ])('%j', (key, expected) => check(key, 'win32', expected))
})

describe('fixName', () => {
  it.each([
    ['a/b.wav', 'a/b.wav'],
    ['con/a:b.', 'con/a:b.'],
    ['.upload-tmp', '=2Eupload-tmp'],
    ['.upload-tmp/x', '=2Eupload-tmp/x'],
    ['a/.upload-tmp', 'a/.upload-tmp'],
    ['=2Eupload-tmp', '=3D2Eupload-tmp'],
    ['a=C3', 'a=3DC3'],
    ['a=c3', 'a=c3'],
  ])('%j becomes %j', (name, fixed) => {
    expect(fixName(name, 'linux')).toBe(fixed)
    expect(keyProblem(fixName(name, 'linux'), 'linux')).toBeUndefined()
  })

  it.each([
    ['a/b.wav', 'a/b.wav'],
    ['con', '=63on'],
    ['a/NUL.txt', 'a/=4EUL.txt'],
    ['a:b*c', 'a=3Ab=2Ac'],
    ['..\\x', '..=5Cx'],
    ['a"\u0301', 'a=22=CC=81'],
    ['dot.', 'dot=2E'],
    ['dots..', 'dots.=2E'],
    ['space /b', 'space=20/b'],
    ['.upload-tmp', '=2Eupload-tmp'],
  ])('%j becomes %j on Windows', (name, fixed) => {
    expect(fixName(name, 'win32')).toBe(fixed)
    expect(keyProblem(fixName(name, 'win32'), 'win32')).toBeUndefined()
  })

  it('leaves what is no name anywhere', () => {
    for (const name of ['..', 'a/./b', 'a//b', '']) expect(fixName(name, 'win32')).toBe(name)
  })
})
