import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { type CountingProxy, countingProxy } from '../support/counting-proxy.ts'
import { writeContents } from '../support/data-set.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import { type Link, toxicLink, toxiproxy } from '../support/toxiproxy.ts'
import { workspace } from '../support/workspace.ts'
import { expectIdentical, lastSummary, localServers, megabytes } from './scene.ts'
import { linkCut } from './sizes.ts'

const concurrency = 8
const partSize = 8 * 1024 * 1024
const perRequest = 2000
const limitMs = 600_000

interface Cut {
  readonly name: string
  /** What it gives mends the link again. */
  readonly cut: (link: Link, proxy: CountingProxy) => Promise<() => unknown>
}

const cuts: readonly Cut[] = [
  {
    name: 'connections are closed and refused',
    cut: async (link) => {
      await link.down()
      return link.up
    },
  },
  {
    name: 'everything sent is lost, and connections stay open',
    cut: async (link) => {
      const out = await link.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } })
      const back = await link.add({ type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } })
      return () => Promise.all([out(), back()])
    },
  },
  {
    name: 'nothing is taken or given, and connections stay open',
    cut: async (_link, proxy) => {
      proxy.hold()
      return proxy.release
    },
  },
]

sayWhichServers()
if (!toxiproxy) console.log('Not tried: cut links, since UPLOAD_TEST_TOXIPROXY names no toxiproxy.')
describe(`a link cut for ${linkCut.cutMs / 1000} s in the middle`, () => {
  const [available] = localServers
  for (const { name, cut } of cuts) {
    const options = `--concurrency ${concurrency} ${linkCut.options}`.trim()
    it.runIf(available !== undefined && toxiproxy !== undefined)(
      `upload long.bin s3://bucket/ ${options}  # ${megabytes(linkCut.size)}; ${name}`,
      async () => {
        const server = await available?.start()
        if (server === undefined) return
        onTestFinished(server.stop)
        const ws = await workspace()
        const sha256 = await writeContents(ws.path('long.bin'), 'bin', linkCut.size)
        const place = await server.place()
        // Behind the link: what is lost on it was not received.
        const proxy = await countingProxy(Number(new URL(server.endpoint).port))
        const link = await toxicLink(proxy.port)

        const upload = ws.start(`upload long.bin ${place.url} ${options} --report cut.jsonl --progress none`, {
          env: { ...server.env, AWS_ENDPOINT_URL: link.url },
          limitMs,
        })
        const half = proxy.reached(({ bytes }) => bytes >= linkCut.size / 2).then(() => 'half' as const)
        expect(await Promise.race([half, upload.result]), 'the upload ended before its middle').toBe('half')
        const mend = await cut(link, proxy)
        const atCut = proxy.counts()
        await passed(linkCut.cutMs)
        expect(proxy.counts().bytes - atCut.bytes, 'the link was cut').toBeLessThanOrEqual(concurrency * partSize)
        const mendedAt = performance.now()
        await mend()
        const result = await upload.result
        const recoveredMs = performance.now() - mendedAt

        expectCode(result, 0)
        const counts = proxy.counts()
        const summary = await lastSummary(ws, 'cut.jsonl')
        const allowed = linkCut.size + concurrency * partSize + perRequest * counts.requests
        console.log(
          `link cut, ${name}: ${megabytes(linkCut.size)}, cut after ${megabytes(atCut.bytes)}, ended ${(recoveredMs / 1000).toFixed(1)} s after it was mended; received ${megabytes(counts.bytes)}, ${megabytes(allowed)} allowed; ${summary.retries} retries, ${summary.timeouts} timeouts`,
        )
        await expectIdentical(place, new Map([['long.bin', { sha256 }]]))
        expect(counts.bytes).toBeLessThanOrEqual(allowed)
        expect(summary).toMatchObject({ uploaded: 1, failed: 0 })
      },
    )
  }
})

/** The cut itself is what takes this long. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
