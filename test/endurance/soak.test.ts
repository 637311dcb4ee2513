import { link, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { countingProxy } from '../support/counting-proxy.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { faults } from '../support/faults.ts'
import { canWatch, type Held, type ProcessWatch, watchProcess } from '../support/process-watch.ts'
import { randomFrom } from '../support/random.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import type { Sent } from '../support/stored.ts'
import { startVersitygw } from '../support/versitygw.ts'
import { type Workspace, workspace } from '../support/workspace.ts'
import { type DataSet, expectIdentical, lastSummary, megabytes } from './scene.ts'
import { soak } from './sizes.ts'

const versitygw = process.env.UPLOAD_TEST_VERSITYGW
const concurrency = 32
/** Of each answer: over loopback alone there would never be as many requests in flight as there may be. */
const delayMs = { atLeast: 50, spread: 200 }
const shares = { reset: 0.05, slowDown: 0.05, cutAnswer: 0.01 }
const growthAtMost = 1.1
const timeoutRateBelow = 0.01
/** What a client is told, and asks, beside the bytes of a file: heads, and the XML of multipart uploads. */
const perRequest = 2000
/** Medians are taken over so long. */
const windowMs = 10_000
const filesPerFolder = 1000

if (!canWatch) console.log('Not tried on this system: the soak, which needs /proc to see what a process holds.')
if (!versitygw) console.log('Not tried: the soak, since UPLOAD_TEST_VERSITYGW names no versitygw.')

sayWhichServers()
describe('one run through 5 % resets, 5 % 503 and 1 % cut answers', () => {
  it.runIf(Boolean(versitygw) && canWatch)(
    `upload in s3://bucket/ --concurrency ${concurrency}  # ${soak.files} files, about ${soak.lastsMs / 1000} s`,
    async () => {
      const server = await startVersitygw(versitygw ?? '', { keepAlive: true })
      onTestFinished(server.stop)
      const ws = await workspace()
      const { bytes, sent } = await writeLinked(ws, 'in')
      const place = await server.place()
      const random = randomFrom(62)
      const proxy = await countingProxy(Number(new URL(server.endpoint).port), {
        faultFor: faults(shares, 61),
        delayFor: () => delayMs.atLeast + random.below(delayMs.spread),
      })

      const line = `upload in ${place.url} --concurrency ${concurrency} --progress none --report soak.jsonl`
      const upload = ws.start(line, {
        env: { ...server.env, AWS_ENDPOINT_URL: proxy.url },
        limitMs: 3 * soak.lastsMs,
      })
      const watch = watchProcess(upload.child.pid ?? 0)
      onTestFinished(watch.stop)
      const result = await upload.result
      watch.stop()
      expectCode(result, 0)

      const summary = await lastSummary(ws, 'soak.jsonl')
      const counts = proxy.counts()
      expect(watch.lastAtMs(), 'it was over too soon to tell').toBeGreaterThan(soak.settledMs + 2 * windowMs)
      const early = watch.between(soak.settledMs, soak.settledMs + windowMs)
      // The last second is left out: connections end with the run.
      const late = watch.between(watch.lastAtMs() - windowMs - 1000, watch.lastAtMs() - 1000)
      const allowed = bytes + counts.spoiltBytes + perRequest * counts.requests
      console.log(
        `soak, ${server.name}: ${sent.size} files, ${megabytes(bytes)} in ${Math.round(result.durationMs / 1000)} s, ${counts.faults} faults in ${counts.requests} requests over ${counts.connections} connections, ${summary.retries} retries, ${summary.timeouts} timeouts; received ${megabytes(counts.bytes)}, ${megabytes(allowed)} allowed; ${held(early)} after ${soak.settledMs / 1000} s, ${held(late)} at the end`,
      )
      console.log(`megabytes held, window by window: ${series(watch)}`)
      expect(summary).toMatchObject({ uploaded: sent.size, failed: 0, successRate: 1 })
      expect(counts.faults).toBeGreaterThan(0.08 * counts.requests)
      expect(summary.timeoutRate).toBeLessThan(timeoutRateBelow)
      await expectIdentical(place, sent)
      expect(counts.bytes).toBeLessThanOrEqual(allowed)
      expect(summary.retries).toBeLessThanOrEqual(counts.faults)
      expect(late.rssBytes).toBeLessThanOrEqual(growthAtMost * early.rssBytes)
      expect(late.descriptors).toBeLessThanOrEqual(growthAtMost * early.descriptors)
    },
  )
})

/** Many names of two hundred contents: a long run need not fill a disk. A few are large. */
async function writeLinked(ws: Workspace, directory: string): Promise<DataSet> {
  const contents: { readonly path: string; readonly size: number; readonly sha256: string }[] = []
  for (let n = 0; n < 200; n += 1) {
    const kind = kinds[n % kinds.length] ?? 'bin'
    const size = 512 + ((n * 48_271) % 32_257)
    const path = ws.path('contents', String(n))
    contents.push({ path, size, sha256: await writeContents(path, kind, size, n) })
  }
  const large = { path: ws.path('contents', 'large'), size: 20_000_000 }
  const largeContent = { ...large, sha256: await writeContents(large.path, 'bin', large.size) }

  const sent = new Map<string, Sent>()
  let bytes = 0
  const everyLarge = Math.floor(soak.files / soak.largeFiles)
  for (let n = 0; n < soak.files; n += 1) {
    const folder = String(Math.floor(n / filesPerFolder)).padStart(3, '0')
    const content = n % everyLarge === 0 ? largeContent : contents[n % contents.length]
    if (content === undefined) continue
    const key = `${folder}/take-${n}`
    const path = ws.path(directory, key)
    if (n % filesPerFolder === 0) await mkdir(dirname(path), { recursive: true })
    await link(content.path, path)
    sent.set(key, { sha256: content.sha256 })
    bytes += content.size
  }
  return { bytes, sent }
}

/** For whoever wants to know how memory got where it is. */
function series({ between, lastAtMs }: ProcessWatch): string {
  const windows = Math.floor(lastAtMs() / windowMs)
  const rss = Array.from({ length: windows }, (_, n) => between(n * windowMs, (n + 1) * windowMs).rssBytes)
  return rss.map((bytes) => Math.round(bytes / 1e6)).join(' ')
}

const held = ({ rssBytes, descriptors }: Omit<Held, 'atMs'>): string =>
  `${megabytes(rssBytes)} and ${descriptors} descriptors`
