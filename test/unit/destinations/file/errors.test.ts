import { describe, expect, it } from 'vitest'
import { errnoOf, fileErrorRows, toFileUploadError } from '../../../../src/destinations/file/errors.ts'
import { UploadError } from '../../../../src/errors.ts'

const failed = (code: string) => Object.assign(new Error(`${code}: no luck, open '/secret/path'`), { code })

const expectedCodes: Readonly<Record<string, string>> = {
  ENOSPC: 'QUOTA_EXCEEDED',
  EDQUOT: 'QUOTA_EXCEEDED',
  EFBIG: 'TOO_LARGE',
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
  EROFS: 'ACCESS_DENIED',
  ENAMETOOLONG: 'KEY_INVALID',
  EISDIR: 'KEY_INVALID',
  ENOTEMPTY: 'KEY_INVALID',
  ENOTDIR: 'KEY_INVALID',
  ELOOP: 'KEY_INVALID',
  EILSEQ: 'KEY_INVALID',
  EINVAL: 'KEY_INVALID',
  ENOENT: 'SERVER_ERROR retry',
  EMFILE: 'INTERNAL retry',
  ENFILE: 'INTERNAL retry',
}

describe('errors of the file system', () => {
  it('are all named here', () => {
    expect(Object.keys(fileErrorRows)).toEqual(Object.keys(expectedCodes))
  })

  it.each(Object.entries(expectedCodes))('%s is %s', (errno, code) => {
    const thrown = failed(errno)
    const error = toFileUploadError(thrown)
    expect(error.code + (error.retryable ? ' retry' : '')).toBe(code)
    expect(error.message).not.toContain('secret')
    expect(error.cause).toBe(thrown)
  })

  it('that are in no table may pass', () => {
    expect(toFileUploadError(failed('EIO'))).toMatchObject({ code: 'SERVER_ERROR', retryable: true })
  })

  it('that are none are bugs, or understood already', () => {
    expect(toFileUploadError(new Error('x is not a function'))).toMatchObject({ code: 'INTERNAL' })
    const known = new UploadError('SOURCE_CHANGED', 'changed')
    expect(toFileUploadError(known)).toBe(known)
    expect(errnoOf('boo')).toBeUndefined()
  })
})
