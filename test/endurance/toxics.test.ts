import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { countingProxy } from '../support/counting-proxy.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import { type Link, type Toxic, toxicLink, toxiproxy } from '../support/toxiproxy.ts'
import { workspace } from '../support/workspace.ts'
import { expectIdentical, lastSummary, localServers, megabytes, writeDataSet } from './scene.ts'
import { toxics as amount } from './sizes.ts'

const limitMs = 300_000
const badForMs = 1500

/** Makes a link worse; what it gives makes it better again. */
type Trouble = (link: Link) => Promise<() => Promise<void>>

interface Case {
  readonly name: string
  /** From the start to the end. */
  readonly toxics: readonly Toxic[]
  /** In the middle of the run, while parts of the large file are on their way: requests have to be repeated. */
  readonly trouble?: Trouble
}

/** Without it a run over loopback would be done before anything can happen to it. */
const slow: Toxic = { type: 'bandwidth', stream: 'upstream', attributes: { rate: 4000 } }

const cases: readonly Case[] = [
  {
    name: 'latency of 100 ± 50 ms each way',
    toxics: (['upstream', 'downstream'] as const).map((stream) => ({
      type: 'latency',
      stream,
      attributes: { latency: 100, jitter: 50 },
    })),
  },
  { name: 'a bandwidth of 4 MB/s each connection', toxics: [slow] },
  {
    name: 'slices of about 3,000 bytes out and 20 back',
    toxics: [
      { type: 'slicer', stream: 'upstream', attributes: { average_size: 3000, size_variation: 2000, delay: 10 } },
      { type: 'slicer', stream: 'downstream', attributes: { average_size: 20, size_variation: 15, delay: 1000 } },
    ],
  },
  {
    name: `every connection reset after 400 ms, for ${badForMs} ms`,
    toxics: [slow],
    trouble: (link) => link.add({ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 400 } }),
  },
  {
    name: `every connection dead and closed after 700 ms, for ${badForMs} ms`,
    toxics: [slow],
    trouble: (link) => link.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 700 } }),
  },
  {
    name: `down for ${badForMs} ms`,
    toxics: [slow],
    trouble: async (link) => {
      await link.down()
      return link.up
    },
  },
]

sayWhichServers()
if (!toxiproxy) console.log('Not tried: bad links, since UPLOAD_TEST_TOXIPROXY names no toxiproxy.')
for (const available of localServers.slice(0, amount.servers)) {
  describe.runIf(toxiproxy !== undefined)(available.name, () => {
    for (const { name, toxics, trouble } of cases) {
      it(`upload in s3://bucket/ --concurrency 8  # ${name}`, async () => {
        const server = await available.start()
        onTestFinished(server.stop)
        const ws = await workspace()
        const { bytes, sent } = await writeDataSet(ws, 'in', { ...amount, largeFiles: 1 })
        const place = await server.place()
        const proxy = await countingProxy(Number(new URL(server.endpoint).port))
        const link = await toxicLink(proxy.port)
        for (const toxic of toxics) await link.add(toxic)

        const upload = ws.start(`upload in ${place.url} --concurrency 8 --report r.jsonl --progress none`, {
          env: { ...server.env, AWS_ENDPOINT_URL: link.url },
          limitMs,
        })
        if (trouble !== undefined) {
          const middle = proxy.reached((counts) => counts.bytes >= bytes / 2).then(() => 'middle' as const)
          expect(await Promise.race([middle, upload.result]), 'it ended before the trouble').toBe('middle')
          const end = await trouble(link)
          await new Promise((resolve) => setTimeout(resolve, badForMs))
          await end()
        }
        const result = await upload.result
        expectCode(result, 0)

        const summary = await lastSummary(ws, 'r.jsonl')
        const counts = proxy.counts()
        console.log(
          `toxics, ${server.name}, ${name}: ${sent.size} files, ${megabytes(bytes)} in ${(result.durationMs / 1000).toFixed(1)} s; received ${megabytes(counts.bytes)} in ${counts.requests} requests over ${counts.connections} connections; ${summary.retries} retries, ${summary.timeouts} timeouts`,
        )
        expect(summary).toMatchObject({ uploaded: sent.size, failed: 0, successRate: 1 })
        await expectIdentical(place, sent)
        if (trouble === undefined) expect(summary.retries).toBe(0)
        else expect(counts.bytes, 'the trouble spoilt something').toBeGreaterThan(bytes + 1_000_000)
      })
    }
  })
}
