import { describe, expect, it } from 'vitest'
import { laterCommands, laterConfigKeys } from '../../../../src/config/options/later-options.ts'
import { flagOf, helpGroups, variableOf } from '../../../../src/config/options/option-spec.ts'
import { optionKeys, options } from '../../../../src/config/options/options.ts'

const available = optionKeys.filter((key) => options[key].available)

/** What a value given as text or as JSON comes to; `undefined` where it is refused. */
function read(key: keyof typeof options, value: unknown): unknown {
  return options[key].schema.safeParse(value).data
}

it.each([
  ['to', '--to', 'UPLOAD_TO'],
  ['partSize', '--part-size', 'UPLOAD_PART_SIZE'],
  ['retryMaxTime', '--retry-max-time', 'UPLOAD_RETRY_MAX_TIME'],
  ['noVerifySsl', '--no-verify-ssl', 'UPLOAD_NO_VERIFY_SSL'],
  ['sseKmsKeyId', '--sse-kms-key-id', 'UPLOAD_SSE_KMS_KEY_ID'],
])('%s is %s and %s', (key, flag, variable) => {
  expect([flagOf(key), variableOf(key)]).toEqual([flag, variable])
})

it('what can be used, and what is only known, is a deliberate list', () => {
  expect(available.map(flagOf).sort()).toEqual(
    [
      '--acl --allow-empty --allow-ext --allow-type --base --buffer-size --ca-bundle --cache-control --checksum',
      '--concurrency --config --content-disposition --content-encoding --content-type --deadline --deny-ext --dry-run',
      '--endpoint-url --engine --exclude --exclude-from --files-from --flatten --follow --if-exists --include --json --key',
      '--key-fix --limit-rate --max-error-rate --max-failures --max-files --max-size --max-total-size --metadata --min-size',
      '--multipart-threshold --newer-than --no-color --no-sign-request --no-verify-ssl --null --older-than --on-change',
      '--order --part-concurrency --part-size --path-style --preserve --preset --profile',
      '--progress --quiet --region --report --resume --resume-from --retries --retry-delay --retry-failed',
      '--retry-max-delay --retry-max-time --run-id --sse --sse-kms-key-id --stall-timeout --storage-class',
      '--supabase-url --tag --timeout --to --undo-on-failure --verbose --verify',
    ]
      .join(' ')
      .split(' '),
  )
  const later = optionKeys.filter((key) => !options[key].available)
  expect(later.map(flagOf).sort()).toEqual(['--dashboard', '--dashboard-port', '--metrics-file', '--shard'])
  expect(laterConfigKeys).toEqual(['rollout'])
  expect(laterCommands).toEqual(['report', 'rollout', 'check', 'completion'])
})

it.each(available)('%s has help, a group, a placeholder where it takes a value, and a default of its kind', (key) => {
  const spec = options[key]
  expect(spec.help).not.toBe('')
  expect(helpGroups).toContain(spec.group)
  expect(spec.value !== undefined).toBe(spec.takes !== 'nothing')
  if (spec.takes === 'nothing') expect(spec.default).toBe(false)
  if (spec.takes === 'many') expect(spec.default).toEqual(key === 'metadata' || key === 'tag' ? undefined : [])
})

it.each(available.filter((key) => options[key].shownDefault?.match(/^\d/)))(
  'the help shows the default of %s',
  (key) => {
    expect(read(key, options[key].shownDefault)).toBe(options[key].default)
  },
)

