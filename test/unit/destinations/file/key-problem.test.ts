import { describe, expect, it } from 'vitest'
import { keyProblem } from '../../../../src/destinations/file/key-problem.ts'

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
