import { beforeAll, describe, expect, it } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { readJournal } from '../support/journal.ts'
import { flagOf, variableOf } from '../support/option-names.ts'
import { makeWorkspace, type Workspace } from '../support/workspace.ts'

const mebibyte = 1024 * 1024

/** An option's name, three values for file, environment and flag, and where and as what the run line has them. */
type Case = readonly [name: string, values: readonly [unknown, string, string], at: string, seen: readonly unknown[]]

const cases: readonly Case[] = [
  ['concurrency', [3, '5', '7'], 'concurrency', [3, 5, 7]],
  ['partSize', ['6MiB', '7MiB', '8000000'], 'partSize', [6 * mebibyte, 7 * mebibyte, 8_000_000]],
  ['multipartThreshold', ['20MB', '21MiB', '22MiB'], 'multipartThreshold', [20_000_000, 21 * mebibyte, 22 * mebibyte]],
  ['partConcurrency', [2, '3', '4'], 'partConcurrency', [2, 3, 4]],
  ['bufferSize', ['64KiB', '128KiB', '1MiB'], 'bufferSize', [65_536, 131_072, mebibyte]],
  ['retries', [1, '2', '0'], 'retry.retries', [1, 2, 0]],
  ['retryDelay', ['1s', '20ms', '30ms'], 'retry.retryDelayMs', [1000, 20, 30]],
  ['retryMaxDelay', ['1m', '2s', '3s'], 'retry.retryMaxDelayMs', [60_000, 2000, 3000]],
  ['retryMaxTime', ['1h', '5m', '1d'], 'retry.retryMaxTimeMs', [3_600_000, 300_000, 86_400_000]],
  ['retryFailed', [2, '3', '0'], 'retry.retryFailed', [2, 3, 0]],
  ['progress', ['plain', 'none', 'plain'], 'progress', ['plain', 'none', 'plain']],
  ['pathStyle', ['on', 'off', 'auto'], 's3.pathStyle', ['on', 'off', 'auto']],
  ['region', ['eu-west-1', 'us-west-2', 'eu-north-1'], 's3.region', ['eu-west-1', 'us-west-2', 'eu-north-1']],
  ['profile', ['one', 'two', 'three'], 's3.profile', ['one', 'two', 'three']],
  ['contentType', ['a/b', 'c/d', 'e/f'], 'contentType', ['a/b', 'c/d', 'e/f']],
  [
    'cacheControl',
    ['no-cache', 'no-store', 'max-age=1'],
    'properties.cacheControl',
    ['no-cache', 'no-store', 'max-age=1'],
  ],
  [
    'metadata',
    [{ a: '1', b: '2' }, 'a=3\nb=4', 'a=5'],
    'properties.metadata',
    [{ a: '1', b: '2' }, { a: '3', b: '4' }, { a: '5' }],
  ],
  ['ifExists', ['skip', 'fail', 'skip'], 'ifExists', ['skip', 'fail', 'skip']],
  ['include', [['*.txt'], '*.md\n*.txt', '*.*'], 'include', [['*.txt'], ['*.md', '*.txt'], ['*.*']]],
  ['exclude', [['*.a', '*.b'], '*.c\n*.d\n', '*.e'], 'exclude', [['*.a', '*.b'], ['*.c', '*.d'], ['*.e']]],
  ['report', [['a.json'], 'b.json\nc.csv', 'd.jsonl'], 'report', [['a.json'], ['b.json', 'c.csv'], ['d.jsonl']]],
  ['runId', ['from-file', 'from-env', 'from-flag'], 'runId', ['from-file', 'from-env', 'from-flag']],
  ['base', ['.', '..', './in'], 'base', ['.', '..', './in']],
  ['preserve', ['mtime', 'mtime', 'mtime'], 'preserve', ['mtime', 'mtime', 'mtime']],
  ['maxSize', ['1MB', '2MB', '3000'], 'limits.maxSize', [1_000_000, 2_000_000, 3000]],
  ['minSize', [1, '0', '2'], 'limits.minSize', [1, 0, 2]],
  ['maxFiles', [10, '20', '30'], 'limits.maxFiles', [10, 20, 30]],
  ['maxTotalSize', ['1MB', '2MB', '3MB'], 'limits.maxTotalSize', [1_000_000, 2_000_000, 3_000_000]],
  ['allowExt', [['.txt'], 'txt\nmd', '.TXT'], 'limits.allowExt', [['.txt'], ['.txt', '.md'], ['.txt']]],
  ['denyExt', [['.a'], 'b\nc', '.D'], 'limits.denyExt', [['.a'], ['.b', '.c'], ['.d']]],
  [
    'newerThan',
    ['2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z', '2020-01-03T00:00Z'],
    'newerThan.atMs',
    [1_577_836_800_000, 1_577_923_200_000, 1_578_009_600_000],
  ],
  ['key', ['a/{path}', 'b/{path}', 'c/{path}'], 'key', ['a/{path}', 'b/{path}', 'c/{path}']],
]

