import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Destination } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { type S3Fake, type S3FakeOptions, startS3Fake } from '../support/s3-fake.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const call = { signal: new AbortController().signal, requests: 1 }

async function opened(options: S3FakeOptions = {}): Promise<{ s3: S3Fake; destination: Required<Destination> }> {
  const s3 = await startS3Fake(options)
  const destination = await openS3Destination(s3Settings(s3.url), { url: 's3://bucket/', bucket: 'bucket' })
  onTestFinished(async () => {
    await destination.close()
    await s3.close()
  })
  return { s3, destination: destination as Required<Destination> }
}

const refused = (status: number, code: string) => ({ status, body: `<Error><Code>${code}</Code></Error>` })

describe('whether a bucket keeps versions', () => {
  it.each([
    ['Enabled', 'on'],
    ['Suspended', 'suspended'],
    [undefined, 'off'],
  ] as const)('%s', async (versioning, is) => {
    const { destination } = await opened({ versioning })
    expect(await destination.versioning(call)).toBe(is)
  })

  it.each([
    [403, 'AccessDenied', 'unknown'],
    [501, 'NotImplemented', 'off'],
    [405, 'MethodNotAllowed', 'off'],
    [404, 'NoSuchBucketVersioning', 'off'],
  ])('%i %s', async (status, code, is) => {
    const { destination } = await opened({ script: () => refused(status, code) })
    expect(await destination.versioning(call)).toBe(is)
  })

  it('a bucket that is not there, a server in trouble', async () => {
    const { s3, destination } = await opened({ buckets: [] })
    await expect(destination.versioning(call)).rejects.toMatchObject({ code: 'BUCKET_NOT_FOUND' })
    s3.script = () => refused(503, 'SlowDown')
    await expect(destination.versioning(call)).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
  })
})

describe('the versions of one key', () => {
  it('the newest first, deletions among them, other keys not', async () => {
    const { s3, destination } = await opened({ versioning: 'Enabled' })
    for (const [key, text] of [
      ['a b', 'one'],
      ['a b', 'three'],
      ['a b2', 'other'],
      ['a', 'other'],
    ] as const) {
      s3.put('bucket', key, Buffer.from(text))
    }
    await destination.deleteObject('a b', undefined, call)
    expect(await destination.listVersions('a b', call)).toMatchObject([
      { isLatest: true, isDeleteMarker: true },
      { versionId: 'version-000002', isLatest: false, isDeleteMarker: false, size: 5 },
      { versionId: 'version-000001', isLatest: false, isDeleteMarker: false, size: 3 },
    ])
    expect(await destination.listVersions('nothing', call)).toEqual([])
  })

  it('more of them than one answer holds', async () => {
    const { s3, destination } = await opened({ versioning: 'Enabled' })
    for (let n = 1; n <= 45; n += 1) s3.put('bucket', 'k', Buffer.alloc(n))
    s3.put('bucket', 'k2', Buffer.alloc(1))
    const versions = await destination.listVersions('k', call)
    expect(versions.map(({ size }) => size)).toEqual(Array.from({ length: 45 }, (_, n) => 45 - n))
    expect(s3.requests.length).toBe(3)
  })

  it('a server that repeats its marker is not asked for ever', async () => {
    const page = `<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>
      <NextVersionIdMarker>v1</NextVersionIdMarker><Version><Key>k</Key><VersionId>v1</VersionId>
      <IsLatest>true</IsLatest><Size>1</Size></Version></ListVersionsResult>`
    const { s3, destination } = await opened({ script: () => ({ status: 200, body: page }) })
    expect((await destination.listVersions('k', call)).length).toBeGreaterThan(0)
    expect(s3.requests.length).toBe(2)
  })
})

describe('deleting one version', () => {
  it('brings the one before back', async () => {
    const { s3, destination } = await opened({ versioning: 'Enabled' })
    s3.put('bucket', 'k', Buffer.from('before'))
    s3.put('bucket', 'k', Buffer.from('after'))
    await destination.deleteObject('k', 'version-000002', call)
    expect(s3.read('bucket', 'k')?.toString()).toBe('before')
  })

  it.each([
    [404, 'NoSuchVersion'],
    [400, 'InvalidArgument'],
  ])('that is gone is no error, though a server answers %i %s', async (status, code) => {
    const { s3, destination } = await opened({ versioning: 'Enabled' })
    s3.put('bucket', 'k', Buffer.from('before'))
    s3.script = ({ operation }) => (operation === 'DeleteObject' ? refused(status, code) : undefined)
    await destination.deleteObject('k', 'version-000009', call)
    await expect(destination.deleteObject('k', 'version-000001', call)).rejects.toMatchObject({ status })
  })

  it('nor is an object that is gone, but a bucket that is', async () => {
    const { s3, destination } = await opened({ script: () => refused(404, 'NoSuchKey') })
    await destination.deleteObject('k', undefined, call)
    s3.script = () => refused(404, 'NoSuchBucket')
    await expect(destination.deleteObject('k', undefined, call)).rejects.toMatchObject({ code: 'BUCKET_NOT_FOUND' })
  })

  it('that may not be deleted is one', async () => {
    const { destination } = await opened({ script: () => refused(403, 'AccessDenied') })
    await expect(destination.deleteObject('k', 'v', call)).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('s3:DeleteObjectVersion'),
    })
  })
})
