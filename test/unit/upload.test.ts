import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import type { DestinationLimits } from '../../src/destinations/destination.ts'
import { UploadError, UsageError } from '../../src/errors.ts'
import type { UploadEvent } from '../../src/observe/events.ts'
import type { Plan } from '../../src/plan/plan.ts'
import type { PlannedFile } from '../../src/plan/planned-file.ts'
import type { Survey } from '../../src/plan/survey.ts'
import { planUpload, runUpload, type UploadRequest } from '../../src/upload.ts'
import { createFakeClock, type FakeClock, settled } from '../support/fake-clock.ts'
import { createFakeDestination, type FakeCall, type FakeDestination, type Fate } from '../support/fake-destination.ts'
import { readJournal } from '../support/journal.ts'
import { defaultSettings } from '../support/settings.ts'
import { tempDir } from '../support/temp-dir.ts'

/** What stands in place of the destination, and of the plan where a test needs another. */
const fakes = vi.hoisted(() => ({
  destination: undefined as FakeDestination | undefined,
  plan: undefined as Plan | undefined,
}))

vi.mock('../../src/destinations/registry.ts', () => ({ openDestination: async () => fakes.destination }))
vi.mock('../../src/plan/plan.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/plan/plan.ts')>()
  const createPlan: typeof original.createPlan = async (options) => fakes.plan ?? original.createPlan(options)
  return { ...original, createPlan }
})

interface Scene {
  readonly cwd: string
  readonly runs: string
  readonly clock: FakeClock
  readonly stop: AbortController
  readonly events: UploadEvent[]
  readonly destination: FakeDestination
  readonly request: UploadRequest
}

interface SceneOptions {
  readonly settings?: Partial<Settings>
  readonly files?: readonly string[]
  readonly script?: (call: FakeCall) => Fate | Promise<Fate>
  readonly stdin?: () => Readable
  readonly env?: NodeJS.ProcessEnv
  readonly endpoint?: string | undefined
  readonly limits?: Partial<DestinationLimits>
}

let temporary: string

beforeEach(async () => {
  temporary = await tempDir()
  vi.stubEnv('TMPDIR', temporary)
  vi.stubEnv('TEMP', temporary)
})

afterEach(() => {
  fakes.plan = undefined
  vi.unstubAllEnvs()
})

async function scene({
  settings,
  files = ['a.txt', 'b.txt', 'c.txt'],
  script,
  stdin,
  env,
  endpoint,
  limits,
}: SceneOptions = {}): Promise<Scene> {
  const root = await tempDir()
  const cwd = join(root, 'work')
  await mkdir(join(cwd, 'in'), { recursive: true })
  for (const file of files) await writeFile(join(cwd, 'in', file), file)
  const destination = createFakeDestination({ endpoint, ...(limits && { limits }), ...(script && { script }) })
  fakes.destination = destination
  const clock = createFakeClock()
  const stop = new AbortController()
  const events: UploadEvent[] = []
  return {
    cwd,
    runs: join(root, 'state', 'upload', 'runs'),
    clock,
    stop,
    events,
    destination,
    request: {
      settings: { ...plainSettings, ...settings },
      argv: ['in', '--to', 's3://key:secret@bucket/'],
      signal: stop.signal,
      listener: (event) => void events.push(event),
      surroundings: {
        cwd,
        env: { XDG_STATE_HOME: join(root, 'state'), HOME: root, ...env },
        clock,
        ...(stdin && { stdin }),
      },
    },
  }
}

const plainSettings: Settings = {
  ...defaultSettings,
  to: 's3://bucket/audio/',
  concurrency: 2,
  retry: { retries: 1, retryDelayMs: 10, retryMaxDelayMs: 10, retryMaxTimeMs: 1000, retryFailed: 0 },
}

function journalOf({ runs }: Scene): Promise<string> {
  return readdir(runs).then((names) => join(runs, names[0] ?? 'none'))
}

function eventsOf<Type extends UploadEvent['type']>(
  { events }: Scene,
  type: Type,
): Extract<UploadEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<UploadEvent, { type: Type }> => event.type === type)
}

