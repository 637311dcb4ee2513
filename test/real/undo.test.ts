import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { sayWhichServers } from '../support/real-servers.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { makeTempDir, type TempDir } from '../support/temp-dir.ts'
import { workspace } from '../support/workspace.ts'

const versitygw = process.env.UPLOAD_TEST_VERSITYGW
const credentials = { accessKeyId: 'VERSITYTESTKEY', secretAccessKey: 'versity+test/secret=0123456789' }
const MiB = 2 ** 20

sayWhichServers()
if (!versitygw) console.log('No versitygw: undo is not tested against a real server here.')

/** One server that keeps versions where a bucket wants it. */
describe.runIf(versitygw)('versitygw with versions', () => {
  let dir: TempDir
  let server: ServerProcess
  let client: S3Client
  let env: Record<string, string>

  beforeAll(async () => {
    dir = await makeTempDir('upload-undo')
    const [data, sidecar, versions] = ['data', 'sidecar', 'versions'].map((name) => join(dir.path, name))
    for (const path of [data, sidecar, versions]) await mkdir(path as string)
    server = await startServer({
      command: versitygw as string,
      args: (port) => [
        ...['--port', `127.0.0.1:${port}`, '--quiet', 'posix'],
        ...['--sidecar', sidecar as string, '--versioning-dir', versions as string, data as string],
      ],
      env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
      cwd: dir.path,
      logFile: join(dir.path, 'log'),
    })
    const endpoint = `http://127.0.0.1:${server.port}`
    client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true })
    env = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }
  })
  afterAll(async () => {
    client.destroy()
    await server.stop()
    await dir.remove()
  })

  async function bucketOf(name: string, versioned: boolean): Promise<void> {
    await client.send(new CreateBucketCommand({ Bucket: name }))
    if (!versioned) return
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }))
  }
  const put = (bucket: string, key: string, body: string) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  /** All there is of a bucket, to be compared: versions in their order, marks of deletion, half-sent uploads. */
  async function everythingIn(bucket: string): Promise<unknown> {
    const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return {
      // Without times: this server gives a version that becomes the latest again a new one.
      versions: (Versions ?? []).map(({ Key, VersionId, ETag, Size, IsLatest }) => [
        Key,
        VersionId,
        ETag,
        Size,
        IsLatest,
      ]),
      deleted: (DeleteMarkers ?? []).map(({ Key, VersionId }) => [Key, VersionId]),
      uploads: (Uploads ?? []).map(({ Key, UploadId }) => [Key, UploadId]),
    }
  }

  it.each([
    ['versioned', true],
    ['unversioned', false],
  ])('upload in missing --to s3://%s/ --undo-on-failure  # leaves the bucket as it was', async (bucket, versioned) => {
    const ws = await workspace()
    await bucketOf(bucket, versioned)
    await put(bucket, 'other.txt', 'was here')
    if (versioned) {
      await put(bucket, 'a.txt', 'the first')
      await put(bucket, 'a.txt', 'the second')
    }
    await ws.writeAll('in/a.txt', 'in/b c.txt', 'in/sub/ü #.txt')
    await ws.write('in/large.bin', new Uint8Array(12 * MiB).fill(7))
    const before = await everythingIn(bucket)
    const line = `upload in in/missing.txt --to s3://${bucket}/ --undo-on-failure --part-size 5MiB --multipart-threshold 5MiB`
    const result = await ws.run(line, { env })
    expectCode(result, 1)
    expect(result.stderr).toMatch(/✔ 0 uploaded {2}✖ 1 failed {2}↶ 4 undone/)
    expect(await everythingIn(bucket)).toEqual(before)
  })

  it('upload in --to s3://plain/ --undo-on-failure  # refused where it would replace something', async () => {
    const ws = await workspace()
    await bucketOf('plain', false)
    await put('plain', 'a.txt', 'was here')
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const before = await everythingIn('plain')
    const result = await ws.run('upload in --to s3://plain/ --undo-on-failure', { env })
    expectCode(result, 2)
    expect(result.stderr).toContain('--undo-on-failure cannot be kept: this object exists already')
    expect(await everythingIn('plain')).toEqual(before)
  })

  it('upload undo r.jsonl --yes  # deletes what is new, restores what was replaced, leaves what changed since', async () => {
    const ws = await workspace()
    await bucketOf('kept', true)
    await put('kept', 'replaced.txt', 'was here')
    await ws.writeAll('in/replaced.txt', 'in/new.txt')
    await ws.write('in/large.bin', new Uint8Array(12 * MiB).fill(7))
    const before = await everythingIn('kept')
    const line = 'upload in --to s3://kept/ --report r.jsonl --part-size 5MiB --multipart-threshold 5MiB'
    expectCode(await ws.run(line, { env }), 0)
    const result = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(result, 0)
    expect(result.stderr).toContain('3 undone, 1 of them restored')
    expect(await everythingIn('kept')).toEqual(before)

    expectCode(await ws.run('upload in/new.txt --to s3://kept/ --report s.jsonl', { env }), 0)
    await put('kept', 'new.txt', 'by somebody else')
    const changed = await everythingIn('kept')
    const left = await ws.run('upload undo s.jsonl --yes', { env })
    expectCode(left, 5)
    expect(left.stdout).toContain('new.txt: changed since by somebody else')
    expect(await everythingIn('kept')).toEqual(changed)
  })
})
