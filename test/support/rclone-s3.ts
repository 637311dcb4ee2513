import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { posixServer, type RealServer } from './real-server.ts'
import { startServer } from './server-process.ts'
import { makeTempDir } from './temp-dir.ts'

/**
 * Starts `rclone serve s3` (https://rclone.org/commands/rclone_serve_s3/) over a temporary directory: a lenient server
 * with another idea of multipart uploads than most. A bucket is a folder, an object a file in it.
 */
export async function startRclone(command: string): Promise<RealServer> {
  const dir = await makeTempDir('upload-rclone')
  const data = join(dir.path, 'data')
  await mkdir(data)
  const credentials = { accessKeyId: 'RCLONETESTKEY', secretAccessKey: 'rclone+test/secret=0123456789' }
  const server = await startServer({
    command,
    args: (port) => [
      'serve',
      's3',
      '--auth-key',
      `${credentials.accessKeyId},${credentials.secretAccessKey}`,
      '--addr',
      `127.0.0.1:${port}`,
      // Otherwise a listing shows a directory as it was up to five minutes ago.
      '--dir-cache-time=1s',
      data,
    ],
    env: { RCLONE_CONFIG: join(dir.path, 'rclone.conf'), RCLONE_CACHE_DIR: join(dir.path, 'cache') },
    cwd: dir.path,
    logFile: join(dir.path, 'log'),
  })
  return posixServer({ name: 'rclone', server, credentials, data, dir, inside: [] })
}