async function calls({ destination }: Scene, count: number): Promise<void> {
  while (destination.calls.length < count) await settled()
}

const broken = new UploadError('SERVER_ERROR', 'broken', { status: 500 })

describe('runUpload', () => {
  it('makes keys by the run that it is recorded as, though another of the same second has its id', async () => {
    const settings = { key: '{run}/{now:HHmmss}/{path}' }
    const XDG_STATE_HOME = await tempDir()
    const ids: string[] = []
    for (let runs = 0; runs < 2; runs += 1) {
      const { request, destination, events } = await scene({ settings, env: { XDG_STATE_HOME } })
      await runUpload(request)
      const id = events.find((event) => event.type === 'run')?.run.runId ?? 'none'
      expect([...destination.objects.keys()].sort()).toEqual(
        ['a', 'b', 'c'].map((name) => `audio/${id}/073812/${name}.txt`),
      )
      ids.push(id)
    }
    expect(new Set(ids).size).toBe(2)
  })

  it('sends everything, and keeps a journal of it', async () => {
    const run = await scene()
    const summary = await runUpload(run.request)
    expect(summary).toMatchObject({ exitCode: 0, outcome: 'success', files: 3, uploaded: 3, bytes: 15 })
    expect([...run.destination.objects.keys()].sort()).toEqual(['audio/a.txt', 'audio/b.txt', 'audio/c.txt'])
    expect([run.destination.isClosed, run.destination.breaches]).toEqual([true, []])

    const path = await journalOf(run)
    const journal = await readJournal(path)
    expect(journal.lines.map((line) => line.type)).toEqual(['run', 'file', 'file', 'file', 'summary'])
    expect(journal.summary).toEqual(summary)
    expect(journal.run).toMatchObject({
      invocation: 1,
      cwd: run.cwd,
      to: 'fake://bucket/',
      startedAt: '2026-11-22T07:38:12.000Z',
    })
    expect(path.endsWith(`${journal.run.runId}.jsonl`)).toBe(true)
    expect(await readFile(path, 'utf8')).not.toContain('secret')

    const types = run.events.map((event) => event.type).filter((type) => type !== 'file-progress')
    expect(types.slice(0, 2)).toEqual(['totals', 'run'])
    expect(types.at(-1)).toBe('summary')
    expect(eventsOf(run, 'totals')).toEqual([{ type: 'totals', files: 3, bytes: 15, complete: true }])
    expect(eventsOf(run, 'summary')).toEqual([
      { type: 'summary', summary, reports: [path], failures: [], stoppedBecause: undefined },
    ])
  })

  it.each([['http://127.0.0.1:9000'], [undefined]])('names the endpoint %s and the config file', async (endpoint) => {
    const run = await scene({ settings: { configFile: '/etc/uploadrc.json' }, endpoint })
    await runUpload(run.request)
    expect(eventsOf(run, 'run')).toMatchObject([{ endpoint, configFile: '/etc/uploadrc.json' }])
  })

  it.each([
    ['s3://b/', 'http://h', { s3: { endpointUrl: 'http://h' }, supabase: { url: undefined } }],
    ['supabase://b/', 'https://p', { s3: { endpointUrl: 'http://aws' }, supabase: { url: 'https://p' } }],
    ['file:./out/', undefined, { s3: { endpointUrl: 'http://aws' }, supabase: { url: undefined } }],
  ])('%s: its journal has the endpoint in effect', async (to, endpoint, config) => {
    const s3 = { ...defaultSettings.s3, endpointUrl: 'http://aws' }
    const run = await scene({ settings: { to, s3 }, endpoint })
    await runUpload(run.request)
    const { config: journaled } = (await readJournal(await journalOf(run))).run
    expect(journaled).toMatchObject(JSON.parse(JSON.stringify(config)))
    expect(journaled).not.toHaveProperty('ignored')
  })

  it('says, with -v, what has no effect at this destination', async () => {
    const run = await scene({ settings: { ignored: ['UPLOAD_PART_SIZE is ignored'] } })
    await runUpload(run.request)
    expect(eventsOf(run, 'notice')).toContainEqual({ type: 'notice', message: 'UPLOAD_PART_SIZE is ignored' })
    const planned = await scene({ settings: { ignored: ['UPLOAD_PART_SIZE is ignored'] } })
    for await (const _ of planUpload(planned.request));
    expect(eventsOf(planned, 'notice')).toHaveLength(1)
  })

  it('changes keys the destination cannot hold, where that is asked for', async () => {
    const keyProblem = (key: string) => (key.includes('#') ? 'it has a "#"' : undefined)
    const limits = { keyProblem, fixName: (name: string) => name.replaceAll('#', '=23') }
    const files = ['a.txt', 'b#.txt']
    const asked = await scene({ settings: { keyFix: true }, files, limits })
    expect(await runUpload(asked.request)).toMatchObject({ exitCode: 0, uploaded: 2 })
    const records = (await readJournal(await journalOf(asked))).files
    expect(records.map(({ key, originalKey }) => [key, originalKey]).toSorted()).toEqual([
      ['audio/a.txt', undefined],
      ['audio/b=23.txt', 'audio/b#.txt'],
    ])
    expect(eventsOf(asked, 'warning').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^--key-fix: 1 key was changed: b#\.txt → b=23\.txt$/),
    ])
    expect(eventsOf(asked, 'notice')).toContainEqual({ type: 'notice', message: '--key-fix: b#.txt → b=23.txt' })

    const plain = await scene({ files, limits })
    expect(await runUpload(plain.request)).toMatchObject({ exitCode: 1, uploaded: 1, byErrorCode: { KEY_INVALID: 1 } })
  })

  it('tells how the scan goes', async () => {
    const run = await scene({ files: [] })
    const files = Array.from({ length: 2500 }, (_, n) => `${n}.txt`)
    await Promise.all(files.map((file) => writeFile(join(run.cwd, 'in', file), 'x')))
    await runUpload(run.request)
    expect(eventsOf(run, 'totals').map(({ files, complete }) => [files, complete])).toEqual([
      [1000, false],
      [2000, false],
      [2500, true],
    ])
  })

  it('is not harmed by a listener that throws', async () => {
    const run = await scene()
    const listener = (): void => {
      throw new Error('a broken bar')
    }
    expect(await runUpload({ ...run.request, listener })).toMatchObject({ exitCode: 0, uploaded: 3 })
  })

  it('uses the process it is in where nothing else is given', async () => {
    const run = await scene({ settings: { sources: [] } })
    const source = join(run.cwd, 'in', 'a.txt')
    vi.stubEnv('XDG_STATE_HOME', join(run.runs, '..', '..'))
    const { settings, argv, signal, listener } = run.request
    const summary = await runUpload({ settings: { ...settings, sources: [source] }, argv, signal, listener })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
    expect((await readJournal(await journalOf(run))).run.cwd).toBe(process.cwd())
  })

  describe('exit codes', () => {
    it('1: some failed', async () => {
      const run = await scene({ script: ({ key }) => (key.endsWith('b.txt') ? broken : undefined) })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 1, outcome: 'partial', uploaded: 2, failed: 1 })
      expect(eventsOf(run, 'summary')).toMatchObject([
        { failures: [{ code: 'SERVER_ERROR', path: expect.stringContaining('b.txt') }], stoppedBecause: undefined },
      ])
    })

    it('1: all failed, one by one', async () => {
      const run = await scene({ script: () => broken })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 1, outcome: 'failure', uploaded: 0, failed: 3 })
    })

    it('1: files that were found were gone at the second look', async () => {
      const run = await scene()
      fakes.plan = planOf({ found: 5, files: ['a.txt', 'b.txt'], cwd: run.cwd })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 1, files: 5, uploaded: 2, cancelled: 3 })
      expect(eventsOf(run, 'warning')).toMatchObject([
        { message: '3 of the files that were found at first were gone later' },
      ])
    })

    it('0: more files than were found at first', async () => {
      const run = await scene()
      fakes.plan = planOf({ found: 1, files: ['a.txt', 'b.txt'], cwd: run.cwd })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 0, files: 2, uploaded: 2, cancelled: 0 })
    })

    it('3: the destination is at fault; said once', async () => {
      const cause = new UploadError('BUCKET_NOT_FOUND', 'there is no such bucket', { status: 404 })
      const run = await scene({ script: () => cause })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 3, outcome: 'failure', failed: 1, cancelled: 2 })
      expect(eventsOf(run, 'summary')).toMatchObject([{ stoppedBecause: 'there is no such bucket (BUCKET_NOT_FOUND)' }])
      expect(eventsOf(run, 'warning')).toEqual([])
    })

    it('3 rather than 1 where some had failed before', async () => {
      const cause = new UploadError('CREDENTIALS_EXPIRED', 'expired', { status: 403 })
      const script = ({ key }: FakeCall): Fate => (key.endsWith('a.txt') ? broken : cause)
      const run = await scene({ script, settings: { concurrency: 1 } })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 3, failed: 2, cancelled: 1 })
    })

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['EPIPE', 141],
      ['whatever', 143],
    ])('%s: %i, with a report', async (reason, exitCode) => {
      const script = ({ key }: FakeCall): Fate => (key.endsWith('a.txt') ? undefined : 'hang')
      const run = await scene({ script, settings: { report: ['r.jsonl'] } })
      const running = runUpload(run.request)
      await calls(run, 3)
      run.stop.abort(reason)
      expect(await running).toMatchObject({ exitCode, outcome: 'partial', uploaded: 1, cancelled: 2 })
      expect((await readJournal(join(run.cwd, 'r.jsonl'))).summary).toMatchObject({ exitCode })
    })

    it('130 rather than 3 or 1', async () => {
      const script = ({ key }: FakeCall): Fate => {
        if (key.endsWith('a.txt')) return broken
        run.stop.abort('SIGINT')
        return new UploadError('CREDENTIALS_EXPIRED', 'expired')
      }
      const run: Scene = await scene({ script, settings: { concurrency: 1 } })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 130, failed: 1, cancelled: 2 })
    })

    it('0: nothing to do, where that is allowed', async () => {
      const run = await scene({ files: [], settings: { allowEmpty: true } })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 0, outcome: 'success', files: 0 })
    })
  })

  describe('before the first byte', () => {
    it('a plan that cannot be carried out: no journal, no request', async () => {
      const run = await scene({ files: [] })
      await expect(runUpload(run.request)).rejects.toBeInstanceOf(UsageError)
      expect([run.destination.calls, run.destination.isClosed]).toEqual([[], true])
      await expect(readdir(run.runs)).rejects.toMatchObject({ code: 'ENOENT' })
    })

    it('no journal: nothing is sent', async () => {
      const run = await scene({ env: { XDG_STATE_HOME: '/dev/null', HOME: '/dev/null' } })
      vi.stubEnv('TMPDIR', '/dev/null')
      vi.stubEnv('TEMP', '/dev/null')
      await expect(runUpload(run.request)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringContaining('no journal'),
      })
      expect([run.destination.calls, run.destination.isClosed]).toEqual([[], true])
    })

    it('a run id that is taken', async () => {
      const settings = { runId: 'night-7' }
      const run = await scene({ settings })
      await runUpload(run.request)
      const again = await scene({ settings, env: { XDG_STATE_HOME: join(run.runs, '..', '..') } })
      await expect(runUpload(again.request)).rejects.toThrow(/--run-id: a run night-7 exists already/)
      expect(again.destination.calls).toEqual([])
    })

    it('reports that cannot be written, all of them at once', async () => {
      const run = await scene({ settings: { report: ['in/a.txt/r.csv', 'in', 'new/dir/r.json', 'in/b.txt/r.json'] } })
      const running = runUpload(run.request)
      await expect(running).rejects.toMatchObject({
        faults: [
          expect.stringMatching(/^--report: in\/a.txt\/r.csv cannot be written \(E\w+\)$/),
          '--report: in is a directory; name a file in it',
          expect.stringMatching(/^--report: in\/b.txt\/r.json cannot be written/),
        ],
      })
      expect(run.destination.calls).toEqual([])
    })

    it('a stop', async () => {
      const run = await scene()
      run.stop.abort('SIGINT')
      await expect(runUpload(run.request)).rejects.toMatchObject({
        code: 'CANCELLED',
        message: 'stopped before anything was sent',
      })
      expect([run.destination.calls, run.destination.isClosed]).toEqual([[], true])
    })

    it('a stop during a scan that takes for ever', async () => {
      const run = await scene()
      const dispose = vi.fn(async () => {})
      fakes.plan = { ...noPlan, survey: () => new Promise(() => {}), dispose }
      const running = runUpload(run.request)
      for (let turn = 0; turn < 5; turn += 1) await settled()
      run.stop.abort('SIGINT')
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
      expect([run.destination.isClosed, dispose.mock.calls.length]).toEqual([true, 1])
    })

    it('a stop ends the scan itself as well', async () => {
      const run = await scene()
      let scanned = 0
      let end = (_error: unknown): void => {}
      const ended = new Promise((resolve) => {
        end = resolve
      })
      const survey: Plan['survey'] = async (onTotals) => {
        try {
          for (;;) {
            scanned += 1
            onTotals(scanned, 0)
            await settled()
          }
        } catch (error) {
          end(error)
          throw error
        }
      }
      fakes.plan = { ...noPlan, survey }
      const running = runUpload(run.request)
      while (scanned < 5) await settled()
      run.stop.abort('SIGINT')
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(await ended).toBe('SIGINT')
    })

    it('a stop while a list of sources is read from standard input', async () => {
      const unhandled = vi.fn()
      process.on('uncaughtException', unhandled)
      const stdin = new Readable({ read() {} })
      const run = await scene({ settings: { sources: [], filesFrom: '-' }, stdin: () => stdin })
      const running = runUpload(run.request)
      stdin.push('in/a.txt\n')
      for (let turn = 0; turn < 5; turn += 1) await settled()
      run.stop.abort('SIGINT')
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
      for (let turn = 0; turn < 5; turn += 1) await settled()
      process.off('uncaughtException', unhandled)
      expect(unhandled).not.toHaveBeenCalled()
      expect([stdin.destroyed, run.destination.isClosed]).toEqual([true, true])
    })
  })

  describe('standard input', () => {
    it('is sent', async () => {
      const settings = { sources: ['-'], key: 'from-stdin.txt' }
      const run = await scene({ settings, stdin: () => Readable.from(['some bytes']) })
      expect(await runUpload(run.request)).toMatchObject({ exitCode: 0, uploaded: 1, bytes: 10 })
      expect([...run.destination.objects.keys()]).toEqual(['audio/from-stdin.txt'])
      expect((await readdir(temporary)).filter((name) => name.startsWith('upload-stdin-'))).toEqual([])
    })

    it('that never ends is given up by a stop, with a report', async () => {
      const settings = { sources: ['-'], key: 'from-stdin.txt' }
      const run = await scene({ settings, stdin: () => new Readable({ read() {} }) })
      const running = runUpload(run.request)
      while (eventsOf(run, 'run').length === 0) await settled()
      for (let turn = 0; turn < 5; turn += 1) await settled()
      run.stop.abort('SIGINT')
      expect(await running).toMatchObject({ exitCode: 130, cancelled: 1 })
      expect((await readdir(temporary)).filter((name) => name.startsWith('upload-stdin-'))).toEqual([])
    })
  })

  describe('reports', () => {
    it('are written beside the journal, in directories made for them', async () => {
      const report = ['r.jsonl', 'new/r.csv']
      const run = await scene({ settings: { report } })
      await runUpload(run.request)
      expect(await readdir(join(run.cwd, 'new'))).toEqual(['r.csv', 'r.summary.csv'])
      expect((await readJournal(join(run.cwd, 'r.jsonl'))).files).toHaveLength(3)
      expect(eventsOf(run, 'summary')[0]?.reports).toEqual([await journalOf(run), ...report])
    })

    it.each([
      [['r.csv', 'r.summary.csv'], '--report: r.csv and r.summary.csv would both write'],
      [['r.summary.csv', './r.csv'], '--report: r.summary.csv and ./r.csv would both write'],
    ])('%j: one would overwrite the other', async (report, fault) => {
      const run = await scene({ settings: { report } })
      await expect(runUpload(run.request)).rejects.toMatchObject({ faults: [expect.stringContaining(fault)] })
    })

    it.each([
      [0, 3, undefined],
      [1, 1, broken],
    ])('that cannot be written in the end: instead of %i, %i', async (_usual, exitCode, fate) => {
      const script = async ({ key }: FakeCall): Promise<Fate> => {
        // Something takes the report's place while the run goes on.
        await mkdir(join(run.cwd, 'r.json', 'taken'), { recursive: true })
        return key.endsWith('b.txt') ? fate : undefined
      }
      const run: Scene = await scene({ script, settings: { report: ['r.json', 'good.jsonl'] } })
      expect(await runUpload(run.request)).toMatchObject({ exitCode })
      expect(eventsOf(run, 'warning')).toMatchObject([
        { message: expect.stringMatching(/^the report is not complete: .*r\.json/) },
      ])
      expect(eventsOf(run, 'summary')).toMatchObject([
        { summary: { exitCode }, reports: [await journalOf(run), 'good.jsonl'] },
      ])
      for (const file of [await journalOf(run), join(run.cwd, 'good.jsonl')]) {
        const { lines } = await readJournal(file)
        expect(lines.filter((line) => line.type === 'summary')).toMatchObject([{ exitCode }])
      }
    })
  })
})

