import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { loadSettings, type SettingsInput } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { UsageError } from '../../../src/errors.ts'
import { tempDir } from '../../support/temp-dir.ts'

let cwd: string
let file: string

beforeEach(async () => {
  cwd = await tempDir()
  file = join(cwd, '.uploadrc.json')
})

function load(input: Partial<SettingsInput> = {}): Promise<Settings> {
  return loadSettings({ flags: {}, args: [], env: {}, cwd, home: cwd, uid: process.getuid?.(), ...input })
}

async function faultsOf(input: Partial<SettingsInput>): Promise<readonly string[]> {
  const thrown: unknown = await load(input).then(
    () => undefined,
    (error) => error,
  )
  expect(thrown).toBeInstanceOf(UsageError)
  return (thrown as UsageError).faults
}

const config = (json: unknown): Promise<void> => writeFile(file, JSON.stringify(json), { mode: 0o644 })

it('is complete with one source and one destination', async () => {
  expect(await load({ args: ['a.wav', 's3://b/audio'] })).toEqual({
    sources: ['a.wav'],
    filesFrom: undefined,
    null: false,
    base: undefined,
    flatten: false,
    key: undefined,
    keyFix: false,
    include: [],
    exclude: [],
    excludeFrom: [],
    newerThan: undefined,
    olderThan: undefined,
    follow: false,
    allowEmpty: false,
    limits: {
      maxSize: undefined,
      minSize: undefined,
      maxFiles: undefined,
      maxTotalSize: undefined,
      allowExt: [],
      denyExt: [],
      allowType: [],
    },
    to: 's3://b/audio/',
    s3: { endpointUrl: undefined, region: undefined, profile: undefined, pathStyle: 'auto', signRequest: true },
    supabase: { url: undefined },
    tls: { caBundle: undefined, verify: true },
    contentType: undefined,
    properties: {},
    preserve: undefined,
    rules: [],
    routes: [],
    rollout: undefined,
    ifExists: 'overwrite',
    concurrency: 'auto',
    partSize: 8_388_608,
    multipartThreshold: 16_777_216,
    partConcurrency: undefined,
    bufferSize: 262_144,
    limitRate: undefined,
    order: 'scan',
    engine: 'fast',
    retry: { retries: 8, retryDelayMs: 200, retryMaxDelayMs: 20_000, retryMaxTimeMs: 600_000, retryFailed: 1 },
    timeouts: { requestMs: 'auto', stallMs: 30_000 },
    resume: false,
    resumeFrom: undefined,
    checksum: 'auto',
    verify: false,
    onChange: 'fail',
    halt: { maxFailures: undefined, maxErrorRate: undefined, deadline: undefined },
    undoOnFailure: false,
    dryRun: false,
    runId: undefined,
    report: [],
    progress: 'auto',
    quiet: false,
    verbose: false,
    noColor: false,
    json: false,
    configFile: undefined,
    isConfigNamed: false,
    preset: undefined,
    ignored: [],
    warnings: [],
  } satisfies Settings)
})

