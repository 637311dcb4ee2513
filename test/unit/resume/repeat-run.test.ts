import { describe, expect, it } from 'vitest'
import type { RunRecord } from '../../../src/observe/records.ts'
import { type GivenLine, type RepeatOptions, repeatAsked, repeatRun } from '../../../src/resume/repeat-run.ts'
import { runRecord } from '../observe/events.ts'
import { type State, state } from './state.ts'

/** `--key=value` words are options, all others arguments. */
function readLine(argv: readonly string[]): GivenLine {
  const flags = argv.flatMap((word) => (/^--(\w+)=(.*)/s.exec(word) ?? []).slice(1, 3))
  const pairs = flags.flatMap((_, at) => (at % 2 === 0 ? [flags.slice(at, at + 2)] : []))
  return { flags: Object.fromEntries(pairs), args: argv.filter((word) => !word.startsWith('--')) }
}

async function repeat(at: State, given: Partial<GivenLine> = {}, over: Partial<RepeatOptions> = {}) {
  return repeatRun({
    given: { flags: {}, args: [], ...given },
    resumeFrom: undefined,
    place: undefined,
    cwd: at.root,
    places: at.places,
    readLine,
    ...over,
  })
}

async function withRun(...runs: Partial<RunRecord>[]): Promise<{ at: State; journal: string }> {
  const at = await state()
  const records = runs.map((run) => runRecord({ cwd: at.root, to: 's3://b/', ...run }))
  return { at, journal: await at.journal('x', 1, ...records) }
}

