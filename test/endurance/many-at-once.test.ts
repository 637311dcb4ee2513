import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { countingProxy } from '../support/counting-proxy.ts'
import { faults } from '../support/faults.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import { workspace } from '../support/workspace.ts'
import { expectIdentical, lastSummary, localServers, megabytes, writeDataSet } from './scene.ts'
import { manyAtOnce } from './sizes.ts'

const concurrency = 1000
const limitMs = 600_000

// Retries leave nothing for --resume to do: without any, what it does is seen too.
const variants = ['', '--retries 0 --retry-failed 0']

sayWhichServers()
describe('1 % of the requests reset', () => {
  const [available] = localServers
  for (const options of variants) {
    const line = `upload in s3://bucket/ --concurrency ${concurrency} ${options}`.trim()
    it.runIf(available !== undefined)(`${line}  # ${manyAtOnce.files} files, then --resume`, async () => {
      const server = await available?.start()
      if (server === undefined) return
      onTestFinished(server.stop)
      const ws = await workspace()
      const files = { smallFiles: manyAtOnce.files, largeFiles: 0, largeSize: 0 }
      const { bytes, sent } = await writeDataSet(ws, 'in', files)
      const place = await server.place()
      const shares = { reset: 0.01, slowDown: 0, cutAnswer: 0 }
      const proxy = await countingProxy(Number(new URL(server.endpoint).port), {
        faultFor: faults(shares, 17),
      })
      const run = { env: { ...server.env, AWS_ENDPOINT_URL: proxy.url }, limitMs }
      const common = `upload in ${place.url} --concurrency ${concurrency} --progress none`

      const first = await ws.run(`${common} ${options} --report first.jsonl`, run)
      const { successRate, uploaded, failed, retries } = await lastSummary(ws, 'first.jsonl')
      const counts = proxy.counts()
      const resumed = first.code === 0 ? undefined : await ws.run(`${common} --resume --report second.jsonl`, run)

      console.log(
        `many at once, ${server.name}, ${options || 'defaults'}: ${sent.size} files, ${megabytes(bytes)} in ${(first.durationMs / 1000).toFixed(1)} s over ${counts.connections} connections; ${counts.faults} resets, ${retries} retries, ${failed} failed; --resume ${resumed === undefined ? 'not needed' : `ended with ${resumed.code}`}`,
      )
      expect(counts.faults).toBeGreaterThan(0)
      expect(uploaded + failed).toBe(sent.size)
      expect(successRate).toBeGreaterThanOrEqual(0.98)
      if (resumed === undefined) {
        expectCode(first, 0)
      } else {
        expectCode(first, 1)
        expectCode(resumed, 0)
        expect(await lastSummary(ws, 'second.jsonl')).toMatchObject({ uploaded: failed, skipped: uploaded, failed: 0 })
      }
      await expectIdentical(place, sent)
    })
  }
})
