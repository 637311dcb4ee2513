import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import type { ServerProcess } from './server-process.ts'
import type { TempDir } from './temp-dir.ts'
import { listFiles } from './workspace.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** An S3 server that is no part of this project. */
export interface RealServer {
  readonly name: string
  readonly endpoint: string
  readonly credentials: Credentials
  /** What the program's environment needs to reach it. */
  readonly env: Readonly<Record<string, string>>
  /** An empty place to upload into that nobody else uses. */
  readonly place: () => Promise<Place>
  readonly stop: () => Promise<void>
}

/** A bucket, or a prefix in the user's own bucket. */
export interface Place {
  readonly bucket: string
  /** For `--to`, ending in `/`. */
  readonly url: string
  /** Every key below `url`, relative to it, sorted by code unit. */
  readonly keys: () => Promise<string[]>
  readonly size: (key: string) => Promise<number>
  readonly read: (key: string) => Promise<Readable>
  readonly remove: () => Promise<void>
}

/** A server whose buckets are folders on this disk: what it stored is looked at there, whatever it would answer. */
export function posixServer(started: {
  readonly name: string
  readonly server: ServerProcess
  readonly credentials: Credentials
  /** Holds the buckets. */
  readonly data: string
  readonly dir: TempDir
  /** Names the server keeps for itself inside a bucket. */
  readonly inside: readonly string[]
}): RealServer {
  const { name, server, credentials, data, dir, inside } = started
  const region = 'us-east-1'
  const endpoint = `http://127.0.0.1:${server.port}`
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  return {
    name,
    endpoint,
    credentials,
    env: environmentFor(endpoint, credentials, region),
    place: async () => {
      const bucket = `test-${randomBytes(4).toString('hex')}`
      const folder = join(data, bucket)
      // By a request: a server need not look at its directories again for a folder that appears behind its back.
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      return {
        bucket,
        url: `s3://${bucket}/`,
        keys: async () => (await listFiles(folder)).filter((key) => !inside.some((own) => key.startsWith(`${own}/`))),
        size: async (key) => (await stat(join(folder, key))).size,
        read: async (key) => createReadStream(join(folder, key), { highWaterMark: 1024 * 1024 }),
        remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
      }
    },
    stop: async () => {
      client.destroy()
      await server.stop()
      await dir.remove()
    },
  }
}

/** The user's own server and bucket; each place is a prefix of its own there, and emptied afterwards. */
export function ownServer(endpoint: string, bucket: string, credentials: Credentials, region: string): RealServer {
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: process.env.UPLOAD_TEST_S3_PATH_STYLE !== 'off',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return {
    name: new URL(endpoint).host,
    endpoint,
    credentials,
    env: environmentFor(endpoint, credentials, region),
    place: async () => {
      const prefix = `upload-test-${randomBytes(4).toString('hex')}/`
      const keys = async () => {
        const found: string[] = []
        for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
          for (const { Key } of page.Contents ?? []) if (Key !== undefined) found.push(Key.slice(prefix.length))
        }
        return found.sort()
      }
      return {
        bucket,
        url: `s3://${bucket}/${prefix}`,
        keys,
        size: async (key) => {
          const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: prefix + key }))
          return head.ContentLength ?? 0
        },
        read: async (key) => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + key }))
          if (!(Body instanceof Readable)) throw new Error(`no body for ${key}`)
          return Body
        },
        remove: async () => {
          for (const key of await keys()) {
            await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: prefix + key }))
          }
        },
      }
    },
    stop: async () => client.destroy(),
  }
}

/** What the program's environment needs to reach a server. */
export function environmentFor(endpoint: string, credentials: Credentials, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}
