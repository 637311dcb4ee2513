import { randomBytes } from 'node:crypto'
import { appendFile, cp, mkdir, readFile, rename, rm, utimes } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { FileRecord, JournalRecord, RunRecord, SummaryRecord } from '../../src/observe/records.ts'
import { expectCode } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import type { RunningUpload } from '../support/run-upload.ts'
import { fakeCredentials, s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake, Script } from '../support/s3-fake.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: runs that are killed or suspended.')

const MiB = 2 ** 20

/** The only journal, whatever invocations it holds. */
async function lines(ws: Workspace): Promise<JournalRecord[]> {
  const [only, ...others] = await ws.journals()
  expect(others).toEqual([])
  return parseNdjson(await readFile(only as string, 'utf8')) as unknown as JournalRecord[]
}

const runsOf = (all: readonly JournalRecord[]) => all.filter((line): line is RunRecord => line.type === 'run')
const summariesOf = (all: readonly JournalRecord[]) =>
  all.filter((line): line is SummaryRecord => line.type === 'summary')
/** Of the last invocation. */
function lastFiles(all: readonly JournalRecord[]): FileRecord[] {
  const from = all.findLastIndex(({ type }) => type === 'run')
  return all.slice(from).filter((line): line is FileRecord => line.type === 'file')
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function untilHeld(journal: string | undefined, text: string): Promise<void> {
  while (!(await readFile(journal as string, 'utf8')).includes(text)) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const small = Array.from({ length: 12 }, (_, n) => `in/${String(n).padStart(2, '0')}.txt`)

interface Killed {
  readonly ws: Workspace
  readonly s3: S3Fake
  readonly env: Record<string, string>
}

/** A run of twelve files that was killed when six had arrived and the others got no answer. */
async function killed(options = ''): Promise<Killed> {
  const ws = await workspace()
  const s3 = await s3Fake({ script: ({ key }) => (/0[6-9]|1\d/.test(key) ? 'hang' : undefined) })
  const env = s3Environment(s3)
  await ws.writeAll(...small)
  const upload = ws.start(`upload in s3://bucket/x/ --concurrency 3 -v ${options}`, { env })
  for (let n = 0; n < 6; n += 1) await upload.seen('stderr', `uploaded in/0${n}.txt`)
  await until(() => s3.inFlight() >= 3)
  await kill(upload)
  s3.script = undefined
  return { ws, s3, env }
}

async function kill(upload: RunningUpload): Promise<void> {
  upload.kill('SIGKILL')
  expect((await upload.result).signal).toBe('SIGKILL')
}

function expectAllThere({ s3, ws }: Killed): Promise<unknown> {
  expect(s3.keys('bucket')).toEqual(small.map((name) => name.replace('in/', 'x/')))
  return Promise.all(
    small.map(async (name) =>
      expect(await ws.read(name)).toBe(s3.read('bucket', name.replace('in/', 'x/'))?.toString()),
    ),
  )
}

describe.runIf(posix)('a run that was killed', () => {
  it('goes on with upload --resume: same journal, what is there is skipped', async () => {
    const { ws, s3, env } = await killed()
    const before = s3.requests.length
    const result = await ws.run('upload --resume --report r.jsonl', { env })
    expectCode(result, 0)
    expect(result.stderr).toMatch(/continues run \S+ \(invocation 2\)/)
    expect(result.stderr).not.toContain('again')
    await expectAllThere({ ws, s3, env })
    expect(s3.requests.length - before).toBe(6)
    const all = await lines(ws)
    const [first, second] = runsOf(all)
    expect([first?.invocation, second?.invocation]).toEqual([1, 2])
    expect(second).toMatchObject({
      runId: first?.runId,
      to: 's3://bucket/x/',
      argv: ['--resume', '--report', 'r.jsonl'],
    })
    expect(summariesOf(all)).toMatchObject([{ exitCode: 0, files: 12, uploaded: 6, skipped: 6 }])
    const skipped = lastFiles(all).filter(({ status }) => status === 'skipped')
    expect(skipped.map(({ reason }) => reason)).toEqual(Array(6).fill('already-uploaded'))
    // The report is of this invocation.
    const report = parseNdjson(await ws.read('r.jsonl'))
    expect(report.map(({ type }) => type)).toEqual(['run', ...Array(12).fill('file'), 'summary'])
    expect(report[0]).toMatchObject({ invocation: 2 })
    expect(await ws.list('../../state/upload/runs')).toHaveLength(1)
  })

  it('goes on with its command line and --resume, too, and then there is nothing to go on with', async () => {
    const { ws, s3, env } = await killed()
    expectCode(await ws.run('upload in s3://bucket/x/ --resume', { env }), 0)
    await expectAllThere({ ws, s3, env })
    expect(summariesOf(await lines(ws))).toMatchObject([{ uploaded: 6, skipped: 6 }])
    const none = await ws.run('upload --resume', { env })
    expectCode(none, 2)
    expect(none.stderr).toContain('nothing to resume: there is no unfinished run; name the sources to begin a new one')
    const anew = await ws.run('upload in s3://bucket/x/ --resume', { env })
    expectCode(anew, 0)
    expect(anew.stderr).toContain('nothing to resume: no unfinished run has this destination')
    expect(await ws.journals()).toHaveLength(2)
  })

  it('goes on from another directory, where it ran', async () => {
    const { ws, s3, env } = await killed('--report then.csv')
    await mkdir(ws.path('elsewhere'))
    expectCode(await ws.run('upload --resume --report now.csv', { env, cwd: ws.path('elsewhere') }), 0)
    await expectAllThere({ ws, s3, env })
    expect(await ws.list('elsewhere')).toEqual(['now.csv', 'now.summary.csv'])
  })

  it('goes on behind a torn last line', async () => {
    const { ws, s3, env } = await killed()
    const [journal] = await ws.journals()
    await appendFile(journal as string, '{"type":"file","path":"in/0')
    expectCode(await ws.run('upload --resume', { env }), 0)
    await expectAllThere({ ws, s3, env })
    expect(summariesOf(await lines(ws))).toMatchObject([{ uploaded: 6, skipped: 6 }])
  })

  it('sends what has changed since, and what is new', async () => {
    const { ws, s3, env } = await killed()
    await ws.write('in/00.txt', 'changed')
    await ws.write('in/12.txt')
    await utimes(ws.path('in/01.txt'), 1, 1)
    expectCode(await ws.run('upload --resume', { env }), 0)
    expect(s3.read('bucket', 'x/00.txt')?.toString()).toBe('changed')
    expect(s3.keys('bucket')).toHaveLength(13)
    // Only touched: its checksum still fits.
    expect(summariesOf(await lines(ws))).toMatchObject([{ uploaded: 8, skipped: 5 }])
  })

  it('can be killed again and again', async () => {
    const { ws, s3, env } = await killed()
    s3.script = ({ key }) => (/09|1\d/.test(key) ? 'hang' : undefined)
    const second = ws.start('upload --resume -v', { env })
    for (let n = 6; n < 9; n += 1) await second.seen('stderr', `uploaded in/0${n}.txt`)
    await kill(second)
    s3.script = undefined
    expectCode(await ws.run('upload --resume', { env }), 0)
    await expectAllThere({ ws, s3, env })
    const all = await lines(ws)
    expect(runsOf(all).map(({ invocation }) => invocation)).toEqual([1, 2, 3])
    expect(summariesOf(all)).toMatchObject([{ uploaded: 3, skipped: 9 }])
  })

  it('on another machine: with its journal, by the names of the files', async () => {
    const { ws, s3, env } = await killed()
    const [journal] = await ws.journals()
    const other = await workspace()
    await cp(ws.path('in'), other.path('moved', 'in'), { recursive: true, preserveTimestamps: true })
    await rename(journal as string, other.path('carried.jsonl'))
    const before = s3.requests.length
    const result = await other.run('upload moved/in s3://bucket/x/ --resume-from carried.jsonl', { env })
    expectCode(result, 0)
    await expectAllThere({ ws, s3, env })
    expect(s3.requests.length - before).toBe(6)
    expect(await other.journals()).toEqual([])
    const carried = parseNdjson(await other.read('carried.jsonl')) as unknown as JournalRecord[]
    expect(summariesOf(carried)).toMatchObject([{ uploaded: 6, skipped: 6 }])
    expect(await other.list('.')).not.toContain('carried.jsonl.lock')
  })

  it('into a directory', async () => {
    const ws = await workspace()
    await ws.writeAll(...small)
    // What is left after three parts takes four seconds: it is killed long before it is done.
    const size = 64 * MiB
    await ws.write('in/large.bin', randomBytes(size))
    const upload = ws.start('upload in file:./out --part-size 5MiB --concurrency 1 --limit-rate 12MiB -v')
    await upload.seen('stderr', 'uploaded in/11.txt')
    const [journal] = await ws.journals()
    await untilHeld(journal, '"partNumber":3')
    await kill(upload)
    const elsewhere = ws.path('elsewhere')
    await mkdir(elsewhere)
    expectCode(await ws.run('upload --resume --limit-rate 1GiB', { cwd: elsewhere }), 0)
    expect((await readFile(ws.path('out/large.bin'))).equals(await readFile(ws.path('in/large.bin')))).toBe(true)
    const large = lastFiles(await lines(ws)).find(({ source }) => source === 'large.bin')
    expect(large).toMatchObject({ status: 'uploaded', size })
    expect(large?.bytesSent).toBeLessThanOrEqual(size - 15 * MiB)
    expect(await ws.list('elsewhere')).toEqual([])
  })

  it('in the middle of a large file: its parts are not sent again', async () => {
    const ws = await workspace()
    const s3 = await s3Fake({ script: ({ partNumber }) => ((partNumber ?? 0) > 2 ? 'hang' : undefined) })
    const env = s3Environment(s3)
    await ws.write('large.bin', randomBytes(22 * MiB))
    const upload = ws.start('upload large.bin s3://bucket/ --part-size 5MiB --concurrency 2', { env })
    const [journal] = await until(() => s3.inFlight() >= 2).then(ws.journals)
    for (const part of [1, 2]) await untilHeld(journal, `"partNumber":${part}`)
    await kill(upload)
    await until(() => s3.inFlight() === 0)
    s3.script = undefined
    const before = s3.counters.bytesReceived
    expectCode(await ws.run('upload --resume', { env }), 0)
    expect(s3.read('bucket', 'large.bin')?.equals(await readFile(ws.path('large.bin')))).toBe(true)
    expect(s3.counters.bytesReceived - before).toBeLessThan(12 * MiB + 4096)
    expect(s3.uploads.size).toBe(0)
  })
})

describe.runIf(posix)('the lock', () => {
  it('keeps a second run away, and names the first', async () => {
    const ws = await workspace()
    const s3 = await s3Fake({ script: () => 'hang' })
    const env = s3Environment(s3)
    await ws.writeAll(...small)
    const upload = ws.start('upload in s3://bucket/', { env })
    await until(() => s3.inFlight() > 0)
    const [journal] = await ws.journals()
    for (const line of ['upload --resume', 'upload in s3://bucket/ --resume', `upload --resume-from ${journal}`]) {
      const second = await ws.run(line, { env })
      expectCode(second, 2)
      expect(second.stderr).toMatch(
        new RegExp(
          `^upload: run \\S+ is still being carried out by process ${upload.child.pid} on host \\S+ \\(since `,
        ),
      )
    }
    upload.kill('SIGINT')
    const stopped = await upload.result
    expectCode(stopped, 130)
    expect(stopped.stderr).toMatch(/^ {2}again {4}upload --resume$/m)
    expect(await ws.list('../../state/upload/runs')).toHaveLength(1)
    s3.script = undefined
    expectCode(await ws.run('upload --resume', { env }), 0)
    expect(s3.keys('bucket')).toHaveLength(12)
    expect(summariesOf(await lines(ws)).map(({ exitCode }) => exitCode)).toEqual([130, 0])
  })

  it.each(['', '--undo-on-failure'])('of a run that was suspended until another took it over: %s', async (option) => {
    const ws = await workspace()
    const holdBack: Script = ({ operation }) => (operation === 'PutObject' ? 'hang' : undefined)
    const s3 = await s3Fake({ script: holdBack })
    const env = s3Environment(s3)
    await ws.writeAll(...small)
    const first = ws.start(`upload in s3://bucket/ --concurrency 2 ${option}`, { env })
    await until(() => s3.inFlight() === 2)
    first.kill('SIGSTOP')
    const [journal] = await ws.journals()
    // As if it had been for an hour.
    const hourAgo = Date.now() / 1000 - 3600
    await utimes(`${journal}.lock`, hourAgo, hourAgo)
    s3.script = undefined
    expectCode(await ws.run('upload --resume', { env }), 0)
    const whole = await readFile(journal as string, 'utf8')
    // The hour was no time for the process, which looks at its lock each second: it shall have nothing to write before.
    s3.script = holdBack
    first.kill('SIGCONT')
    const result = await first.result
    expectCode(result, 3)
    expect(result.stderr).toContain(`stopped: another process has taken over the journal ${journal}`)
    // The other one's to go on with, or to take back.
    expect(result.stderr).not.toContain('again')
    expect(s3.keys('bucket')).toHaveLength(small.length)
    expect(await readFile(journal as string, 'utf8')).toBe(whole)
  })
})

describe('what cannot be resumed', () => {
  it.each([
    ['upload --resume', 'nothing to resume: there is no unfinished run'],
    ['upload --resume s3://bucket/', 'nothing to resume: there is no unfinished run with this destination'],
    ['upload --resume-from none.jsonl', '--resume-from: none.jsonl cannot be read (ENOENT)'],
    ['upload --resume-from in/00.txt', '--resume-from: in/00.txt is not the journal of a run'],
    ['upload in file:./out --resume --dry-run', '--resume: a dry run shows what a run from scratch would send'],
  ])('%s', async (line, said) => {
    const ws = await workspace()
    await ws.writeAll(...small)
    const result = await ws.run(line)
    expectCode(result, 2)
    expect(result.stderr).toContain(said)
    expect(await ws.journals()).toEqual([])
  })

  it('a journal of a run to another destination', async () => {
    const ws = await workspace()
    await ws.writeAll(...small)
    expectCode(await ws.run('upload in file:./out'), 0)
    const [journal] = await ws.journals()
    const result = await ws.run(`upload in file:./other --resume-from ${journal}`)
    expectCode(result, 2)
    expect(result.stderr).toMatch(
      /--resume-from: the run of .* went to file:\.\/out\/, which is not where file:\.\/other\/ is/,
    )
    expect(await ws.list('other')).toEqual([])
  })

  it('a run under another name', async () => {
    const ws = await workspace()
    await ws.writeAll(...small)
    expectCode(await ws.run('upload in file:./out --run-id one'), 0)
    const [journal] = await ws.journals()
    const result = await ws.run(`upload in file:./out --resume-from ${journal} --run-id two`)
    expectCode(result, 2)
    expect(result.stderr).toContain('--run-id: the run that is continued is one; leave --run-id out')
  })
})

it('a run that ended can be gone on with by its journal: only what is new is sent', async () => {
  const ws = await workspace()
  await ws.writeAll(...small)
  expectCode(await ws.run('upload in file:./out'), 0)
  const [journal] = await ws.journals()
  await ws.write('in/late.txt')
  const result = await ws.run(`upload --resume-from ${journal}`)
  expectCode(result, 0)
  expect(summariesOf(await lines(ws))).toMatchObject([{ uploaded: 12 }, { uploaded: 1, skipped: 12 }])
  expect(await ws.list('out')).toHaveLength(13)
})

it('a bucket of that name elsewhere is another destination, though only the profile says where', async () => {
  const [one, two] = [await s3Fake(), await s3Fake()]
  const { accessKeyId, secretAccessKey } = fakeCredentials
  const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\nregion = us-east-1`
  const ws = await workspace()
  const profile = (name: string, { url }: S3Fake): string => `[profile ${name}]\n${keys}\nendpoint_url = ${url}\n`
  await ws.write('aws', `${profile('one', one)}${profile('two', two)}`)
  await ws.writeAll(...small)
  const env = { AWS_CONFIG_FILE: ws.path('aws') }
  one.script = ({ key }) => (key === 'x/11.txt' ? { status: 507, body: '' } : undefined)
  const cut = 'upload in s3://bucket/x/ --concurrency 1 --retries 0 --retry-failed 0 --max-failures 1'
  expectCode(await ws.run(cut, { env: { ...env, AWS_PROFILE: 'one' } }), 4)
  one.script = undefined
  const other = await ws.run('upload in s3://bucket/x/ --resume --profile two', { env })
  expectCode(other, 0)
  expect(other.stderr).toContain('nothing to resume')
  expect(two.keys('bucket')).toHaveLength(small.length)
  const none = await ws.run('upload s3://bucket/x/ --resume --profile two', { env })
  expectCode(none, 2)
  const rest = await ws.run('upload s3://bucket/x/ --resume --profile one', { env })
  expectCode(rest, 0)
  expect(rest.stderr).toContain('1 uploaded  11 skipped')
})

it('the line to go on with a run of standard input asks for that again', async () => {
  const ws = await workspace()
  const s3 = await s3Fake({ script: () => ({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }) })
  const denied = await ws.run('upload - --key a s3://bucket/', { env: s3Environment(s3), stdin: 'x' })
  expectCode(denied, 3)
  expect(denied.stderr).toContain('  again    upload --resume - --key a s3://bucket/\n')
})

it('no secret is needed twice in the journal, or stands in it once', async () => {
  const ws = await workspace()
  const s3 = await s3Fake({ script: () => ({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }) })
  const env = s3Environment(s3)
  await ws.writeAll(...small)
  const denied = await ws.run('upload in s3://bucket/', { env })
  expectCode(denied, 3)
  expect(denied.stderr).toMatch(/^ {2}again {4}upload --resume$/m)
  s3.script = undefined
  expectCode(await ws.run('upload --resume', { env }), 0)
  expect(s3.keys('bucket')).toHaveLength(12)
  const [journal] = await ws.journals()
  const text = await readFile(journal as string, 'utf8')
  expect(text).not.toContain(fakeCredentials.secretAccessKey)
  expect(text).not.toContain(fakeCredentials.accessKeyId)
  await rm(journal as string)
})
