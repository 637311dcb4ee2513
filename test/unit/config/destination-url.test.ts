import { describe, expect, it } from 'vitest'
import { looksLikeDestination, parseDestinationUrl } from '../../../src/config/destination-url.ts'
import { UsageError } from '../../../src/errors.ts'

describe('s3', () => {
  const arn = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/my-ap'
  it.each([
    ['s3://b', 'b', '', 's3://b/'],
    ['s3://b/', 'b', '', 's3://b/'],
    ['s3://b/audio', 'b', 'audio/', 's3://b/audio/'],
    ['s3://b/audio/', 'b', 'audio/', 's3://b/audio/'],
    ['s3://my.bucket-1_x/2026/take 1/#1?/', 'my.bucket-1_x', '2026/take 1/#1?/', 's3://my.bucket-1_x/2026/take 1/#1?/'],
    ['s3://b/u\u0308', 'b', '\u00fc/', 's3://b/\u00fc/'],
    [`s3://${arn}`, arn, '', `s3://${arn}/`],
    [`s3://${arn}/x`, arn, 'x/', `s3://${arn}/x/`],
  ])('%s', (text, bucket, prefix, url) => {
    expect(parseDestinationUrl(text)).toEqual({ scheme: 's3', bucket, prefix, url })
  })
})

describe('supabase', () => {
  it.each([
    ['supabase://b', 'b', '', 'supabase://b/'],
    ['supabase://b/', 'b', '', 'supabase://b/'],
    ['supabase://my bucket/audio', 'my bucket', 'audio/', 'supabase://my bucket/audio/'],
    ["supabase://b/2026/a b+c&d=e?!.*'()$;:@,/", 'b', "2026/a b+c&d=e?!.*'()$;:@,/", undefined],
  ])('%s', (text, bucket, prefix, url = text) => {
    expect(parseDestinationUrl(text)).toEqual({ scheme: 'supabase', bucket, prefix, url })
  })
})

describe('file', () => {
  it.each([
    ['file:./dir', './dir/'],
    ['file:./dir/', './dir/'],
    ['file:dir', 'dir/'],
    ['file:.', './'],
    ['file:../a b%20c', '../a b%20c/'],
    ['file:/abs', '/abs/'],
    ['file:/', '/'],
    ['file:///abs', '/abs/'],
    ['file:///', '/'],
    ['file://localhost/abs', '/abs/'],
    ['file:/C:/x', '/C:/x/'],
  ])('%s', (text, directory) => {
    expect(parseDestinationUrl(text, 'linux')).toEqual({ scheme: 'file', directory, url: `file:${directory}` })
  })

  it.each([
    ['file:///C:/x', 'C:/x/'],
    ['file:C:\\x\\', 'C:\\x\\'],
    ['file:.\\x', '.\\x/'],
  ])('%s on Windows', (text, directory) => {
    expect(parseDestinationUrl(text, 'win32')).toEqual({ scheme: 'file', directory, url: `file:${directory}` })
  })
})

describe('faults', () => {
  it.each([
    ['./dir', 'expected s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/'],
    ['S3://b', 'expected s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/'],
    ['gs://b/', 'expected s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/'],
    ['', 'expected s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/'],
    ['s3://', 'the bucket is missing'],
    ['s3:///x', 'the bucket is missing'],
    ['s3://key:secret@b/', 'credentials come from the environment'],
    ['s3://b_/ö/x\n', 'control character'],
    ['s3://bücket/', 'a bucket has letters'],
    ['s3://-b/', 'a bucket has letters'],
    ['s3://b//x', 'empty segment'],
    ['s3://b/x//', 'empty segment'],
    ['s3://b/./x', '"." segment'],
    ['s3://b/x/..', '".." segment'],
    ['file:', 'the directory is missing'],
    ['file:~/x', '"~" is not expanded'],
    ['file://host/x', '"//" would begin with a host'],
    ['file://./x', '"//" would begin with a host'],
    ['file:////x', '"//" would begin with a host'],
    ['file:a\0b', 'NUL'],
    ['supabase://', 'the bucket is missing; expected supabase://bucket/prefix/'],
    ['supabase:///x', 'the bucket is missing'],
    ['supabase://key:secret@b/', 'SUPABASE_SERVICE_ROLE_KEY in the environment'],
    ['supabase://b/x\n', 'control character'],
    ['supabase://b\u00fccket/', 'Supabase takes no "\u00fc" in the name of a bucket or in a key'],
    ['supabase://b#1/', 'Supabase takes no "#"'],
    ['supabase://b/#1/', 'Supabase takes no "#"'],
    ['supabase://b/50%/', 'Supabase takes no "%"'],
    ['supabase://b/\u{1f3b5}/', 'Supabase takes no "\u{1f3b5}"'],
    ['supabase://b//x', 'empty segment'],
    ['supabase://b/./x', '"." segment'],
    ['supabase://b/x/..', '".." segment'],
  ])('%j', (text, message) => {
    const parse = () => parseDestinationUrl(text, 'linux')
    expect(parse).toThrow(UsageError)
    expect(parse).toThrow(message)
    expect(parse).not.toThrow(/secret/)
  })
})

it.each([
  ['s3://b', true],
  ['s3://', true],
  ['supabase://b/x', true],
  ['file:x', true],
  ['./s3:/b', false],
  ['S3://b', false],
  ['s3:b', false],
  ['a.wav', false],
  ['-', false],
])('looksLikeDestination(%j) is %j', (argument, answer) => {
  expect(looksLikeDestination(argument)).toBe(answer)
})
