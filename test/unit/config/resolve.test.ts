import { describe, expect, it } from 'vitest'
import { resolveOptions } from '../../../src/config/resolve.ts'

it('is the defaults where nothing is given', () => {
  const { values, chosen, faults } = resolveOptions([])
  expect(values).toMatchObject({ concurrency: 'auto', partSize: 8_388_608, multipartThreshold: 16_777_216, report: [] })
  expect(values).toMatchObject({
    retries: 8,
    retryDelay: 200,
    retryMaxDelay: 20_000,
    retryMaxTime: 600_000,
    retryFailed: 1,
  })
  expect(values.to).toBeUndefined()
  expect(chosen.size).toBe(0)
  expect(faults).toEqual([])
})

it('the first of several is chosen', () => {
  const first = { key: 'concurrency', value: '8', from: '--concurrency' } as const
  const { values, chosen } = resolveOptions([first, { key: 'concurrency', value: 4, from: 'c: concurrency' }])
  expect(values.concurrency).toBe(8)
  expect(chosen.get('concurrency')).toBe(first)
})

it('false chosen over true is false', () => {
  const given = [
    { key: 'verbose', value: '0', from: 'UPLOAD_VERBOSE' },
    { key: 'verbose', value: true, from: 'c: verbose' },
  ] as const
  expect(resolveOptions(given).values.verbose).toBe(false)
})

describe('faults', () => {
  it.each([
    ['concurrency', 'abc', '--c', '--c: found "abc", expected a whole number from 1 to 10000, or auto'],
    ['concurrency', null, 'f: c', 'f: c: found null, expected a whole number from 1 to 10000, or auto'],
    ['partConcurrency', 0, 'f: p', 'f: p: found 0, expected a whole number from 1 to 10000'],
    ['partSize', '1MiB', '--p', '--p: found "1MiB", expected a size from 5MiB to 5GiB, such as 8MiB, 10MB or 10485760'],
    ['retryDelay', '5', '--r', '--r: found "5", expected a duration up to 1h, such as 500ms, 30s, 5m, 24h or 7d'],
    ['json', 'yes', 'UPLOAD_JSON', 'UPLOAD_JSON: found "yes", expected true or false (in the environment also 1 or 0)'],
    ['progress', 'bar', '--progress', '--progress: found "bar", expected auto, bars, plain or none'],
    ['engine', 'slow', '--engine', '--engine: found "slow", expected fast or standard'],
    ['report', ['ok.csv', 'r.html'], '--report', '--report: .html reports are not yet available'],
    [
      'report',
      ['ok.csv', 'r.txt'],
      '--report',
      '--report: found "r.txt", expected a file name that ends with .jsonl, .json or .csv',
    ],
    [
      'report',
      'r.txt',
      'f: report',
      'f: report: found "r.txt", expected a file name that ends with .jsonl, .json or .csv',
    ],
    [
      'exclude',
      { a: 1 },
      'f: exclude',
      'f: exclude: found an object, expected a pattern in gitignore syntax, or a list of them',
    ],
    [
      'exclude',
      [3],
      'f: exclude',
      'f: exclude: found a list, expected a pattern in gitignore syntax, or a list of them',
    ],
    ['to', 's3://', '--to', '--to: found "s3://", but the bucket is missing; expected s3://bucket/prefix/'],
    [
      'to',
      'supabase://',
      '--to',
      '--to: found "supabase://", but the bucket is missing; expected supabase://bucket/prefix/',
    ],
    [
      'endpointUrl',
      'u:hunter2@h',
      '--e',
      '--e: found "***@h", expected a URL such as https://s3.example.com, without a user, a password or a query',
    ],
    [
      'limitRate',
      '10MiB/s',
      '--limit-rate',
      '--limit-rate: found "10MiB/s", expected a size from 1KiB to 100GiB, such as 8MiB, 10MB or 10485760',
    ],
    ['order', 'largest', 'UPLOAD_ORDER', 'UPLOAD_ORDER: found "largest", expected scan, size or mixed'],
    [
      'ifExists',
      'never',
      '--if-exists',
      '--if-exists: found "never", expected overwrite, skip, fail, newer or changed',
    ],
    [
      'metadata',
      ['a=b', 'a'],
      '--metadata',
      '--metadata: found "a", expected NAME=VALUE: a name of letters, digits, ".", "_" and "-", a value in ASCII, no spaces around it',
    ],
    [
      'metadata',
      { a: 'b', n: 1 },
      'f: metadata',
      'f: metadata: found "n=1", expected NAME=VALUE: a name of letters, digits, ".", "_" and "-", a value in ASCII, no spaces around it',
    ],
    [
      'metadata',
      'a b=c',
      'f: metadata',
      'f: metadata: found "a b=c", expected NAME=VALUE: a name of letters, digits, ".", "_" and "-", a value in ASCII, no spaces around it',
    ],
    [
      'metadata',
      [1],
      'f: metadata',
      'f: metadata: found a list, expected NAME=VALUE, or in a config file also { "name": "value" }',
    ],
    [
      'supabaseUrl',
      'https://abcdefgh.supabase.co/storage/v1/s3',
      'SUPABASE_URL',
      'SUPABASE_URL: found "https://abcdefgh.supabase.co/storage/v1/s3", expected a URL such as https://abcdefgh.supabase.co, without /storage/v1, a user, a password or a query',
    ],
    [
      'supabaseUrl',
      'http://abcdefgh.supabase.co',
      'SUPABASE_URL',
      'SUPABASE_URL: found "http://abcdefgh.supabase.co", expected a URL such as https://abcdefgh.supabase.co, without /storage/v1, a user, a password or a query',
    ],
    ['dashboard', true, 'f: dashboard', 'f: dashboard: --dashboard is not yet available'],
  ] as const)('%s %j', (key, value, from, line) => {
    const { faults, values } = resolveOptions([{ key, value, from }])
    expect(faults).toEqual([line])
    expect(values).toEqual(resolveOptions([]).values)
  })

  it('of every bad item in a list', () => {
    const { faults } = resolveOptions([{ key: 'report', value: ['a.txt', 'b.csv', 'c.xml'], from: '--report' }])
    expect(faults).toHaveLength(2)
  })

  it('of a value that is not chosen, too', () => {
    const { faults, values } = resolveOptions([
      { key: 'retries', value: '3', from: '--retries' },
      { key: 'retries', value: 'x', from: 'UPLOAD_RETRIES' },
    ])
    expect(faults).toEqual(['UPLOAD_RETRIES: found "x", expected a whole number from 0 to 1000'])
    expect(values.retries).toBe(3)
  })

  it('a weaker value does not take the place of a bad one', () => {
    const { values } = resolveOptions([
      { key: 'retries', value: 'x', from: '--retries' },
      { key: 'retries', value: '3', from: 'UPLOAD_RETRIES' },
    ])
    expect(values.retries).toBe(8)
  })

  it('not of a value that was refused before', () => {
    expect(resolveOptions([{ key: 'to', value: 'x', from: 'f: to', refused: true }]).faults).toEqual([])
  })
})
