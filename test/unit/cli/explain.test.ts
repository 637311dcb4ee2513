import { describe, expect, it } from 'vitest'
import { explain, wantsDetails } from '../../../src/cli/explain.ts'
import { UploadError, UsageError } from '../../../src/errors.ts'

describe('explain', () => {
  it('says every fault of a wrong usage on a line of its own', () => {
    expect(explain(new UsageError(['--to: is missing', 'a\nb']), false)).toEqual([
      'upload: --to: is missing',
      'upload: a b',
    ])
  })

  it('says a failure in one line, with nothing more for -v', () => {
    const error = new UploadError('CREDENTIALS_INVALID', 'the secret is wrong;\n check it\n', {
      cause: new Error('deep'),
    })
    expect(explain(error, false)).toEqual(['upload: the secret is wrong; check it'])
    expect(explain(error, true)).toEqual(explain(error, false))
  })

  it('shows where an unforeseen error lies only to those who ask', () => {
    const error = new TypeError('x is not a function')
    const [first, ...rest] = explain(error, false)
    expect(first).toBe('upload: internal error: x is not a function')
    expect(rest).toEqual(['upload: run it again with -v to see where'])
    expect(explain(error, true).some((one) => /^\s+at /.test(one))).toBe(true)
  })

  it.each([
    ['text', ['upload: internal error: text']],
    [Object.assign(new Error('no stack'), { stack: undefined }), ['upload: internal error: no stack', '']],
  ])('copes with whatever is thrown', (thrown, lines) => {
    expect(explain(thrown, true)).toEqual(lines)
  })

  it.each([
    new UsageError('--endpoint-url: http://u:hunter2@h'),
    new UploadError('CONNECTION', 'proxy http://u:hunter2@h refused'),
    new Error('at http://u:hunter2@h \u001b[31m'),
  ])('shows no secret and no control character: %s', (error) => {
    const text = explain(error, true).join('')
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('\u001b')
  })
})

it.each([
  [['a', '-v'], {}, true],
  [['--verbose'], {}, true],
  [['a'], { UPLOAD_VERBOSE: '1' }, true],
  [['a'], { UPLOAD_VERBOSE: 'TRUE' }, true],
  [['a'], { UPLOAD_VERBOSE: '0' }, false],
  [['--', '-v'], {}, false],
  [['a', '-vx'], {}, false],
])('wantsDetails(%j, %j) is %j', (argv, env, answer) => {
  expect(wantsDetails(argv, env)).toBe(answer)
})
