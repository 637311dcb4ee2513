import { describe, expect, it } from 'vitest'
import { expectCode, expectRefused } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import { routes, routesScene as scene } from '../support/routes-scene.ts'
import { s3Fake } from '../support/s3-environment.ts'

const MB = 1_000_000

const parsed = (text: string) => parseNdjson(text) as unknown as Record<string, unknown>[]

describe('routes', () => {
  it('send files by pattern, type and size to three providers, with one report', async () => {
    const { ws, s3, supabase, env } = await scene()
    const result = await ws.run('upload in --report r.json -v', { env })
    expectCode(result, 0)
    expect(result.stderr).toContain('5 files, 1.5 MB → s3://bucket/rest/ and 2 more')
    expect(result.stderr).toContain('uploaded in/a.wav → supabase://bucket/audio/a.wav')
    expect(result.stderr).toContain('uploaded in/b.txt → s3://bucket/rest/b.txt')
    expect(result.stderr).toContain('uploaded in/x/e.bin → file:./large/x/e.bin')
    expect(result.stderr).toContain('skipped in/d.tmp (excluded-by-rule)')
    expect(s3.keys('bucket')).toEqual(['rest/b.txt', 'rest/x/c.md'])
    expect([...supabase.objects.keys()]).toEqual(['bucket/audio/a.wav'])
    expect(await ws.list('large')).toEqual(['x/e.bin'])

    const { run, files, summary } = JSON.parse(await ws.read('r.json'))
    expect(run).toMatchObject({ to: 's3://bucket/rest/', config: { routes: [{ name: 'routes[0]' }, {}, {}] } })
    const went = Object.fromEntries(
      files.map((file: { path: string; destination: string }) => [file.path, file.destination]),
    )
    expect(went).toEqual({
      'in/a.wav': 'supabase://bucket/audio/',
      'in/b.txt': 's3://bucket/rest/',
      'in/d.tmp': 's3://bucket/rest/',
      'in/x/c.md': 's3://bucket/rest/',
      'in/x/e.bin': 'file:./large/',
    })
    expect(summary).toMatchObject({
      exitCode: 0,
      uploaded: 4,
      skipped: 1,
      byDestination: {
        's3://bucket/rest/': { uploaded: 2, skipped: 1 },
        'supabase://bucket/audio/': { uploaded: 1 },
        'file:./large/': { uploaded: 1, bytes: 1.5 * MB },
      },
      byEngine: { fast: { uploaded: 4 } },
    })
  })

  it('go by their own engine, part size and endpoint', async () => {
    const there = await s3Fake({ buckets: ['archive'] })
    const route = {
      minSize: '1MB',
      to: 's3://archive/',
      engine: 'standard',
      partSize: '5MiB',
      multipartThreshold: '5MiB',
      s3: { endpointUrl: there.url },
    }
    const { ws, s3, env } = await scene({ to: 's3://bucket/', routes: [route] })
    await ws.write('in/long.bin', Buffer.alloc(12 * MB, 1))
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    expect(there.keys('archive')).toEqual(['long.bin', 'x/e.bin'])
    expect(s3.keys('bucket')).toEqual(['a.wav', 'b.txt', 'd.tmp', 'x/c.md'])
    const { file, summary } = await ws.journal()
    expect(file('in/long.bin')).toMatchObject({ engine: 'standard', parts: 3, destination: 's3://archive/' })
    expect(summary?.byEngine).toMatchObject({ fast: { uploaded: 4 }, standard: { uploaded: 2 } })
  })

  it('leave a destination alone that no file goes to', async () => {
    const { ws, supabase, env } = await scene({
      to: 's3://bucket/',
      routes: [{ match: '*.flac', to: 'supabase://gone/' }],
    })
    expectCode(await ws.run('upload in', { env }), 0)
    expect(supabase.requests).toEqual([])
  })

  it('never take what lies in the directory that one leads to for a source', async () => {
    const { ws, env } = await scene({ to: 's3://bucket/', routes: [{ match: '*.wav', to: 'file:./in/kept/' }] })
    expectCode(await ws.run('upload in', { env }), 0)
    expectCode(await ws.run('upload in', { env }), 0)
    expect(await ws.list('in/kept')).toEqual(['a.wav'])
  })
})