it('takes every option', async () => {
  for (const name of ['list', 'f', 'ca', 'old.jsonl']) await writeFile(join(cwd, name), '')
  const flags = {
    filesFrom: 'list',
    null: true,
    base: 'base',
    flatten: true,
    key: '{name}',
    keyFix: true,
    include: ['i'],
    exclude: ['e'],
    excludeFrom: ['f'],
    newerThan: '7d',
    olderThan: '2026-11-22T06:00:00Z',
    follow: true,
    allowEmpty: true,
    maxSize: '1GB',
    minSize: '1',
    maxFiles: '10',
    maxTotalSize: '2TB',
    allowExt: ['.WAV', 'flac'],
    denyExt: ['.exe'],
    allowType: ['audio/*', 'Text/CSV'],
    to: 's3://b/out',
    contentType: 'audio/wav',
    contentEncoding: 'gzip',
    contentDisposition: 'attachment',
    tag: ['team=a b', 'of='],
    storageClass: 'STANDARD_IA',
    acl: 'private',
    sse: 'aws:kms',
    sseKmsKeyId: 'key',
    preserve: 'mtime',
    cacheControl: 'max-age=60',
    metadata: ['take=1', 'note=a=b'],
    ifExists: 'fail',
    endpointUrl: 'http://h',
    region: 'r',
    profile: 'p',
    pathStyle: 'off',
    noSignRequest: true,
    caBundle: 'ca',
    noVerifySsl: true,
    concurrency: '9',
    partSize: '5MiB',
    multipartThreshold: '6MiB',
    partConcurrency: '3',
    bufferSize: '64KiB',
    limitRate: '10MB',
    order: 'mixed',
    engine: 'standard',
    retries: '1',
    retryDelay: '1s',
    retryMaxDelay: '2s',
    retryMaxTime: '3s',
    retryFailed: '4',
    timeout: '5m',
    stallTimeout: '10s',
    resumeFrom: 'old.jsonl',
    checksum: 'sha256',
    verify: true,
    onChange: 'retry',
    maxFailures: '7',
    maxErrorRate: '2.5%',
    deadline: '06:30',
    undoOnFailure: true,
    runId: 'id',
    report: ['r.csv'],
    progress: 'none',
    quiet: true,
    verbose: true,
    noColor: true,
    json: true,
  } as const
  expect(await load({ flags, env: { SUPABASE_URL: 'https://p.supabase.co' } })).toEqual({
    sources: [],
    filesFrom: 'list',
    null: true,
    base: 'base',
    flatten: true,
    key: '{name}',
    keyFix: true,
    include: ['i'],
    exclude: ['e'],
    excludeFrom: ['f'],
    newerThan: { agoMs: 604_800_000 },
    olderThan: { atMs: Date.UTC(2026, 10, 22, 6) },
    follow: true,
    allowEmpty: true,
    limits: {
      maxSize: 1e9,
      minSize: 1,
      maxFiles: 10,
      maxTotalSize: 2e12,
      allowExt: ['.wav', '.flac'],
      denyExt: ['.exe'],
      allowType: ['audio/*', 'text/csv'],
    },
    to: 's3://b/out/',
    s3: { endpointUrl: 'http://h', region: 'r', profile: 'p', pathStyle: 'off', signRequest: false },
    supabase: { url: 'https://p.supabase.co' },
    contentType: 'audio/wav',
    properties: {
      cacheControl: 'max-age=60',
      contentEncoding: 'gzip',
      contentDisposition: 'attachment',
      metadata: { take: '1', note: 'a=b' },
      tags: { team: 'a b', of: '' },
      storageClass: 'STANDARD_IA',
      acl: 'private',
      sse: 'aws:kms',
      sseKmsKeyId: 'key',
    },
    preserve: 'mtime',
    rules: [],
    routes: [],
    rollout: undefined,
    ifExists: 'fail',
    tls: { caBundle: 'ca', verify: false },
    concurrency: 9,
    partSize: 5_242_880,
    multipartThreshold: 6_291_456,
    partConcurrency: 3,
    bufferSize: 65_536,
    limitRate: 10_000_000,
    order: 'mixed',
    engine: 'standard',
    retry: { retries: 1, retryDelayMs: 1000, retryMaxDelayMs: 2000, retryMaxTimeMs: 3000, retryFailed: 4 },
    timeouts: { requestMs: 300_000, stallMs: 10_000 },
    resume: true,
    resumeFrom: 'old.jsonl',
    checksum: 'sha256',
    verify: true,
    onChange: 'retry',
    halt: { maxFailures: 7, maxErrorRate: 0.025, deadline: { kind: 'at', hours: 6, minutes: 30 } },
    undoOnFailure: true,
    dryRun: false,
    runId: 'id',
    report: ['r.csv'],
    progress: 'none',
    quiet: true,
    verbose: true,
    noColor: true,
    json: true,
    configFile: undefined,
    isConfigNamed: false,
    preset: undefined,
    ignored: [],
    warnings: [],
  } satisfies Settings)
})

