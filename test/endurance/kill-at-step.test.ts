import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { countingProxy } from '../support/counting-proxy.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import type { RequestHead } from '../support/request-pieces.ts'
import { startUpload } from '../support/run-upload.ts'
import { workspace } from '../support/workspace.ts'
import { expectIdentical, localServers, megabytes, unfinishedUploads, writeDataSet } from './scene.ts'

const inFlight = 4
const partSize = 5 * 1024 * 1024
const perRequest = 2000
const kills = 3
const files = { smallFiles: 20, largeFiles: 5, largeSize: 40_000_000 }
const options = `--concurrency ${inFlight} --part-concurrency 1 --part-size 5MiB`

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: killing a process group.')

const creates = ({ method, target }: RequestHead) => method === 'POST' && /[?&]uploads=?(&|$)/.test(target)
const completes = ({ method, target }: RequestHead) => method === 'POST' && /[?&]uploadId=/.test(target)

/** Moments a random kill seldom finds: the server acts on a request whose answer nobody hears. */
const steps = [
  { name: 'created', is: creates },
  { name: 'completed', is: completes },
]

sayWhichServers()
for (const available of posix ? localServers : []) {
  describe(available.name, () => {
    for (const { name, is } of steps) {
      it(`upload in s3://bucket/ ${options}  # killed ${kills} times as a multipart upload is ${name}, then --resume`, async () => {
        const server = await available.start()
        onTestFinished(server.stop)
        const ws = await workspace()
        const { bytes, sent } = await writeDataSet(ws, 'in', files)
        const place = await server.place()
        let act: (() => void) | undefined
        let created = 0
        const completed = new Set<string>()
        const begunAgain: string[] = []
        const proxy = await countingProxy(Number(new URL(server.endpoint).port), {
          faultFor: (request) => {
            const [key = ''] = request.target.split('?')
            if (completes(request)) completed.add(key)
            if (creates(request)) created += 1
            if (creates(request) && completed.has(key)) begunAgain.push(key)
            if (is(request)) act?.()
            return undefined
          },
        })
        const start = (more: readonly string[]) => {
          const upload = startUpload(['in', place.url, '--progress', 'none', ...options.split(' '), ...more], {
            cwd: ws.cwd,
            home: ws.home,
            state: ws.state,
            env: { ...server.env, AWS_ENDPOINT_URL: proxy.url },
            ownGroup: true,
          })
          onTestFinished(() => upload.kill('SIGKILL'))
          return upload
        }

        for (let n = 0; n < kills; n += 1) {
          const upload = start(n === 0 ? [] : ['--resume'])
          // Once the request is on its way to the server. Its answer must not come first: it may be the run's last.
          act = () =>
            setImmediate(() => {
              proxy.hold()
              upload.kill('SIGKILL')
            })
          const killed = await upload.result
          act = undefined
          proxy.release()
          expect(killed.signal, killed.stderr).toBe('SIGKILL')
        }
        const result = await start(['--resume']).result

        const counts = proxy.counts()
        const left = await unfinishedUploads(server, place.bucket)
        const allowed = bytes + kills * inFlight * partSize + perRequest * counts.requests
        console.log(
          `kill as an upload is ${name}, ${available.name}: ${sent.size} files, ${megabytes(bytes)}; received ${megabytes(counts.bytes)} in ${counts.requests} requests, ${megabytes(allowed)} allowed; ${created} uploads for ${files.largeFiles} large files, ${left.length} left half-sent`,
        )
        expectCode(result, 0)
        await expectIdentical(place, sent)
        expect(left).toEqual([])
        expect(counts.bytes).toBeLessThanOrEqual(allowed)
        expect(begunAgain, 'what was complete is not sent anew').toEqual([])
      })
    }
  })
}
