import { expect, it } from 'vitest'
import { startRclone } from './rclone-s3.ts'
import { ownServer, type RealServer } from './real-server.ts'
import { startVersitygw } from './versitygw.ts'

export interface AvailableServer {
  readonly name: string
  readonly start: () => Promise<RealServer>
}

/**
 * The real servers this machine has: programs that `UPLOAD_TEST_VERSITYGW` and `UPLOAD_TEST_RCLONE` name, and the
 * user's own at `UPLOAD_TEST_S3_ENDPOINT` with `UPLOAD_TEST_S3_BUCKET` and the usual `AWS_*` credentials.
 */
export const realServers: readonly AvailableServer[] = [...installed(), ...own()]

/**
 * Registers a test that says which servers are there. Where there is none it counts as skipped, or fails if
 * `UPLOAD_TEST_REQUIRE_REAL=1` forbids to do without.
 */
export function sayWhichServers(): void {
  const names = realServers.map((server) => server.name).join(', ')
  it(`real servers: ${names === '' ? 'none' : names}`, ({ skip }) => {
    if (realServers.length > 0) return
    const reason =
      'No real S3 server: what needs one is not tried. Set UPLOAD_TEST_S3_ENDPOINT and UPLOAD_TEST_S3_BUCKET, or install Go.'
    console.log(reason)
    expect(process.env.UPLOAD_TEST_REQUIRE_REAL, 'a real server is required').not.toBe('1')
    skip(reason)
  })
}

function* installed(): Generator<AvailableServer> {
  const { UPLOAD_TEST_VERSITYGW: versitygw, UPLOAD_TEST_RCLONE: rclone } = process.env
  if (versitygw) yield { name: 'versitygw', start: () => startVersitygw(versitygw) }
  if (rclone) yield { name: 'rclone', start: () => startRclone(rclone) }
}

function* own(): Generator<AvailableServer> {
  const { UPLOAD_TEST_S3_ENDPOINT: endpoint, UPLOAD_TEST_S3_BUCKET: bucket } = process.env
  if (!endpoint && !bucket) return
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region } = process.env
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) {
    throw new Error(
      'UPLOAD_TEST_S3_ENDPOINT needs UPLOAD_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY beside it.',
    )
  }
  yield {
    name: new URL(endpoint).host,
    start: async () => ownServer(endpoint, bucket, { accessKeyId, secretAccessKey }, region ?? 'us-east-1'),
  }
}