describe('a broken destination', () => {
  it('takes nothing with it but its own files: exit 3, said once', async () => {
    const { ws, s3, env } = await scene({ to: 's3://bucket/', routes: [{ match: '*.wav', to: 's3://gone/' }] })
    await ws.writeAll(...Array.from({ length: 20 }, (_, n) => `in/w${n}.wav`))
    await ws.writeAll(...Array.from({ length: 20 }, (_, n) => `in/z${n}.txt`))
    const result = await ws.run('upload in --concurrency 2', { env })
    expectCode(result, 3)
    expect(s3.keys('bucket')).toHaveLength(24)
    const { files, summary } = await ws.journal()
    expect(summary).toMatchObject({
      exitCode: 3,
      outcome: 'partial',
      uploaded: 24,
      failed: 1,
      cancelled: 20,
      byErrorCode: { BUCKET_NOT_FOUND: 1 },
      byDestination: { 's3://gone/': { uploaded: 0, failed: 1, cancelled: 20 }, 's3://bucket/': { uploaded: 24 } },
    })
    expect(files.filter(({ status }) => status === 'cancelled').map(({ destination }) => destination)).toEqual(
      Array(20).fill('s3://gone/'),
    )
    expect(
      result.stderr.match(/s3:\/\/gone\/ is given up, and its files are cancelled: .*\(BUCKET_NOT_FOUND\)/g),
    ).toHaveLength(1)
    expect(result.stderr).toContain('stopped: s3://gone/ was given up (BUCKET_NOT_FOUND)')
    expect(result.stderr).toContain('again    upload --resume')

    // Its bucket is made, and the run goes on: no file that arrived goes again.
    await ws.write(
      '.uploadrc.json',
      JSON.stringify({ to: 's3://bucket/', routes: [{ match: '*.wav', to: 's3://other/' }] }),
    )
    const before = s3.requests.length
    expectCode(await ws.run('upload --resume', { env }), 0)
    expect(s3.keys('other')).toHaveLength(21)
    const puts = s3.requests.slice(before).filter(({ method }) => method === 'PUT')
    expect(puts.map(({ bucket }) => bucket)).toEqual(Array(21).fill('other'))
  })

  it('ends the run where there is no other', async () => {
    const { ws, env } = await scene({ to: 's3://gone/', routes: [{ match: '*.wav', to: 's3://lost/' }] })
    const result = await ws.run('upload in', { env })
    expectCode(result, 3)
    expect(result.stderr).toMatch(
      /stopped: s3:\/\/(gone|lost)\/ was given up \(BUCKET_NOT_FOUND\); s3:\/\/(gone|lost)\/ was/,
    )
    expect((await ws.journal()).summary).toMatchObject({ uploaded: 0, failed: 2, cancelled: 3 })
  })
})

describe('two files with one key', () => {
  const collide = (to: string) => ({ to: 's3://bucket/', routes: [{ match: '/c.md', to }] })

  it('are refused where two routes lead into one bucket', async () => {
    const { ws, s3, env } = await scene(collide('s3://bucket/x/'))
    await ws.writeAll('in/c.md')
    expectRefused(await ws.run('upload in', { env }), 'in/c.md and in/x/c.md would both become x/c.md')
    expect(s3.requests).toEqual([])
  })

  it('are two objects in two buckets, and at two endpoints', async () => {
    const { ws, s3, env } = await scene(collide('s3://other/x/'))
    await ws.writeAll('in/c.md')
    expectCode(await ws.run('upload in', { env }), 0)
    expect([s3.keys('other'), s3.keys('bucket').includes('x/c.md')]).toEqual([['x/c.md'], true])
  })

  it('are refused where one directory lies in the other', async () => {
    const { ws } = await scene({ to: 'file:./out/', routes: [{ match: '/c.md', to: 'file:out/x' }] })
    await ws.writeAll('in/c.md')
    expectRefused(await ws.run('upload in'), 'would both become')
    expect(await ws.list('out')).toEqual([])
  })
})

describe('--dry-run', () => {
  it('shows where each file would go, how, and why', async () => {
    const { ws, s3, supabase, env } = await scene({
      to: 's3://bucket/rest/',
      routes,
      rules: [{ match: '*.md', cacheControl: 'no-cache' }],
    })
    await ws.write('in/y.bin', Buffer.alloc(20 * MB))
    const result = await ws.run('upload in --dry-run', { env })
    expectCode(result, 0)
    expect(result.stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'what        size  parts        type              by                  file',
      'upload       8 B               audio/wav         routes[1]           in/a.wav → supabase://bucket/audio/a.wav',
      'upload       8 B               text/plain                            in/b.txt → s3://bucket/rest/b.txt',
      'skip         8 B               applica…t-stream  routes[0]           in/d.tmp (excluded-by-rule)',
      'upload       9 B               text/markdown     rules[0]            in/x/c.md → s3://bucket/rest/x/c.md  [cache-control no-cache]',
      'upload    1.5 MB               applica…t-stream  routes[2]           in/x/e.bin → file:./large/x/e.bin',
      'upload   20.0 MB  3 × 8 MiB    applica…t-stream  routes[2]           in/y.bin → file:./large/y.bin',
      '',
    ])
    expect(result.stderr).toBe(
      'upload: would send 5 files, 21.5 MB → s3://bucket/rest/ and 2 more; 1 file would be skipped; nothing was sent\n',
    )
    expect([s3.requests, supabase.requests, await ws.list('large')]).toEqual([[], [], []])
  })

  it('shows the same as NDJSON', async () => {
    const { ws, env } = await scene()
    const result = await ws.run('upload in --dry-run --json', { env })
    expectCode(result, 0)
    const lines = parsed(result.stdout)
    expect(
      lines.map(({ type, path, destination, key, engine, skip, decidedBy }) => [
        type,
        path,
        destination,
        key,
        engine,
        skip,
        decidedBy,
      ]),
    ).toEqual([
      ['planned', 'in/a.wav', 'supabase://bucket/audio/', 'audio/a.wav', 'fast', undefined, ['routes[1]']],
      ['planned', 'in/b.txt', 's3://bucket/rest/', 'rest/b.txt', 'fast', undefined, undefined],
      ['planned', 'in/d.tmp', 's3://bucket/rest/', 'rest/d.tmp', 'fast', 'excluded-by-rule', ['routes[0]']],
      ['planned', 'in/x/c.md', 's3://bucket/rest/', 'rest/x/c.md', 'fast', undefined, undefined],
      ['planned', 'in/x/e.bin', 'file:./large/', 'x/e.bin', 'fast', undefined, ['routes[2]']],
    ])
  })
})
