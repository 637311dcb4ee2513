import { readFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { writeContents } from '../support/data-set.ts'
import { randomFrom } from '../support/random.ts'
import { type RunningUpload, startUpload } from '../support/run-upload.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { SupabaseFake } from '../support/supabase-fake.ts'
import { type Workspace, workspace } from '../support/workspace.ts'
import { megabytes } from './scene.ts'
import { supabaseKill as amount } from './sizes.ts'

const partSize = 6 * 2 ** 20

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: killing a process group.')

interface Scene {
  readonly ws: Workspace
  readonly supabase: SupabaseFake
  /** Hex SHA-256 by name. */
  readonly sent: ReadonlyMap<string, string>
  readonly bytes: number
  /** Bytes of parts that the server received so far. */
  readonly received: () => number
  /** Paths of uploads that were gone on with before they were in the journal. */
  readonly unknown: readonly string[]
  readonly start: (...options: string[]) => RunningUpload
}

async function scene(files: number, size: number): Promise<Scene> {
  const ws = await workspace()
  const supabase = await supabaseFake()
  supabase.makeBucket('bucket', { wantsWholeParts: true })
  const sent = new Map<string, string>()
  for (let n = 0; n < files; n += 1) {
    sent.set(`take ${n}.bin`, await writeContents(ws.path('in', `take ${n}.bin`), 'bin', size, n))
  }
  const unknown: string[] = []
  supabase.intercept = async ({ method, path }) => {
    // Whatever ends the program from here on, the next one must know what to go on with.
    const [journal = ''] = method === 'PATCH' ? await ws.journals() : []
    if (method === 'PATCH' && !(await readFile(journal, 'utf8')).includes(`"uploadId":"${supabase.url}${path}"`)) {
      unknown.push(path)
    }
    return undefined
  }
  return {
    ws,
    supabase,
    sent,
    bytes: files * size,
    unknown,
    received: () =>
      supabase.requests.reduce((sum, request) => sum + (request.method === 'PATCH' ? request.bytes : 0), 0),
    start(...options) {
      const upload = startUpload(['in', 'supabase://bucket/', '--progress', 'none', ...options], {
        cwd: ws.cwd,
        home: ws.home,
        state: ws.state,
        env: supabaseEnvironment(supabase),
        ownGroup: true,
        limitMs: 300_000,
      })
      onTestFinished(() => upload.kill('SIGKILL'))
      return upload
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

async function kill(upload: RunningUpload): Promise<void> {
  upload.kill('SIGKILL')
  const { signal, stderr } = await upload.result
  expect(signal, stderr).toBe('SIGKILL')
}

async function expectStored({ supabase, sent, unknown }: Scene): Promise<void> {
  expect(unknown).toEqual([])
  expect([...supabase.objects.keys()].toSorted()).toEqual([...sent.keys()].map((name) => `bucket/${name}`).toSorted())
  for (const [name, sha256] of sent) expect(await supabase.objects.get(`bucket/${name}`)?.sha256(), name).toBe(sha256)
}

/** Kills as often as wanted, each time after a random share of what is left, then lets the last one end. */
async function killedAgainAndAgain(all: Scene, seed: number) {
  const random = randomFrom(seed)
  /** Where in the bytes it was. */
  const killedAt: number[] = []
  for (let n = 0; n < amount.kills; n += 1) {
    const done = all.received()
    const share = (0.2 + random.below(1601) / 1000) / (amount.kills - n + 1)
    const upload = all.start(...(n === 0 ? [] : ['--resume']))
    await until(() => all.received() >= done + share * (all.bytes - done))
    await kill(upload)
    killedAt.push(all.received())
  }
  const startedAt = performance.now()
  const result = await all.start('--resume').result
  return { result, killedAt, tookMs: Math.round(performance.now() - startedAt) }
}

describe.runIf(posix)('resumable uploads to Supabase', () => {
  for (const [files, size, inFlight] of [
    [1, amount.size, 1],
    [amount.files, amount.fileSize, amount.files],
  ] as const) {
    it(`upload in supabase://bucket/  # ${files} of ${megabytes(size)}, killed ${amount.kills} times, then --resume`, async () => {
      const all = await scene(files, size)
      const { result, killedAt, tookMs } = await killedAgainAndAgain(all, 6)
      const allowed = all.bytes + amount.kills * inFlight * partSize
      console.log(
        `kill, Supabase: ${files} files, ${megabytes(all.bytes)}, killed ${amount.kills} times at ${killedAt.map((at) => `${megabytes(at)} (${((at % partSize) / partSize).toFixed(2)} of a part)`).join(', ')}; received ${megabytes(all.received())}, ${megabytes(allowed)} allowed; the rest took ${tookMs} ms`,
      )
      expectCode(result, 0)
      await expectStored(all)
      expect(all.received()).toBeGreaterThanOrEqual(all.bytes)
      expect(all.received()).toBeLessThanOrEqual(allowed)
      // One upload for each file: none was begun again.
      expect(all.supabase.uploads.map(({ isFinished }) => isFinished)).toEqual(Array(files).fill(true))
      expect(await all.ws.journals()).toHaveLength(1)
    })
  }

  it('upload in supabase://bucket/  # killed when all had arrived and nobody had heard of it', async () => {
    const all = await scene(1, amount.fileSize)
    const { supabase, start, received, bytes } = all
    const isLast = (headers: Readonly<Record<string, unknown>>) =>
      Number(headers['upload-offset']) + Number(headers['content-length']) === bytes
    const upload = start()
    let isDropped = false
    supabase.intercept = ({ method, headers }) => {
      if (method === 'PATCH' && isLast(headers)) isDropped = true
      else if (isDropped) upload.kill('SIGKILL')
      return isDropped ? (method === 'PATCH' ? { dropAnswer: true } : 'hang') : undefined
    }
    expect((await upload.result).signal).toBe('SIGKILL')
    expect([isDropped, supabase.objects.size]).toEqual([true, 1])
    supabase.intercept = undefined
    expectCode(await start('--resume').result, 0)
    await expectStored(all)
    expect([received(), supabase.uploads.length]).toEqual([bytes, 1])
  })

  it('upload in supabase://bucket/  # killed half-way, and the upload expires before --resume', async () => {
    const all = await scene(1, amount.fileSize)
    const { supabase, start, received, bytes } = all
    const upload = start()
    await until(() => received() >= bytes / 2)
    await kill(upload)
    supabase.expireUpload(supabase.uploads[0]?.url ?? '')
    const result = await start('--resume', '-v').result
    expectCode(result, 0)
    expect(result.stderr).toMatch(/take 0\.bin is begun anew: .*expired/)
    await expectStored(all)
    expect(supabase.uploads.map(({ isFinished }) => isFinished)).toEqual([false, true])
  })
})