/** The `config` of every run so far, the oldest first. */
async function runLines(ws: Workspace): Promise<Readonly<Record<string, unknown>>[]> {
  const runs = await Promise.all((await ws.journals()).map(async (path) => (await readJournal(path)).run))
  return runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).map((run) => run.config)
}

const switches = [
  'flatten',
  'keyFix',
  'allowEmpty',
  'follow',
  'quiet',
  'verbose',
  'noColor',
  'json',
  'noSignRequest',
  'null',
] as const

function at(config: Readonly<Record<string, unknown>>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], config)
}

describe('flag > environment > config file > default', () => {
  const base = ['in', '--to', 'file:./out']
  const named = (pick: (values: Case[1]) => unknown) =>
    Object.fromEntries(cases.map(([name, values]) => [name, pick(values)]))
  let configs: Readonly<Record<string, unknown>>[]

  // One run for each rung of the ladder, with every option on it.
  beforeAll(async () => {
    const ws = await makeWorkspace()
    try {
      await ws.writeAll('in/a.txt')
      const env = Object.fromEntries(cases.map(([name, [, value]]) => [variableOf(name), value]))
      const flags = cases.flatMap(([name, [, , value]]) => [flagOf(name), value])
      expectCode(await ws.runArgs(base), 0)
      await ws.write('.uploadrc.json', JSON.stringify(named(([value]) => value)))
      expectCode(await ws.runArgs(base), 0)
      expectCode(await ws.runArgs(base, { env }), 0)
      expectCode(await ws.runArgs([...base, ...flags], { env }), 0)
      configs = await runLines(ws)
    } finally {
      await ws.remove()
    }
  })

  for (const [name, [inFile, inEnv, inFlag], path, seen] of cases) {
    it(`${variableOf(name)}=${JSON.stringify(inEnv)} upload in ${flagOf(name)} ${inFlag}  # ${JSON.stringify(inFile)}`, () => {
      expect(configs).toHaveLength(4)
      expect(configs.slice(1).map((config) => at(config, path))).toEqual(seen)
      expect(at(configs[0] ?? {}, path)).not.toEqual(seen[0])
    })
  }
})

describe('switches', () => {
  const base = ['in', '--to', 'file:./out']
  let configs: Readonly<Record<string, unknown>>[]

  beforeAll(async () => {
    const ws = await makeWorkspace()
    const everySwitch = (value: string) => Object.fromEntries(switches.map((name) => [variableOf(name), value]))
    try {
      await ws.writeAll('in/a.txt')
      for (const value of ['1', 'true', '0', 'false'])
        expectCode(await ws.runArgs(base, { env: everySwitch(value) }), 0)
      await ws.write('.uploadrc.json', JSON.stringify(Object.fromEntries(switches.map((name) => [name, true]))))
      expectCode(await ws.runArgs(base), 0)
      expectCode(await ws.runArgs(base, { env: everySwitch('false') }), 0)
      expectCode(await ws.runArgs([...base, ...switches.map(flagOf)], { env: everySwitch('0') }), 0)
      configs = await runLines(ws)
    } finally {
      await ws.remove()
    }
  })

  for (const name of switches) {
    it(`${variableOf(name)}=true upload in --to file:./out`, () => {
      const on = name !== 'noSignRequest'
      const seen = configs.map((config) => at(config, on ? name : 's3.signRequest'))
      expect(seen).toEqual([on, on, !on, !on, on, !on, on])
    })
  }

  command('UPLOAD_JSON=yes upload in --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    expectRefused(await run(), 'UPLOAD_JSON')
  })

  command('UPLOAD_CONCURENCY=8 upload in --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    const result = await run()
    // A variable nobody knows may be somebody else's: it must not stop the run.
    expectCode(result, 0)
  })
})

describe("other programs' variables", () => {
  const elsewhere: [env: Record<string, string>, path: string, seen: string][] = [
    [{ AWS_REGION: 'eu-west-3' }, 's3.region', 'eu-west-3'],
    [{ AWS_PROFILE: 'work' }, 's3.profile', 'work'],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, 's3.endpointUrl', 'http://127.0.0.1:1'],
    [
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2' },
      's3.endpointUrl',
      'http://127.0.0.1:2',
    ],
    [{ AWS_REGION: 'eu-west-3', UPLOAD_REGION: 'eu-west-1' }, 's3.region', 'eu-west-1'],
    [{ SUPABASE_URL: 'http://127.0.0.1:1' }, 'supabase.url', 'http://127.0.0.1:1'],
    [
      { SUPABASE_URL: 'http://127.0.0.1:1', UPLOAD_SUPABASE_URL: 'http://127.0.0.1:2' },
      'supabase.url',
      'http://127.0.0.1:2',
    ],
  ]
  for (const [env, path, seen] of elsewhere) {
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    command(`${assignments.join(' ')} upload in --to file:./out`, async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      expectCode(await run(), 0)
      expect(at((await ws.journal()).run.config, path)).toBe(seen)
    })
  }
})