describe('values', () => {
  const cases: readonly (readonly [keyof typeof options, unknown, unknown])[] = [
    ['concurrency', '8', 8],
    ['concurrency', 8, 8],
    ['concurrency', '1000', 1000],
    ['concurrency', 'auto', 'auto'],
    ['concurrency', '0', undefined],
    ['concurrency', 1.5, undefined],
    ['concurrency', '-1', undefined],
    ['concurrency', '8x', undefined],
    ['concurrency', '1e3', undefined],
    ['concurrency', '', undefined],
    ['concurrency', 10_001, undefined],
    ['concurrency', null, undefined],
    ['concurrency', true, undefined],
    ['partSize', '5MiB', 5_242_880],
    ['partSize', 5_242_880, 5_242_880],
    ['partSize', '5242879', undefined],
    ['partSize', '5GiB', 5_368_709_120],
    ['partSize', '5.1GiB', undefined],
    ['partSize', 6_000_000.5, undefined],
    ['partSize', '8', undefined],
    ['partSize', 'big', undefined],
    ['partSize', [], undefined],
    ['multipartThreshold', '0', 0],
    ['bufferSize', '64KiB', 65_536],
    ['bufferSize', '1MiB', 1_048_576],
    ['bufferSize', '63KiB', undefined],
    ['bufferSize', '1025KiB', undefined],
    ['partConcurrency', '4', 4],
    ['partConcurrency', 'auto', undefined],
    ['retries', '0', 0],
    ['retryDelay', '1.5s', 1500],
    ['retryDelay', '0', 0],
    ['retryDelay', 0, 0],
    ['retryDelay', 200, undefined],
    ['retryDelay', '200', undefined],
    ['retryDelay', '61m', undefined],
    ['dryRun', true, true],
    ['dryRun', false, false],
    ['dryRun', '1', true],
    ['dryRun', 'TRUE', true],
    ['dryRun', '0', false],
    ['dryRun', 'false', false],
    ['dryRun', 'yes', undefined],
    ['dryRun', 1, undefined],
    ['progress', 'bars', 'bars'],
    ['progress', 'Bars', undefined],
    ['pathStyle', 'on', 'on'],
    ['pathStyle', true, undefined],
    ['engine', 'standard', 'standard'],
    ['engine', 'fast', 'fast'],
    ['engine', 'Fast', undefined],
    ['include', 'a\nb', ['a\nb']],
    ['include', ['*.wav', '!x'], ['*.wav', '!x']],
    ['include', [''], undefined],
    ['include', [1], undefined],
    ['include', 1, undefined],
    ['report', ['a.jsonl', 'b.JSON', './c d/e.csv'], ['a.jsonl', 'b.JSON', './c d/e.csv']],
    ['report', 'a.csv', ['a.csv']],
    ['report', 'a.html', undefined],
    ['report', 'a.txt', undefined],
    ['report', '.csv', undefined],
    ['report', 'dir/.csv', undefined],
    ['runId', '20261122T073812Z-7f3a', '20261122T073812Z-7f3a'],
    ['runId', 'a'.repeat(65), undefined],
    ['runId', '../x', undefined],
    ['runId', '', undefined],
    ['endpointUrl', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    ['endpointUrl', 'https://s3.example.com/base/', 'https://s3.example.com/base/'],
    ['endpointUrl', '127.0.0.1:9000', undefined],
    ['endpointUrl', 'localhost:9000', undefined],
    ['endpointUrl', 'http:localhost', undefined],
    ['endpointUrl', 'ftp://h', undefined],
    ['endpointUrl', 'https://u:p@h', undefined],
    ['endpointUrl', 'https://h?x=1', undefined],
    ['endpointUrl', 'https://h#x', undefined],
    ['region', 'eu-central-1', 'eu-central-1'],
    ['region', 'eu central', undefined],
    ['profile', 'my profile', 'my profile'],
    ['to', 's3://b/audio', 's3://b/audio/'],
    ['to', './dir', undefined],
    ['to', 3, undefined],
    ['limitRate', '1MB', 1_000_000],
    ['limitRate', 10_485_760, 10_485_760],
    ['limitRate', '1KiB', 1024],
    ['limitRate', '100GiB', 107_374_182_400],
    ['limitRate', '0', undefined],
    ['limitRate', '1023', undefined],
    ['limitRate', '101GiB', undefined],
    ['limitRate', '10M', undefined],
    ['limitRate', '1MB/s', undefined],
    ['order', 'scan', 'scan'],
    ['order', 'size', 'size'],
    ['order', 'mixed', 'mixed'],
    ['order', 'name', undefined],
    ['ifExists', 'overwrite', 'overwrite'],
    ['ifExists', 'skip', 'skip'],
    ['ifExists', 'fail', 'fail'],
    ['ifExists', 'newer', 'newer'],
    ['ifExists', 'changed', 'changed'],
    ['ifExists', 'never', undefined],
    ['ifExists', 'Skip', undefined],
    ['supabaseUrl', 'https://abc.supabase.co', 'https://abc.supabase.co'],
    ['supabaseUrl', 'http://127.0.0.1:54321/', 'http://127.0.0.1:54321/'],
    ['supabaseUrl', 'http://127.0.0.1:8000/proxied/rest/v2', 'http://127.0.0.1:8000/proxied/rest/v2'],
    ['supabaseUrl', 'abc.supabase.co', undefined],
    ['supabaseUrl', 'https://abc.supabase.co/storage/v1/s3', undefined],
    ['supabaseUrl', 'https://abc.supabase.co/rest/v1', undefined],
    ['supabaseUrl', 'https://u:p@abc.supabase.co', undefined],
    ['contentType', 'audio/wav', 'audio/wav'],
    ['contentType', 'text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
    ['contentType', 'application/vnd.x+json', 'application/vnd.x+json'],
    ['contentType', 'audio', undefined],
    ['contentType', 'audio/', undefined],
    ['contentType', 'audio/wav\r\nx: y', undefined],
    ['contentType', 'audio/wav; x=\u00e9', undefined],
    ['cacheControl', 'max-age=3600', 'max-age=3600'],
    ['cacheControl', 'public, max-age=60', 'public, max-age=60'],
    ['cacheControl', '', undefined],
    ['cacheControl', ' no-store', undefined],
    ['cacheControl', 'no-store\n', undefined],
    ['cacheControl', 'caf\u00e9', undefined],
    ['metadata', 'a=b', { a: 'b' }],
    ['metadata', ['a=b', 'c=d=e', 'e='], { a: 'b', c: 'd=e', e: '' }],
    ['metadata', { take: '1', 'x-y.z_1': 'two words' }, { take: '1', 'x-y.z_1': 'two words' }],
    ['metadata', {}, {}],
    ['metadata', ['a=1', 'a=2'], { a: '2' }],
    ['metadata', ['a=1', 'A=2'], undefined],
    ['metadata', 'a', undefined],
    ['metadata', '=b', undefined],
    ['metadata', ['a=b', 'c'], undefined],
    ['metadata', ['a b=c'], undefined],
    ['metadata', ['a= b'], undefined],
    ['metadata', ['a=b\n'], undefined],
    ['metadata', { a: '\u00e9' }, undefined],
    ['metadata', { a: 1 }, undefined],
    ['metadata', 7, undefined],
    ['tag', ['team=a b', 'path=x/y:z@1+2', 'of='], { team: 'a b', path: 'x/y:z@1+2', of: '' }],
    ['tag', { grün: 'ja' }, { grün: 'ja' }],
    ['tag', ['a=b?'], undefined],
    ['tag', [`${'k'.repeat(129)}=v`], undefined],
    ['tag', [`k=${'v'.repeat(257)}`], undefined],
    ['tag', Array.from({ length: 10 }, (_, at) => `k${at}=v`), expect.objectContaining({ k9: 'v' })],
    ['tag', Array.from({ length: 11 }, (_, at) => `k${at}=v`), undefined],
    ['contentEncoding', 'gzip', 'gzip'],
    ['contentEncoding', 'gzip, br', 'gzip, br'],
    ['contentEncoding', 'gzip;', undefined],
    ['contentDisposition', 'attachment; filename="a.wav"', 'attachment; filename="a.wav"'],
    ['contentDisposition', 'attachment\n', undefined],
    ['storageClass', 'STANDARD_IA', 'STANDARD_IA'],
    ['storageClass', 'standard', undefined],
    ['acl', 'public-read', 'public-read'],
    ['acl', 'public', undefined],
    ['sse', 'aws:kms', 'aws:kms'],
    ['sse', 'aes256', undefined],
    ['sseKmsKeyId', '', undefined],
    ['preserve', 'mtime', 'mtime'],
    ['preserve', 'mode', undefined],
    ['maxSize', '500MB', 500_000_000],
    ['maxSize', '1PB', undefined],
    ['maxSize', '1024TiB', 1024 * 2 ** 40],
    ['minSize', 0, 0],
    ['maxFiles', '0', undefined],
    ['maxFiles', 1000, 1000],
    ['allowExt', 'wav', ['.wav']],
    ['allowExt', ['.WAV', 'flac'], ['.wav', '.flac']],
    ['allowExt', ['tar.gz'], undefined],
    ['denyExt', ['*.exe/'], undefined],
    ['denyExt', [''], undefined],
    ['allowType', ['audio/*', 'Text/CSV', '*/*'], ['audio/*', 'text/csv', '*/*']],
    ['allowType', 'audio', undefined],
    ['allowType', '*/wav', undefined],
    ['allowType', ['audio/wav; rate=1'], undefined],
    ['newerThan', '24h', { agoMs: 86_400_000 }],
    ['newerThan', '0', { agoMs: 0 }],
    ['newerThan', '2026-11-22T06:00:00Z', { atMs: Date.UTC(2026, 10, 22, 6) }],
    ['newerThan', '2026-11-22T06:00+01:00', { atMs: Date.UTC(2026, 10, 22, 5) }],
    ['newerThan', '2026-11-22', { atMs: new Date(2026, 10, 22).getTime() }],
    ['olderThan', '2026-11-22T06:00', { atMs: new Date(2026, 10, 22, 6).getTime() }],
    ['olderThan', '2026-13-01', undefined],
    ['olderThan', '2026-02-31', undefined],
    ['newerThan', '2026-02-29T06:00:00Z', undefined],
    ['newerThan', '2028-02-29', { atMs: new Date(2028, 1, 29).getTime() }],
    ['olderThan', 'yesterday', undefined],
    ['olderThan', 24, undefined],
    ['preset', 'nightly', 'nightly'],
    ['preset', '', undefined],
    ['filesFrom', 'list.jsonl', 'list.jsonl'],
  ]
  it.each(cases)('%s %j → %j', (key, value, expected) => {
    expect(read(key, value)).toEqual(expected)
  })
})