describe('--resume without sources', () => {
  const nothing = [
    'nothing to upload: give files, directories or patterns, or --files-from FILE (see upload --help)',
    expect.stringContaining('no destination: '),
  ]
  const repeated = { flags: { resume: true }, args: ['in', 's3://then/'], cwd: '/then' }

  it('is what it stands for, asked for once', async () => {
    const repeat = vi.fn(async () => repeated)
    expect(await load({ flags: { resume: true }, repeat })).toMatchObject({ sources: ['in'], to: 's3://then/' })
    expect(repeat.mock.calls).toEqual([[{ resumeFrom: undefined, destination: undefined, supabase: {} }]])
    const none = vi.fn(async () => ({ ...repeated, args: [] }))
    expect(await faultsOf({ flags: { resume: true }, repeat: none })).toEqual(nothing)
    expect(none).toHaveBeenCalledTimes(1)
  })

  it.each<[input: Partial<SettingsInput>, asked: object]>([
    [{ env: { UPLOAD_RESUME: 'true', UPLOAD_TO: 's3://env/' } }, { resumeFrom: undefined, destination: undefined }],
    [{ flags: { resumeFrom: 'r.jsonl' } }, { resumeFrom: 'r.jsonl', destination: undefined }],
    [
      { flags: { resume: true, to: 's3://b' }, env: { UPLOAD_ENDPOINT_URL: 'http://h' } },
      { resumeFrom: undefined, destination: { to: 's3://b/', s3: { endpointUrl: 'http://h', profile: undefined } } },
    ],
    [
      { flags: { resume: true }, env: { SUPABASE_URL: 'https://p.supabase.co' } },
      { resumeFrom: undefined, destination: undefined, supabase: { url: 'https://p.supabase.co' } },
    ],
    [
      { flags: { resume: true }, args: ['s3://b/x'] },
      { resumeFrom: undefined, destination: { to: 's3://b/x/', s3: { endpointUrl: undefined, profile: undefined } } },
    ],
  ])('%j asks for %j', async (input, asked) => {
    const repeat = vi.fn(async () => repeated)
    await load({ ...input, repeat })
    expect(repeat.mock.calls).toEqual([[{ supabase: { url: undefined }, ...asked }]])
  })

  it.each<Partial<SettingsInput>>([
    { flags: {} },
    { flags: { resumeFrom: 'server' } },
    { flags: { resume: true, retries: 'x' } },
    { flags: { resume: true, filesFrom: '-' } },
    { flags: { resume: true }, args: ['a.wav'] },
    { flags: { resume: true }, args: ['s3://b/', 's3://c/'] },
    { flags: { resume: true, dryRun: true } },
  ])('%j asks for nothing', async (input) => {
    const repeat = vi.fn(async () => repeated)
    await faultsOf({ ...input, repeat })
    expect(repeat).not.toHaveBeenCalled()
  })

  it('lacks sources where nobody can say', async () => {
    expect(await faultsOf({ flags: { resume: true } })).toEqual(nothing)
  })

  it.each([
    [
      { resume: true, dryRun: true },
      '--resume: a dry run shows what a run from scratch would send; leave one of the two out',
    ],
    [{ resumeFrom: 'server', dryRun: true }, '--resume-from: a dry run shows what'],
  ])('%j: refused', async (flags, said) => {
    expect(await faultsOf({ flags, args: ['a', 's3://b/'] })).toEqual([expect.stringContaining(said)])
  })

  it('is no matter of a dry run that says it is not to resume', async () => {
    expect(
      await load({ flags: { dryRun: true }, env: { UPLOAD_RESUME: 'false' }, args: ['a', 's3://b/'] }),
    ).toMatchObject({
      resume: false,
    })
  })

  it('names a journal that cannot be read', async () => {
    expect(await faultsOf({ flags: { resumeFrom: 'none.jsonl' }, args: ['a', 's3://b/'] })).toEqual([
      '--resume-from: found "none.jsonl", expected a file that can be read (ENOENT)',
    ])
  })
})

