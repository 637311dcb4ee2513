import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What another client is told of an object. */
export interface ToldByBoto3 {
  readonly size: number
  readonly etag: string
  readonly contentType: string | null
  readonly cacheControl: string | null
  readonly contentEncoding: string | null
  readonly contentDisposition: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly storageClass: string | null
  readonly sse: string | null
  readonly sseKmsKeyId: string | null
  /** Permission and group. */
  readonly grants: readonly string[]
}

const reader = fileURLToPath(new URL('boto3-read.py', import.meta.url))
const run = promisify(execFile)
const maxBuffer = 64 * 2 ** 20

/**
 * Every object below a prefix, as boto3 reads it, by its key without the prefix.
 *
 * @param python that has boto3
 * @param env the server's, as the program has it
 */
export async function readByBoto3(
  python: string,
  { endpoint, env }: { readonly endpoint: string; readonly env: Readonly<Record<string, string>> },
  bucket: string,
  prefix = '',
): Promise<Readonly<Record<string, ToldByBoto3>>> {
  const { PATH } = process.env
  const own = { PATH, ...env, AWS_DEFAULT_REGION: env.AWS_REGION }
  const { stdout } = await run(python, [reader, endpoint, bucket, prefix], { env: own, maxBuffer })
  return JSON.parse(stdout)
}

/**
 * Runs rclone, with the server as its remote `s3:`.
 *
 * @returns what it printed, on both streams
 * @throws where it does not end with 0.
 */
export async function runRclone(
  rclone: string,
  { endpoint, env }: { readonly endpoint: string; readonly env: Readonly<Record<string, string>> },
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const remote = {
    RCLONE_CONFIG_S3_TYPE: 's3',
    RCLONE_CONFIG_S3_PROVIDER: 'Other',
    RCLONE_CONFIG_S3_ENDPOINT: endpoint,
    RCLONE_CONFIG_S3_REGION: env.AWS_REGION,
    RCLONE_CONFIG_S3_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID,
    RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY,
  }
  const { PATH } = process.env
  const { stdout, stderr } = await run(rclone, [...args, '--config', ''], {
    cwd,
    env: { PATH, HOME: cwd, ...remote },
    maxBuffer,
  })
  return stdout + stderr
}
