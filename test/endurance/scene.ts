import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import type { SummaryRecord } from '../../src/observe/records.ts'
import { awkwardNames } from '../support/awkward-names.ts'
import { kinds, writeContents } from '../support/data-set.ts'
import { parseJournal } from '../support/journal.ts'
import type { Place, RealServer } from '../support/real-server.ts'
import { type AvailableServer, realServers } from '../support/real-servers.ts'
import { differences, type Sent } from '../support/stored.ts'
import type { Workspace } from '../support/workspace.ts'

/** Servers that this machine started itself, on loopback and without TLS: what a proxy can stand before. */
export const localServers: readonly AvailableServer[] = realServers.filter(
  ({ name }) => name === 'versitygw' || name === 'rclone',
)

export interface DataSet {
  readonly bytes: number
  /** Keys by what was written. */
  readonly sent: ReadonlyMap<string, Sent>
}

/**
 * versitygw replaces an object by way of a temporary name 28 bytes longer than its own, which must not be over 255: what
 * was stored but not answered before a kill is sent again.
 */
const names = awkwardNames.filter((name) => Buffer.byteLength(name) <= 227)

/** Small files of 1 to 16 KiB, awkward names among them, and large ones spread over their folders. */
export async function writeDataSet(
  ws: Workspace,
  directory: string,
  { smallFiles, largeFiles, largeSize }: Record<'smallFiles' | 'largeFiles' | 'largeSize', number>,
): Promise<DataSet> {
  const sent = new Map<string, Sent>()
  let bytes = 0
  const write = async (key: string, kind: (typeof kinds)[number], size: number, seed: number) => {
    sent.set(key, { sha256: await writeContents(ws.path(directory, key), kind, size, seed) })
    bytes += size
  }
  const folders = 10
  for (let n = 0; n < smallFiles; n += 1) {
    const kind = kinds[n % kinds.length] ?? 'bin'
    const name = names[n] ?? `take-${n}.${kind}`
    await write(`day ${n % folders}/${name}`, kind, 1024 + ((n * 48_271) % 15_361), n)
  }
  for (let n = 0; n < largeFiles; n += 1) await write(`day ${n % folders}/long-${n}.bin`, 'bin', largeSize, n)
  return { bytes, sent }
}

/** Fails, naming up to ten keys, unless exactly what was sent is stored, byte for byte. */
export async function expectIdentical(place: Place, sent: ReadonlyMap<string, Sent>): Promise<void> {
  const found = await differences(place, sent)
  expect(found.slice(0, 10), `${found.length} of ${sent.size} keys differ`).toEqual([])
}

/** Keys of the multipart uploads a server still holds open in a bucket. */
export async function unfinishedUploads(server: RealServer, bucket: string): Promise<string[]> {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: server.credentials,
    forcePathStyle: true,
  })
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return Uploads.map(({ Key = '' }) => Key)
  } finally {
    client.destroy()
  }
}

/** The summary of a run's last invocation; fails where it came to none. */
export async function lastSummary(ws: Workspace, report: string): Promise<SummaryRecord> {
  const { summary } = parseJournal(await ws.read(report))
  if (summary === undefined) throw new Error(`${report} has no summary`)
  return summary
}

/** For the one line of figures a test ends with. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
