import { describe, expect, it } from 'vitest'
import { UploadError } from '../../../src/errors.ts'
import { brokenLink, scanError, sourceError } from '../../../src/plan/source-errors.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

describe('sourceError', () => {
  it.each([
    ['ENOENT', 'SOURCE_NOT_FOUND', 'no such file', false],
    ['ENOTDIR', 'SOURCE_NOT_FOUND', 'no such file', false],
    ['EACCES', 'SOURCE_UNREADABLE', 'permission denied', false],
    ['EPERM', 'SOURCE_UNREADABLE', 'permission denied', false],
    ['ELOOP', 'SOURCE_UNREADABLE', 'circle', false],
    ['EISDIR', 'SOURCE_UNREADABLE', 'directory', false],
    ['EMFILE', 'SOURCE_UNREADABLE', 'too many open files', true],
    ['ENFILE', 'SOURCE_UNREADABLE', 'ulimit -n', true],
    ['EIO', 'SOURCE_UNREADABLE', 'read error', true],
    ['ENAMETOOLONG', 'SOURCE_UNREADABLE', '(ENAMETOOLONG)', false],
  ])('%s', (code, expected, said, retryable) => {
    const cause = failure(code)
    const error = sourceError(cause)
    expect(error).toMatchObject({ code: expected, retryable, cause })
    expect(error.message).toContain(said)
  })

  it.each([
    [new Error('odd'), 'odd'],
    ['thrown as it is', 'thrown as it is'],
    [undefined, 'undefined'],
  ])('%j has no code', (thrown, message) => {
    expect(sourceError(thrown)).toMatchObject({ code: 'INTERNAL', message })
  })

  it('leaves alone what is one already', () => {
    const error = new UploadError('TOO_LARGE', 'x')
    expect(sourceError(error)).toBe(error)
  })
})

describe('scanError', () => {
  it.each([
    ['ENOENT', 'a\ufffdb', 'KEY_INVALID', 'not valid UTF-8'],
    ['ENOENT', 'a', 'SOURCE_NOT_FOUND', 'no such file'],
    ['EACCES', 'a\ufffdb', 'SOURCE_UNREADABLE', 'permission denied'],
  ])('%s for %j', (code, path, expected, said) => {
    const error = scanError(failure(code), path)
    expect(error.code).toBe(expected)
    expect(error.message).toContain(said)
  })
})

it('a broken link says so', () => {
  expect(brokenLink()).toMatchObject({ code: 'SOURCE_NOT_FOUND', retryable: false })
  expect(brokenLink().message).toContain('broken link')
})