describe('precedence', () => {
  it('flag over environment over config over default', async () => {
    await config({ to: 's3://config/', concurrency: 2, retries: 2, partSize: '6MiB', exclude: ['c'] })
    const settings = await load({
      args: ['a'],
      flags: { concurrency: '4', exclude: ['f'] },
      env: { UPLOAD_CONCURRENCY: '3', UPLOAD_RETRIES: '3', UPLOAD_EXCLUDE: 'e' },
    })
    expect(settings).toMatchObject({ to: 's3://config/', concurrency: 4, partSize: 6_291_456, bufferSize: 262_144 })
    expect(settings.retry.retries).toBe(3)
    expect(settings.exclude).toEqual(['f'])
    expect(settings.configFile).toBe(file)
  })

  it('a positional destination over the environment and the config', async () => {
    await config({ to: 's3://config/' })
    expect((await load({ args: ['a'], env: { UPLOAD_TO: 's3://env/' } })).to).toBe('s3://env/')
    expect((await load({ args: ['a', 's3://arg/'], env: { UPLOAD_TO: 's3://env/' } })).to).toBe('s3://arg/')
  })

  it("AWS' variables over the config", async () => {
    await config({ to: 's3://b/', s3: { endpointUrl: 'http://config', region: 'config', profile: 'config' } })
    const env = { AWS_ENDPOINT_URL: 'http://env', AWS_DEFAULT_REGION: 'env' }
    const { s3 } = await load({ args: ['a'], env })
    expect(s3).toMatchObject({ endpointUrl: 'http://env', region: 'env', profile: 'config' })
  })

  it('--config over UPLOAD_CONFIG over the nearest', async () => {
    await config({ to: 's3://found/' })
    await writeFile(join(cwd, 'flag.json'), '{"to": "s3://flag/", "noVerifySsl": true}')
    await writeFile(join(cwd, 'env.json'), '{"to": "s3://env/"}')
    const env = { UPLOAD_CONFIG: 'env.json' }
    expect((await load({ args: ['a'] })).to).toBe('s3://found/')
    expect((await load({ args: ['a'], env: { UPLOAD_CONFIG: '' } })).to).toBe('s3://found/')
    expect((await load({ args: ['a'], env })).to).toBe('s3://env/')
    const settings = await load({ args: ['a'], env, flags: { config: 'flag.json' } })
    expect(settings).toMatchObject({ to: 's3://flag/', tls: { verify: false } })
    expect(settings).toMatchObject({ configFile: join(cwd, 'flag.json'), isConfigNamed: true })
  })
})

it('looks for no config where it is told not to', async () => {
  await config({ to: 's3://config/' })
  const settings = await load({ args: ['a', 's3://b/'], findConfig: false })
  expect(settings).toMatchObject({ to: 's3://b/', configFile: undefined })
  expect(await faultsOf({ args: ['a'], findConfig: false })).toEqual([expect.stringContaining('no destination')])
})

describe('faults', () => {
  it.each<[string, Partial<SettingsInput>, string]>([
    ['upload s3://b/', { args: ['s3://b/'] }, 'nothing to upload: give files'],
    ['upload a.wav', { args: ['a.wav'] }, 'no destination: give --to s3://bucket/prefix/'],
    ['upload a.wav', { args: ['a.wav'] }, 'file:./dir/'],
    ['--to with a positional', { args: ['a', 's3://b/'], flags: { to: 's3://c/' } }, 'given twice: by --to'],
    [
      'a destination first',
      { args: ['s3://b/', 'a'], flags: { to: 's3://b/' } },
      'argument "s3://b/": a destination goes last',
    ],
    ['a bad positional', { args: ['a', 's3://'] }, 'last argument: found "s3://", but the bucket is missing'],
    [
      '- and --files-from -',
      { args: ['-'], flags: { filesFrom: '-', key: 'x', to: 's3://b/' } },
      'standard input cannot be both',
    ],
    ['- without --key', { args: ['-', 's3://b/'] }, 'give its object one with --key NAME'],
    [
      '- under a key with what only a file has',
      { args: ['-', 's3://b/'], flags: { key: '{sha256}-{size}' } },
      'standard input (-) has no {',
    ],
    [
      '--resume-from server under keys of one run',
      { args: ['a', 's3://b/'], flags: { key: '{uuid}', resumeFrom: 'server' } },
      '--resume-from: at the destination nothing tells which keys {uuid} made',
    ],
    ['- twice', { args: ['-', '-', 's3://b/'], flags: { key: 'x' } }, 'more than once'],
    [
      '--if-exists never',
      { args: ['a', 's3://b/'], flags: { ifExists: 'never' } },
      '--if-exists: found "never", expected overwrite, skip, fail, newer or changed',
    ],
    [
      'UPLOAD_DASHBOARD',
      { args: ['a', 's3://b/'], env: { UPLOAD_DASHBOARD: '1' } },
      'UPLOAD_DASHBOARD: --dashboard is not yet available',
    ],
    [
      'supabase:// without a project',
      { args: ['a', 'supabase://b/'] },
      'destination: supabase:// needs the project: set SUPABASE_URL (such as https://abcdefgh.supabase.co), or give --supabase-url',
    ],
    [
      'supabase:// with a project that is none',
      { args: ['a', 'supabase://b/'], env: { SUPABASE_URL: 'abcdefgh' } },
      'SUPABASE_URL: found "abcdefgh", expected a URL such as',
    ],
    ['a missing --config', { args: ['a', 's3://b/'], flags: { config: 'x.json' } }, '--config: '],
  ])('%s', async (_name, input, message) => {
    expect(await faultsOf(input)).toEqual([expect.stringContaining(message)])
  })

  it('of flags, environment and config at once, each with its place', async () => {
    await config({ to: 's3://', partsize: 1, s3: { secretAccessKey: 'hunter2' }, rollout: { candidate: {} } })
    const faults = await faultsOf({
      flags: { concurrency: 'x', shard: '1/2' },
      env: { UPLOAD_PART_SIZE: '1', UPLOAD_METRICS_FILE: 'm.prom' },
    })
    expect(faults).toEqual([
      expect.stringMatching(/^--concurrency: found "x"/),
      '--shard is not yet available',
      expect.stringMatching(/^UPLOAD_PART_SIZE: found "1"/),
      'UPLOAD_METRICS_FILE: --metrics-file is not yet available',
      `${file}: to: found "s3://", but the bucket is missing; expected s3://bucket/prefix/`,
      expect.stringContaining(`${file}: s3.secretAccessKey: a secret`),
      `${file}: partsize: unknown key; did you mean partSize?`,
      `${file}: rollout: has no name; such as { "name": "nightly-import", "candidate": { "engine": "fast" } }`,
      expect.stringContaining('nothing to upload'),
    ])
    expect(faults.join()).not.toContain('hunter2')
  })

  it('of a broken config do not blame the missing destination on the user', async () => {
    await writeFile(file, '{"to": "s3://b/"')
    expect(await faultsOf({ args: ['a'] })).toEqual([expect.stringContaining(`${file}:1:17: not valid JSON`)])
  })

  it('are said once', async () => {
    expect(await faultsOf({ args: ['s3://x/', 's3://x/', 'a', 's3://b/'] })).toHaveLength(1)
  })
})