describe('a command line without sources', () => {
  it('is that of the run, with what is given now on top', async () => {
    const { at, journal } = await withRun({
      argv: ['in', 's3://b/', '--concurrency=4', '--retries=2', '--resumeFrom=server'],
    })
    expect(await repeat(at, { flags: { resume: true, retries: '9' } })).toEqual({
      journal,
      cwd: at.root,
      flags: { to: 's3://b/', concurrency: '4', retries: '9', resume: true },
      args: ['in'],
    })
  })

  it('is that of the last invocation that had sources', async () => {
    const { at } = await withRun(
      { argv: ['in', 's3://b/'] },
      { invocation: 2, argv: ['in', 'more', '--to=s3://b/'] },
      { invocation: 3, argv: ['--resume=', '--retries=1'] },
    )
    expect(await repeat(at)).toMatchObject({ args: ['in', 'more'], flags: { to: 's3://b/' } })
    const listed = await withRun({ argv: ['--filesFrom=list'] }, { argv: ['--resume='] })
    expect(await repeat(listed.at)).toMatchObject({ args: [], flags: { filesFrom: 'list', to: 's3://b/' } })
  })

  it('takes from the run what came from elsewhere then', async () => {
    const config = { sources: ['in'], filesFrom: 'list', s3: { endpointUrl: 'http://h' } }
    const { at } = await withRun({ argv: [], config })
    const flags = { to: 's3://b/', filesFrom: 'list', endpointUrl: 'http://h' }
    expect(await repeat(at)).toMatchObject({ args: ['in'], flags })
    expect(await repeat(at, {}, { readLine: undefined })).toMatchObject({ args: ['in'], flags })
  })

  it('gives files the keys they had, whatever the environment says now', async () => {
    const config = { sources: ['in'], key: 'x/{name}', flatten: true, base: undefined, exclude: ['*.tmp'], include: [] }
    const { at } = await withRun({ argv: ['in', '--key=typed'], config })
    expect((await repeat(at)).flags).toEqual({ to: 's3://b/', key: 'typed', flatten: true, exclude: ['*.tmp'] })
    expect((await repeat(at, { flags: { key: 'now' } })).flags).toMatchObject({ key: 'now' })
  })

  it('keeps with objects what it kept, and leaves those that are there as it did', async () => {
    const properties = { cacheControl: 'no-cache', metadata: { take: '1', note: 'a=b' } }
    const config = { sources: ['in'], properties, contentType: 'audio/wav', ifExists: 'skip', keyFix: true }
    const { at } = await withRun({ argv: ['in', '--ifExists=fail'], config })
    const metadata = ['take=1', 'note=a=b']
    const kept = { cacheControl: 'no-cache', metadata, contentType: 'audio/wav', keyFix: true }
    expect((await repeat(at)).flags).toEqual({ to: 's3://b/', ...kept, ifExists: 'fail' })
    expect((await repeat(at, { flags: { metadata: ['take=2'] } })).flags).toMatchObject({ metadata: ['take=2'] })
    const none = await withRun({ argv: ['in'], config: { ...config, properties: {}, keyFix: false } })
    expect((await repeat(none.at)).flags).toEqual({ to: 's3://b/', contentType: 'audio/wav', ifExists: 'skip' })
  })

  it('keeps every property, and takes the files that it took', async () => {
    const properties = {
      contentEncoding: 'gzip',
      contentDisposition: 'inline',
      storageClass: 'GLACIER',
      acl: 'private',
      sse: 'aws:kms',
      sseKmsKeyId: 'k',
    }
    const limits = { maxSize: 5e8, minSize: 0, allowExt: ['.wav'], denyExt: [], maxFiles: undefined }
    const config = {
      properties: { ...properties, cacheControl: undefined, tags: { project: 'a b', empty: '' } },
      limits,
      follow: true,
      preserve: 'mtime',
    }
    const { at } = await withRun({ argv: ['in', 's3://b/'], config })
    expect((await repeat(at)).flags).toEqual({
      to: 's3://b/',
      ...properties,
      tag: ['project=a b', 'empty='],
      maxSize: 5e8,
      minSize: 0,
      allowExt: ['.wav'],
      follow: true,
      preserve: 'mtime',
    })
  })

  it.each([
    ['rules', { properties: { acl: 'public-read' }, contentType: 'c/d' }, { ifExists: 'skip', sse: 'AES256' }],
    [
      'routes',
      { properties: { acl: 'public-read', sse: 'AES256' }, ifExists: 'overwrite' },
      { contentType: 'a/b', sse: 'AES256' },
    ],
  ])('leaves to the %s of the config what these say of some files, and keeps all else', async (key, entry, kept) => {
    const config = {
      [key]: [
        { name: `${key}[0]`, skip: true },
        { name: `${key}[1]`, ...entry },
      ],
      properties: { acl: 'private', sse: 'AES256' },
      contentType: 'a/b',
      ifExists: 'skip',
      key: '{name}',
    }
    const { at } = await withRun({ argv: ['in', 's3://b/'], config })
    expect((await repeat(at)).flags).toEqual({ to: 's3://b/', key: '{name}', ...kept })
    const typed = await withRun({ argv: ['in', 's3://b/', '--acl=typed'], config })
    expect((await repeat(typed.at)).flags).toEqual({ to: 's3://b/', key: '{name}', ...kept, acl: 'typed' })
  })

  it('reads the config and the preset that an environment named then, but no config as if it had been named', async () => {
    const config = { preset: 'nightly', configFile: '/etc/c.json', isConfigNamed: true }
    const named = await withRun({ argv: ['in', 's3://b/'], config })
    expect((await repeat(named.at)).flags).toEqual({ to: 's3://b/', preset: 'nightly', config: '/etc/c.json' })
    expect((await repeat(named.at, { flags: { preset: 'now' } })).flags).toMatchObject({ preset: 'now' })
    const found = await withRun({ argv: ['in', 's3://b/'], config: { ...config, isConfigNamed: false } })
    expect((await repeat(found.at)).flags).toEqual({ to: 's3://b/', preset: 'nightly' })
  })

  it('counts what was modified how long ago from when the run began', async () => {
    const config = { newerThan: { agoMs: 3_600_000 }, olderThan: { atMs: Date.UTC(2026, 10, 22, 5) } }
    const startedAt = '2026-11-22T04:00:00.000Z'
    const { at } = await withRun({ argv: ['in', 's3://b/', '--newerThan=1h'], config, startedAt })
    expect((await repeat(at)).flags).toEqual({
      to: 's3://b/',
      newerThan: '2026-11-22T03:00:00.000Z',
      olderThan: '2026-11-22T05:00:00.000Z',
    })
    expect((await repeat(at, { flags: { newerThan: '2h' } })).flags).toMatchObject({ newerThan: '2h' })
  })

  it('asks again for metadata that held a secret', async () => {
    const config = { sources: ['in'], properties: { metadata: { key: '***' } } }
    const { at } = await withRun({ argv: ['in'], config })
    await expect(repeat(at)).rejects.toThrow(/held a secret in --metadata/)
  })

  it.each<[given: Partial<GivenLine>, flags: object, args: string[]]>([
    [{ flags: { to: 's3://c/' } }, { to: 's3://c/' }, ['in']],
    [{ args: ['s3://c/'] }, {}, ['in', 's3://c/']],
  ])('has one destination: %j', async (given, flags, args) => {
    const { at } = await withRun({ argv: ['in', 's3://b/'] })
    expect(await repeat(at, given)).toMatchObject({ flags, args })
  })

  it('means paths as they were typed, where the run goes on in its own directory', async () => {
    const { at } = await withRun({ argv: ['in', '--to=file:./out', '--base=.', '--retries=1'], to: 'file:./out/' })
    const flags = { report: ['r.csv'], config: '/c.json', filesFrom: undefined, resumeFrom: 'j.jsonl' }
    const repeated = await repeat(at, { flags }, { cwd: '/elsewhere' })
    expect(repeated).toMatchObject({
      cwd: at.root,
      args: ['in'],
      flags: {
        to: `file:${at.root}/out/`,
        base: at.root,
        retries: '1',
        report: ['/elsewhere/r.csv'],
        config: '/c.json',
        resumeFrom: '/elsewhere/j.jsonl',
      },
    })
    const elsewhere = await repeat(at, { args: ['file:../x'] }, { cwd: '/elsewhere' })
    expect(elsewhere.args).toEqual(['in', 'file:/x/'])
  })

  it('stays here where the run’s directory is gone', async () => {
    const { at } = await withRun({ argv: ['in', 's3://b/'], cwd: '/gone/for/good' })
    expect((await repeat(at)).cwd).toBe(at.root)
  })
})

