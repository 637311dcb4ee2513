import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { type CountingProxy, countingProxy, type ProxyCounts } from '../support/counting-proxy.ts'
import { randomFrom } from '../support/random.ts'
import type { RealServer } from '../support/real-server.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import { type RunResult, startUpload } from '../support/run-upload.ts'
import { type Workspace, workspace } from '../support/workspace.ts'
import { expectIdentical, localServers, megabytes, unfinishedUploads, writeDataSet } from './scene.ts'
import { kill as amount } from './sizes.ts'

const mebibyte = 1024 * 1024
const inFlight = 4
const partSize = 5 * mebibyte
const perRequest = 2000
/** One more than it takes; a run that never ends is a failure, not a test that goes on for ever. */
const invocationsAtMost = amount.kills + 5
const limitMs = 600_000

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: killing a process group.')

const variants = [
  { options: `--concurrency ${inFlight} --part-concurrency 1 --part-size 5MiB`, bounded: true, seed: 5, until: 1 },
  // Many parts in flight are stored though the kill cuts off their answers: less is left to do than was not answered.
  { options: '', bounded: false, seed: 55, until: 0.8 },
]

sayWhichServers()
for (const available of posix ? localServers : []) {
  describe(available.name, () => {
    for (const { options, bounded, seed, until } of variants) {
      const line = `upload in s3://bucket/ ${options}`.trim()
      it(`${line}  # killed ${amount.kills} times, then --resume`, async () => {
        const server = await available.start()
        onTestFinished(server.stop)
        const ws = await workspace()
        const { bytes, sent } = await writeDataSet(ws, 'in', amount)
        const place = await server.place()
        const proxy = await countingProxy(Number(new URL(server.endpoint).port))
        const startedAt = performance.now()

        const args = ['in', place.url, '--progress', 'none', ...options.split(' ').filter((word) => word !== '')]
        const end = await killedAgainAndAgain({ ws, server, proxy, args, seed, work: until * workOf(bytes, sent.size) })

        const took = Math.round((performance.now() - startedAt) / 1000)
        const counts = proxy.counts()
        const left = await unfinishedUploads(server, place.bucket)
        const kills = end.killedAt.length
        const allowed = bytes + kills * inFlight * partSize + perRequest * counts.requests
        console.log(
          `kill, ${available.name}, ${options || 'defaults'}: ${sent.size} files, ${megabytes(bytes)}, ${kills} kills (at ${end.killedAt.join(' ')} % of what they are spread over) in ${took} s; received ${megabytes(counts.bytes)} in ${counts.requests} requests${bounded ? `, ${megabytes(allowed)} allowed` : ''}; ${left.length} left half-sent`,
        )
        expectCode(end.result, 0)
        // With as many parts in flight as the whole has, little may be left for the last ones to cut off.
        expect(kills).toBeGreaterThanOrEqual(bounded ? amount.kills : Math.floor(amount.kills / 2))
        expect(await ws.journals()).toHaveLength(1)
        await expectIdentical(place, sent)
        expect(left).toEqual([])
        if (bounded) expect(counts.bytes).toBeLessThanOrEqual(allowed)
      })
    }
  })
}

interface Killing {
  readonly ws: Workspace
  readonly server: RealServer
  readonly proxy: CountingProxy
  readonly args: readonly string[]
  readonly seed: number
  /** Over how much of the work the kills are spread. */
  readonly work: number
}

/**
 * Runs the program, kills it after a random share of the work that is left, and lets another go on with `--resume`, until
 * as many were killed as wanted and one came to its end.
 */
async function killedAgainAndAgain({ ws, server, proxy, args, seed, work }: Killing) {
  const random = randomFrom(seed)
  /** Per cent of the work that was done. */
  const killedAt: number[] = []
  for (let invocation = 1; invocation <= invocationsAtMost; invocation += 1) {
    const upload = startUpload(invocation === 1 ? args : [...args, '--resume'], {
      cwd: ws.cwd,
      home: ws.home,
      state: ws.state,
      env: { ...server.env, AWS_ENDPOINT_URL: proxy.url },
      ownGroup: true,
      limitMs,
    })
    onTestFinished(() => upload.kill('SIGKILL'))
    const killsLeft = amount.kills - killedAt.length
    if (killsLeft === 0) return { result: await upload.result, killedAt }

    const done = workIn(proxy.counts())
    const share = (0.2 + random.below(1601) / 1000) / (killsLeft + 1)
    const killAt = done + share * Math.max(0, work - done)
    const ended: RunResult | 'reached' = await Promise.race([
      upload.result,
      proxy.reached((counts) => workIn(counts) >= killAt).then(() => 'reached' as const),
    ])
    if (ended !== 'reached') return { result: ended, killedAt }
    upload.kill('SIGKILL')
    expect((await upload.result).signal).toBe('SIGKILL')
    killedAt.push(Math.round((100 * workIn(proxy.counts())) / work))
  }
  throw new Error(`${invocationsAtMost} invocations, and none came to its end`)
}

/** A request counts as much as so many bytes: a kill shall be as likely among many small files as among few large ones. */
const weightOfRequest = 100_000

/** A small file is one request, a large one some more for its parts. */
function workOf(bytes: number, files: number): number {
  const parts = amount.largeFiles * Math.ceil(amount.largeSize / partSize)
  return bytes + (files + parts) * weightOfRequest
}

/** What a kill cut off does not count: it is still to be done. */
const workIn = ({ answered, answeredBytes }: ProxyCounts): number => answeredBytes + answered * weightOfRequest