describe('a Supabase project', () => {
  const args = ['a', 'supabase://b/']
  const url = 'https://p.supabase.co'

  it.each<[string, Partial<SettingsInput>]>([
    ['--supabase-url', { flags: { supabaseUrl: url }, env: { SUPABASE_URL: 'https://other.supabase.co' } }],
    ['UPLOAD_SUPABASE_URL', { env: { UPLOAD_SUPABASE_URL: url, SUPABASE_URL: 'https://other.supabase.co' } }],
    ['SUPABASE_URL', { env: { SUPABASE_URL: url } }],
  ])('is named by %s', async (_, input) => {
    expect((await load({ args, ...input })).supabase).toEqual({ url })
  })

  it.each([[{ supabase: { url } }], [{ supabaseUrl: url }]])(
    'is named by a config that somebody named, and by no other: %j',
    async (json) => {
      await config(json)
      const path = 'supabaseUrl' in json ? 'supabaseUrl' : 'supabase.url'
      const remedy = `use --supabase-url, SUPABASE_URL or --config ${file}`
      const refused = `${file}: ${path}: cannot be set in a config that was found by search, only in one that is named; ${remedy}`
      expect(await faultsOf({ args })).toEqual([refused])
      expect(await faultsOf({ args, env: { SUPABASE_URL: url } })).toEqual([refused])
      expect((await load({ args, flags: { config: file } })).supabase).toEqual({ url })
      expect((await load({ args, env: { UPLOAD_CONFIG: file } })).supabase).toEqual({ url })
    },
  )

  it('is no matter of other destinations', async () => {
    expect((await load({ args: ['a', 's3://b/'], env: { SUPABASE_URL: url } })).to).toBe('s3://b/')
  })

  it('is named in a section that holds nothing else', async () => {
    await config({ supabase: { key: 'x', url: 1 } })
    expect(await faultsOf({ args, flags: { config: file } })).toEqual([
      expect.stringContaining('supabase.url: found 1, expected a URL'),
      expect.stringContaining('supabase.key: unknown key; expected url'),
    ])
    await config({ supabase: { serviceRoleKey: 'hunter2' } })
    const faults = await faultsOf({ args, flags: { config: file }, env: { SUPABASE_URL: url } })
    expect(faults).toEqual([expect.stringContaining('supabase.serviceRoleKey: a secret')])
    expect(faults[0]).toContain('set SUPABASE_SERVICE_ROLE_KEY')
    expect(faults[0]).not.toContain('hunter2')
  })
})