describe('a run to Supabase', () => {
  const url = 'https://p.supabase.co'
  const run = { to: 'supabase://b/', argv: ['in', 'supabase://b/'], config: { supabase: { url } } }

  it('goes on in the project that is named now', async () => {
    const { at } = await withRun(run)
    for (const project of [url, `${url}/`]) {
      expect(await repeat(at, {}, { project })).toMatchObject({
        args: ['in'],
        flags: { to: 'supabase://b/', supabaseUrl: project },
      })
    }
  })

  it('never in one that only its journal names', async () => {
    const typed = { ...run, argv: ['in', '--to=supabase://b/', `--supabaseUrl=${url}`, '--config=theirs.json'] }
    for (const one of [run, typed]) {
      const { at } = await withRun(one)
      await expect(repeat(at)).rejects.toThrow(`the run went to the Supabase project ${url}, and none is named now`)
      await expect(repeat(at, {}, { project: 'https://q.supabase.co' })).rejects.toThrow(
        `the run went to the Supabase project ${url}, not to https://q.supabase.co; set SUPABASE_URL`,
      )
      expect((await repeat(at, {}, { project: url })).flags.supabaseUrl).toBe(url)
    }
    const { at } = await withRun({ ...run, config: {} })
    await expect(repeat(at, {}, { project: url })).rejects.toThrow('does not say which Supabase project')
  })

  it('takes no endpoint of S3 with it', async () => {
    const { at } = await withRun({ ...run, config: { ...run.config, s3: { endpointUrl: 'http://h' } } })
    expect((await repeat(at, {}, { project: url })).flags).not.toHaveProperty('endpointUrl')
  })

  it('is no other run’s affair', async () => {
    const { at } = await withRun({ argv: ['in', 's3://b/', `--supabaseUrl=${url}`], config: { supabase: { url } } })
    const { flags } = await repeat(at, {}, { project: 'https://q.supabase.co' })
    expect(flags).toEqual({ to: 's3://b/' })
  })

  it('sends nothing to a project that a journal of S3 names', async () => {
    const { at } = await withRun({ argv: ['in', 's3://b/', '--config=theirs.json'] })
    const given = { flags: { to: 'supabase://b/' } }
    expect((await repeat(at, given, { project: url })).flags).toMatchObject({ to: 'supabase://b/', supabaseUrl: url })
    await expect(repeat(at, given)).rejects.toThrow('supabase:// needs the project')
  })
})