describe('planUpload', () => {
  it('tells what would be sent, and touches nothing', async () => {
    const run = await scene()
    const files: PlannedFile[] = []
    for await (const { file } of planUpload(run.request)) files.push(file)
    expect(files.map((file) => file.key).sort()).toEqual(['audio/a.txt', 'audio/b.txt', 'audio/c.txt'])
    expect([run.destination.calls, run.destination.isClosed]).toEqual([[], true])
    expect(eventsOf(run, 'totals')).toHaveLength(1)
    await expect(readdir(run.runs)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('closes everything where its reader has had enough', async () => {
    const run = await scene()
    for await (const _file of planUpload(run.request)) break
    expect(run.destination.isClosed).toBe(true)
  })

  it.each<[string, Partial<Settings>, boolean, object]>([
    ['no match', { sources: ['in/*.wav'] }, false, { name: 'UsageError' }],
    ['a stop', {}, true, { code: 'CANCELLED' }],
  ])('%s', async (_name, settings, isStopped, expected) => {
    const run = await scene({ settings })
    if (isStopped) run.stop.abort()
    await expect(planUpload(run.request).next()).rejects.toMatchObject(expected)
    expect(run.destination.isClosed).toBe(true)
  })
})

const noPlan: Plan = {
  survey: async () => surveyOf(0),
  files: async function* () {},
  scope: () => undefined,
  listed: async function* () {},
  belongsTo: async () => {},
  dispose: async () => {},
}

function surveyOf(files: number): Survey {
  const toSend = { files, bytes: 0 }
  return { files, bytes: 0, junkSkipped: 0, toSend, held: undefined, repeats: () => () => false }
}

/** A plan whose second look finds other files than its first. */
function planOf({ found, files, cwd }: { found: number; files: readonly string[]; cwd: string }): Plan {
  return {
    ...noPlan,
    survey: async () => surveyOf(found),
    async *files() {
      for (const [at, name] of files.entries()) {
        const absolute = join(cwd, 'in', name)
        yield {
          index: at + 1,
          path: name,
          absolute,
          source: name,
          properties: {},
          lane: 0,
          key: name,
          size: 5,
          mtimeMs: 0,
          contentType: 'text/plain',
        }
      }
    },
    dispose: async () => {
      throw new Error('what goes wrong here hides nothing')
    },
  }
}