describe("a destination that looks like the object's name", () => {
  beforeEach(async () => {
    await mkdir(join(cwd, 'v1.2'))
  })

  it.each([
    ['x.wav', 's3://b/x.wav', 's3://b/', 'x.wav'],
    ['./audio/*.wav', 's3://b/take.WAV', 's3://b/', 'take.WAV'],
    ['data.csv', 's3://b/2026/d.csv', 's3://b/2026/', 'd.csv'],
    ['data.csv', 'supabase://b/2026/d.csv', 'supabase://b/2026/', 'd.csv'],
  ])('upload %s %s', async (source, to, prefix, name) => {
    const env = { SUPABASE_URL: 'https://p.supabase.co' }
    const expected = `destination: "${to}" would be a folder, not the object's name; for one object give --to "${prefix}" --key "${name}"`
    expect(await faultsOf({ args: [source, to], env })).toEqual([expected])
    expect(await faultsOf({ args: [source], env: { ...env, UPLOAD_TO: to } })).toEqual([expected])
  })

  it.each<[string[], Partial<SettingsInput['flags']>]>([
    [['x.wav', 's3://b/x.wav/'], {}],
    [['x.wav', 's3://b/x.mp3'], {}],
    [['x.wav', 's3://b/x'], {}],
    [['x.wav', 's3://b.wav'], {}],
    [['x', 's3://b/x'], {}],
    [['x.wav', 'y.wav', 's3://b/x.wav'], {}],
    [['x.wav', 's3://b/x.wav'], { key: 'y.wav' }],
    [['x.wav', 's3://b/x.wav'], { filesFrom: 'list' }],
    [['v1.2', 's3://b/v1.2'], {}],
    [['x.wav', 'file:./x.wav'], {}],
  ])('upload %j %j is a folder', async (args, flags) => {
    await writeFile(join(cwd, 'list'), '')
    expect((await load({ args, flags })).to.endsWith('/')).toBe(true)
  })
})

it('tells files that cannot be read with all other faults, and what it takes them from', async () => {
  await config({ caBundle: 'ca.pem', concurrency: 0 })
  const flags = { excludeFrom: ['a', 'b'], filesFrom: 'list.txt', key: '{naem}', to: 'file:./out' }
  expect(await faultsOf({ flags })).toEqual([
    expect.stringMatching(/^--key: found "\{naem\}", unknown token \{naem\}; did you mean \{name\}\?/),
    expect.stringContaining('concurrency: found 0'),
    expect.stringMatching(/\.uploadrc\.json: caBundle: found "ca\.pem", expected a file that can be read \(ENOENT\)$/),
    '--exclude-from: found "a", expected a file that can be read (ENOENT)',
    '--exclude-from: found "b", expected a file that can be read (ENOENT)',
    '--files-from: found "list.txt", expected a file that can be read (ENOENT)',
  ])
})

it('the example config works as it is', async () => {
  await cp(fileURLToPath(new URL('../../../.uploadrc.example.json', import.meta.url)), file)
  const settings = await load({ args: ['./audio/a.wav', './audio/b.wav'], flags: { concurrency: '8' } })
  expect(settings).toMatchObject({ concurrency: 8, configFile: file })
  expect(settings.to).toMatch(/^s3:\/\/[\w-]+\/[\w-]+\/$/)
  expect(settings.s3.endpointUrl).toMatch(/^https:/)
  expect(settings.report.map((name) => name.split('.').at(-1))).toEqual(['jsonl', 'csv'])
})

it('a time ago counts from the present', async () => {
  const flags = { newerThan: '2026-11-21', olderThan: '24h', to: 'file:./out' }
  const at = (nowMs: number) => ({ args: ['a'], flags, nowMs })
  expect(await load(at(Date.UTC(2026, 10, 24)))).toMatchObject({ olderThan: { agoMs: 86_400_000 } })
  expect(await faultsOf(at(Date.UTC(2026, 10, 21)))).toEqual([
    expect.stringMatching(/^--older-than: found "24h", with --newer-than "2026-11-21": no file can be both/),
  ])
})