describe('as settings ask for it', () => {
  const s3 = { endpointUrl: undefined, profile: undefined }

  it('a destination at Supabase needs a project, and finds its own runs only', async () => {
    const { at, journal } = await withRun({
      to: 'supabase://b/',
      argv: ['in', 'supabase://b/'],
      config: { supabase: { url: 'https://p.supabase.co' } },
    })
    const to = 'supabase://b/'
    const ask = (url: string | undefined) =>
      repeatAsked(
        { resumeFrom: undefined, destination: { to, s3 }, supabase: { url } },
        { flags: { to }, args: [], readLine },
        { cwd: at.root, env: { XDG_STATE_HOME: at.places.xdgStateHome } },
      )
    await expect(ask(undefined)).rejects.toThrow('supabase:// needs the project')
    await expect(ask('https://q.supabase.co')).rejects.toThrow('nothing to resume')
    expect((await ask('https://p.supabase.co')).journal).toBe(journal)
    expect((await ask('HTTPS://P.supabase.co/')).journal).toBe(journal)
  })
})

describe('refuses', () => {
  it('where there is nothing to continue', async () => {
    const at = await state()
    await expect(repeat(at)).rejects.toThrow(
      'nothing to resume: there is no unfinished run; name the sources to begin a new one',
    )
    await at.journal('x', 1, runRecord({ to: 's3://b/' }))
    await expect(repeat(at, {}, { place: 's3://c/ at AWS' })).rejects.toThrow('no unfinished run with this destination')
    expect((await repeat(at, {}, { place: 's3://b/ at AWS' })).journal).toContain('x.jsonl')
  })

  it('what is no journal', async () => {
    const at = await state()
    await expect(repeat(at, {}, { resumeFrom: 'none.jsonl' })).rejects.toThrow(
      '--resume-from: none.jsonl cannot be read',
    )
  })

  it.each([[['-', 's3://b/', '--key=x']], [['--filesFrom=-', 's3://b/']]])(
    'what came by standard input: %j',
    async (argv) => {
      const { at } = await withRun({ argv })
      await expect(repeat(at)).rejects.toThrow('the run read from standard input; give its whole command line again')
    },
  )

  it('what held a secret, unless that is given again', async () => {
    const { at, journal } = await withRun({ argv: ['in', '--endpointUrl=http://***@h', '--include=a'] })
    await expect(repeat(at, {}, { resumeFrom: journal })).rejects.toThrow(
      "the run's command line held a secret in --endpoint-url, which its journal does not keep; give that again",
    )
    const again = await repeat(at, { flags: { endpointUrl: 'http://me:pw@h' } }, { resumeFrom: journal })
    expect(again.flags).toMatchObject({ endpointUrl: 'http://me:pw@h', include: 'a' })
    const source = await withRun({ argv: ['a?token=***', 's3://b/'] })
    await expect(repeat(source.at)).rejects.toThrow('held a secret in the sources')
  })
})
