import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { posixServer, type RealServer } from './real-server.ts'
import { startServer } from './server-process.ts'
import { makeTempDir } from './temp-dir.ts'

export interface VersitygwOptions {
  /** Connections are kept after an answer; by default it closes them. */
  readonly keepAlive?: boolean
}

/**
 * Starts versitygw (https://github.com/versity/versitygw) over a temporary directory: a strict server that checks
 * signatures and checksums. A bucket is a folder, an object a file in it.
 */
export async function startVersitygw(
  command: string,
  { keepAlive = false }: VersitygwOptions = {},
): Promise<RealServer> {
  const dir = await makeTempDir('upload-versitygw')
  const data = join(dir.path, 'data')
  // Beside the objects, since not every temporary directory's file system has extended attributes.
  const sidecar = join(dir.path, 'sidecar')
  await mkdir(data)
  await mkdir(sidecar)
  const credentials = { accessKeyId: 'VERSITYTESTKEY', secretAccessKey: 'versity+test/secret=0123456789' }
  const server = await startServer({
    command,
    args: (port) => [
      ...['--port', `127.0.0.1:${port}`, '--quiet'],
      ...(keepAlive ? ['--keep-alive'] : []),
      ...['posix', '--sidecar', sidecar, data],
    ],
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    cwd: dir.path,
    logFile: join(dir.path, 'log'),
  })
  return posixServer({ name: 'versitygw', server, credentials, data, dir, inside: ['.sgwtmp'] })
}
