import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import type { AvailableKey } from '../../src/config/options/options.ts'
import { type UploadEvent, type UploadOptions, UsageError, upload } from '../../src/index.ts'
import { tempDir } from '../support/temp-dir.ts'

type TerminalOption = 'config' | 'dryRun' | 'json' | 'noColor' | 'preset' | 'progress' | 'quiet' | 'verbose'

let dir: string
let source: string

beforeEach(async () => {
  dir = await tempDir()
  vi.stubEnv('XDG_STATE_HOME', join(dir, 'state'))
  source = join(dir, 'a.txt')
  await writeFile(source, 'hello')
  return () => vi.unstubAllEnvs()
})

async function collect(events: AsyncIterable<UploadEvent>): Promise<UploadEvent[]> {
  const seen: UploadEvent[] = []
  for await (const event of events) seen.push(event)
  return seen
}

describe('upload()', () => {
  it('takes every option of the table that is not a terminal’s affair', () => {
    expectTypeOf<keyof UploadOptions>().toEqualTypeOf<Exclude<AvailableKey, TerminalOption> | 'sources' | 'signal'>()
  })

  it('goes on with a run without being told its sources', async () => {
    const to = `file:${dir}/out/`
    await writeFile(join(dir, 'b.txt'), 'more')
    const stop = new AbortController()
    const first = upload({ sources: [source, join(dir, 'b.txt')], to, concurrency: 1, signal: stop.signal })
    for await (const event of first) if (event.type === 'file') stop.abort()
    expect(await first.summary).toMatchObject({ exitCode: 143, uploaded: 1, cancelled: 1 })
    expect(await upload({ to, resume: true }).summary).toMatchObject({ exitCode: 0, uploaded: 1, skipped: 1 })
    await expect(upload({ to, resume: true }).summary).rejects.toThrow('nothing to resume')
  })

  it('uploads, tells its events, and sums up', async () => {
    const run = upload({ sources: [source], to: `file:${dir}/out/`, key: 'x/{name}{ext}', concurrency: 2 })
    const events = await collect(run)
    expect(events.map(({ type }) => type)).toEqual([
      'totals',
      'run',
      'file-started',
      ...events.filter(({ type }) => type === 'file-progress').map(({ type }) => type),
      'file',
      'summary',
    ])
    expect(await run.summary).toMatchObject({ exitCode: 0, uploaded: 1, bytes: 5 })
    expect(await readFile(join(dir, 'out/x/a.txt'), 'utf8')).toBe('hello')
  })

  it('does not reject for files that fail', async () => {
    await symlink('gone', join(dir, 'broken'))
    const { summary } = upload({ sources: [source, join(dir, 'broken')], to: `file:${dir}/out/` })
    expect(await summary).toMatchObject({ exitCode: 1, outcome: 'partial', uploaded: 1, failed: 1 })
  })

  it('rejects with every fault of its options, and ends its events', async () => {
    const run = upload({ sources: [source], to: 's3:/bad', concurrency: 0 })
    expect(await collect(run)).toEqual([])
    const error = await run.summary.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).faults).toHaveLength(2)
  })

  it('refuses options it does not know', async () => {
    const misspelt = { sources: [source], to: `file:${dir}/out/`, concurency: 3, quiet: true } as UploadOptions
    await expect(upload(misspelt).summary).rejects.toMatchObject({
      faults: ['unknown option "concurency"; did you mean "concurrency"?', expect.stringContaining('"quiet"')],
    })
  })

  it('reads no config file and none of the program’s variables', async () => {
    vi.stubEnv('UPLOAD_KEY', 'from-environment')
    await writeFile(join(dir, '.uploadrc.json'), '{"key": "from-config"}')
    vi.spyOn(process, 'cwd').mockReturnValue(dir)
    await upload({ sources: [source], to: `file:${dir}/out/` }).summary
    expect(await readFile(join(dir, 'out/a.txt'), 'utf8')).toBe('hello')
  })

  it('takes a Supabase project from where its own tools do', async () => {
    const refused = (options: Partial<UploadOptions> = {}): Promise<unknown> =>
      upload({ sources: [source], to: 'supabase://b/', concurrency: 0, ...options }).summary.catch(
        ({ faults }) => faults,
      )
    const concurrency = expect.stringContaining('--concurrency')
    vi.stubEnv('SUPABASE_URL', undefined)
    expect(await refused()).toEqual([concurrency, expect.stringContaining('supabase:// needs the project')])
    vi.stubEnv('SUPABASE_URL', 'abcdefgh')
    expect(await refused()).toEqual([concurrency, expect.stringMatching(/^SUPABASE_URL: found "abcdefgh"/)])
    vi.stubEnv('SUPABASE_URL', 'https://abcdefgh.supabase.co')
    expect(await refused()).toEqual([concurrency])
    vi.stubEnv('SUPABASE_URL', undefined)
    expect(await refused({ supabaseUrl: 'https://abcdefgh.supabase.co' })).toEqual([concurrency])
  })

  it('stops at its signal', async () => {
    const run = upload({ sources: [source], to: `file:${dir}/out/`, signal: AbortSignal.abort() })
    await expect(run.summary).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
