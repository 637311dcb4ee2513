import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Credentials, environmentFor } from './real-server.ts'
import { startServer } from './server-process.ts'
import { makeTempDir } from './temp-dir.ts'

/** A server that keeps everything and checks nothing: of what was asked for, not of how. */
export interface Moto {
  readonly endpoint: string
  readonly credentials: Credentials
  /** What the program's environment needs to reach it. */
  readonly env: Readonly<Record<string, string>>
  /** The name of a new bucket. */
  readonly bucket: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** Starts moto's server (https://docs.getmoto.org), which holds all in memory. */
export async function startMoto(command: string): Promise<Moto> {
  const dir = await makeTempDir('upload-moto')
  const server = await startServer({
    command,
    args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
    env: {},
    cwd: dir.path,
    logFile: join(dir.path, 'log'),
  })
  const credentials = { accessKeyId: 'MOTOTESTKEY', secretAccessKey: 'moto+test/secret=0123456789' }
  const endpoint = `http://127.0.0.1:${server.port}`
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true })
  return {
    endpoint,
    credentials,
    env: environmentFor(endpoint, credentials, 'us-east-1'),
    bucket: async () => {
      const bucket = `test-${randomBytes(4).toString('hex')}`
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      return bucket
    },
    stop: async () => {
      client.destroy()
      await server.stop()
      await dir.remove()
    },
  }
}
