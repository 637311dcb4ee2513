import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Settings } from '../../../src/config/settings.ts'
import type { RunRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { type ContinuedRun, continueRun } from '../../../src/resume/continue-run.ts'
import { defaultSettings } from '../../support/settings.ts'
import { fileRecord, runRecord, summaryRecord } from '../observe/events.ts'
import { planned } from './journal.ts'
import { type State, state } from './state.ts'

interface Given {
  readonly settings?: Partial<Settings>
  readonly files?: readonly PlannedFile[]
  readonly journal?: string
  readonly cwd?: string
  readonly endpoint?: string
  readonly destinations?: Parameters<typeof continueRun>[0]['destinations']
}

async function take(at: State, given: Given = {}) {
  const { settings, files = [planned('in/a.wav')], journal, cwd = '/work', endpoint, destinations } = given
  const continued = await continueRun({
    settings: { ...defaultSettings, resume: true, ...settings },
    journal,
    destinations: destinations ?? [{ url: settings?.to ?? defaultSettings.to, endpoint }],
    plan: {
      async *files() {
        yield* files
      },
    },
    cwd,
    places: at.places,
  })
  onTestFinished(async () => {
    await continued?.journal.close().catch(() => undefined)
    await continued?.close()
  })
  return continued
}

const run = (runId: string, changes: Partial<RunRecord> = {}): RunRecord =>
  runRecord({ runId, cwd: '/work', to: 's3://bucket/', config: { sources: ['in'] }, ...changes })

const done = (path: string, destination = 's3://bucket/') =>
  fileRecord({ path, source: path.replace(/^.*\//, ''), key: path.replace(/^.*\//, ''), destination })

describe('the newest run that fits', () => {
  it('is taken up under its own name, after its invocations', async () => {
    const at = await state()
    const stopped = summaryRecord({ exitCode: 143 })
    const path = await at.journal('b', 9, run('b'), stopped, run('b', { invocation: 2 }), done('in/a.wav'))
    await at.journal('a', 5, run('a'))
    const continued = (await take(at)) as ContinuedRun
    expect([continued.journal.path, continued.journal.runId, continued.invocation]).toEqual([path, 'b', 3])
    expect((await continued.earlier.find(planned('in/a.wav')))?.done).toMatchObject({ path: 'in/a.wav' })
    await continued.journal.append(run('b', { invocation: 3 }))
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(6)
  })

  it('is of the endpoint in effect, whoever named it', async () => {
    const at = await state()
    await at.journal('aws', 9, run('aws'))
    await at.journal('own', 5, run('own', { config: { sources: ['in'], s3: { endpointUrl: 'http://h' } } }))
    expect((await take(at, { endpoint: 'http://h/' }))?.journal.runId).toBe('own')
  })

  it('is of the same Supabase project', async () => {
    const at = await state()
    const to = 'supabase://bucket/'
    const config = (url: string) => ({ sources: ['in'], supabase: { url } })
    await at.journal('other', 9, run('other', { to, config: config('https://q.supabase.co') }))
    await at.journal('same', 5, run('same', { to, config: config('https://p.supabase.co') }))
    const found = await take(at, { settings: { to }, endpoint: 'https://p.supabase.co' })
    expect(found?.journal.runId).toBe('same')
  })

  it.each<[string, Partial<RunRecord>]>([
    ['another bucket', { to: 's3://other/' }],
    ['another prefix', { to: 's3://bucket/x/' }],
    ['another endpoint', { config: { sources: ['in'], s3: { endpointUrl: 'http://h' } } }],
    ['other sources', { config: { sources: ['out'] } }],
    ['a source of that name elsewhere', { cwd: '/elsewhere' }],
  ])('is not one with %s', async (_what, changes) => {
    const at = await state()
    await at.journal('newer', 9, run('newer', changes))
    expect(await take(at)).toBeUndefined()
    await at.journal('older', 5, run('older'))
    expect((await take(at))?.journal.runId).toBe('older')
  })

  it('may have expanded to one of the files', async () => {
    const at = await state()
    await at.journal('newer', 9, run('newer', { config: { sources: ['all'] } }), done('all/z.wav'))
    await at.journal('older', 5, run('older', { config: { sources: ['all'] } }), done('all/a.wav'))
    const settings = { sources: ['all/b.wav', 'all/a.wav'] }
    const continued = await take(at, { settings, files: [planned('all/b.wav'), planned('all/a.wav')] })
    expect(continued?.journal.runId).toBe('older')
  })

  it('is left alone while another process carries it out', async () => {
    const at = await state()
    await at.journal('a', 5, run('a', { pid: process.pid }))
    await take(at)
    await expect(take(at)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('run a is still'),
    })
  })
})

describe('a journal that is named', () => {
  it('is taken up, whether its run ended or not, and wherever its files lie now', async () => {
    const at = await state()
    const lines = [run('x', { cwd: '/elsewhere' }), done('in/a.wav'), summaryRecord({ exitCode: 0 })]
    const path = await at.journal('x', 1, ...lines)
    const continued = await take(at, { journal: path, files: [planned('moved/a.wav')] })
    expect(continued?.invocation).toBe(2)
    expect((await continued?.earlier.find(planned('moved/a.wav')))?.done).toBeDefined()
  })

  it('goes by paths as soon as one of them fits', async () => {
    const at = await state()
    const path = await at.journal('x', 1, run('x'), done('in/a.wav'), done('in/b.wav'))
    const files = [planned('moved/a.wav'), planned('in/b.wav')]
    const continued = await take(at, { journal: path, files })
    expect(await continued?.earlier.find(planned('moved/a.wav'))).toBeUndefined()
    expect((await continued?.earlier.find(planned('in/b.wav')))?.done).toBeDefined()
  })

  it('keeps keys where files are numbered', async () => {
    const at = await state()
    const path = await at.journal('x', 1, run('x'), done('in/a.wav'))
    const continued = await take(at, { journal: path, settings: { key: '{index}{ext}' } })
    expect(await continued?.earlier.find(planned('in/a.wav', { key: '1.wav' }))).toMatchObject({ key: 'a.wav' })
    const changed = await at.journal('y', 1, run('y'), { ...done('in/a.wav'), key: '1=23.wav', originalKey: '1#.wav' })
    const fixed = await take(at, { journal: changed, settings: { key: '{index}{ext}' } })
    expect(await fixed?.earlier.find(planned('in/a.wav', { key: '2=23.wav', originalKey: '2#.wav' }))).toMatchObject({
      key: '1=23.wav',
      originalKey: '1#.wav',
    })
  })

  it.each<[what: string, text: string | undefined, given: Given, said: RegExp]>([
    ['is not there', undefined, {}, /^--resume-from: .* cannot be read \(ENOENT\); give the journal of a run/],
    ['is none', 'some text\n', {}, /^--resume-from: .* is not the journal of a run/],
    [
      'went elsewhere',
      `${JSON.stringify(run('x'))}\n`,
      { settings: { to: 's3://other/' } },
      /^--resume-from: the run of .* went to s3:\/\/bucket\/, which is not where s3:\/\/other\/ is/,
    ],
    [
      'has another name',
      `${JSON.stringify(run('x'))}\n`,
      { settings: { runId: 'y' } },
      /^--run-id: the run that is continued is x; leave --run-id out$/,
    ],
  ])('is refused where it %s', async (_what, text, given, said) => {
    const at = await state()
    const journal = join(at.root, 'x.jsonl')
    if (text !== undefined) await writeFile(journal, text)
    await expect(take(at, { ...given, journal })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(said),
    })
  })

  it('cannot be a report at the same time', async () => {
    const at = await state()
    const journal = await at.journal('x', 1, run('x'))
    await expect(take(at, { journal, settings: { report: [journal], runId: 'x' } })).rejects.toThrow(
      `--report: ${journal} is the journal that is continued`,
    )
  })
})
